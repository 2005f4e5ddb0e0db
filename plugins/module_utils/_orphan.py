# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 2: the process. It knows no AnsibleModule.
"""Ends a module when nobody reads its answer any more, since its controller was killed or the connection to it is lost."""

from __future__ import annotations

import os
import select
import threading

STDOUT = 1


def end_without_reader(descriptor: int = STDOUT) -> None:
    """End this process as soon as the other end of its standard output is closed.

    This is noticed where standard output is a pipe, a socket or a terminal, as it is for modules. A file has no reader.

    :param descriptor: the file descriptor to watch.
    """
    poller = select.poll()
    poller.register(descriptor, 0)  # errors and hang-ups are reported without being asked for

    def watch() -> None:
        if poller.poll():
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


__all__ = ["end_without_reader"]
