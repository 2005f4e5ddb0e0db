# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The XML of COS document jobs: requests read, jobs written."""

from __future__ import annotations

import html
import time
from collections.abc import Iterable, Mapping
from typing import Any
from xml.parsers import expat

from lives import Look
from services._base import is_whole

Tree = dict[str, Any]

QUEUE = "p00000000000000000000000000000000"
#: what a job is echoed with when the request leaves it out
_USUAL = {"EndPage": "-1", "ImageParams": "", "SrcType": "", "StartPage": "1", "TgtType": "jpg"}
_SHEETS = frozenset(("xls", "xlt", "et", "ett", "xlsx", "xltx", "csv", "xlsb", "xlsm", "xltm", "ets"))
_MOST_PAGES = 100
_DEEPEST = 10


class BadXml(Exception):
    """Not XML, or XML that nobody should send."""


def read(body: bytes) -> tuple[str, Tree | str]:
    """Read XML: the name of its root, and elements as objects, those without children as text."""
    stack: list[tuple[str, Tree, list[str]]] = [("", {}, [])]

    def start(name: str, attributes: Mapping[str, str]) -> None:
        if len(stack) > _DEEPEST:
            raise BadXml
        stack.append((name, {}, []))

    def end(name: str) -> None:
        dummy, children, texts = stack.pop()
        stack[-1][1][name] = children or "".join(texts).strip()

    def no_doctype(*dummy: Any) -> None:
        raise BadXml

    def text(data: str) -> None:
        stack[-1][2].append(data)

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = no_doctype
    try:
        parser.Parse(body, True)
    except (expat.ExpatError, LookupError, ValueError):
        raise BadXml from None
    return next(iter(stack[0][1].items()))


def is_sheet(order: Mapping[str, Any]) -> bool:
    """Say whether the source is a spreadsheet."""
    suffix = order["doc"].get("SrcType") or order["input"].rpartition(".")[2]
    return suffix.lower() in _SHEETS


def job(look: Look, word: Any) -> str:
    """Write one JobsDetail."""
    details = look.base.details
    order = look.task.order
    over, failed = word in ("Success", "Failed", "Cancel"), word == "Failed"
    source = [("Object", order["input"] if order else "docs/report.docx")]
    if order and order["input"].startswith(("http://", "https://")):
        source = [("Url", order["input"])]
    elif order:
        source = [("BucketId", look.task.bucket), *source, ("Region", look.task.region)]
    fields = [
        ("Code", details.get("code", "ConvertFailed") if failed else "Success"),
        ("CreationTime", local(look.created)),
        ("EndTime", local(look.began) if over else "-"),
    ]
    text = (
        f"{elements(fields)}<Input>{elements(source)}</Input>"
        f"{elements([('JobId', look.task.task_id), ('Message', details.get('message', '') if failed else '')])}"
        f"<Operation>{_doc_process(order)}"
        f"{_result(look) if word == 'Success' else ''}{_output(look)}{_user_data(order)}</Operation>"
        f"{elements([('QueueId', order['queue'] if order else QUEUE)])}"
        f"{elements([('StartTime', '-' if word == 'Submitted' else local(look.created)), ('State', word)])}"
        "<Tag>DocProcess</Tag>"
    )
    return f"<JobsDetail>{text}</JobsDetail>"


def _user_data(order: Mapping[str, Any] | None) -> str:
    return elements([("UserData", order["user_data"])]) if order and order.get("user_data") else ""


def _doc_process(order: Mapping[str, Any] | None) -> str:
    given = order["doc"] if order else {"TgtType": "png"}
    return f"<DocProcess>{elements(sorted({**_USUAL, **given}.items()))}</DocProcess>"


def _result(look: Look) -> str:
    details = look.base.details
    outputs = list(details.get("outputs", _outputs(look)))
    partial = look.base.kind == "status" and look.base.value == "partial"
    counts = details.get("counts", {})
    good = counts.get("succeeded", len(outputs))
    bad = counts.get("failed", 1 if partial else 0)
    pages = "".join(
        f"<PageInfo>{elements([('PageNo', number), ('TgtUri', path)])}</PageInfo>"
        for number, path in enumerate(outputs[:good], start=_first_page(look))
    )
    numbers = elements([("SuccPageCount", good), ("TaskId", ""), ("TgtType", "")])
    total = elements([("TotalPageCount", counts.get("total", good + bad))])
    return f"<DocProcessResult>{elements([('FailPageCount', bad)])}{pages}{numbers}{total}</DocProcessResult>"


def _outputs(look: Look) -> list[str]:
    """Name the results: the template that was asked for, once for each page."""
    order = look.task.order
    if order is None:
        return ["out/page-1.png", "out/page-2.png"]
    if order["doc"].get("TgtType") == "pdf":
        return [_named(order["output"], 1, 1)]
    first, last = _first_page(look), _page(order, "EndPage", -1)
    usual = look.base.details.get("counts", {}).get("succeeded", 2)
    count = last - first + 1 if last >= first else usual
    return [_named(order["output"], number, first + number - 1) for number in range(1, min(count, _MOST_PAGES) + 1)]


def _named(template: str, number: int, page: int) -> str:
    for name, value in (("Number", number), ("Page", page), ("SheetID", 1)):
        template = template.replace("${" + name + "}", str(value))
    return template


def _first_page(look: Look) -> int:
    return max(1, _page(look.task.order, "StartPage", 1)) if look.task.order else 1


def _page(order: Mapping[str, Any], name: str, usual: int) -> int:
    text = order["doc"].get(name, "")
    return int(text) if text.lstrip("-").isdecimal() and len(text) < 9 else usual


def _output(look: Look) -> str:
    order = look.task.order
    bucket, region = (order["bucket"], order["region"]) if order else (look.task.bucket, look.task.region)
    fields = [("Bucket", bucket), ("Object", order["output"] if order else "out/page-${Number}.png")]
    return f"<Output>{elements([*fields, ('Region', region)])}</Output>"


def elements(fields: Iterable[tuple[str, Any]]) -> str:
    """Write elements that hold no others."""
    return "".join(
        f"<{name}>{escaped(str(value))}</{name}>" if is_whole(value) or value else f"<{name}/>"
        for name, value in fields
    )


def escaped(value: str) -> str:
    """Write text so that it may stand in XML."""
    return html.escape(value, quote=False)


def local(seconds: float) -> str:
    """Write a time as this vendor does."""
    return time.strftime("%Y-%m-%dT%H:%M:%S+0800", time.gmtime(seconds + 8 * 3600))
