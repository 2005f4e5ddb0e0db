# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of a document job that is its own: which pages it makes, and what its answer says of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lives import Poll
from messages import VendorError
from services._base import Wish
from services._ci import QUEUE, results
from services._ci_xml import Fields, Tree, inner, needed

#: what a job is said to have been asked for when the request leaves it out
_USUAL = {"EndPage": "-1", "ImageParams": "", "SrcType": "", "StartPage": "1", "TgtType": "jpg"}
_SHEETS = frozenset(("xls", "xlt", "et", "ett", "xlsx", "xltx", "csv", "xlsb", "xlsm", "xltm", "ets"))
_MOST_PAGES = 100
_MQ = ("MqMode", "MqRegion", "MqName")
_KAFKA = ("Region", "InstanceId", "Topic")


def read_order(tree: Tree, tag: str) -> dict[str, Any]:
    """Return what a start asks for: `input`, `region`, `bucket`, `output`, `doc`, `queue`, `user_data`, `callback`.

    :raises VendorError: when an element is missing or wrong.
    """
    if needed(tree, "Tag") != tag:
        raise VendorError("InvalidArgument", f"The Tag must be {tag}.")
    doc = inner(tree, "Operation", "DocProcess", optional=True)
    order: dict[str, Any] = {
        "input": _source(tree),
        "region": needed(tree, "Operation", "Output", "Region"),
        "bucket": needed(tree, "Operation", "Output", "Bucket"),
        "output": needed(tree, "Operation", "Output", "Object"),
        "doc": {name: value for name, value in doc.items() if isinstance(value, str)},
        "queue": str(tree.get("QueueId") or QUEUE),
        "user_data": _checked_callback(tree),
        "callback": _callback(tree),
    }
    _check_template(order)
    return order


def operation(poll: Poll, word: Any) -> Fields:
    """Return the elements of `Operation`, with the pages if `word` is `Success`."""
    order = poll.task.order
    given = order["doc"] if order else {"TgtType": "png"}
    bucket, region = (order["bucket"], order["region"]) if order else (poll.task.bucket, poll.task.region)
    template = order["output"] if order else "out/page-${Number}.png"
    user_data = [("UserData", order["user_data"])] if order and order.get("user_data") else []
    return [
        ("DocProcess", sorted({**_USUAL, **given}.items())),
        *([("DocProcessResult", _result(poll))] if word == "Success" else []),
        ("Output", [("Bucket", bucket), ("Object", template), ("Region", region)]),
        *user_data,
    ]


def _result(poll: Poll) -> Fields:
    outputs = list(poll.base.details.get("outputs", _outputs(poll)))
    good, bad, total = results(poll, outputs)
    pages = enumerate(outputs[:good], start=_first_page(poll))
    return [
        ("FailPageCount", bad),
        *(("PageInfo", [("PageNo", number), ("TgtUri", path)]) for number, path in pages),
        ("SuccPageCount", good),
        ("TaskId", ""),
        ("TgtType", ""),
        ("TotalPageCount", total),
    ]


def _outputs(poll: Poll) -> list[str]:
    """Name the results: the template that was asked for, once for each page."""
    order = poll.task.order
    if order is None:
        return ["out/page-1.png", "out/page-2.png"]
    if order["doc"].get("TgtType") == "pdf":
        return [_named(order["output"], 1, 1)]
    first, last = _first_page(poll), _page(order, "EndPage", -1)
    usual = poll.base.details.get("counts", {}).get("succeeded", 2)
    count = last - first + 1 if last >= first else usual
    return [_named(order["output"], number, first + number - 1) for number in range(1, min(count, _MOST_PAGES) + 1)]


def _named(template: str, number: int, page: int) -> str:
    for name, value in (("Number", number), ("Page", page), ("SheetID", 1)):
        template = template.replace("${" + name + "}", str(value))
    return template


def _first_page(poll: Poll) -> int:
    return max(1, _page(poll.task.order, "StartPage", 1)) if poll.task.order else 1


def _page(order: Mapping[str, Any], name: str, usual: int) -> int:
    text = order["doc"].get(name, "")
    return int(text) if text.lstrip("-").isdecimal() and len(text) < 9 else usual


def _source(tree: Mapping[str, Any]) -> str:
    """Return the object or the URL of the document."""
    given = inner(tree, "Input", optional=True).get("Url")
    return given.partition("?")[0] if isinstance(given, str) and given else needed(tree, "Input", "Object")


def _callback(tree: Mapping[str, Any]) -> Wish | None:
    """Return what a start asks of callbacks to a URL."""
    url = tree.get("CallBack")
    if not isinstance(url, str) or not url or (tree.get("CallBackType") or "Url") != "Url":
        return None
    return Wish(url, format=str(tree.get("CallBackFormat") or ""))


def _checked_callback(tree: Mapping[str, Any]) -> str:
    """Check what a start says of its callback. Returns its user data."""
    kind = tree.get("CallBackType") or "Url"
    if kind not in ("Url", "TDMQ", "Kafka"):
        raise VendorError("InvalidArgument", "The CallBackType is one of Url, TDMQ, Kafka.")
    if (tree.get("CallBackFormat") or "XML") not in ("XML", "JSON"):
        raise VendorError("InvalidArgument", "The CallBackFormat is one of XML, JSON.")
    queues = {"TDMQ": ("CallBackMqConfig", _MQ), "Kafka": ("CallBackKafkaConfig", _KAFKA)}
    if kind in queues:
        element, names = queues[kind]
        for name in names:
            needed(tree, element, name)
    asked = tree.get("Operation")
    given = asked.get("UserData") if isinstance(asked, dict) else None
    return given if isinstance(given, str) else ""


def _check_template(order: Mapping[str, Any]) -> None:
    """Check that each page gets a name of its own."""
    template = order["output"]
    folder, dummy, name = template.rpartition("/")
    if order["doc"].get("TgtType") == "pdf":
        good = True
    elif _is_sheet(order):
        good = "${SheetID}" in folder and "${Number}" in name
    else:
        good = "${Number}" in template or "${Page}" in template
    if not good:
        raise VendorError(
            "InvalidArgument", "The element Operation.Output.Object lacks ${Number}, ${Page} or ${SheetID}."
        )


def _is_sheet(order: Mapping[str, Any]) -> bool:
    suffix = order["doc"].get("SrcType") or order["input"].rpartition(".")[2]
    return suffix.lower() in _SHEETS
