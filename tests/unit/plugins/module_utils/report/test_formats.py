# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The formats of reports: each is well-formed whatever vendors say, and its readers get what they need."""

from __future__ import annotations

import json
import re
import typing as t
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import pytest
from ansible_collections.cloudwait.conversion.plugins.module_utils._errors import CloudError
from ansible_collections.cloudwait.conversion.plugins.module_utils._report.formats import (
    FORMATS,
    format_of,
    make_report,
)
from ansible_collections.cloudwait.conversion.plugins.module_utils._report.junit import escape
from ansible_collections.cloudwait.conversion.plugins.module_utils._report.model import read_report
from ansible_collections.cloudwait.conversion.tests.unit.results import (
    Result,
    cloud_task,
    evening,
    many,
    wait_result,
)

EVIL = (
    "<script>alert(1)</script><img src=x onerror=alert(1)>\" onload=\"x' onload='x ]]> --> </failure> &amp; &#0; \x00\x0b\x1b[31m"
    " \ufffe\ud800 | [a](javascript:alert(1)) ![b](http://evil.example/p.png) https://evil.example www.evil.example"
    " @everyone #1 `code` **bold** </code></details><details open> \\| \n| --- |\n::error::x ##[error]x :smile:"
)


def evil() -> Result:
    """A wait in which every text of a vendor and of the user is as bad as can be."""
    said = {"kind": EVIL, "code": EVIL, "message": EVIL, "reason": EVIL}
    tasks = [
        cloud_task(EVIL, outcome, (1, "running"), (2, word), name=name, provider=EVIL, error=said, poll_error=said)
        for outcome, word in (("failed", "failed"), ("timed_out", "running"), ("satisfied", "partial"))
        for name in (None, EVIL)
    ]
    for task in tasks:
        task["outputs"] = [{"type": EVIL, "value": EVIL, "url": "javascript:alert(1)"}] * 5
    return wait_result("error", *tasks, msg=EVIL)


def report(waits: t.Any, word: str, title: str = "", language: str = "en") -> str:
    return make_report(read_report(waits, title), word, language)


SAMPLES: dict[str, t.Any] = {
    "evening": evening(),
    "evil": evil(),
    "refused": wait_result(
        "error", msg="Waiting for cloud tasks failed: tasks[1] has no provider; correct the options."
    ),
    "unreachable": {"unreachable": True, "changed": False, "msg": "no route to host"},
    "nothing": wait_result("satisfied"),
    "check mode": wait_result("unfinished", cloud_task("1", "unfinished", (0, "running")), elapsed=0.2),
    "problems only": wait_result("failed", cloud_task("1", "failed", (1, "failed")), summary={"total": 40}),
    "satisfied only counted": wait_result("satisfied", summary={"total": 40}),
    "several": [evening(), wait_result("satisfied", cloud_task("9", "satisfied", (1, "succeeded")))],
    "many": many(150),
    "lacking": {"outcome": "failed", "tasks": [{}]},
}


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("word", FORMATS)
@pytest.mark.parametrize("sample", SAMPLES)
def test_every_format_can_tell_everything(sample: str, word: str, language: str) -> None:
    text = report(SAMPLES[sample], word, EVIL, language)
    assert text.endswith("\n")
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", text)
    text.encode("utf-8", "replace" if word == "json" else "strict")  # a ref is told as it is


def test_a_report_is_the_same_each_time() -> None:
    assert {report(evening(), word) for word in FORMATS} == {report(evening(), word) for word in FORMATS}


JUNK: list[t.Any] = [None, True, -7, float("nan"), 1e300, "x", "", [], [7], [[]], {}, {"total": "x", "message": []}]


@pytest.mark.parametrize("junk", JUNK, ids=repr)
def test_no_value_of_any_member_breaks_a_report(junk: t.Any) -> None:
    result = evening()
    waits = [{**result, name: junk} for name in [*result, "started_at"] if name != "tasks"]
    for task in result["tasks"]:
        waits += [wait_result("failed", {**task, name: junk}) for name in [*task, "message"]]
        waits += [
            wait_result("failed", {**task, "history": [{**task["history"][0], name: junk}]})
            for name in ("at", "status", "elapsed", "error")
            if task["history"]
        ]
    taken = [wait for wait in waits if isinstance(wait["outcome"], str)]
    assert all(report(taken, word) for word in FORMATS)


@pytest.mark.parametrize(
    ("path", "word"),
    [("a.html", "html"), ("a.HTM", "html"), ("junit.xml", "junit"), ("a.b.json", "json"), ("a.md", "markdown")],
)
def test_the_ending_names_the_format(path: str, word: str) -> None:
    assert format_of(path) == word


def test_an_ending_that_names_none_is_refused() -> None:
    with pytest.raises(CloudError, match=r'dest is "a\.txt", and its ending names no format'):
        format_of("a.txt")


# --- HTML -----------------------------------------------------------------------------------------------------------

# fmt: off
TAGS = {
    "b", "body", "circle", "code", "dd", "defs", "details", "div", "dl", "dt", "figure", "footer", "g", "h1",
    "h2", "h3", "head", "header", "html", "li", "line", "link", "main", "meta", "p", "path", "pattern",
    "rect", "section", "span", "strong", "style", "summary", "svg", "table", "tbody", "td", "text", "th",
    "thead", "title", "tr", "ul", "use",
}
# fmt: on
VOID = {"meta", "link"}
# fmt: off
ATTRIBUTES = {
    "aria-hidden", "aria-label", "aria-labelledby", "charset", "class", "content", "cx", "cy", "d", "height",
    "href", "http-equiv", "id", "lang", "name", "overflow", "patterntransform", "patternunits",
    "preserveaspectratio", "r", "rel", "role", "rx", "scope", "stroke-width", "text-anchor", "viewbox",
    "width", "x", "x1", "x2", "y", "y1", "y2",
}
# fmt: on


class Page(HTMLParser):
    """Notes the elements of a page, and what is wrong with them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.ids: list[str] = []
        self.references: list[str] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        self.wrong += [f"{tag} is not closed" for tag in self.open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.wrong += [f"{tag} {name}" for name, dummy in attrs if tag not in TAGS or name not in ATTRIBUTES]
        self.ids += [str(value) for name, value in attrs if name == "id"]
        self.references += [str(value) for name, value in attrs if name == "href"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"/{tag}")

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.texts.append(data)


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_page_has_only_elements_of_ours(sample: str) -> None:
    page = Page(report(SAMPLES[sample], "html", EVIL))
    assert page.wrong == []
    assert len(set(page.ids)) == len(page.ids)
    assert {reference for reference in page.references if not reference.startswith("#")} == {"data:,"}
    assert {reference[1:] for reference in page.references if reference.startswith("#")} <= set(page.ids)


def test_a_page_allows_its_style_sheet_and_nothing_else() -> None:
    text = report(evening(), "html")
    policy = re.findall(r'Content-Security-Policy" content="([^"]+)"', text)
    assert len(policy) == 1
    assert re.fullmatch(
        r"default-src 'none'; style-src 'sha256-[\w+/=]+'; img-src data:; base-uri 'none'; form-action 'none'",
        policy[0],
    )
    assert "@import" not in text
    assert re.findall(r"url\((?!#)", text) == []


def test_a_page_begins_with_the_verdict_and_what_went_wrong() -> None:
    texts = " ".join(Page(report(evening(), "html", "Evening")).texts).split()
    said = " ".join(texts)
    assert said.index("3 of 5 cloud tasks did not") < said.index("What went wrong") < said.index("Time line")
    assert "Trailer mps · failed · 4.5 s E-9: the film is torn" in said
    assert said.index("Trailer 1-trailer") < said.index("Film 1-film")  # in the table
    assert "/out/film.mp4" in said


def test_a_page_of_many_is_folded_but_tells_all() -> None:
    text = report(many(2000), "html")
    assert text.count("<tr role=row>") == 2000
    open_part = re.sub("<details>.*?</details>", "", text, flags=re.DOTALL)
    assert open_part.count("<tr role=row>") == 60
    assert open_part.count("<rect") < 400
    assert "2,000 cloud tasks" in text


def test_a_page_says_how_many_are_not_listed() -> None:
    assert "39 more satisfied" in report(SAMPLES["problems only"], "html")


# --- JUnit ----------------------------------------------------------------------------------------------------------

SCHEMA = {  # what the plugin xUnit of Jenkins allows in junit-10.xsd: attributes, those required, and children
    "testsuites": ("name time tests failures errors", "", "testsuite"),
    "testsuite": (
        "name tests failures errors group time skipped timestamp hostname id package file log url",
        "name tests failures errors",
        "properties testcase system-out system-err",
    ),
    "properties": ("", "", "property"),
    "property": ("name value", "name value", ""),
    "testcase": ("name time classname group", "name", "skipped error failure system-out system-err"),
    "failure": ("type message", "", ""),
    "error": ("type message", "", ""),
    "skipped": ("type message", "", ""),
    "system-out": ("", "", ""),
}

RAILS_TYPES = re.compile(
    "array|base64Binary|boolean|date|datetime|decimal|duration|file|float|hexBinary|integer|string|symbol|yaml"
)
"""Values of ``type`` by which GitLab (Gitlab::XmlConverter, from Rails) converts the text of an element, or loses it."""


def schema_mistakes(element: ET.Element) -> t.Iterator[str]:
    """What the schema of Jenkins does not allow."""
    allowed, required, children = (part.split() for part in SCHEMA[element.tag])
    yield from (f"{element.tag} {name}" for name in element.attrib if name not in allowed)
    yield from (f"{element.tag} lacks {name}" for name in required if name not in element.attrib)
    if not re.fullmatch(r"\d*(\.\d*)?", element.get("time", "0")):
        yield f"time {element.get('time')}"
    for child in element:
        if child.tag not in children:
            yield f"{child.tag} in {element.tag}"
        else:
            yield from schema_mistakes(child)


@pytest.mark.parametrize("sample", SAMPLES)
def test_junit_keeps_to_the_schema_of_jenkins_and_the_rules_of_gitlab(sample: str) -> None:
    root = ET.fromstring(report(SAMPLES[sample], "junit", EVIL))
    assert root.tag == "testsuites"
    assert list(schema_mistakes(root)) == []
    cases = list(root.iter("testcase"))
    assert len({(case.get("classname"), case.get("name")) for case in cases}) == len(cases)  # GitLab drops the others
    for suite in root:
        own = list(suite.iter("testcase"))
        counts = [sum(case.find(kind) is not None for case in own) for kind in ("failure", "error", "skipped")]
        told = [int(suite.get(name, "")) for name in ("failures", "errors", "skipped")]
        assert (int(suite.get("tests", "")), told) == (len(own), counts)
        assert float(suite.get("time", "")) >= 0
        assert own  # SuiteResult of Jenkins skips a suite without cases, and JUnitResultArchiver fails where all are
    for bad in (*root.iter("failure"), *root.iter("error")):
        assert bad.text
        assert bad.text == bad.get("message")  # GitLab shows the text, others the message
        assert not RAILS_TYPES.fullmatch(bad.get("type", ""))


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a&b", "a&amp;b"),
        ("<\"'>", "&lt;&quot;&apos;&gt;"),
        ("\x00\x0b\x1f\ufffe\uffff\ud800", "\ufffd" * 6),
        ("\t\n\x7f😀", "\t\n\x7f😀"),
    ],
)
def test_what_xml_does_not_allow_is_replaced(text: str, escaped: str) -> None:
    assert escape(text) == escaped


def test_junit_tells_the_reason_and_the_times() -> None:
    root = ET.fromstring(report(evening(), "junit", "Evening"))
    cases = {case.get("name"): case for case in root.iter("testcase")}
    (suite,) = root
    assert suite.get("timestamp") == "2026-01-02T03:04:04"
    assert {each.get("name"): each.get("value") for each in suite.iter("property")}["outcome"] == "failed"
    assert (cases["Trailer"].get("classname"), cases["Trailer"].get("time")) == ("cloudwait.mps", "4.500")
    assert [each.tag for each in cases["Film"]] == ["system-out"]
    failure = cases["Trailer"].find("failure")
    assert failure is not None
    assert (failure.get("type"), failure.text) == ("failed", "E-9: the film is torn")
    assert cases["1-open"].find("skipped") is not None


@pytest.mark.parametrize("outcome", ["error", "not_started", "uncertain"])
def test_junit_calls_it_an_error_when_the_conversion_is_not_to_blame(outcome: str) -> None:
    root = ET.fromstring(report(wait_result("failed", cloud_task("1", outcome, message="no start")), "junit"))
    assert [each.text for each in root.iter("error")] == [
        {
            "error": "The wait gave up on it",
            "not_started": "It was not started",
            "uncertain": "It may have been started",
        }[outcome]
        + ": no start"
    ]


@pytest.mark.parametrize("sample", ["refused", "unreachable"])
def test_junit_has_a_case_for_a_wait_that_did_not_begin(sample: str) -> None:
    root = ET.fromstring(report(SAMPLES[sample], "junit"))
    assert [each.text for each in root.iter("error")] == [SAMPLES[sample]["msg"]]


@pytest.mark.parametrize(
    ("wait", "kind", "printed"),
    [
        (wait_result("satisfied"), None, "The outcome is satisfied."),
        (wait_result("satisfied", summary={"total": 40}), None, "The outcome is satisfied.\n40 more satisfied"),
        (wait_result("unfinished"), "skipped", "The outcome is unfinished."),
    ],
)
def test_junit_has_a_case_for_a_wait_that_lists_no_cloud_task(wait: Result, kind: str | None, printed: str) -> None:
    (suite,) = ET.fromstring(report([wait], "junit"))
    (case,) = suite.iter("testcase")
    assert (case.get("classname"), case.get("name")) == ("cloudwait.wait", "Wait 1")
    assert [each.tag for each in case] == ([kind] if kind else [])
    assert suite.findtext("system-out") == printed


# --- Markdown -------------------------------------------------------------------------------------------------------


def bare(text: str) -> str:
    """A Markdown text without the elements that the report itself uses."""
    return re.sub(r"</?(code|details|summary)>|<br>", "", text)


@pytest.mark.parametrize("sample", SAMPLES)
def test_nothing_that_vendors_say_is_markdown(sample: str) -> None:
    text = report(SAMPLES[sample], "markdown", EVIL)
    for code in re.findall("<code>(.*?)</code>", text):
        assert re.fullmatch(r"([^\W_]| |[-,/]|[^\x00-\x7f]|&#\d+;)*", code), code
    assert not set(bare(text)) & set("<>[`@\\\\!")
    assert {line.count("|") for line in text.splitlines() if line.startswith("|")} <= {6}
    assert text.count("<details>") == text.count("</details>") <= 1


def test_markdown_tells_what_went_wrong_and_folds_the_rest() -> None:
    text = report(evening(), "markdown", "Evening")
    head, dummy, folded = text.partition("<details><summary>1 satisfied, 1 unfinished</summary>")
    assert head.startswith("### Evening\n\n❌ **3 of 5 cloud tasks did not satisfy the wait: ")
    assert "E-9&#58; the film is torn" in head
    assert "1-trailer" in head
    assert "1-film" in folded


def test_markdown_fits_into_a_comment() -> None:
    text = report(many(1500), "markdown")
    assert len(text) < 65_536
    assert re.search("and [0-9,]+ more", text)


# --- JSON -----------------------------------------------------------------------------------------------------------


def test_json_tells_all_that_the_page_shows() -> None:
    data = json.loads(report(evening(), "json", "Evening"))
    assert (data["title"], data["satisfied"], data["total"]) == ("Evening", False, 5)
    film, trailer = data["waits"][0]["tasks"][:2]
    assert (film["name"], film["outputs"], film["reason"]) == ("Film", ["/out/film.mp4"], None)
    assert (trailer["status"], trailer["outcome"], trailer["reason"]) == ("failed", "failed", "E-9: the film is torn")
    assert trailer["ref"] == {"provider": "mps", "task_id": "1-trailer"}
    assert set(film["seconds"]) == {"unseen", "pending", "running"}
