# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make .venv and install packages into it: "bootstrap.py run" for the demo, "bootstrap.py dev" for tests and tools.

This file must run on any Python 3, with the standard library only, so that an old Python gives a clear error message.
"""

import fcntl
import importlib.util
import os
import pathlib
import subprocess
import sys

OLDEST = (3, 11)
ROOT = pathlib.Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
PIP = (PYTHON, "-m", "pip", "--disable-pip-version-check", "install", "-qq")
HASHED = ("--require-hashes", "-r")  # followed by a lock file; packages with another hash are refused


def check_python() -> None:
    """End the program with a message if this Python cannot make the environment."""
    advice = "as in: make PYTHON=/path/to/python3 ..."
    if sys.version_info[:2] < OLDEST:
        wanted, found = (".".join(map(str, version[:2])) for version in (OLDEST, sys.version_info))
        sys.exit(f"This needs Python {wanted} or newer, and {sys.executable} is {found}: name a newer one, {advice}")
    for module in ("venv", "ensurepip"):
        if importlib.util.find_spec(module) is None:
            install = f"install it (Debian: apt-get install python3-venv) or name another Python, {advice}"
            sys.exit(f"{sys.executable} has no module {module}: {install}")


def run(*command: object) -> None:
    """Run a command in the checkout. End the program if it fails."""
    status = subprocess.run([str(part) for part in command], cwd=ROOT, stdin=subprocess.DEVNULL, check=False).returncode
    if status:
        sys.exit(f"This command failed with status {status}: {' '.join(map(str, command))}")


def uv_environment(python: str) -> "dict[str, str]":
    """Returns an environment in which uv uses the same registry as pip and downloads no Python.

    :param python: a Python that has pip.
    """
    question = [python, "-m", "pip", "config", "get", "global.index-url"]
    answer = subprocess.run(question, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)  # 1: not set
    index = os.environ.get("PIP_INDEX_URL") or answer.stdout.decode().strip()
    env = {"UV_SYSTEM_CERTS": "1", **os.environ, "UV_PYTHON_DOWNLOADS": "never"}
    if index and not {"UV_DEFAULT_INDEX", "UV_INDEX_URL"} & set(env):
        env["UV_DEFAULT_INDEX"] = index
    return env


def nox_environment() -> "dict[str, str]":
    """Returns the environment for nox: that of uv, locked versions, and real Pythons before pyenv's shims.

    A shim fails with "command not found" for a Python that is installed but not selected, and ansible-test ends then.
    ``ANSIBLE_HOME`` is in the checkout, since Molecule's folders in it have the same names for all collections.
    """
    versions = pathlib.Path(os.environ.get("PYENV_ROOT") or pathlib.Path.home() / ".pyenv") / "versions"
    pythons = sorted(versions.glob("3.*/bin"), key=lambda path: int(path.parent.name.split(".")[1]), reverse=True)
    path = [str(pathlib.Path(sys.executable).parent), *map(str, pythons), os.environ.get("PATH", os.defpath)]
    env = {**uv_environment(sys.executable), "PATH": os.pathsep.join(path)}
    return {**env, "ANSIBLE_HOME": str(ROOT / ".cache" / "ansible"), "UV_CONSTRAINT": "locks/nox.txt"}


def lock_of(stage: str) -> str:
    """Returns the path of the lock file of a stage: versions and hashes, written by "make lock"."""
    return f"locks/{stage}.txt"


def install_with_uv(stage: str) -> bool:
    """Install the packages of a stage with uv, which is much faster than pip. Returns whether that succeeded."""
    env = uv_environment(str(PYTHON))
    command = [str(PYTHON), "-m", "uv", "pip", "install", "-q", "--python", str(PYTHON), *HASHED, lock_of(stage)]
    return subprocess.run(command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, check=False).returncode == 0


def main(stage: str) -> None:
    """Make .venv, install the packages of a stage, and mark the stage as complete with an empty file.

    :param stage: ``run`` or ``dev``.
    """
    check_python()
    (ROOT / ".cache").mkdir(exist_ok=True)
    with open(ROOT / ".cache" / "bootstrap.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # a second "make" in this checkout waits for the first
        if not ((VENV / ".uv").exists() and PYTHON.exists()):
            run(sys.executable, "-m", "venv", "--clear", VENV)
            run(*PIP, *HASHED, lock_of("uv"))
            (VENV / ".uv").touch()
        if not install_with_uv(stage):
            print("uv did not manage; now with pip", file=sys.stderr)
            run(*PIP, *HASHED, lock_of(stage))
        (VENV / ("." + stage)).touch()


if __name__ == "__main__":
    main(sys.argv[1])
