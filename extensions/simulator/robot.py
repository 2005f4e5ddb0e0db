# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A custom robot of a DingTalk group: takes messages, as the vendor's page on custom robots has them.

The page names the kinds of messages, their members, and the answer; the error codes are those that SDKs know.
"""

from __future__ import annotations

import json
from typing import Any

from messages import JSON, Reply, Request

PROVIDER = "dingtalk_robot"
ACTION = "SendMessage"
PATH = "/robot/send"
TOKEN = "EXAMPLE-FAKE-ROBOT-TOKEN"
#: kind of message: the member that holds it, and what must be in that
KINDS = {
    "text": ("text", ("content",)),
    "markdown": ("markdown", ("title", "text")),
    "link": ("link", ("title", "text", "messageUrl")),
}


def claims(request: Request) -> bool:
    """Return whether the request is for a robot."""
    return request.path == PATH


def answer(request: Request) -> Reply:
    """Return the robot's answer. It is HTTP 200, and `errcode` says whether the message was sent."""
    if request.method != "POST":
        return _reply(43002, "the request must be a POST")
    if dict(request.parameters).get("access_token") != TOKEN:
        return _reply(300005, "token is not exist")
    if not request.headers.get("content-type", "").startswith(JSON):
        return _reply(43004, "the header Content-Type must be application/json")
    try:
        message = json.loads(request.body.decode("utf-8"))
    except (ValueError, RecursionError):
        message = None
    return _take(message)


def _take(message: Any) -> Reply:
    kind = message.get("msgtype") if isinstance(message, dict) else None
    if kind not in KINDS:
        return _reply(400105, "unsupported msgtype")
    member, needed = KINDS[kind]
    content = message.get(member)
    for name in needed:
        if not isinstance(content, dict) or not isinstance(content.get(name), str) or not content[name]:
            return _reply(40035, f"{member}.{name} is missing or no text")
    return _reply(0, "ok")


def _reply(code: int, message: str) -> Reply:
    body = json.dumps({"errcode": code, "errmsg": message}).encode("utf-8")
    return Reply(200, body, JSON, verdict="ok" if code == 0 else str(code))
