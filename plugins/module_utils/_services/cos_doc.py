# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 3: services.
"""Tencent COS / Cloud Infinite: document jobs, and how to start and list them.

Sources: as in ``_ci.py``; the vendor's pages of the start call (elements, source formats, ``${Number}``) and of the
list call (filters, paging), the SDK ``cos-python-sdk-v5`` (newer elements and their ranges), the SDK ``cos-go-sdk-v5``
0.7.75 (callbacks, ``Input.Url``, ``UserData``, and the order of elements). The start call checks no range itself: one
published sample has a quality of 109.
"""

from __future__ import annotations

import re
import typing as t

from .. import _uncertain
from .._errors import CloudError, quoted
from .._record import FAILED, PARTIAL, PENDING, SUCCEEDED, Record, make_record
from .._secrecy import redact
from .._transport import Answer, Request
from ._ci import CiService, Counts, Job, bad_count, decode, encode, place_of
from .answers import as_dict, as_list, counts_of, task_error, text_or_none, whole_number, without_nulls
from .base import Environ, Listed, Lists, Options, Page, Poll, Ref, Response
from .starts import (
    DAY,
    PreparedCall,
    Retry,
    Starter,
    check_callback_url,
    check_range,
    list_tasks,
    new_id,
    path_of,
    pending_record,
    utc,
)

DOC_PROCESS = "DocProcess"
"""Tag of jobs that make images of pages, or a PDF. Jobs with other tags rewrite the document as one object."""

SLIDES = ("pptx", "ppt", "pot", "potx", "pps", "ppsx", "dps", "dpt", "pptm", "potm", "ppsm")
TEXTS = ("doc", "dot", "wps", "wpt", "docx", "dotx", "docm", "dotm", "rtf", "txt", "log", "lrc", "pdf")
TABLES = ("xls", "xlt", "et", "ett", "xlsx", "xltx", "csv", "xlsb", "xlsm", "xltm", "ets")
CODE = ("c", "cpp", "h", "asm", "s", "java", "asp", "bat", "bas", "prg", "cmd", "xml", "htm", "html")
SOURCES = SLIDES + TEXTS + TABLES + CODE
"""File suffixes that the vendor accepts. Tables have rules of their own."""

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
"""Our option for each XML element of the vendor."""

RANGES = {"quality": (1, 100, " percent"), "zoom": (10, 200, " percent"), "image_dpi": (96, 600, " dots an inch")}
QUEUES = {
    "TDMQ": ("callback_mq", "CallBackMqConfig", {"MqMode": "mode", "MqRegion": "region", "MqName": "name"}),
    "Kafka": (
        "callback_kafka",
        "CallBackKafkaConfig",
        {"Region": "region", "InstanceId": "instance_id", "Topic": "topic"},
    ),
}
"""For each callback type other than URL: our option, the vendor's element, and our names of its members."""

OPEN_STATES = ("Submitted", "Running", "Pause")
ENDED_STATES = ("Success", "Failed", "Cancel")
TO_THE_END = -1
NOT_IN_XML = "[\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]"
LONG_IMAGE_PAGES = 20


class CosDoc(CiService, Lists):
    """Document jobs of Tencent COS (Cloud Infinite)."""

    word = "cos_doc"
    title = "Tencent COS"
    path = "/doc_jobs"
    job = "document job"
    list_keys = ("bucket", "region", "queue_id", "profile")

    @classmethod
    def has_tag(cls, tag: str) -> bool:
        """Returns whether jobs with a tag convert or rewrite a document."""
        return tag.startswith("Doc")

    def find_odd_result(self, job: Job) -> tuple[str, t.Any] | None:
        """Returns name and value of a page count that cannot be read; null if there is none.

        Jobs without ``DocProcessResult`` are those of other tags, which count no pages.
        """
        operation = job["Operation"]
        if "DocProcessResult" not in operation:
            return None
        result = operation["DocProcessResult"]
        if not isinstance(result, dict):
            return "DocProcessResult", result
        for name in ("FailPageCount", "SuccPageCount"):
            if (name in result or name == "FailPageCount") and bad_count(result, name):
                return name, result.get(name)
        return None

    def judge(self, status: str, job: Job) -> tuple[str, Counts, dict[str, t.Any] | None]:
        """Returns status, counts and error. A success with failed pages is ``partial``; if all failed, ``failed``."""
        result = _result_of(job)
        counts = counts_of(result, total="TotalPageCount", succeeded="SuccPageCount", failed="FailPageCount")
        if status != SUCCEEDED or not counts or not counts["failed"] or counts["failed"] < 0:
            return status, counts, None
        done, failed = counts["succeeded"] or 0, counts["failed"]
        error = task_error(None, f"{failed} of {done + failed} pages failed", "processing")
        return PARTIAL if done else FAILED, counts, error

    def outputs(self, status: str, job: Job) -> list[dict[str, t.Any]]:
        """Returns the pages, or the single object of a job without pages."""
        target = as_dict(as_dict(job.get("Operation")).get("Output"))
        return _outputs(_result_of(job), target) or _rewritten(status, job)

    # --- lists ---

    def list_filters(self, options: Options) -> t.Iterator[tuple[str, Options]]:
        """Yields one list, since a bucket has only one.

        :raises CloudError: ``config``, when ``start_time`` or ``end_time`` is not a time.
        """
        times = {"startCreationTime": utc(options, "start_time"), "endCreationTime": utc(options, "end_time")}
        yield (
            "doc_jobs",
            {
                "tag": DOC_PROCESS,
                "queueId": options["queue_id"],
                "states": ",".join(options["states"] or []) or None,
                "orderByTime": "Asc" if options["order"] == "oldest" else "Desc",
                **{name: text and text.replace("Z", "+0000") for name, text in times.items()},
            },
        )

    def watch_filters(self, options: Options, since: str) -> t.Iterator[tuple[str, Options]]:
        """Yields the list of open jobs, and that of jobs that were started since and have ended."""
        common = {"tag": DOC_PROCESS, "queueId": options["queue_id"] or None, "orderByTime": "Asc"}
        yield "open", {**common, "states": ",".join(OPEN_STATES)}
        began = since.replace("Z", "+0000")
        yield "ended", {**common, "states": ",".join(ENDED_STATES), "startCreationTime": began}

    def list_request(self, ref: Ref, filters: Options, *, token: str | None, size: int) -> Request:
        """Returns the request for one page of the jobs of a bucket."""
        params = without_nulls({**filters, "nextToken": token, "size": str(size)})
        return self.make_request("GET", f"{self.base_url(ref)}{self.path}", params=params)

    def read_page(self, answer: Answer) -> Page:
        """Returns the page. Entries without an id are left out."""
        response = decode(answer)
        jobs = [job for job in as_list(response.get("JobsDetail")) if isinstance(job, dict) and job.get("JobId")]
        return Page({str(job["JobId"]): job for job in jobs}, text_or_none(response.get("NextToken")))

    def listed(self, ref: Ref, name: str, entry: dict[str, t.Any]) -> Listed:
        """Returns the same record as a poll, since entries are complete; null where it cannot be read."""
        return Listed(dict(ref), None if self.find_odd(entry) else self.job_record(ref, entry, None), entry)


class CosDocStarts(CosDoc, Starter):
    """Document jobs that can also be started."""

    def prepare(self, ref: Ref, options: Options, environ: Environ) -> PreparedCall:
        """Returns the call that starts a document job.

        :raises CloudError: ``config``, when the options break a rule of the vendor.
        """
        url = f"{self.base_url(ref)}{self.path}"
        queries = ((options[name] or "").partition("?")[2] for name in ("input_url", "callback_url"))
        self._used.update(dict.fromkeys(filter(None, queries)))  # a query may hold a signature or a token
        self._used.update(dict.fromkeys(filter(None, [options["callback_url"]])))  # so may the path of a callback
        _check(options)
        body = encode({"Request": _content(options, ref)})

        def make_request() -> Request:
            return self.make_request("POST", url, body=body)

        asked = _without_secrets(_content(options, ref))

        def find(since: str, known: t.Container[str], retry: Retry) -> t.Iterator[Poll]:
            filters = {**dict.fromkeys(("end_time", "states", "limit")), "start_time": since, "order": "oldest"}
            for listed in list_tasks(self, ref, {**filters, "queue_id": options["queue_id"]}, retry):
                if listed.ref["task_id"] not in known and _is_of(listed.entry, asked):
                    record = listed.record or make_record(listed.ref, PENDING, None)
                    yield Poll(redact(record), redact(listed.entry), 0)

        return PreparedCall(
            make_request,
            lambda answer: self._read_start(ref, answer),
            doubt=_uncertain.COS_DOC,
            asked=lambda: asked,
            find=find,
            lists=28 * DAY,
        )

    def _read_start(self, ref: Ref, answer: Answer) -> tuple[Record, Response]:
        response = decode(answer)
        jobs = [job for job in as_list(response.get("JobsDetail")) if isinstance(job, dict)]
        job = jobs[0] if jobs else {}
        task_id, request_id = new_id(job.get("JobId"), answer.host), answer.headers.get("x-ci-request-id")
        if self.find_odd(job):  # return the id even when the status is unreadable
            return pending_record(ref, task_id, answer, request_id), response
        return self.job_record({**ref, "task_id": task_id}, job, request_id), response


def _result_of(job: Job) -> dict[str, t.Any]:
    return as_dict(as_dict(job.get("Operation")).get("DocProcessResult"))


def _outputs(result: dict[str, t.Any], target: dict[str, t.Any]) -> list[dict[str, t.Any]]:
    outputs = []
    for page in as_list(result.get("PageInfo")):
        uri = text_or_none(as_dict(page).get("TgtUri"))
        if uri:
            output: dict[str, t.Any] = {
                "type": "cos_object",
                "value": uri,
                **place_of(target),
                "page": whole_number(page.get("PageNo")),
            }
            if "PicNum" in page:  # a spreadsheet: PageNo is the sheet, PicNum the page
                output.update(sheet=output["page"], page=whole_number(page.get("PicNum")))
            outputs.append(output)
    return outputs


def _rewritten(status: str, job: dict[str, t.Any]) -> list[dict[str, t.Any]]:
    """Returns the output of a successful job that makes one file, such as ``DocWatermark``.

    The answer has no list of outputs for such jobs, so this is the name that was requested.
    """
    target = as_dict(as_dict(job.get("Operation")).get("Output"))
    name, tag = text_or_none(target.get("Object")), text_or_none(job.get("Tag"))
    if status != SUCCEEDED or tag in (None, DOC_PROCESS) or name is None or "${" in name:
        return []
    return [{"type": "cos_object", "value": name, **place_of(target), "page": None}]


def _content(options: Options, ref: Ref) -> dict[str, t.Any]:
    """Returns the elements of the body. Options not given are left out, so that the vendor's defaults apply."""
    given = {theirs: options[ours] for theirs, ours in ELEMENTS.items() if options[ours] is not None}
    numbers = {name: int(value) if isinstance(value, bool) else value for name, value in given.items()}
    output = options["output"]
    target = {
        "Region": output["region"] or ref["region"],
        "Bucket": output["bucket"] or ref["bucket"],
        "Object": output["object"],
    }
    source = {"Object": options["input_object"], "Url": options["input_url"]}
    operation = {"Output": target, "DocProcess": numbers, "UserData": options["user_data"]}
    content = {
        "Tag": DOC_PROCESS,
        "Input": without_nulls(source),
        "Operation": without_nulls(operation),
        "QueueId": options["queue_id"] or None,
        "CallBackFormat": options["callback_format"],
        "CallBackType": options["callback_type"],
        "CallBack": options["callback_url"],
    }
    for option, element, members in QUEUES.values():
        given_queue = options[option]
        content[element] = given_queue and {theirs: given_queue[ours] for theirs, ours in members.items()}
    return t.cast("dict[str, t.Any]", without_nulls(content))


def _without_secrets(content: dict[str, t.Any]) -> dict[str, t.Any]:
    """Returns the elements of the body without passwords, and without the query of the URL, which may be a signature.

    Where callbacks go is left out, too, since it does not change what is made.
    """
    clean = {name: value for name, value in redact(content).items() if not name.startswith("CallBack")}
    clean["Input"] = {name: path_of(text) if name == "Url" else text for name, text in content["Input"].items()}
    return clean


def _is_of(job: Job, asked: t.Mapping[str, t.Any]) -> bool:
    """Returns whether a job has the input, the output and the first page of a request.

    The vendor does not repeat the rest faithfully: an ``EndPage`` of -1 was repeated as 5001, 0 or -1. A ``StartPage`` of 0
    is one that was not given.
    """
    first, wanted = _first_page(job), _first_page(asked) or 1
    return _ends_of(job) == _ends_of(asked) and first in (0, wanted)


def _first_page(content: t.Mapping[str, t.Any]) -> int:
    """Returns the number of the first page to convert; 0 if it is not told."""
    given = as_dict(as_dict(content.get("Operation")).get(DOC_PROCESS)).get("StartPage")
    text = str(given or "")
    return int(text) if text.isascii() and text.isdigit() else 0


def _ends_of(content: t.Mapping[str, t.Any]) -> tuple[str, ...]:
    """Returns the document, and the bucket and name of the output."""
    source = as_dict(content.get("Input"))
    target = as_dict(as_dict(content.get("Operation")).get("Output"))
    key, url = text_or_none(source.get("Object")), text_or_none(source.get("Url"))
    document = f"/{key.lstrip('/')}" if key else path_of(url or "")
    return document, text_or_none(target.get("Bucket")) or "", (text_or_none(target.get("Object")) or "").lstrip("/")


# --- The vendor's rules --------------------------------------------------------------------------------------------


def _check(options: Options) -> None:
    """Refuse options that the vendor would refuse, or would accept and charge for in vain.

    :raises CloudError: ``config``, with the rule that is broken.
    """
    source = _source_type(options)
    names = ("input_object", "input_url", "image_params", "doc_password", "queue_id", "user_data", "callback_url")
    _check_texts({name: options[name] for name in names})
    _check_texts({f"output.{name}": text for name, text in options["output"].items()})
    _check_callback(options)
    _check_template(options["output"]["object"], is_table=source in TABLES)
    _check_ranges(options["page_ranges"])
    _check_pages(options)
    _check_long_image(options)
    for name, (least, most, unit) in RANGES.items():
        check_range(options, name, least, most, unit)


def _source_type(options: Options) -> str:
    """Returns the format of the document: ``source_type``, else the suffix of its name.

    :raises CloudError: ``config``, when the vendor does not convert this format, or when ``input_url`` is no URL.
    """
    url = options["input_url"]
    if url is not None and not re.fullmatch(r"https?://[^\s]+", url.strip()):
        raise CloudError(
            "config", f"input_url is {quoted(path_of(url))}, which is no URL", advice="give an http:// or https:// URL"
        )
    option = "input_object" if url is None else "input_url"
    name = options["input_object"] if url is None else path_of(url)
    source: str = (options["source_type"] or _suffix(name)).lower()
    if source in SOURCES:
        return source
    if options["source_type"]:
        said = f"source_type is {quoted(options['source_type'])}, which COS does not convert"
    else:
        said = f"{option} is {quoted(name)}, which has {f'the suffix {quoted(source, 40)}' if source else 'no suffix'}"
    raise CloudError("config", said, advice="give source_type, one of the formats that the vendor's page lists")


def _suffix(name: str) -> str:
    return name.rpartition("/")[2].rpartition(".")[2] if "." in name.rpartition("/")[2] else ""


def _check_texts(texts: t.Mapping[str, str | None]) -> None:
    """Refuse texts that are empty or that XML cannot hold. Messages do not show them, since one is a password.

    :param texts: the texts by option; null where the option is not given.
    :raises CloudError: ``config``.
    """
    for name, text in texts.items():
        if text is not None and not text.strip():
            raise CloudError("config", f"{name} is empty", advice="give it, or leave the option out")
        if text is not None and re.search(NOT_IN_XML, text):
            said = f"{name} has a line break or another character that XML cannot hold"
            raise CloudError("config", said, advice="give it without such characters")


def _check_callback(options: Options) -> None:
    """Refuse a callback type without the option that it needs, or with an option of another type.

    :raises CloudError: ``config``, also when ``callback_url`` is no URL.
    """
    kind = options["callback_type"] or "Url"
    needed = QUEUES[kind][0] if kind in QUEUES else "callback_url"
    given = [name for name in ("callback_url", *(each[0] for each in QUEUES.values())) if options[name] is not None]
    foreign = [name for name in given if name != needed]
    if foreign:
        said = f"{foreign[0]} is given, and callback_type is {quoted(kind)}"
        raise CloudError("config", said, advice=f"give {needed} with that type, or the type of {foreign[0]}")
    if not given and (options["callback_type"] or options["callback_format"]):
        asked = next(name for name in ("callback_type", "callback_format") if options[name])
        raise CloudError("config", f"{asked} is given, and {needed} is missing", advice=f"give {needed}, too")
    check_callback_url(options["callback_url"])
    for option, dummy, members in QUEUES.values():
        _check_texts({f"{option}.{name}": (options[option] or {}).get(name) for name in members.values()})


def _check_template(name: str, *, is_table: bool) -> None:
    file = name.rpartition("/")[2]
    said = f"output.object is {quoted(name)}, which lacks"
    if is_table and not ("${SheetID}" in name and "${Number}" in file):
        said += " ${SheetID} in its path or ${Number} in its last part"
        raise CloudError("config", said, advice="give both, which tables need")
    if not is_table and not ("${Number}" in name or "${Page}" in name):
        raise CloudError("config", f"{said} ${{Number}} or ${{Page}}", advice="give one, which tells the pages apart")


def _check_ranges(ranges: str | None) -> None:
    said = f"page_ranges is {quoted(ranges)}"
    if ranges is not None and not re.fullmatch(r"[1-9]\d*(-[1-9]\d*)?(,[1-9]\d*(-[1-9]\d*)?)*", ranges):
        said += ", which is not of the form 1,2-4,7"
        raise CloudError("config", said, advice="give pages and ranges with commas between them")
    for begin, end in re.findall(r"(\d+)-(\d+)", ranges or ""):
        if int(begin) > int(end):
            raise CloudError("config", f"{said}, and {begin}-{end} ends before it begins", advice="give it in order")


def _check_pages(options: Options) -> None:
    first, last = options["start_page"], options["end_page"]
    given = [name for name in ("start_page", "end_page", "page_ranges") if options[name] is not None]
    if options["target_type"] == "pdf" and given:
        said = f'{given[0]} is given, and target_type is "pdf", which takes the whole document'
        raise CloudError("config", said, advice=f"leave {given[0]} out, or make images")
    if first is not None and first < 1:
        raise CloudError("config", f"start_page is {first}, which is no page", advice="give a page from 1 on")
    if last is not None and last != TO_THE_END and last < (first or 1):
        what = "is no page" if last < 1 else "comes before start_page"
        said = f"end_page is {last}, which {what}"
        raise CloudError("config", said, advice="give -1 for the last page, or a page from start_page on")
    if options["sheet_id"] is not None and options["sheet_id"] < 0:
        said = f"sheet_id is {options['sheet_id']}, which is no sheet"
        raise CloudError("config", said, advice="give a sheet from 1 on, or 0 for all sheets")


def _check_long_image(options: Options) -> None:
    first, last = options["start_page"], options["end_page"]
    if not options["pic_pagination"]:
        return
    if options["target_type"] == "pdf":
        said = 'pic_pagination is true, and target_type is "pdf"'
        raise CloudError("config", said, advice="give target_type jpg or png for one long image")
    if last is not None and last != TO_THE_END and last - (first or 1) >= LONG_IMAGE_PAGES:
        said = f"pic_pagination is true for {last - (first or 1) + 1} pages"
        raise CloudError("config", said, advice=f"give at most {LONG_IMAGE_PAGES} pages, which one long image holds")


__all__ = ["DOC_PROCESS", "SOURCES", "TABLES", "CosDoc", "CosDocStarts"]
