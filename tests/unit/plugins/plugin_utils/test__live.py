# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The live channel, both ends of it: a round that tells changes, and the action that receives them."""

from __future__ import annotations

import contextlib
import contextvars
import os
import socket
import stat
import tempfile
import threading
import typing as t

import pytest
from ansible import constants as C  # noqa: N812 # so it is written everywhere in Ansible
from ansible_collections.cloudwait.conversion.plugins.module_utils._pacing import FOREVER
from ansible_collections.cloudwait.conversion.plugins.module_utils._wait import channel
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._live import Live

PATIENCE = 30.0


class Updates:
    """What processes updates; here it only keeps them."""

    def __init__(self, verdict_after: int = 99, beats: t.Sequence[float] = ()) -> None:
        self.taken: list[t.Any] = []
        self.beaten = threading.Event()
        self.came = threading.Semaphore(0)
        self._verdict_after = verdict_after
        self._beats = list(beats)

    def take(self, update: t.Any) -> bool:
        self.taken.append(update)
        self.came.release()
        return len(self.taken) >= self._verdict_after

    def next_beat(self) -> float:
        return self._beats.pop(0) if self._beats else FOREVER

    def beat(self) -> None:
        self.beaten.set()


class Connection(t.NamedTuple):
    """Ansible's connection to a host, as far as it matters here."""

    transport: str = "local"
    become: t.Any = None


def live(updates: t.Any, connection: Connection | None = None) -> Live:
    return Live(updates, connection or Connection())


SSH = Connection("ssh")


@contextlib.contextmanager
def connected(path: str | None) -> t.Iterator[channel.Channel]:
    found = channel.connect(path, lambda update: update)
    assert found is not None
    with contextlib.closing(found):
        yield found


def test_updates_come_while_the_module_runs() -> None:
    updates = Updates()
    with live(updates) as its, connected(its.reach.get("channel")) as module:
        for number in range(3):
            assert module.tell(t.cast(t.Any, {"number": number, "text": "\n" * 200_000}))
            assert updates.came.acquire(timeout=PATIENCE)
    assert [update["number"] for update in updates.taken] == [0, 1, 2]


def test_what_was_told_just_before_the_end_is_not_lost() -> None:
    updates = Updates()
    with live(updates) as its, connected(its.reach.get("channel")) as module:
        module.tell(t.cast(t.Any, {"number": 1}))
    assert updates.taken == [{"number": 1}]


def test_what_was_told_behind_the_verdict_is_not_lost() -> None:
    updates = Updates(verdict_after=1)
    with live(updates) as its, connected(its.reach.get("channel")) as module:
        module._connection.sendall(b'{"number": 0}\n{"number": 1}\n{"num')
        assert updates.came.acquire(timeout=PATIENCE)
        module._connection.sendall(b'ber": 2}\n')
    assert [update["number"] for update in updates.taken] == [0, 1, 2]


def test_a_heartbeat_may_be_further_away_than_the_system_can_wait() -> None:
    updates = Updates(beats=[1e9])
    with live(updates) as its, connected(its.reach.get("channel")) as module:
        module.tell(t.cast(t.Any, {"number": 1}))
        assert updates.came.acquire(timeout=PATIENCE)


def test_the_controller_ends_a_round_by_closing_the_channel() -> None:
    closed = threading.Event()
    with live(Updates(verdict_after=1)) as its, connected(its.reach.get("channel")) as module:
        module.watch(closed.set)
        assert not closed.is_set()
        module.tell(t.cast(t.Any, {}))
        assert closed.wait(PATIENCE)


def test_a_channel_that_is_gone_is_noticed_when_something_is_told() -> None:
    ours, theirs = socket.socketpair()
    theirs.close()
    with contextlib.closing(channel.Channel(ours, lambda update: update)) as module:
        assert not module.tell(t.cast(t.Any, {}))


def test_only_this_user_can_reach_the_channel_and_nothing_stays_on_the_disk() -> None:
    with live(Updates()) as its:
        folder = os.path.dirname(its.reach["channel"])
        assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700
        end = threading.Event()
        with connected(its.reach.get("channel")):
            while os.path.exists(folder) and not end.wait(0.01):
                pass
    with live(Updates()) as its:
        folder = os.path.dirname(its.reach["channel"])
    assert not os.path.exists(folder)


def test_the_channel_is_where_ansible_tidies_up_at_its_end() -> None:
    with live(Updates()) as its:
        assert its.reach["channel"].startswith(f"{C.DEFAULT_LOCAL_TMP}/cloudwait-")


def test_a_folder_whose_path_is_too_long_for_a_socket_is_not_used(
    tmp_path: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("x" * 100)
    deep.mkdir()
    monkeypatch.setattr(C, "DEFAULT_LOCAL_TMP", str(deep))
    with live(Updates()) as its:
        assert its.reach["channel"].startswith(f"{tempfile.gettempdir()}/cloudwait-")
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    with live(Updates()) as its:
        assert its.reach.get("channel") is None
    assert list(deep.iterdir()) == []


def test_no_channel_is_made_where_the_module_may_not_reach_it() -> None:
    with live(Updates(), SSH) as its:
        assert its.reach == {}
    with live(Updates(), Connection("local", become="sudo")) as its:
        assert its.reach == {"controller": os.getpid()}


@pytest.mark.parametrize("path", [None, "/no/such/folder/live"])
def test_a_round_that_cannot_reach_the_channel_goes_without(path: str | None) -> None:
    assert channel.connect(path, lambda update: update) is None


def test_heartbeats_come_while_the_module_runs() -> None:
    updates = Updates(beats=[0.0])
    with live(updates, SSH):
        assert updates.beaten.wait(PATIENCE)


def test_an_error_reaches_the_thread_that_runs_the_module_and_ends_the_round() -> None:
    class Broken(Updates):
        def take(self, update: t.Any) -> bool:
            raise KeyError("a mistake in our code")

    closed = threading.Event()

    def run() -> None:
        with live(Broken()) as its, connected(its.reach.get("channel")) as module:
            module.watch(closed.set)
            module.tell(t.cast(t.Any, {}))
            assert closed.wait(PATIENCE)

    with pytest.raises(KeyError):
        run()


def test_ansible_s_context_is_known_where_updates_are_processed() -> None:
    variable = contextvars.ContextVar[str]("variable")
    variable.set("of the Ansible task")
    seen = []

    class Looking(Updates):
        def beat(self) -> None:
            seen.append(variable.get(None))
            super().beat()

    updates = Looking(beats=[0.0])
    with live(updates, SSH):
        assert updates.beaten.wait(PATIENCE)
    assert seen == ["of the Ansible task"]
