# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import time

import pytest
from ansible_collections.cloudwait.conversion.plugins.plugin_utils import _orphan

#: a parent that makes a child, has it watch, and is gone at its word; the child would sleep for a minute
PARENT = """
import importlib.util, multiprocessing, os, time
spec = importlib.util.spec_from_file_location("orphan", {path!r})
orphan = importlib.util.module_from_spec(spec)
spec.loader.exec_module(orphan)
orphan.OFTEN = 0.02
ours, childs = os.pipe()
def stay():
    print(os.getpid(), flush=True)
    os.write(childs, b"!")
    time.sleep(60)
def be_orphaned():
    parent = os.getppid()
    print(os.getpid(), flush=True)
    os.write(childs, b"!")
    while os.getppid() == parent:
        time.sleep(0.01)
def live():
    {before}
    with orphan.ending_with_parent():
        {within}
    {after}
    os._exit(0)
multiprocessing.get_context("fork").Process(target=live).start()  # as Ansible does
os.read(ours, 1)
os._exit(0)
"""


def is_alive(pid: int) -> bool:
    """Zombies, which nobody may reap here, are dead."""
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def orphan(*, before: str = "pass", within: str = "pass", after: str = "pass") -> int:
    """The child of a parent that is gone."""
    text = PARENT.format(path=_orphan.__file__, before=before, within=within, after=after)
    process = subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        process.stdout.close()
        assert process.wait(timeout=30) == 0
    return pid


@pytest.mark.parametrize("lives", [{"within": "stay()"}, {"before": "be_orphaned()", "within": "time.sleep(60)"}])
def test_a_process_ends_with_its_parent_also_if_that_was_gone_before(lives: dict[str, str]) -> None:
    pid = orphan(**lives)
    end = time.monotonic() + 30
    while is_alive(pid) and time.monotonic() < end:
        time.sleep(0.02)
    assert not is_alive(pid)


def test_afterwards_it_may_outlive_it() -> None:
    pid = orphan(after="stay()")
    time.sleep(0.2)
    alive = is_alive(pid)
    os.kill(pid, 9)
    assert alive
