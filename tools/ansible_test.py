# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run ansible-test on a copy of the checkout: it wants a real folder .../ansible_collections/NAMESPACE/NAME."""

from __future__ import annotations

import fcntl
import os
import pathlib
import shutil
import subprocess
import sys

import ansible_test_home

ROOT = pathlib.Path(__file__).resolve().parent.parent
COPY = ROOT / ".cache" / "ansible-test" / "ansible_collections" / "cloudwait" / "conversion"


def copy_checkout() -> None:
    """Copy what git tracks or would track; a file that is deleted but not yet committed is left out."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
    shutil.rmtree(COPY, ignore_errors=True)
    for name in filter(None, os.fsdecode(names).split("\0")):
        source, target = ROOT / name, COPY / name
        if source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    subprocess.run(["git", "init", "-q", COPY], check=True)  # else it asks our own git, which ignores the copy


def main(arguments: list[str]) -> int:
    """Copy, then run ansible-test with these arguments in that copy."""
    command = [sys.executable, "-m", "ansible", "test", *arguments, "--color", "no"]
    with (ROOT / ".cache" / "ansible-test.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # there is one copy and one home
        copy_checkout()
        env = {**os.environ, "HOME": str(ansible_test_home.main())}
        return subprocess.run(command, cwd=COPY, env=env, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
