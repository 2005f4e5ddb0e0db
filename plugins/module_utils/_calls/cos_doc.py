# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 4: what a service can do besides being looked at.
"""Tencent COS / Cloud Infinite: starting and listing document jobs.

Sources: the vendor's pages of the start call (elements, source formats, ``${Number}``) and of the list call (filters,
paging), the SDK ``cos-python-sdk-v5`` (newer elements and their ranges). The start call checks no range itself: one
published sample has a quality of 109.
"""

from __future__ import annotations

import re
import typing as t

from .._errors import CloudError
from .._providers.base import Options, Ref, Response, as_list, text_or_none, without_nulls
from .._providers.cos_doc import CosDocProvider, decode, encode, job_record
from .._status import Record
from .._sweep import Page
from .._transport import Answer, Request
from .base import Call, Deed, Listed, Lister, Starter, check_range, new_id, read_pages, utc

TAG = "DocProcess"
SLIDES = ("pptx", "ppt", "pot", "potx", "pps", "ppsx", "dps", "dpt", "pptm", "potm", "ppsm")
TEXTS = ("doc", "dot", "wps", "wpt", "docx", "dotx", "docm", "dotm", "rtf", "txt", "log", "lrc", "pdf")
TABLES = ("xls", "xlt", "et", "ett", "xlsx", "xltx", "csv", "xlsb", "xlsm", "xltm", "ets")
CODE = ("c", "cpp", "h", "asm", "s", "java", "asp", "bat", "bas", "prg", "cmd", "xml", "htm", "html")
SOURCES = SLIDES + TEXTS + TABLES + CODE
"""The suffixes that the vendor takes; those of tables have rules of their own."""

ELEMENTS = {
    "SrcType": "source_type",
    "TgtType": "target_type",
    "SheetId": "sheet_id",
    "StartPage": "start_page",
    "EndPage": "end_page",
    "PageRanges": "page_ranges",
    "ImageParams": "image_params",
    "DocPassword": "doc_password",
    "Comments": "comments",
    "PaperDirection": "paper_direction",
    "PaperSize": "paper_size",
    "Quality": "quality",
    "Zoom": "zoom",
    "ImageDpi": "image_dpi",
    "PicPagination": "pic_pagination",
}
"""Our option for each element of the vendor's."""

RANGES = {"quality": (1, 100, " percent"), "zoom": (10, 200, " percent"), "image_dpi": (96, 600, " dots an inch")}
TO_THE_END = -1
NOT_IN_XML = "[\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]"
LONG_IMAGE_PAGES = 20


class CosDocCalls(CosDocProvider, Starter, Lister):
    """Document jobs of Cloud Infinite, in a bucket of COS."""

    def prepare(self, ref: Ref, options: Options, environ: t.Mapping[str, str]) -> Deed:
        """A document job."""
        url = f"{self.base_url(ref)}/doc_jobs"
        _check(options)
        body = encode({"Request": _content(options, ref)})

        def make_request() -> Request:
            return self.call("POST", url, body=body)

        return Deed(
            make_request,
            lambda answer: _read_start(ref, answer),
            doubt="the cloud task may exist: look for it with cos_doc_job_list_info before you start it again",
        )

    def list_tasks(self, ref: Ref, options: Options, call: Call) -> t.Iterator[Listed]:
        """The document jobs of a bucket; an entry of the list is all that a look would give."""
        times = {"startCreationTime": utc(options, "start_time"), "endCreationTime": utc(options, "end_time")}
        filters = {
            "tag": TAG,
            "queueId": options["queue_id"],
            "states": ",".join(options["states"] or []) or None,
            "orderByTime": "Asc" if options["order"] == "oldest" else "Desc",
            **{name: text and text.replace("Z", "+0000") for name, text in times.items()},
        }
        url = f"{self.base_url(ref)}/doc_jobs"

        def fetch(token: str | None, size: int) -> Page:
            params = without_nulls({**filters, "nextToken": token, "size": str(size)})
            return call(lambda: self.exchange(lambda: self.call("GET", url, params=params), _read_page)[0])

        for job in read_pages(fetch, options["limit"]):
            found = {**ref, "task_id": str(job["JobId"])}
            yield Listed(found, job_record(found, job, None), job)


def _read_page(answer: Answer) -> Page:
    response = decode(answer)
    jobs = [job for job in as_list(response.get("JobsDetail")) if isinstance(job, dict) and job.get("JobId")]
    return Page({str(job["JobId"]): job for job in jobs}, text_or_none(response.get("NextToken")), None)


def _read_start(ref: Ref, answer: Answer) -> tuple[Record, Response]:
    response = decode(answer)
    jobs = [job for job in as_list(response.get("JobsDetail")) if isinstance(job, dict)]
    job = jobs[0] if jobs else {}
    task_id = new_id(job.get("JobId"), answer.host)
    return job_record({**ref, "task_id": task_id}, job, answer.headers.get("x-ci-request-id")), response


def _content(options: Options, ref: Ref) -> dict[str, t.Any]:
    """The body's elements; what was not given is not sent, so that the vendor's defaults hold."""
    given = {theirs: options[ours] for theirs, ours in ELEMENTS.items() if options[ours] is not None}
    numbers = {name: int(value) if isinstance(value, bool) else value for name, value in given.items()}
    output = options["output"]
    target = {
        "Region": output["region"] or ref["region"],
        "Bucket": output["bucket"] or ref["bucket"],
        "Object": output["object"],
    }
    queue = {"QueueId": options["queue_id"]} if options["queue_id"] else {}
    operation = {"Output": target, "DocProcess": numbers}
    return {"Tag": TAG, "Input": {"Object": options["input_object"]}, "Operation": operation, **queue}


# --- The vendor's rules --------------------------------------------------------------------------------------------


def _check(options: Options) -> None:
    """What the vendor would refuse, or worse, would charge for.

    :raises CloudError: ``config``.
    """
    source = (options["source_type"] or _suffix(options["input_object"])).lower()
    if source not in SOURCES:
        said = f"COS converts no documents of the type {source:.20}" if source else "input_object has no suffix"
        raise CloudError("config", said, advice="give source_type, one of the formats that the vendor's page lists")
    _check_texts({name: options[name] for name in ("input_object", "image_params", "doc_password", "queue_id")})
    _check_texts({f"output.{name}": text for name, text in options["output"].items()})
    _check_template(options["output"]["object"], is_table=source in TABLES)
    _check_ranges(options["page_ranges"])
    _check_pages(options)
    for name, (least, most, unit) in RANGES.items():
        check_range(options, name, least, most, unit)


def _suffix(name: str) -> str:
    return name.rpartition("/")[2].rpartition(".")[2] if "." in name.rpartition("/")[2] else ""


def _check_texts(texts: t.Mapping[str, str | None]) -> None:
    """What must not be empty, and what XML cannot hold."""
    for name, text in texts.items():
        if text is not None and (not text.strip() or re.search(NOT_IN_XML, text)):
            raise CloudError("config", f"{name} is empty or has a line break or another character that XML cannot hold")


def _check_template(name: str, *, is_table: bool) -> None:
    file = name.rpartition("/")[2]
    if is_table and not ("${SheetID}" in name and "${Number}" in file):
        raise CloudError(
            "config", "output.object lacks ${SheetID} in its path or ${Number} in its last part, which tables need"
        )
    if not is_table and not ("${Number}" in name or "${Page}" in name):
        raise CloudError("config", "output.object lacks ${Number} or ${Page}, which tells the pages apart")


def _check_ranges(ranges: str | None) -> None:
    if ranges is not None and not re.fullmatch(r"[1-9]\d*(-[1-9]\d*)?(,[1-9]\d*(-[1-9]\d*)?)*", ranges):
        raise CloudError("config", "page_ranges is not of the form 1,2-4,7")
    for begin, end in re.findall(r"(\d+)-(\d+)", ranges or ""):
        if int(begin) > int(end):
            raise CloudError("config", f"page_ranges has {begin}-{end}, which ends before it begins")


def _check_pages(options: Options) -> None:
    first, last = options["start_page"], options["end_page"]
    given = [name for name in ("start_page", "end_page", "page_ranges") if options[name] is not None]
    if options["target_type"] == "pdf" and given:
        raise CloudError("config", f"{given[0]} is given with target_type pdf, which takes the whole document only")
    if first is not None and first < 1:
        raise CloudError("config", f"start_page is {first}, and pages begin at 1")
    if last is not None and last != TO_THE_END and last < (first or 1):
        raise CloudError("config", f"end_page is {last}: give -1 for the last page, or a page from start_page on")
    if options["sheet_id"] is not None and options["sheet_id"] < 0:
        raise CloudError("config", "sheet_id is below 0, which stands for all sheets")
    if not options["pic_pagination"]:
        return
    if options["target_type"] == "pdf":
        raise CloudError("config", "pic_pagination makes one long image, so target_type must be jpg or png")
    if last is not None and last != TO_THE_END and last - (first or 1) >= LONG_IMAGE_PAGES:
        raise CloudError("config", f"pic_pagination takes at most {LONG_IMAGE_PAGES} pages")


__all__ = ["SOURCES", "TABLES", "CosDocCalls"]
