# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Control calls: what a test or a playbook may ask of the simulator itself. All need its key."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from connections import ConnectionRules, parse_connections
from lives import FaultRules
from messages import JSON, Reply, Request
from scenario import parse_faults, parse_starts, parse_tasks, refuse_without_tls
from signatures import equal
from starts import Starts
from values import ScenarioError

if TYPE_CHECKING:
    from cloud import Cloud
    from wire import Wire

PREFIX = "/_simulator/"


def handle(cloud: Cloud, request: Request) -> Reply:
    """Answer a control call."""
    if not equal(request.headers.get("x-simulator-key", ""), cloud.control_key):
        return _reply({"error": "The header X-Simulator-Key is missing or wrong."}, 403)
    name = request.path[len(PREFIX) :]
    call = _CALLS.get((request.method, name))
    if call is None:
        known = ", ".join(f"{method} {PREFIX}{word}" for method, word in _CALLS)
        return _reply({"error": f"There is no such control call; there are {known}."}, 404)
    try:
        body = json.loads(request.body) if request.body else {}
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        return _reply({"error": "The body must be a JSON object."}, 400)
    try:
        reply = _reply(call(cloud, body))
    except ScenarioError as problem:
        return _reply({"error": str(problem)}, 400)
    if call is _shutdown:
        reply.sender = lambda wire, last: _say_and_stop(cloud, wire, last)
    return reply


def _say_and_stop(cloud: Cloud, wire: Wire, reply: Reply) -> bool:
    wire.send_whole(reply)
    cloud.ask_to_stop()
    return False


def _journal(cloud: Cloud, body: Mapping[str, Any]) -> dict[str, Any]:
    return {"entries": cloud.journal.entries()}


def _stats(cloud: Cloud, body: Mapping[str, Any]) -> dict[str, Any]:
    issued = {"tokens_issued": cloud.keyring.tokens_issued, "role_key_fetches": cloud.keyring.role_key_fetches}
    return {**cloud.journal.counts(), **issued}


def _tasks(cloud: Cloud, body: Mapping[str, Any]) -> dict[str, Any]:
    tasks = parse_tasks(body.get("tasks"), cloud.folder)
    if not cloud.tls:
        refuse_without_tls(tasks=tasks)
    cloud.lives.put(tasks)
    return {"tasks": len(tasks)}


def _faults(cloud: Cloud, body: Mapping[str, Any]) -> dict[str, Any]:
    rules = parse_faults(body.get("faults"))
    if not cloud.tls:
        refuse_without_tls(faults=rules)
    cloud.rules = FaultRules(rules)
    return {"faults": len(rules)}


def _connections(cloud: Cloud, body: Mapping[str, Any]) -> dict[str, Any]:
    rules = parse_connections(body.get("connections"))
    if not cloud.tls:
        refuse_without_tls(connections=rules)
    cloud.connections = ConnectionRules(rules)
    return {"connections": len(rules)}


def _starts(cloud: Cloud, body: Mapping[str, Any]) -> dict[str, Any]:
    entries = parse_starts(body.get("starts"), cloud.folder)
    if not cloud.tls:
        refuse_without_tls(starts=entries)
    cloud.starts = Starts(entries)
    return {"starts": len(entries)}


def _clock(cloud: Cloud, body: Mapping[str, Any]) -> dict[str, Any]:
    offset = body.get("offset")
    if isinstance(offset, bool) or not isinstance(offset, (int, float)) or abs(offset) > 10**9:
        raise ScenarioError("offset", "must be a number of seconds")
    cloud.clock_offset = offset
    return {"clock_offset": offset}


def _reset(cloud: Cloud, body: Mapping[str, Any]) -> dict[str, Any]:
    cloud.lives.reset()
    cloud.rules.reset()
    cloud.connections.reset()
    cloud.starts.reset()
    cloud.journal.reset()
    cloud.keyring.reset_counts()
    return {"reset": True}


def _expire(cloud: Cloud, body: Mapping[str, Any]) -> dict[str, Any]:
    cloud.keyring.expire()
    return {"expired": True}


def _shutdown(cloud: Cloud, body: Mapping[str, Any]) -> dict[str, Any]:
    return {"shutdown": True}


_CALLS: Mapping[tuple[str, str], Callable[[Cloud, Mapping[str, Any]], dict[str, Any]]] = {
    ("GET", "journal"): _journal,
    ("GET", "stats"): _stats,
    ("POST", "tasks"): _tasks,
    ("POST", "faults"): _faults,
    ("POST", "connections"): _connections,
    ("POST", "starts"): _starts,
    ("POST", "clock"): _clock,
    ("POST", "reset"): _reset,
    ("POST", "expire"): _expire,
    ("POST", "shutdown"): _shutdown,
}


def _reply(body: Mapping[str, Any], status: int = 200) -> Reply:
    return Reply(status, json.dumps(body).encode("utf-8"), JSON)
