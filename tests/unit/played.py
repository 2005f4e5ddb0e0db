# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A transport without a network, for tests of what the collection sends and what it makes of the answers."""

from __future__ import annotations

import json
import typing as t
from urllib.parse import parse_qsl, urlsplit

from ansible_collections.cloudwait.conversion.plugins.module_utils._errors import CloudError
from ansible_collections.cloudwait.conversion.plugins.module_utils._transport import Answer, Request

Step = t.Union[Answer, CloudError]


class Vendor:
    """Plays answers and errors in order, the last one for ever, and keeps what it was sent."""

    def __init__(self, *script: Step) -> None:
        self.script = list(script)
        self.requests: list[Request] = []

    @property
    def sent(self) -> int:
        return len(self.requests)

    @property
    def actions(self) -> list[str]:
        return [request.headers["X-TC-Action"] for request in self.requests]

    @property
    def bodies(self) -> list[t.Any]:
        return [json.loads(t.cast(bytes, request.body)) for request in self.requests]

    @property
    def queries(self) -> list[dict[str, str]]:
        return [dict(parse_qsl(urlsplit(request.url).query)) for request in self.requests]

    def said(self, word: str) -> int:
        """How many requests had a word in their URL, headers or body."""
        texts = [f"{r.url} {r.headers} {r.body!r}" for r in self.requests]
        return sum(word in text for text in texts)

    def send(self, request: Request, *, timeout: float | None = None) -> Answer:
        request.sign()
        self.requests.append(request)
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(step, CloudError):
            raise step
        return step
