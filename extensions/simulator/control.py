# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Control calls: what a test or a playbook can ask of the simulator itself. They need its control key."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from callbacks import parse_callbacks
from connections import ConnectionRules, parse_connections
from lives import FaultRules
from messages import JSON, Connection, Reply, Request
from objects import parse_objects
from scenario import parse_faults, parse_starts, parse_tasks, refuse_without_tls
from signatures import equal
from starts import Starts
from state import State
from values import ScenarioError

PREFIX = "/_simulator/"


def handle(state: State, request: Request) -> Reply:
    """Return the answer to a control call; a wrong key or a wrong body is answered with an error."""
    if not equal(request.headers.get("x-simulator-key", ""), state.control_key):
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
        reply = _reply(call(state, body))
    except ScenarioError as problem:
        return _reply({"error": str(problem)}, 400)
    if call is _shutdown:
        reply.sender = lambda connection, last: _say_and_stop(state, connection, last)
    return reply


def _say_and_stop(state: State, connection: Connection, reply: Reply) -> bool:
    connection.send_whole(reply)
    state.ending.ask()
    return False


def _journal(state: State, body: Mapping[str, Any]) -> dict[str, Any]:
    return {"entries": state.journal.entries()}


def _stats(state: State, body: Mapping[str, Any]) -> dict[str, Any]:
    issued = {"tokens_issued": state.keyring.tokens_issued, "role_key_fetches": state.keyring.role_key_fetches}
    return {**state.journal.counts(), **issued}


def _tasks(state: State, body: Mapping[str, Any]) -> dict[str, Any]:
    tasks = parse_tasks(body.get("tasks"), state.folder)
    if not state.tls:
        refuse_without_tls(tasks=tasks)
    state.lives.put(tasks)
    return {"tasks": len(tasks)}


def _faults(state: State, body: Mapping[str, Any]) -> dict[str, Any]:
    rules = parse_faults(body.get("faults"))
    if not state.tls:
        refuse_without_tls(faults=rules)
    state.rules = FaultRules(rules)
    return {"faults": len(rules)}


def _connections(state: State, body: Mapping[str, Any]) -> dict[str, Any]:
    rules = parse_connections(body.get("connections"))
    if not state.tls:
        refuse_without_tls(connections=rules)
    state.connections = ConnectionRules(rules)
    return {"connections": len(rules)}


def _starts(state: State, body: Mapping[str, Any]) -> dict[str, Any]:
    entries = parse_starts(body.get("starts"), state.folder)
    if not state.tls:
        refuse_without_tls(starts=entries)
    state.starts = Starts(entries)
    return {"starts": len(entries)}


def _callbacks(state: State, body: Mapping[str, Any]) -> dict[str, Any]:
    state.callbacks = parse_callbacks(body.get("callbacks"))
    state.postman.put(state.callbacks)
    return {"callbacks": len(state.callbacks)}


def _objects(state: State, body: Mapping[str, Any]) -> dict[str, Any]:
    state.objects = parse_objects(body.get("objects"))
    return {"objects": len(state.objects or {})}


def _clock(state: State, body: Mapping[str, Any]) -> dict[str, Any]:
    offset = body.get("offset")
    if isinstance(offset, bool) or not isinstance(offset, (int, float)) or abs(offset) > 10**9:
        raise ScenarioError("offset", "must be a number of seconds")
    state.clock_offset = offset
    return {"clock_offset": offset}


def _reset(state: State, body: Mapping[str, Any]) -> dict[str, Any]:
    state.reset()
    return {"reset": True}


def _expire(state: State, body: Mapping[str, Any]) -> dict[str, Any]:
    state.keyring.expire()
    return {"expired": True}


def _shutdown(state: State, body: Mapping[str, Any]) -> dict[str, Any]:
    return {"shutdown": True}


_CALLS: Mapping[tuple[str, str], Callable[[State, Mapping[str, Any]], dict[str, Any]]] = {
    ("GET", "journal"): _journal,
    ("GET", "stats"): _stats,
    ("POST", "tasks"): _tasks,
    ("POST", "faults"): _faults,
    ("POST", "connections"): _connections,
    ("POST", "starts"): _starts,
    ("POST", "callbacks"): _callbacks,
    ("POST", "objects"): _objects,
    ("POST", "clock"): _clock,
    ("POST", "reset"): _reset,
    ("POST", "expire"): _expire,
    ("POST", "shutdown"): _shutdown,
}


def _reply(body: Mapping[str, Any], status: int = 200) -> Reply:
    return Reply(status, json.dumps(body).encode("utf-8"), JSON)
