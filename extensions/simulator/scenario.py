# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenario files: read and checked. What is wrong is said in one sentence that names the place."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import permits
from callbacks import Rule as CallbackRule
from callbacks import parse_callbacks
from connections import ConnectionRule, parse_connections
from faults import FAULTS, NEED_TLS, TURNED_AWAY, VENDOR_FAULTS, Fault
from lives import FaultRule, Step, Task
from messages import JSON
from metadata import PROVIDER as METADATA
from objects import Objects, parse_objects
from services._base import Startable, StartableAtOnce, acting
from services.registry import SERVICES
from starts import USUAL_LIFE, Start
from values import ScenarioError, a_boolean, a_choice, a_list, a_number, a_text, a_whole, an_http_status, an_object

WORDS = ("pending", "running", "succeeded", "partial", "failed", "canceled", "unknown")
MOST_TASKS = 100_000
STDIN = Path("-")
#: the providers whose cloud tasks can be started
STARTABLE = tuple(name for name, service in SERVICES.items() if isinstance(service, Startable))
#: the actions that do more than poll
ACTING = frozenset(action for service in SERVICES.values() for action in acting(service))
PART_KINDS = tuple(kind for service in SERVICES.values() for kind in service.part_kinds)

_SECTIONS = (
    "credentials",
    "roles",
    "clock_offset",
    "rate_limit",
    "retired_actions",
    "tasks",
    "starts",
    "faults",
    "connections",
    "callbacks",
    "objects",
)
_STEP_KINDS = ("status", "native", "answer", "answer_file", "error", "fault", "missing")
_DETAILS = ("progress", "message", "code", "outputs", "counts", "parts")


@dataclass(frozen=True)
class Scenario:
    """The content of a scenario."""

    credentials: Mapping[str, Any]
    roles: Mapping[str, float]
    clock_offset: float
    rate_limit: Mapping[str, permits.Bucket]
    retired_actions: Mapping[str, str]
    tasks: tuple[Task, ...]
    starts: tuple[Start, ...]
    faults: tuple[FaultRule, ...]
    connections: tuple[ConnectionRule, ...]
    callbacks: tuple[CallbackRule, ...]
    objects: Objects | None


def load(path: Path) -> Scenario:
    """Read a scenario file, or the standard input if the path is `-`.

    :raises ScenarioError: when it cannot be read, or is wrong.
    """
    try:
        text = sys.stdin.buffer.read().decode("utf-8") if path == STDIN else path.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as problem:
        raise ScenarioError(str(path), f"cannot be read ({type(problem).__name__})") from problem
    try:
        data = json.loads(text)
    except ValueError as problem:
        raise ScenarioError(str(path), f"is not JSON: {problem}") from problem
    except RecursionError as problem:
        raise ScenarioError(str(path), "is nested too deeply") from problem
    return parse(data, folder_of(path))


def folder_of(path: Path) -> Path:
    """Return the folder of a scenario, below which the files of `answer_file` are."""
    return path.resolve().parent


def parse(data: Any, folder: Path) -> Scenario:
    """Check the content of a scenario. The files of `answer_file` are below `folder`.

    :raises ScenarioError: when it is wrong.
    """
    fields = an_object(data, "scenario", _SECTIONS)
    tasks = parse_tasks(fields.get("tasks", []), folder)
    starts = parse_starts(fields.get("starts", []), folder)
    _check_ids(tasks, starts)
    return Scenario(
        credentials=permits.credentials(fields.get("credentials", {})),
        roles={
            name: a_number(seconds, f"roles.{name}", least=0)
            for name, seconds in an_object(fields.get("roles", {}), "roles", None).items()
        },
        clock_offset=a_number(fields.get("clock_offset", 0), "clock_offset"),
        rate_limit=permits.rate_limit(fields.get("rate_limit", {})),
        retired_actions=permits.retired_actions(fields.get("retired_actions", {})),
        tasks=tasks,
        starts=starts,
        faults=parse_faults(fields.get("faults", [])),
        connections=parse_connections(fields.get("connections", [])),
        callbacks=parse_callbacks(fields.get("callbacks", [])),
        objects=parse_objects(fields.get("objects")),
    )


def parse_tasks(data: Any, folder: Path) -> tuple[Task, ...]:
    """Check `tasks`, and return the cloud tasks; an entry with a `count` makes so many of them.

    :raises ScenarioError: when one is wrong.
    """
    tasks: dict[tuple[str, str], Task] = {}
    for number, item in enumerate(a_list(data, "tasks")):
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
    """Check `faults`.

    :raises ScenarioError: when one is wrong.
    """
    return tuple(_rule(item, f"faults[{number}]") for number, item in enumerate(a_list(data, "faults")))


def parse_starts(data: Any, folder: Path) -> tuple[Start, ...]:
    """Check `starts`.

    :raises ScenarioError: when one is wrong.
    """
    return tuple(_start(item, f"starts[{number}]", folder) for number, item in enumerate(a_list(data, "starts")))


def _check_ids(tasks: Iterable[Task], starts: Iterable[Start]) -> None:
    """Check that no start gives an id that a cloud task already has."""
    known = {(task.provider, task.task_id) for task in tasks}
    for number, start in enumerate(starts):
        key = (start.provider, start.task_id or "")
        if key in known:
            raise ScenarioError(f"starts[{number}].task_id", f"there already is a task {start.task_id!r}")
        known |= {key} if start.task_id and "{n}" not in start.task_id else set()


def refuse_without_tls(
    tasks: Iterable[Task] = (),
    starts: Iterable[Start] = (),
    faults: Iterable[FaultRule] = (),
    connections: Iterable[ConnectionRule] = (),
) -> None:
    """Check that no fault breaks TLS, for a simulator that serves plain HTTP.

    :raises ScenarioError: when one does.
    """
    named = [(f"task {task.task_id}", step.value.name) for task in tasks for step in task.life if step.kind == "fault"]
    for number, start in enumerate(starts):
        broken = [*start.faults, *(step.value for step in start.life if step.kind == "fault")]
        named += [(f"starts[{number}]", fault.name) for fault in broken]
    named += [(f"faults[{number}]", rule.fault.name) for number, rule in enumerate(faults)]
    named += [(f"connections[{number}]", rule.fault) for number, rule in enumerate(connections)]
    for place, name in named:
        if name in NEED_TLS:
            raise ScenarioError(place, f"{name} needs a simulator that was started with --tls-cert and --tls-key")


# Tasks and their lives


def _task(data: Any, place: str, folder: Path) -> Iterable[Task]:
    fields = an_object(data, place, ("provider", "task_id", "count", "life", "bucket", "region", "kind"))
    provider = a_choice(fields.get("provider"), f"{place}.provider", SERVICES)
    task_id = a_text(fields.get("task_id"), f"{place}.task_id")
    life = _life(fields.get("life"), f"{place}.life", provider, folder)
    where: dict[str, Any] = {
        name: a_text(fields[name], f"{place}.{name}") for name in ("bucket", "region") if name in fields
    }
    if "kind" in fields:
        if not SERVICES[provider].kinds:
            raise ScenarioError(f"{place}.kind", f"{provider} has no kinds of tasks")
        where["kind"] = a_choice(fields["kind"], f"{place}.kind", SERVICES[provider].kinds)
    if "count" not in fields:
        yield Task(provider, task_id, life, any_bucket="bucket" not in where, **where)
        return
    count = a_whole(fields["count"], f"{place}.count", least=1)
    if "{n}" not in task_id:
        raise ScenarioError(f"{place}.task_id", "must contain {n} when there is a count")
    if count > MOST_TASKS:
        raise ScenarioError(f"{place}.count", f"must not be above {MOST_TASKS}")
    for number in range(1, count + 1):
        name = task_id.replace("{n}", str(number))
        yield Task(provider, name, life, any_bucket="bucket" not in where, **where)


def _life(data: Any, place: str, provider: str, folder: Path) -> tuple[Step, ...]:
    steps = a_list(data, place)
    if not steps:
        raise ScenarioError(place, "must have at least one step")
    return tuple(_step(item, f"{place}[{number}]", provider, folder) for number, item in enumerate(steps))


def _start(data: Any, place: str, folder: Path) -> Start:
    fields = an_object(data, place, ("provider", "match", "times", "task_id", "life", "faults", "at_once"))
    provider = a_choice(fields.get("provider"), f"{place}.provider", STARTABLE)
    times = a_whole(fields["times"], f"{place}.times", least=1) if "times" in fields else None
    task_id = a_text(fields["task_id"], f"{place}.task_id") if "task_id" in fields else None
    if task_id is not None and "{n}" not in task_id and times != 1:
        raise ScenarioError(f"{place}.task_id", "must contain {n} unless times is 1")
    if "at_once" in fields and ("life" in fields or "task_id" in fields):
        raise ScenarioError(f"{place}.at_once", "makes no task, so it has neither life nor task_id")
    if "at_once" in fields and not isinstance(SERVICES[provider], StartableAtOnce):
        raise ScenarioError(f"{place}.at_once", f"{provider} does nothing at once")
    broken = a_list(fields.get("faults", []), f"{place}.faults")
    return Start(
        provider,
        _life(fields["life"], f"{place}.life", provider, folder) if "life" in fields else USUAL_LIFE,
        a_text(fields["match"], f"{place}.match") if "match" in fields else "",
        times,
        task_id,
        tuple(_provider_fault(item, f"{place}.faults[{number}]", provider) for number, item in enumerate(broken)),
        an_object(fields["at_once"], f"{place}.at_once", None) if "at_once" in fields else None,
    )


def _provider_fault(data: Any, place: str, provider: str) -> Fault:
    fault = _fault(data, place, has_after=True)
    if fault.name in VENDOR_FAULTS and fault.name not in SERVICES[provider].problems:
        raise ScenarioError(place, f"{provider} has no {fault.name}")
    return fault


def _step(data: Any, place: str, provider: str, folder: Path) -> Step:
    fields = an_object(data, place, (*_STEP_KINDS, *_DETAILS, "http_status", "looks", "seconds"))
    kinds = [kind for kind in _STEP_KINDS if kind in fields]
    if len(kinds) != 1:
        raise ScenarioError(place, f"must have exactly one of {', '.join(_STEP_KINDS)}")
    kind = kinds[0]
    if "looks" in fields and "seconds" in fields:
        raise ScenarioError(place, "must not have both looks and seconds")
    polls = a_whole(fields["looks"], f"{place}.looks", least=1) if "looks" in fields else None
    seconds = a_number(fields["seconds"], f"{place}.seconds", least=0) if "seconds" in fields else None
    details = _details(fields, place, kind)
    value = _value(kind, fields[kind], f"{place}.{kind}", provider, folder)
    step = Step("answer" if kind == "answer_file" else kind, value, polls, seconds, details)
    problem = SERVICES[provider].refuse(step)
    if problem:
        raise ScenarioError(f"{place}.{kind}", problem)
    return step


def _value(kind: str, value: Any, place: str, provider: str, folder: Path) -> Any:
    if kind == "status":
        return a_choice(value, place, WORDS)
    if kind == "fault":
        return _fault(value, place)
    if kind == "answer_file":
        return _answer(_read_answer(value, place, provider, folder), place, provider)
    if kind == "answer":
        return _answer(value, place, provider)
    if kind == "error":
        fields = an_object(value, place, ("code", "message", "http_status"))
        status = an_http_status(fields["http_status"], f"{place}.http_status") if "http_status" in fields else None
        message = a_text(fields.get("message", "The vendor says no."), f"{place}.message")
        return {"code": a_text(fields.get("code"), f"{place}.code"), "message": message, "http_status": status}
    if kind == "missing" and value is not True:
        raise ScenarioError(place, "must be true")
    return value


def _answer(value: Any, place: str, provider: str) -> Any:
    takes_objects = SERVICES[provider].content_type == JSON
    if isinstance(value, str) or (isinstance(value, dict) and takes_objects):
        return value
    raise ScenarioError(place, "must be an object or text" if takes_objects else "must be text with XML")


def _read_answer(value: Any, place: str, provider: str, folder: Path) -> Any:
    path = (folder / a_text(value, place)).resolve()
    if folder.resolve() not in path.parents:
        raise ScenarioError(place, "must lie below the folder of the scenario")
    try:
        text = path.read_text(encoding="utf-8")
        return json.loads(text) if SERVICES[provider].content_type == JSON else text
    except (OSError, ValueError) as problem:
        raise ScenarioError(place, f"cannot be read ({type(problem).__name__})") from problem


def _details(fields: Mapping[str, Any], place: str, kind: str) -> Mapping[str, Any]:
    found = {name: fields[name] for name in _DETAILS if name in fields}
    if found and kind not in ("status", "native"):
        raise ScenarioError(place, f"{', '.join(found)} can only stand beside status or native")
    if "http_status" in fields:
        if kind not in ("answer", "answer_file"):
            raise ScenarioError(f"{place}.http_status", "can only stand beside answer or inside error")
        found["http_status"] = an_http_status(fields["http_status"], f"{place}.http_status")
    if "progress" in found:
        a_whole(found["progress"], f"{place}.progress", least=0, most=100)
    if "message" in found:
        a_text(found["message"], f"{place}.message", empty=True)
    if "code" in found and not isinstance(found["code"], int):
        a_text(found["code"], f"{place}.code")
    for number, output in enumerate(a_list(found.get("outputs", []), f"{place}.outputs")):
        a_text(output, f"{place}.outputs[{number}]")
    for name, count in an_object(found.get("counts", {}), f"{place}.counts", ("total", "succeeded", "failed")).items():
        a_whole(count, f"{place}.counts.{name}", least=0)
    for number, part in enumerate(a_list(found.get("parts", []), f"{place}.parts")):
        _part(part, f"{place}.parts[{number}]")
    return found


def _part(data: Any, place: str) -> None:
    fields = an_object(data, place, ("kind", "status", "progress", "code", "message", "output"))
    a_choice(fields.get("kind", "Transcode"), f"{place}.kind", PART_KINDS)
    if "progress" in fields:
        a_whole(fields["progress"], f"{place}.progress", least=0, most=100)
    for name in ("status", "code", "message", "output"):
        a_text(fields.get(name, "-"), f"{place}.{name}")


# Faults


def _fault(data: Any, place: str, has_after: bool = False) -> Fault:
    given = {"name": data} if isinstance(data, str) else dict(an_object(data, place, None))
    name = a_choice(given.pop("name", None), f"{place}.name" if isinstance(data, dict) else place, FAULTS)
    kinds = FAULTS[name][1]
    after = a_boolean(given.pop("after"), f"{place}.after") if has_after and "after" in given else None
    if after and name in TURNED_AWAY:
        raise ScenarioError(f"{place}.after", f"{name} turns the call away, so nothing can have been done")
    for key, value in given.items():
        if key not in kinds:
            raise ScenarioError(place, f"{name} has no parameter {key}")
        if kinds[key] == "text":
            a_text(value, f"{place}.{key}")
        elif kinds[key] == "boolean":
            a_boolean(value, f"{place}.{key}")
        elif kinds[key] == "whole number":
            a_whole(value, f"{place}.{key}", least=0)
        elif a_number(value, f"{place}.{key}", least=0) == 0 and key == "bytes_per_second":
            raise ScenarioError(f"{place}.{key}", "must be above 0")
    return Fault(name, given, after)


def _rule(data: Any, place: str) -> FaultRule:
    fields = an_object(data, place, ("fault", "provider", "task_id", "action", "from_look", "looks", "every"))
    fault = _fault(fields.get("fault"), f"{place}.fault", has_after=fields.get("action") in ACTING)
    provider = fields.get("provider")
    if provider is not None:
        a_choice(provider, f"{place}.provider", (*SERVICES, METADATA))
        problems = SERVICES[provider].problems if provider in SERVICES else {}
        if fault.name in VENDOR_FAULTS and fault.name not in problems:
            raise ScenarioError(f"{place}.fault", f"{provider} has no {fault.name}")
    return FaultRule(
        fault,
        provider,
        a_text(fields["task_id"], f"{place}.task_id") if "task_id" in fields else None,
        a_text(fields["action"], f"{place}.action") if "action" in fields else None,
        a_whole(fields.get("from_look", 1), f"{place}.from_look", least=1),
        a_whole(fields["looks"], f"{place}.looks", least=1) if "looks" in fields else None,
        a_whole(fields.get("every", 1), f"{place}.every", least=1),
    )
