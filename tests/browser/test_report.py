# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTML reports as a browser shows them: on a phone and a desk, in light and dark, on paper, and to a screen reader."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ..unit.results import cloud_task, evening, many, wait_result
from .chromium import Chromium

Open = Callable[..., Path]

PHONE, DESK = 390, 1280
LONG = "a-name-without-any-place-to-break-it-" * 6
EVIL = "<script>document.title = 'run'</script><img src='http://127.0.0.1:9/x.png' onerror='alert(1)'>" + LONG
TWO = wait_result(
    "satisfied", cloud_task("9", "satisfied", (20, "running"), (29, "partial"), elapsed=29.0), elapsed=30.0
)
SAMPLES: dict[str, Any] = {
    "evening": evening(),
    "two waits": [evening(), TWO],
    "many": many(150),
    "refused": wait_result("error", msg=EVIL),
    "evil": wait_result(
        "failed",
        cloud_task(EVIL, "failed", (1, "running"), (5, "failed"), name=EVIL, error={"code": EVIL, "message": EVIL}),
        cloud_task(LONG, "satisfied", (1, "succeeded"), outputs=[{"value": LONG}] * 9, provider=LONG),
    ),
}
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
OUTSIDE = """[...document.querySelectorAll("main *:not(svg *)")]
  .filter(e => e.getClientRects().length && e.getBoundingClientRect().right > innerWidth + 1)
  .map(e => `${e.tagName} ${e.className}`)"""
VIOLATIONS = """axe.run({resultTypes: ["violations"]}).then(found => found.violations.map(
  each => each.id + ": " + each.nodes.map(node => node.html.slice(0, 200)).slice(0, 3).join(" ")))"""


@pytest.fixture(scope="session")
def write(tmp_path_factory: pytest.TempPathFactory) -> Open:
    """Writes the report of a sample, once, and returns its path."""
    from ansible_collections.cloudwait.conversion.plugins.module_utils._report.formats import make_report
    from ansible_collections.cloudwait.conversion.plugins.module_utils._report.model import read_report

    folder = tmp_path_factory.mktemp("reports")

    def write_sample(name: str, waits: Any = None, language: str = "en") -> Path:
        path = folder / f"{name.replace(' ', '-')}-{language}.html"
        if not path.exists():
            report = read_report(waits or SAMPLES[name], "Conversions of the night")
            path.write_text(make_report(report, "html", language), encoding="utf-8")
        return path

    return write_sample


@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize("sample", SAMPLES)
def test_nothing_sticks_out_and_nothing_is_requested(browser: Chromium, write: Open, sample: str, width: int) -> None:
    path = write(sample)
    browser.show(width)
    browser.open(path)
    browser.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert browser.evaluate(OVERFLOW) == 0
    assert browser.evaluate(OUTSIDE) == []
    assert browser.requests == [path.as_uri()]
    assert browser.messages == []
    assert browser.evaluate("document.scripts.length + document.images.length") == 0


@pytest.mark.parametrize(
    ("sample", "width", "scheme", "language"),
    [
        ("two waits", DESK, "light", "en"),
        ("two waits", DESK, "dark", "zh"),
        ("two waits", PHONE, "dark", "en"),
        ("many", DESK, "light", "zh"),
        ("many", DESK, "dark", "en"),
        ("many", PHONE, "light", "en"),
    ],
)
def test_axe_finds_nothing(
    browser: Chromium, write: Open, axe: str, sample: str, width: int, scheme: str, language: str
) -> None:
    browser.show(width, scheme=scheme)
    browser.open(write(sample, language=language))
    browser.evaluate(axe)
    assert browser.evaluate(VIOLATIONS) == []


def test_axe_would_find_a_mistake(browser: Chromium, write: Open, axe: str) -> None:
    browser.show(DESK)
    browser.open(write("evening"))
    browser.evaluate("document.querySelector('h1 span').style.color = 'gainsboro'")
    browser.evaluate(axe)
    assert [each.partition(":")[0] for each in browser.evaluate(VIOLATIONS)] == ["color-contrast"]


def test_the_first_screen_tells_how_many_which_and_why(browser: Chromium, write: Open) -> None:
    browser.show(DESK, height=720)
    browser.open(write("evening"))
    seen = browser.evaluate(
        "[...document.querySelectorAll('h1, .facts, .problem')]"
        ".filter(each => each.getBoundingClientRect().bottom <= innerHeight).map(each => each.innerText).join(' ')"
    )
    for text in (
        "3 of 5 cloud tasks",
        "1 satisfied",
        "Trailer",
        "E-9: the film is torn",
        "nothing listens",
        "no such task",
    ):
        assert text in " ".join(seen.split())


@pytest.mark.parametrize(
    ("scheme", "media", "is_dark"), [("light", "screen", 0), ("dark", "screen", 1), ("dark", "print", 0)]
)
def test_it_follows_the_scheme_and_is_light_on_paper(
    browser: Chromium, write: Open, scheme: str, media: str, is_dark: bool
) -> None:
    browser.show(DESK, scheme=scheme, media=media)
    browser.open(write("evening"))
    back, ink = browser.evaluate(
        "['backgroundColor', 'color'].map(name => getComputedStyle(document.body)[name].match(/[0-9]+/g)[0] * 1)"
    )
    assert (back < 60, ink > 200) == (is_dark, is_dark)


def test_it_prints_with_its_bars(browser: Chromium, write: Open) -> None:
    browser.show(DESK, media="print")
    browser.open(write("evening"))
    assert browser.evaluate("getComputedStyle(document.querySelector('rect.s-running')).printColorAdjust") == "exact"
    pdf = base64.b64decode(browser.call("Page.printToPDF", printBackground=False)["data"])
    assert pdf.startswith(b"%PDF")


def test_a_screen_reader_is_told_a_table_and_a_picture(browser: Chromium, write: Open) -> None:
    for width in (PHONE, DESK):
        browser.show(width)
        browser.open(write("evening"))
        nodes = browser.call("Accessibility.getFullAXTree")["nodes"]
        roles = [node["role"]["value"] for node in nodes if not node.get("ignored")]
        assert (roles.count("table"), roles.count("row") >= 5, roles.count("heading")) == (1, True, 4)
        names = [node["name"]["value"] for node in nodes if node["role"]["value"] in ("image", "img")]
        assert any(name.startswith("A picture of how long") for name in names)


def test_ten_thousand_cloud_tasks_open_in_two_seconds(browser: Chromium, write: Open) -> None:
    path = write("ten thousand", many(10_000))
    browser.call("Performance.enable", timeDomain="threadTicks")  # CPU time, so that other programs do not count
    browser.show(DESK)
    before = tasks_of(browser)
    browser.open(path)
    spent = tasks_of(browser) - before
    browser.call("Performance.disable")
    assert browser.evaluate("document.querySelectorAll('tr').length") > 10_000
    assert spent < 2


def tasks_of(browser: Chromium) -> float:
    """Seconds that the page's main thread has worked."""
    metrics = browser.call("Performance.getMetrics")["metrics"]
    return next(float(each["value"]) for each in metrics if each["name"] == "TaskDuration")
