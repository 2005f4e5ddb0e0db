# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a running simulator knows: its clock, its credentials, its cloud tasks, its faults and its journal.

`cloud.py` answers the vendors' calls with it, `control.py` reads and changes it for tests.
"""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from pathlib import Path

from callbacks import Postman
from connections import ConnectionRules
from journal import Journal
from keyring import Keyring
from lives import FaultRules, Lives
from scenario import Scenario, refuse_without_tls
from starts import Starts


class Ending:
    """The request to end the simulator. It can be made by a signal handler, by a control call and by a time limit."""

    def __init__(self) -> None:
        self.event = threading.Event()
        self._reader, self._writer = socket.socketpair()

    def ask(self) -> None:
        """Ask the simulator to end. Safe in a signal handler, since it takes no lock."""
        with contextlib.suppress(OSError):
            self._writer.send(b"!")

    def descriptor(self) -> int:
        """Return a file descriptor; writing a byte to it asks the simulator to end."""
        self._writer.setblocking(False)
        return self._writer.fileno()

    def wait(self, most_seconds: float | None) -> bool:
        """Wait until someone asks, then set `event`. Returns False if `most_seconds` passed first."""
        asked = bool(select.select([self._reader], [], [], most_seconds)[0])
        self.event.set()
        return asked


class State:
    """Everything that a running simulator remembers, made from a scenario.

    :raises ScenarioError: when the scenario breaks TLS and the simulator serves plain HTTP.
    """

    def __init__(self, scenario: Scenario, folder: Path, control_key: str, tls: bool = False) -> None:
        if not tls:
            refuse_without_tls(scenario.tasks, scenario.starts, scenario.faults, scenario.connections)
        self.tls = tls
        self.folder = folder
        self.control_key = control_key
        self.clock_offset: float = scenario.clock_offset
        self.rate_limit = scenario.rate_limit
        self.retired_actions = scenario.retired_actions
        self.journal = Journal()
        self.keyring = Keyring(scenario.credentials, scenario.roles)
        self.lives = Lives(scenario.tasks, self.clock)
        self.connections = ConnectionRules(scenario.connections)
        self.rules = FaultRules(scenario.faults)
        self.starts = Starts(scenario.starts)
        self.objects = scenario.objects
        self.callbacks = scenario.callbacks
        self.postman = Postman(scenario.callbacks, self.lives, self.journal, self.clock)
        self.ending = Ending()

    def clock(self) -> float:
        """Return the simulator's time in seconds since 1970: this machine's, moved by `clock_offset`."""
        return time.time() + self.clock_offset

    def reset(self) -> None:
        """Begin all lives, starts and counts again, and forget the journal."""
        self.lives.reset()
        self.rules.reset()
        self.connections.reset()
        self.starts.reset()
        self.postman.put(self.callbacks)
        self.journal.reset()
        self.keyring.reset_counts()
