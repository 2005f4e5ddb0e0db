# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every module on a Python that ansible-core still runs modules on, and that is too old for this collection."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible.release import __version__ as core_version

from .ansible_runs import ROOT, Run
from .start_runs import call

MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("*.py"))


@pytest.fixture(scope="module")
def old_python() -> str:
    """Python 3.8, on the path or of pyenv."""
    if tuple(map(int, core_version.split(".")[:2])) >= (2, 20):
        pytest.skip("from ansible-core 2.20 on, Ansible itself refuses a Python older than 3.9")
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    found = shutil.which("python3.8")
    for place in [*([found] if found else []), *map(str, sorted((pyenv / "versions").glob("3.8.*/bin/python3.8")))]:
        command = [place, "-c", "import sys; print(sys.executable)"]
        process = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
        if not process.returncode:
            return process.stdout.strip()
    pytest.skip("there is no Python 3.8")


@pytest.fixture(scope="module")
def run(start_ansible: Callable[..., Any], old_python: str) -> Run:
    interpreter = f"ansible_python_interpreter={old_python}"
    calls = {name: call(name) for name in MODULES}
    found: Run = start_ansible({}).polls(calls, "--extra-vars", interpreter)
    return found


@pytest.mark.parametrize("name", MODULES)
def test_a_module_says_which_python_it_needs(run: Run, old_python: str, name: str) -> None:
    error = run.error(name)
    assert (error["kind"], error["retryable"]) == ("config", False)
    said = run.sentence(name)
    assert said.startswith("This module needs Python 3.9 or newer, but the interpreter ")
    assert f"{old_python} is Python 3.8." in said
    assert said.endswith("; set ansible_python_interpreter to a newer one.")
