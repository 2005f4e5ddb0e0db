# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
import typing as t

from ansible_collections.cloudwait.conversion.plugins.module_utils import _reader

SECONDS = 60.0

PROGRAM = """
import sys, time
sys.path.insert(0, sys.argv[1])
import _reader
_reader.Reader({arguments}).watch()
print("ready", flush=True)
time.sleep(600)
"""


@contextlib.contextmanager
def running(arguments: str = "") -> t.Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", PROGRAM.replace("{arguments}", arguments), os.path.dirname(_reader.__file__)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def test_a_process_whose_output_nobody_reads_ends() -> None:
    with running() as process:
        output = t.cast(t.IO[str], process.stdout)
        assert output.readline() == "ready\n"
        output.close()
        assert process.wait(timeout=SECONDS) == 1


def test_a_process_whose_output_is_read_goes_on() -> None:
    with running() as process:
        assert t.cast(t.IO[str], process.stdout).readline() == "ready\n"
        time.sleep(0.2)
        assert process.poll() is None


def test_a_file_has_no_reader_that_could_go(tmp_path: t.Any) -> None:
    program = PROGRAM.replace("{arguments}", "").replace("600", "0.2")
    with (tmp_path / "output").open("w") as file:
        command = [sys.executable, "-c", program, os.path.dirname(_reader.__file__)]
        assert subprocess.run(command, stdout=file, check=False).returncode == 0


def test_signs_of_life_are_empty_lines() -> None:
    with running("pause=0.05") as process:
        output = t.cast(t.IO[str], process.stdout)
        while output.readline() != "ready\n":
            pass
        assert [output.readline() for dummy in range(2)] == ["\n", "\n"]


def test_no_sign_of_life_comes_into_the_answer() -> None:
    program = PROGRAM.replace(
        "_reader.Reader({arguments}).watch()", "r = _reader.Reader(pause=0.01); r.watch(); r.quiet()"
    )
    command = [sys.executable, "-c", program.replace("600", "0.3"), os.path.dirname(_reader.__file__)]
    output = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    assert output.lstrip("\n") == "ready\n"


def test_a_process_ends_with_its_controller() -> None:
    with (
        subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as controller,
        running(f"{controller.pid}") as process,
    ):
        assert t.cast(t.IO[str], process.stdout).readline() == "ready\n"
        assert process.poll() is None
        t.cast(t.IO[bytes], controller.stdin).close()
        controller.wait()
        assert process.wait(timeout=SECONDS) == 1
