# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run ansible-test on a copy of the checkout, since it needs a real folder .../ansible_collections/NAMESPACE/NAME.

The copy is in a temporary folder, since the path of the checkout may have spaces: with "async", Ansible does not quote
the path of the interpreter for the shell. Each ansible-core has its own home folder, so that two can run in parallel.
"""

from __future__ import annotations

import fcntl
import importlib.metadata
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import ansible_test_home

ROOT = pathlib.Path(__file__).resolve().parent.parent


def copy_checkout(copy: pathlib.Path) -> None:
    """Copy the files that git tracks or would track. Deleted files that are not yet committed are left out.

    :param copy: the folder to make.
    """
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
    for name in filter(None, os.fsdecode(names).split("\0")):
        source, target = ROOT / name, copy / name
        if source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    subprocess.run(["git", "init", "-q", copy], check=True)  # otherwise git may find a repository around it


def main(arguments: list[str]) -> int:
    """Copy the checkout, and run ansible-test in the copy. Returns its exit status.

    :param arguments: arguments of ansible-test.
    """
    command = [sys.executable, "-m", "ansible", "test", *arguments, "--color", "no"]
    core = ".".join(importlib.metadata.version("ansible-core").split(".")[:2])
    home = ROOT / ".cache" / "ansible-test" / core
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w") as lock, tempfile.TemporaryDirectory(prefix="ansible-test-") as folder:
        fcntl.flock(lock, fcntl.LOCK_EX)
        copy = pathlib.Path(folder, "ansible_collections", "cloudwait", "conversion")
        copy_checkout(copy)
        ansible_test_home.make(home, core)
        return subprocess.run(command, cwd=copy, env={**os.environ, "HOME": str(home)}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
