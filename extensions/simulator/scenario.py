# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenario files: read, checked, and refused in one sentence that names the place."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faults import FAULTS, VENDOR_FAULTS, Fault
from keyring import DEFAULT_DINGTALK, DEFAULT_TENCENT
from lives import FaultRule, Step, Task
from metadata import PROVIDER as METADATA
from services.mps import MEMBERS
from services.registry import SERVICES

WORDS = ("pending", "running", "succeeded", "partial", "failed", "canceled", "unknown")
RETIRED_CODES = ("ActionOffline", "InvalidAction", "UnsupportedOperation")
MOST_TASKS = 100_000

_STEP_KINDS = ("status", "native", "answer", "answer_file", "error", "fault", "missing")
_DETAILS = ("progress", "message", "code", "outputs", "counts", "parts")


class ScenarioError(Exception):
    """What is wrong with a scenario, in one sentence."""

    def __init__(self, place: str, sentence: str) -> None:
        super().__init__(f"{place}: {sentence}." if place else f"{sentence}.")


@dataclass(frozen=True)
class Bucket:
    """How many calls a second are let through, and how many at once."""

    per_second: float
    burst: float


@dataclass(frozen=True)
class Scenario:
    """All that a simulator is told."""

    credentials: Mapping[str, Any]
    roles: Mapping[str, float]
    clock_offset: float
    rate_limit: Mapping[str, Bucket]
    retired_actions: Mapping[str, str]
    tasks: tuple[Task, ...]
    faults: tuple[FaultRule, ...]


def load(path: Path) -> Scenario:
    """Read a scenario file."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as problem:
        raise ScenarioError(str(path), f"cannot be read ({type(problem).__name__})") from problem
    try:
        data = json.loads(text)
    except ValueError as problem:
        raise ScenarioError(str(path), f"is not JSON: {problem}") from problem
    except RecursionError as problem:
        raise ScenarioError(str(path), "is nested too deeply") from problem
    return parse(data, path.resolve().parent)


def parse(data: Any, folder: Path) -> Scenario:
    """Check the content of a scenario; `answer_file` is looked for below the folder."""
    keys = ("credentials", "roles", "clock_offset", "rate_limit", "retired_actions", "tasks", "faults")
    fields = _object(data, "scenario", keys)
    return Scenario(
        credentials=_credentials(fields.get("credentials", {})),
        roles={
            name: _number(seconds, f"roles.{name}", least=0)
            for name, seconds in _object(fields.get("roles", {}), "roles", None).items()
        },
        clock_offset=_number(fields.get("clock_offset", 0), "clock_offset"),
        rate_limit=_rate_limit(fields.get("rate_limit", {})),
        retired_actions=_retired(fields.get("retired_actions", {})),
        tasks=parse_tasks(fields.get("tasks", []), folder),
        faults=parse_faults(fields.get("faults", [])),
    )


def parse_tasks(data: Any, folder: Path) -> tuple[Task, ...]:
    """Check a list of cloud tasks and write out those with a count."""
    tasks: dict[tuple[str, str], Task] = {}
    for number, item in enumerate(_list(data, "tasks")):
        place = f"tasks[{number}]"
        for task in _task(item, place, folder):
            key = (task.provider, task.task_id)
            if key in tasks:
                raise ScenarioError(place, f"there already is a task {task.task_id!r} of {task.provider}")
            tasks[key] = task
        if len(tasks) > MOST_TASKS:
            raise ScenarioError(place, f"there are more than {MOST_TASKS} tasks")
    return tuple(tasks.values())


def parse_faults(data: Any) -> tuple[FaultRule, ...]:
    """Check the faults that lie over the lives."""
    return tuple(_rule(item, f"faults[{number}]") for number, item in enumerate(_list(data, "faults")))


# Tasks and their lives


def _task(data: Any, place: str, folder: Path) -> Iterable[Task]:
    fields = _object(data, place, ("provider", "task_id", "count", "life", "bucket", "region"))
    provider = _choice(fields.get("provider"), f"{place}.provider", SERVICES)
    task_id = _text(fields.get("task_id"), f"{place}.task_id")
    steps = _list(fields.get("life"), f"{place}.life")
    if not steps:
        raise ScenarioError(f"{place}.life", "must have at least one step")
    life = tuple(_step(item, f"{place}.life[{number}]", provider, folder) for number, item in enumerate(steps))
    where = {name: _text(fields[name], f"{place}.{name}") for name in ("bucket", "region") if name in fields}
    if "count" not in fields:
        yield Task(provider, task_id, life, any_bucket="bucket" not in where, **where)
        return
    count = _whole(fields["count"], f"{place}.count", least=1)
    if "{n}" not in task_id:
        raise ScenarioError(f"{place}.task_id", "must contain {n} when there is a count")
    if count > MOST_TASKS:
        raise ScenarioError(f"{place}.count", f"must not be above {MOST_TASKS}")
    for number in range(1, count + 1):
        name = task_id.replace("{n}", str(number))
        yield Task(provider, name, life, any_bucket="bucket" not in where, **where)


def _step(data: Any, place: str, provider: str, folder: Path) -> Step:
    fields = _object(data, place, (*_STEP_KINDS, *_DETAILS, "http_status", "looks", "seconds"))
    kinds = [kind for kind in _STEP_KINDS if kind in fields]
    if len(kinds) != 1:
        raise ScenarioError(place, f"must have exactly one of {', '.join(_STEP_KINDS)}")
    kind = kinds[0]
    if "looks" in fields and "seconds" in fields:
        raise ScenarioError(place, "must not have both looks and seconds")
    looks = _whole(fields["looks"], f"{place}.looks", least=1) if "looks" in fields else None
    seconds = _number(fields["seconds"], f"{place}.seconds", least=0) if "seconds" in fields else None
    details = _details(fields, place, kind)
    value = _value(kind, fields[kind], f"{place}.{kind}", provider, folder)
    step = Step("answer" if kind == "answer_file" else kind, value, looks, seconds, details)
    problem = SERVICES[provider].refuse(step)
    if problem:
        raise ScenarioError(f"{place}.{kind}", problem)
    return step


def _value(kind: str, value: Any, place: str, provider: str, folder: Path) -> Any:
    if kind == "status":
        return _choice(value, place, WORDS)
    if kind == "fault":
        return _fault(value, place)
    if kind == "answer_file":
        return _answer(_read_answer(value, place, provider, folder), place, provider)
    if kind == "answer":
        return _answer(value, place, provider)
    if kind == "error":
        fields = _object(value, place, ("code", "message", "http_status"))
        status = _http_status(fields["http_status"], f"{place}.http_status") if "http_status" in fields else None
        message = _text(fields.get("message", "The vendor says no."), f"{place}.message")
        return {"code": _text(fields.get("code"), f"{place}.code"), "message": message, "http_status": status}
    if kind == "missing" and value is not True:
        raise ScenarioError(place, "must be true")
    return value


def _answer(value: Any, place: str, provider: str) -> Any:
    if isinstance(value, str) or (isinstance(value, dict) and provider != "cos_doc"):
        return value
    raise ScenarioError(place, "must be text with XML" if provider == "cos_doc" else "must be an object or text")


def _read_answer(value: Any, place: str, provider: str, folder: Path) -> Any:
    path = (folder / _text(value, place)).resolve()
    if folder.resolve() not in path.parents:
        raise ScenarioError(place, "must lie below the folder of the scenario")
    try:
        text = path.read_text(encoding="utf-8")
        return text if provider == "cos_doc" else json.loads(text)
    except (OSError, ValueError) as problem:
        raise ScenarioError(place, f"cannot be read ({type(problem).__name__})") from problem


def _details(fields: Mapping[str, Any], place: str, kind: str) -> Mapping[str, Any]:
    found = {name: fields[name] for name in _DETAILS if name in fields}
    if found and kind not in ("status", "native"):
        raise ScenarioError(place, f"{', '.join(found)} can only stand beside status or native")
    if "http_status" in fields:
        if kind not in ("answer", "answer_file"):
            raise ScenarioError(f"{place}.http_status", "can only stand beside answer or inside error")
        found["http_status"] = _http_status(fields["http_status"], f"{place}.http_status")
    if "progress" in found:
        _whole(found["progress"], f"{place}.progress", least=0, most=100)
    if "message" in found:
        _text(found["message"], f"{place}.message", empty=True)
    if "code" in found and not isinstance(found["code"], int):
        _text(found["code"], f"{place}.code")
    for number, output in enumerate(_list(found.get("outputs", []), f"{place}.outputs")):
        _text(output, f"{place}.outputs[{number}]")
    for name, count in _object(found.get("counts", {}), f"{place}.counts", ("total", "succeeded", "failed")).items():
        _whole(count, f"{place}.counts.{name}", least=0)
    for number, part in enumerate(_list(found.get("parts", []), f"{place}.parts")):
        _part(part, f"{place}.parts[{number}]")
    return found


def _part(data: Any, place: str) -> None:
    fields = _object(data, place, ("kind", "status", "progress", "code", "message", "output"))
    _choice(fields.get("kind", "Transcode"), f"{place}.kind", MEMBERS)
    if "progress" in fields:
        _whole(fields["progress"], f"{place}.progress", least=0, most=100)
    for name in ("status", "code", "message", "output"):
        _text(fields.get(name, "-"), f"{place}.{name}")


# Faults


def _fault(data: Any, place: str) -> Fault:
    given = {"name": data} if isinstance(data, str) else dict(_object(data, place, None))
    name = _choice(given.pop("name", None), f"{place}.name" if isinstance(data, dict) else place, FAULTS)
    kinds = FAULTS[name][1]
    for key, value in given.items():
        if key not in kinds:
            raise ScenarioError(place, f"{name} has no parameter {key}")
        if kinds[key] == "text":
            _text(value, f"{place}.{key}")
        elif kinds[key] == "boolean":
            _boolean(value, f"{place}.{key}")
        elif kinds[key] == "whole number":
            _whole(value, f"{place}.{key}", least=0)
        elif _number(value, f"{place}.{key}", least=0) == 0 and key == "bytes_per_second":
            raise ScenarioError(f"{place}.{key}", "must be above 0")
    return Fault(name, given)


def _rule(data: Any, place: str) -> FaultRule:
    fields = _object(data, place, ("fault", "provider", "task_id", "action", "from_look", "looks", "every"))
    fault = _fault(fields.get("fault"), f"{place}.fault")
    provider = fields.get("provider")
    if provider is not None:
        _choice(provider, f"{place}.provider", (*SERVICES, METADATA))
        problems = SERVICES[provider].problems if provider in SERVICES else {}
        if fault.name in VENDOR_FAULTS and fault.name not in problems:
            raise ScenarioError(f"{place}.fault", f"{provider} has no {fault.name}")
    return FaultRule(
        fault,
        provider,
        _text(fields["task_id"], f"{place}.task_id") if "task_id" in fields else None,
        _text(fields["action"], f"{place}.action") if "action" in fields else None,
        _whole(fields.get("from_look", 1), f"{place}.from_look", least=1),
        _whole(fields["looks"], f"{place}.looks", least=1) if "looks" in fields else None,
        _whole(fields.get("every", 1), f"{place}.every", least=1),
    )


# Credentials and limits


def _credentials(data: Any) -> Mapping[str, Any]:
    fields = _object(data, "credentials", ("tencent", "dingtalk", "access_tokens"))
    tencent = _list(fields.get("tencent", [DEFAULT_TENCENT]), "credentials.tencent")
    dingtalk = _list(fields.get("dingtalk", [DEFAULT_DINGTALK]), "credentials.dingtalk")
    tokens = _list(fields.get("access_tokens", []), "credentials.access_tokens")
    for number, item in enumerate(tencent):
        _entry(item, f"credentials.tencent[{number}]", ("secret_id", "secret_key"), "token", "expires_in")
        if "expires_in" in item and "token" not in item:
            raise ScenarioError(f"credentials.tencent[{number}].expires_in", "needs a token: only such keys end")
    for number, item in enumerate(dingtalk):
        _entry(item, f"credentials.dingtalk[{number}]", ("app_key", "app_secret"), "", "token_seconds")
    for number, token in enumerate(tokens):
        _text(token, f"credentials.access_tokens[{number}]")
    return {"tencent": tencent, "dingtalk": dingtalk, "access_tokens": tokens}


def _entry(data: Any, place: str, needed: tuple[str, str], token: str, seconds: str) -> None:
    fields = _object(data, place, (*needed, *((token,) if token else ()), seconds))
    for name in needed:
        _text(fields.get(name), f"{place}.{name}")
    if token in fields:
        _text(fields[token], f"{place}.{token}")
    if seconds in fields:
        _number(fields[seconds], f"{place}.{seconds}", least=0)


def _rate_limit(data: Any) -> Mapping[str, Bucket]:
    found = {}
    for provider, value in _object(data, "rate_limit", tuple(SERVICES)).items():
        place = f"rate_limit.{provider}"
        fields = value if isinstance(value, dict) else {"per_second": value}
        _object(fields, place, ("per_second", "burst"))
        rate = _number(fields.get("per_second"), f"{place}.per_second", least=0)
        found[provider] = Bucket(rate, _number(fields.get("burst", max(rate, 1)), f"{place}.burst", least=1))
    return found


def _retired(data: Any) -> Mapping[str, str]:
    if isinstance(data, list):
        data = {_text(name, f"retired_actions[{number}]"): "ActionOffline" for number, name in enumerate(data)}
    fields = _object(data, "retired_actions", None)
    return {name: _choice(code, f"retired_actions.{name}", RETIRED_CODES) for name, code in fields.items()}


# Kinds of values


def _object(data: Any, place: str, keys: Iterable[str] | None) -> Mapping[str, Any]:
    if not isinstance(data, dict):
        raise ScenarioError(place, "must be an object")
    if keys is None:
        return data
    known = list(keys)
    for name in data:
        if name not in known and name != "comment":
            raise ScenarioError(place, f"has an unknown key {name!r}; known are {', '.join(known)}")
    return {name: value for name, value in data.items() if name != "comment"}


def _list(data: Any, place: str) -> list[Any]:
    if not isinstance(data, list):
        raise ScenarioError(place, "must be a list")
    return data


def _text(data: Any, place: str, empty: bool = False) -> str:
    if not isinstance(data, str) or not (data or empty):
        raise ScenarioError(place, "must be text" if empty else "must be text, and not empty")
    return data


def _boolean(data: Any, place: str) -> bool:
    if not isinstance(data, bool):
        raise ScenarioError(place, "must be true or false")
    return data


def _number(data: Any, place: str, least: float = -math.inf) -> float:
    if isinstance(data, bool) or not isinstance(data, (int, float)) or not math.isfinite(data) or data < least:
        raise ScenarioError(place, "must be a number" + ("" if least == -math.inf else f", {least} or more"))
    return data


def _whole(data: Any, place: str, least: int, most: int = 2**62) -> int:
    if isinstance(data, bool) or not isinstance(data, int) or not least <= data <= most:
        limit = f"{least} or more" if most == 2**62 else f"from {least} to {most}"
        raise ScenarioError(place, f"must be a whole number, {limit}")
    return data


def _http_status(data: Any, place: str) -> int:
    return _whole(data, place, least=200, most=599)


def _choice(data: Any, place: str, words: Iterable[str]) -> str:
    known = list(words)
    if not isinstance(data, str) or data not in known:
        raise ScenarioError(place, f"{data!r} is not one of {', '.join(known)}")
    return data
