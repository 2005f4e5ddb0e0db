# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import sqlite3
import typing as t

import pytest


@pytest.fixture(autouse=True)
def closed_databases(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[None]:
    """Close every database that a test leaves open, as the end of a process does; Python 3.13 warns of others."""
    opened: list[sqlite3.Connection] = []

    def connect(*args: t.Any, connect: t.Callable[..., sqlite3.Connection] = sqlite3.connect, **how: t.Any) -> t.Any:
        opened.append(connect(*args, **how))
        return opened[-1]

    monkeypatch.setattr(sqlite3, "connect", connect)
    yield
    for base in opened:
        base.close()
