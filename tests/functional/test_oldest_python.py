# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules on the oldest Python that they must run on, with the oldest libraries that requirements.txt allows."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ..cases import STARTS
from .ansible_runs import NEEDS, ROOT, Run, poll
from .start_runs import USER, call, result_of, start, task_of
from .wait_runs import life, outcomes, wait

OTHERS: dict[str, dict[str, Any]] = {
    "cos_doc_job_list_info": NEEDS["cos_doc"],
    "cos_object_info": {**NEEDS["cos_doc"], "objects": ["in/plan.docx"]},
    "mps_task_list_info": {},
    "mps_task_abort": {"task_id": "waits"},
}


def find_python() -> str:
    """Python 3.9, on the path or of pyenv."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    found = shutil.which("python3.9")
    places = [*([found] if found else []), *map(str, sorted((pyenv / "versions").glob("3.9.*/bin/python")))]
    for place in places:
        if not subprocess.run([place, "-c", "import ensurepip, venv"], capture_output=True, check=False).returncode:
            return place
    pytest.skip("there is no Python 3.9 that can make an environment")


@pytest.fixture(scope="module")
def oldest_python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An environment of the oldest versions of everything."""
    folder = tmp_path_factory.mktemp("oldest")
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    libraries = [line.replace(">=", "==") for line in lines if line and not line.startswith("#")]
    python = str(folder / "bin" / "python")
    subprocess.run([find_python(), "-m", "venv", str(folder)], check=True)
    install = [python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    subprocess.run([*install, *libraries], check=True)
    return python


@pytest.fixture(scope="module")
def run(start_cloud: Callable[..., Any], start_ansible: Callable[..., Any], oldest_python: str) -> Run:
    cloud = start_cloud({"tasks": [life("waits", {"status": "pending", "looks": 99})], "objects": {}})
    tasks: dict[str, Any] = {provider: start(provider, "plan") for provider in STARTS}
    results = [result_of(tasks, provider) for provider in STARTS]
    tasks["wait"] = wait(tasks=[f"{{{{ {result} }}}}" for result in results])
    for provider, result in zip(STARTS, results):
        tasks[f"poll {provider}"] = poll(provider, f"{{{{ {result}.task.task_id }}}}")
    tasks.update({name: call(name, **options) for name, options in OTHERS.items()})
    tasks["python"] = {"ansible.builtin.setup": {"gather_subset": ["!all", "!min", "python"]}}
    found: Run = start_ansible({**cloud.environment, **USER}).polls(
        tasks, "--extra-vars", f"ansible_python_interpreter={oldest_python}"
    )
    return found


def test_it_is_that_python(run: Run) -> None:
    version = run.results["python"]["ansible_facts"]["ansible_python"]["version"]
    assert (version["major"], version["minor"]) == (3, 9)


@pytest.mark.parametrize("provider", STARTS)
def test_it_starts_and_polls(run: Run, provider: str) -> None:
    assert task_of(run, provider)["status"] == "pending"
    assert run.task(f"poll {provider}")["status"] == "succeeded"


def test_it_waits(run: Run) -> None:
    assert outcomes(run.results["wait"]) == ["satisfied"] * len(STARTS)


@pytest.mark.parametrize("name", OTHERS)
def test_it_lists_and_aborts(run: Run, name: str) -> None:
    assert run.results[name]["failed"] is False


def test_the_simulator_reads_a_scenario(oldest_python: str) -> None:
    simulator = ROOT / "extensions" / "simulator"
    checked = subprocess.run(
        [oldest_python, "-B", str(simulator), "--check"], capture_output=True, text=True, timeout=60, check=False
    )
    assert checked.returncode == 0, checked.stderr
