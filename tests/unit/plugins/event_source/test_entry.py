# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The file that ansible-rulebook runs: it finds the collection, and its errors are one sentence."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[4]
FILE = pathlib.Path("extensions") / "eda" / "plugins" / "event_source" / "cloud_tasks.py"
REFUSED = "SourceError: The event source cloud_tasks failed: taks is not an argument; correct the argument."


@pytest.fixture
def tree(tmp_path: pathlib.Path) -> pathlib.Path:
    """A folder with the collection, as ansible-galaxy makes one."""
    link = tmp_path / "tree" / "ansible_collections" / "cloudwait" / "conversion"
    link.parent.mkdir(parents=True)
    link.symlink_to(ROOT)
    return link


def complaint(file: pathlib.Path, **environment: str) -> str:
    """Runs the file with a wrong argument, and returns the last line that it writes."""
    foreign = ("ANSIBLE_", "COVERAGE")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    done = subprocess.run(
        [sys.executable, str(file), '{"taks": []}'],
        env={**clean, "HOME": str(file.parent), **environment},
        cwd=file.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    return done.stderr.splitlines()[-1].rpartition("source.")[2]


def test_it_finds_the_collection_that_it_is_part_of(tree: pathlib.Path) -> None:
    assert complaint(tree / FILE) == REFUSED


def test_a_copy_finds_the_collection_on_the_path(tree: pathlib.Path, tmp_path: pathlib.Path) -> None:
    copy = tmp_path / "cloudwait.conversion.cloud_tasks.py"
    shutil.copy(ROOT / FILE, copy)
    assert complaint(copy, ANSIBLE_COLLECTIONS_PATH=f"{tmp_path / 'none'}:{tmp_path / 'tree'}") == REFUSED


def test_without_the_collection_it_says_what_to_install(tmp_path: pathlib.Path) -> None:
    copy = tmp_path / "cloud_tasks.py"
    shutil.copy(ROOT / FILE, copy)
    said = complaint(copy, ANSIBLE_COLLECTIONS_PATH=str(tmp_path))
    assert said.startswith("ImportError: The event source cloud_tasks failed: No module named 'ansible_collections")
    assert said.endswith("; install the collection, ansible-core and requests where ansible-rulebook runs.")
