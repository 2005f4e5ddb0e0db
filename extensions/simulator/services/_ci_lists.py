# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists of the jobs of a Cloud Infinite service."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from lives import Lives, Poll
from messages import Request, VendorError
from services._ci import QUEUE, CiService
from services._ci_xml import Fields

_STATES = frozenset(("All", "Submitted", "Running", "Success", "Failed", "Pause", "Cancel"))
_MOST_SIZE = 100


def page_of_jobs(service: CiService, given: Mapping[str, Any], request: Request, lives: Lives) -> Fields:
    """Return one page of a list: the jobs that the query parameters ask for, and the token of the next page.

    :raises VendorError: when a parameter is wrong.
    """
    if given.get("tag") != service.tag:
        raise VendorError("InvalidArgument", f"The tag must be {service.tag}.")
    ascending = _one_of(given, "orderByTime", ("Desc", "Asc")) == "Asc"
    size = given.get("size") or "10"
    if not size.isdecimal() or not 1 <= int(size) <= _MOST_SIZE:
        raise VendorError("InvalidArgument", f"The size must be a number from 1 to {_MOST_SIZE}.")
    token = given.get("nextToken", "")
    if token and not token.isdecimal():
        raise VendorError("InvalidArgument", "The nextToken is not one that was given out.")
    found = [poll for poll in _wanted(service, given, lives) if service.sees(poll, request)]
    found.sort(key=lambda poll: poll.number, reverse=not ascending)
    if token:
        found = [poll for poll in found if (poll.number > int(token) if ascending else poll.number < int(token))]
    page = found[: int(size)]
    jobs = [field for poll in page for field in service.job(poll, service.word(poll))]
    return [*jobs, ("NextToken", page[-1].number if len(found) > len(page) else "")]


def _wanted(service: CiService, given: Mapping[str, Any], lives: Lives) -> list[Poll]:
    """Find the jobs of the queue, the states and the time of creation that a query asks for."""
    states = set((given.get("states") or "All").split(","))
    if not states <= _STATES:
        raise VendorError("InvalidArgument", "The states are not known.")
    least, most = (_seconds(given, name) for name in ("startCreationTime", "endCreationTime"))
    queue = given.get("queueId")
    return [
        poll
        for poll in lives.states(service.name)
        if service.word(poll) in (_STATES if "All" in states else states)
        and queue in (None, "", (poll.task.order or {}).get("queue", QUEUE))
        and (least is None or int(poll.created) >= least)
        and (most is None or int(poll.created) <= most)
    ]


def _one_of(given: Mapping[str, str], name: str, words: tuple[str, ...]) -> str:
    value = given.get(name) or words[0]
    if value not in words:
        raise VendorError("InvalidArgument", f"The {name} is one of {', '.join(words)}.")
    return value


def _seconds(given: Mapping[str, str], name: str) -> float | None:
    """Read a time such as 2026-01-02T03:04:05+0800."""
    text = given.get(name)
    if not text:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S%z").timestamp()
    except ValueError:
        raise VendorError("InvalidArgument", f"The {name} is not a time such as 2026-01-02T03:04:05+0800.") from None
