# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules in use: their documentation, ad hoc runs, and a Python that lacks something."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from ..cases import CASES
from .ansible_runs import MODULES, ROOT, Ansible, Run, poll

EXAMPLES = {word: case.examples for word, case in CASES.items() if case.examples}


def examples(module: str) -> list[dict[str, Any]]:
    """The examples in a module's documentation."""
    tree = ast.parse((ROOT / "plugins" / "modules" / f"{module}.py").read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "EXAMPLES":
            tasks: list[dict[str, Any]] = yaml.safe_load(ast.literal_eval(node.value))
            return tasks
    raise AssertionError(f"{module} has no examples")


@pytest.fixture(scope="module")
def ansible(start_cloud: Callable[..., Any], start_ansible: Callable[..., Any]) -> Ansible:
    cloud = start_cloud(
        {
            "tasks": [
                {"provider": word, "task_id": task_id, "life": [{"status": status}]}
                for word, given in EXAMPLES.items()
                for task_id, status in given.tasks.items()
            ]
        }
    )
    found: Ansible = start_ansible(cloud.environment)
    return found


def without(ansible: Ansible, library: str) -> dict[str, Any]:
    """Keywords of an Ansible task whose Python has no such library."""
    folder = ansible.folder / f"without-{library}"
    folder.mkdir()
    (folder / f"{library}.py").write_text(f"raise ImportError('no {library}')\n", encoding="utf-8")
    return {"environment": {"PYTHONPATH": str(folder)}}


@pytest.fixture(scope="module")
def lacking(ansible: Ansible) -> Run:
    return ansible.polls(
        {
            "requests": poll("dingtalk_doc", "copy", keywords=without(ansible, "requests")),
            "xmltodict": poll("cos_doc", "job", keywords=without(ansible, "xmltodict")),
        }
    )


@pytest.mark.parametrize("library", ["requests", "xmltodict"])
def test_a_library_that_is_missing_is_named_with_the_python_that_lacks_it(
    lacking: Run, ansible: Ansible, library: str
) -> None:
    result = lacking.results[library]
    assert result["failed"]
    assert f"Failed to import the required Python library ({library}) on" in result["msg"]


@pytest.fixture(scope="module")
def documentation(ansible: Ansible) -> dict[str, str]:
    run = ansible.command("doc", *(f"cloudwait.conversion.{name}" for name in MODULES.values()))
    assert run.status == 0, run.output
    pages = run.output.split("> MODULE cloudwait.conversion.")[1:]
    return {page.split()[0]: page for page in pages}


@pytest.mark.parametrize("module", MODULES.values())
def test_the_documentation_can_be_read(documentation: dict[str, str], module: str) -> None:
    page = documentation[module]
    for words in ("task_id", "request_timeout", "RETURN VALUES", "endpoint_host", examples(module)[0]["name"]):
        assert words in page
    assert "ignore:" not in page, "a mark of the markup is shown where it has no meaning"


def test_the_other_name_of_the_mps_module_leads_to_its_documentation(ansible: Ansible) -> None:
    run = ansible.command("doc", "cloudwait.conversion.mps_task_info")
    assert run.status == 0, run.output
    assert "> MODULE cloudwait.conversion.mps_task_detail" in run.output


def test_a_module_can_be_run_ad_hoc(ansible: Ansible) -> None:
    python = f"ansible_python_interpreter={ansible.python}"
    module = "cloudwait.conversion.cos_doc_job_info"
    options = "job_id=job bucket=examplebucket-1250000000 region=ap-beijing"
    run = ansible.command("adhoc", "localhost", "--extra-vars", python, "-m", module, "-a", options)
    assert run.status == 0, run.output
    assert "localhost | SUCCESS" in run.output
    assert '"status": "partial"' in run.output
