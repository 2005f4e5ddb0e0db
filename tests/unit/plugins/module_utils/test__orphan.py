# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import subprocess
import sys
import time
import typing as t

import pytest
from ansible_collections.cloudwait.conversion.plugins.module_utils import _orphan

SECONDS = 60.0

PROGRAM = """
import sys, time
sys.path.insert(0, sys.argv[1])
import _orphan
_orphan.end_without_reader()
print("ready", flush=True)
time.sleep(600)
"""


@pytest.fixture
def program() -> t.Iterator[subprocess.Popen[str]]:
    folder = os.path.dirname(_orphan.__file__)
    with subprocess.Popen([sys.executable, "-c", PROGRAM, folder], stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def test_a_process_whose_output_nobody_reads_ends(program: subprocess.Popen[str]) -> None:
    output = t.cast(t.IO[str], program.stdout)
    assert output.readline() == "ready\n"
    output.close()
    assert program.wait(timeout=SECONDS) == 1


def test_a_process_whose_output_is_read_goes_on(program: subprocess.Popen[str]) -> None:
    assert t.cast(t.IO[str], program.stdout).readline() == "ready\n"
    time.sleep(0.2)
    assert program.poll() is None


def test_a_file_has_no_reader_that_could_go(monkeypatch: pytest.MonkeyPatch, tmp_path: t.Any) -> None:
    ended: list[int] = []
    monkeypatch.setattr(os, "_exit", ended.append)
    with (tmp_path / "output").open("w") as file:
        _orphan.end_without_reader(file.fileno())
        time.sleep(0.2)
    assert ended == []
