# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make .venv and install into it: "bootstrap.py run" for playing playbooks, "bootstrap.py dev" for the gates too.

Runs with any Python 3 (hence no newer syntax), so that an old one is told what is wrong; standard library only.
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
HASHED = ("--require-hashes", "-r")  # followed by a lock: what has another hash than it says is not installed


def check_python() -> None:
    """Stop with one sentence when this Python cannot make the environment."""
    advice = "as in: make PYTHON=/path/to/python3 ..."
    if sys.version_info[:2] < OLDEST:
        wanted, found = (".".join(map(str, version[:2])) for version in (OLDEST, sys.version_info))
        sys.exit(f"This needs Python {wanted} or newer, and {sys.executable} is {found}: name a newer one, {advice}")
    for module in ("venv", "ensurepip"):
        if importlib.util.find_spec(module) is None:
            install = f"install it (Debian: apt-get install python3-venv) or name another Python, {advice}"
            sys.exit(f"{sys.executable} has no module {module}: {install}")


def run(*command: object) -> None:
    """Run a command in the checkout; its failure is ours."""
    status = subprocess.run([str(part) for part in command], cwd=ROOT, stdin=subprocess.DEVNULL, check=False).returncode
    if status:
        sys.exit(f"This command failed with status {status}: {' '.join(map(str, command))}")


def uv_environment(python: str) -> "dict[str, str]":
    """What uv wants in its environment so as to ask the registry that pip is told of, and to download no Python."""
    question = [python, "-m", "pip", "config", "get", "global.index-url"]
    answer = subprocess.run(question, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)  # 1 = not set
    index = os.environ.get("PIP_INDEX_URL") or answer.stdout.decode().strip()
    env = {"UV_SYSTEM_CERTS": "1", **os.environ, "UV_PYTHON_DOWNLOADS": "never"}
    if index and not {"UV_DEFAULT_INDEX", "UV_INDEX_URL"} & set(env):
        env["UV_DEFAULT_INDEX"] = index
    return env


def nox_environment() -> "dict[str, str]":
    """What nox and all that it starts want: uv's, versions with hashes, and real Pythons instead of pyenv's stand-ins.

    A stand-in answers "command not found" for a Python that pyenv has but has not chosen; ansible-test stops at that.
    Ansible's home is ours, since Molecule's folders in it have the same names in every checkout of any collection.
    """
    versions = pathlib.Path(os.environ.get("PYENV_ROOT") or pathlib.Path.home() / ".pyenv") / "versions"
    pythons = sorted(versions.glob("3.*/bin"), key=lambda path: int(path.parent.name.split(".")[1]), reverse=True)
    path = [str(pathlib.Path(sys.executable).parent), *map(str, pythons), os.environ.get("PATH", os.defpath)]
    env = {**uv_environment(sys.executable), "PATH": os.pathsep.join(path)}
    return {**env, "ANSIBLE_HOME": str(ROOT / ".cache" / "ansible"), "UV_CONSTRAINT": "locks/nox.txt"}


def lock_of(stage: str) -> str:
    """The file with versions and hashes of what a stage needs; "make lock" makes it."""
    return f"locks/{stage}.txt"


def install_with_uv(stage: str) -> bool:
    """Install with uv, many times as fast as pip, if it gets on with the registry that pip is told of."""
    env = uv_environment(str(PYTHON))
    command = [str(PYTHON), "-m", "uv", "pip", "install", "-q", "--python", str(PYTHON), *HASHED, lock_of(stage)]
    return subprocess.run(command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, check=False).returncode == 0


def main(stage: str) -> None:
    """Make what is missing of the environment and note with an empty file that the stage is reached."""
    check_python()
    (ROOT / ".cache").mkdir(exist_ok=True)
    with open(ROOT / ".cache" / "bootstrap.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two makes in one checkout: one after the other
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
