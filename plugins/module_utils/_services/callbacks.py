# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 3: services.
"""Finds the cloud tasks that a vendor's callback names.

No vendor signs the body of its callbacks, so anybody can send one. Nothing but ids and places is read from it: a poll
tells the rest. No text makes these functions raise anything but ``CloudError``.
"""

from __future__ import annotations

import json
import typing as t

from .._errors import CloudError, shown
from .._secrecy import MAX_DEPTH
from .base import Environ, Options
from .registry import SERVICES

LONGEST_CALLBACK = 2 * 1024 * 1024
"""Largest body, in bytes or characters, that is read. The vendors' callbacks are far smaller."""


def named_tasks(body: t.Any, provider: str | None = None) -> t.Iterator[tuple[str, dict[str, str]]]:
    """Yields provider word and task options of each cloud task that a callback names.

    :param body: the body as text or bytes in JSON or XML, or what was read from it: a dict.
    :param provider: the service that sent it; null to find out from the body.
    :raises CloudError: ``invalid``, when the body cannot be read; ``config``, when there is no such service.
    """
    if provider is not None and provider not in SERVICES:
        said = f"provider is {shown(provider)}, which is not known"
        raise CloudError("config", said, advice=f"give provider as one of {', '.join(SERVICES)}")
    content = read_callback(body)
    for word in [provider] if provider else SERVICES:
        seen: set[str] = set()
        for named in SERVICES[word].named_in_callback(content):
            if named["task_id"] not in seen:
                seen.add(named["task_id"])
                yield word, named


def refs_of_callback(
    body: t.Any, provider: str | None = None, *, defaults: Options | None = None, environ: Environ | None = None
) -> list[dict[str, t.Any]]:
    """Returns the refs of the cloud tasks that a callback names; an empty list if it names none.

    :param body: see :func:`named_tasks`.
    :param provider: see :func:`named_tasks`.
    :param defaults: options of a poll, such as ``bucket``. They take precedence over what the callback says.
    :raises CloudError: ``invalid``, when the body cannot be read; ``config``, when a ref lacks something.
    """
    given = {name: value for name, value in (defaults or {}).items() if value is not None}
    return [SERVICES[word].make_ref({**named, **given}, environ or {}) for word, named in named_tasks(body, provider)]


def read_callback(body: t.Any) -> dict[str, t.Any]:
    """Returns the content of a callback as a dict. A text that is an object in neither JSON nor XML is refused.

    :raises CloudError: ``invalid``, when it cannot be read; ``config``, when a Python package is missing.
    """
    if isinstance(body, dict):
        return body
    if not isinstance(body, (str, bytes, bytearray)):
        raise _unreadable(f"is of the type {type(body).__name__}, and neither text nor a dict")
    if len(body) > LONGEST_CALLBACK:
        raise _unreadable(f"has {len(body)} bytes or characters, and at most {LONGEST_CALLBACK} are read")
    raw = body.encode("utf-8", "replace") if isinstance(body, str) else bytes(body)
    text = raw.lstrip(b"\xef\xbb\xbf \t\r\n")
    content: t.Any = None
    if text.startswith(b"<"):
        from ._ci import is_shallow, read_xml  # noqa: PLC0415 # most callbacks are JSON, and importing takes time

        content = read_xml(text) if is_shallow(text, MAX_DEPTH) else None
    else:
        try:
            content = json.loads(text.decode("utf-8"))
        except (ValueError, RecursionError):
            content = None
    if not isinstance(content, dict):
        raise _unreadable("is no object in JSON or XML" if text else "is empty")
    return content


def _unreadable(said: str) -> CloudError:
    advice = "pass the body of the callback as the vendor sent it"
    return CloudError("invalid", f"the callback {said}", advice=advice)


__all__ = ["LONGEST_CALLBACK", "named_tasks", "read_callback", "refs_of_callback"]
