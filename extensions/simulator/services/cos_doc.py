# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tencent COS / Cloud Infinite document jobs: polled, started and listed."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from lives import Lives, Poll
from messages import Reply, Request
from services._base import Call, Manageable, Order, Startable, Wish
from services._ci import CiService, place_of, response
from services._ci_lists import page_of_jobs
from services._ci_xml import Fields, read_request
from services._doc_process import operation, read_order


class CosDocService(CiService, Startable, Manageable):
    """Document jobs, at /doc_jobs."""

    name = "cos_doc"
    path = "/doc_jobs"
    poll_action = "DescribeDocProcessJob"
    starting = frozenset(("CreateDocProcessJobs",))
    managing = frozenset(("DescribeDocProcessJobs",))
    actions: Mapping[str, str] = {"POST": "CreateDocProcessJobs", "GET": "DescribeDocProcessJobs"}
    tag = "DocProcess"
    usual_input = "docs/report.docx"

    def source(self, poll: Poll) -> Fields:
        order = poll.task.order
        if order is None:
            return [("Object", self.usual_input)]
        if order["input"].startswith(("http://", "https://")):
            return [("Url", order["input"])]
        return [("BucketId", poll.task.bucket), ("Object", order["input"]), ("Region", poll.task.region)]

    def operation(self, poll: Poll, word: Any) -> Fields:
        return operation(poll, word)

    def order(self, call: Call, request: Request) -> Order:
        details = read_order(read_request(request.body), self.tag)
        place = place_of(request)
        where: dict[str, Any] = {"region": details["region"], "bucket": details["bucket"]}
        if place is not None:
            where = {**place._asdict(), "any_bucket": False}
        return Order(details["input"], details, where)

    def asked_callback(self, order: Mapping[str, Any]) -> Wish | None:
        wish: Wish | None = order.get("callback")
        return wish

    def new_id(self, order: Order) -> str:
        return "d" + secrets.token_hex(16)

    def started(self, poll: Poll) -> Reply:
        return response(self.job(poll, self.statuses["pending"]))

    def manage(self, call: Call, request: Request, lives: Lives, now: float) -> Reply:
        return response(page_of_jobs(self, call.parameters or {}, request, lives))
