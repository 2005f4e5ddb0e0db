# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs one command and writes down what it took: ``probe.py OUTPUT [--sample] COMMAND ...``; a program of its own.

CPU is that of all processes which the command started, also of those that left their parents (``async``): this process
adopts them and waits for them. With ``--sample`` it reads their memory twice a second. What it costs itself counts
for nobody.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import pathlib
import resource
import subprocess
import sys
import time

PR_SET_CHILD_SUBREAPER = 36
TURN = 0.5  # seconds between two samples
PATIENCE = 60.0  # seconds for orphans to end after the command


def parents() -> dict[int, int]:
    """The parent of each process there is."""
    found = {}
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            found[int(path.parent.name)] = int(path.read_text("ascii", "replace").rpartition(")")[2].split()[1])
    return found


def descendants(root: int) -> list[int]:
    """All processes below one."""
    above = parents()
    found = [root]
    for pid in found:
        found += [child for child, parent in above.items() if parent == pid]
    return found[1:]


def role_of(pid: int, first: int) -> str:
    """What a process is for: the command itself, a copy of it that Ansible forked, a module, or anything else."""
    words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
    if pid == first:
        return "program"
    if b"AnsiballZ_" in words:
        return "module"
    return "worker" if b"ansible" in words else "other"


def kib(text: str, name: str) -> int:
    """A size in a file of /proc."""
    return next((int(line.split()[1]) for line in text.splitlines() if line.startswith(name + ":")), 0)


def sample(first: int, peaks: dict[str, float]) -> None:
    """Raise the peaks, in MiB, to what is seen now; ``together`` counts shared memory once."""
    together = 0
    for pid in descendants(os.getpid()):
        with contextlib.suppress(OSError):
            role = role_of(pid, first)
            high = kib(pathlib.Path(f"/proc/{pid}/status").read_text("utf-8", "replace"), "VmHWM") / 1024
            peaks[role] = max(peaks.get(role, 0.0), high)
            together += kib(pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text("ascii"), "Pss")
    peaks["together"] = max(peaks.get("together", 0.0), together / 1024)


def reap(until: float) -> None:
    """Wait for orphans that are still there, so that their CPU counts."""
    while time.monotonic() < until:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                time.sleep(0.05)
        except ChildProcessError:
            return


def main(output: str, *command: str) -> None:
    """Run the command; its words go to a file beside the figures."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    sampled = command[0] == "--sample"
    peaks: dict[str, float] = {}
    began = time.monotonic()
    with open(output + ".log", "wb") as log:
        process = subprocess.Popen(command[sampled:], stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        while True:
            try:
                status = process.wait(TURN if sampled else None)
                break
            except subprocess.TimeoutExpired:
                sample(process.pid, peaks)
    wall, ended = time.monotonic() - began, time.time()
    reap(time.monotonic() + PATIENCE)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    figures = {"status": status, "cpu": used.ru_utime + used.ru_stime, "wall": wall, "ended": ended, "peaks": peaks}
    pathlib.Path(output).write_text(json.dumps(figures), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
