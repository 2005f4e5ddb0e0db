# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts, lists and aborts as Ansible tasks, and what every result of one must have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..cases import STARTS
from .ansible_runs import NEEDS, Run

COLLECTION = "cloudwait.conversion"
USER_TOKEN = "EXAMPLE-FAKE-USER-TOKEN"
USER = {"DINGTALK_USER_ACCESS_TOKEN": USER_TOKEN}
ERROR = ["code", "http_status", "kind", "message", "request_id", "retryable"]


def media(name: str, **more: Any) -> dict[str, Any]:
    """What MPS shall do with a film."""
    return {**STARTS["mps"].options(name)["parameters"], **more}


def given(provider: str, name: str) -> dict[str, Any]:
    """The options of a start; the stand-in knows it by the name."""
    return {**NEEDS[provider], **STARTS[provider].options(name)}


def call(module: str, *, keywords: Mapping[str, Any] | None = None, **options: Any) -> dict[str, Any]:
    """An Ansible task of this collection; an option with the value None is left out."""
    arguments = {name: value for name, value in options.items() if value is not None}
    return {f"{COLLECTION}.{module}": arguments, **(keywords or {})}


def start(provider: str, name: str, *, keywords: Mapping[str, Any] | None = None, **options: Any) -> dict[str, Any]:
    """An Ansible task that starts a cloud task."""
    return call(STARTS[provider].module, keywords=keywords, **{**given(provider, name), **options})


def result_of(tasks: Iterable[str], name: str) -> str:
    """The variable that holds the result of an earlier Ansible task of the same run."""
    return f"poll_{list(tasks).index(name)}"


def task_of(run: Run, name: str) -> dict[str, Any]:
    """The record of a start that went well."""
    result = run.results[name]
    assert not result["failed"], result.get("msg")
    assert result["changed"] is True
    assert "response" in result
    assert "credential_source" in result
    record: dict[str, Any] = result["task"]
    return record


def error_of(run: Run, name: str, *, changed: bool = False) -> dict[str, Any]:
    """The error of an Ansible task that failed with a proper sentence."""
    result = run.results[name]
    assert result["failed"], f"{name} did not fail"
    assert result["changed"] is changed
    assert result["msg"].isprintable()
    assert result["msg"].endswith("."), result["msg"]
    error: dict[str, Any] = result["error"]
    assert sorted(error) == ERROR
    return error


def sentence(run: Run, name: str) -> str:
    """What an Ansible task that failed said."""
    text: str = run.results[name]["msg"]
    return text


def calls_of(cloud: Any, *actions: str) -> int:
    """How often the cloud was called by any of these names."""
    return sum(entry["action"] in actions for entry in cloud.journal())


def starts_of(cloud: Any, provider: str) -> tuple[int, int]:
    """How many starts came to the cloud, and how many cloud tasks they made."""
    stats = cloud.stats()
    return stats["starts"].get(provider, 0), stats["made"].get(provider, 0)
