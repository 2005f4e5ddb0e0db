# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The words of reports: verdicts, reasons, durations, in both languages; the axis; the table of a terminal."""

from __future__ import annotations

import string
import typing as t

import pytest
from ansible_collections.cloudwait.conversion.plugins.module_utils._record import STATUSES
from ansible_collections.cloudwait.conversion.plugins.module_utils._report.axis import Axis, count_statuses
from ansible_collections.cloudwait.conversion.plugins.module_utils._report.model import OUTCOMES, read_report
from ansible_collections.cloudwait.conversion.plugins.module_utils._report.style import SHAPES, shape_of
from ansible_collections.cloudwait.conversion.plugins.module_utils._report.table import make_table, width
from ansible_collections.cloudwait.conversion.plugins.module_utils._report.words import (
    LANGUAGES,
    duration,
    reason,
    times,
    verdict,
)
from ansible_collections.cloudwait.conversion.tests.unit.results import Result, cloud_task, evening, wait_result

EN, ZH = LANGUAGES["en"], LANGUAGES["zh"]
DONE = cloud_task("1", "satisfied", (1, "succeeded"))
BAD = cloud_task("2", "failed", (1, "failed"))
PART = cloud_task("3", "satisfied", (1, "partial"))
LATE = cloud_task("4", "timed_out", (1, "running"))
OPEN = cloud_task("5", "unfinished", (1, "running"))


def placeholders(text: str) -> set[str | None]:
    return {field[1] for field in string.Formatter().parse(text) if field[1] is not None}


def test_both_languages_have_the_same_words_and_places() -> None:
    assert list(EN) == list(ZH)
    assert {key: placeholders(text) for key, text in EN.items()} == {
        key: placeholders(text) for key, text in ZH.items()
    }


@pytest.mark.parametrize("word", [*STATUSES, *OUTCOMES, "paused", "unseen"])
def test_every_status_and_outcome_has_a_word_and_a_shape(word: str) -> None:
    assert EN[word]
    assert ZH[word]
    assert shape_of(word) in SHAPES


@pytest.mark.parametrize(
    ("waits", "english", "chinese"),
    [
        ([wait_result("satisfied", DONE)], "The cloud task succeeded", "云任务成功"),
        ([wait_result("satisfied", DONE, DONE)], "All 2 cloud tasks succeeded", "2 个云任务全部成功"),
        ([wait_result("satisfied", DONE, PART)], "All 2 cloud tasks satisfied the wait", "2 个云任务全部符合要求"),
        ([wait_result("failed", DONE, BAD)], "1 of 2 cloud tasks failed", "2 个云任务中有 1 个失败"),
        (
            [wait_result("satisfied", DONE), wait_result("failed", BAD, LATE)],
            "2 of 3 cloud tasks did not satisfy the wait: 1 failed, 1 timed out",
            "3 个云任务中有 2 个不符合要求：1 个失败，1 个超时",
        ),
        (
            [wait_result("failed", BAD, OPEN)],
            "1 of 2 cloud tasks failed; unfinished: 1",
            "2 个云任务中有 1 个失败，另有 1 个未结束",
        ),
        (
            [wait_result("satisfied", DONE, BAD)],
            "1 of 2 cloud tasks satisfied the wait, which is enough",
            "2 个云任务中有 1 个符合要求，已满足等待条件",
        ),
        ([wait_result("unfinished", DONE, OPEN)], "1 of 2 cloud tasks satisfied the wait so far", None),
        ([wait_result("failed", BAD, summary={"total": 1200})], "1 of 1,200 cloud tasks failed", None),
        ([wait_result("satisfied", summary={"total": 9})], "All 9 cloud tasks satisfied the wait", None),
        ([wait_result("satisfied")], "There was nothing to wait for", "没有需要等待的云任务"),
        ([wait_result("error")], "The wait could not begin", "等待未能开始"),
        ([wait_result("satisfied", DONE), wait_result("error")], "The wait could not begin", None),
    ],
)
def test_a_verdict_is_one_line(waits: t.Any, english: str, chinese: str | None) -> None:
    report = read_report(waits, "")
    assert verdict(report, EN) == english
    assert chinese is None or verdict(report, ZH) == chinese


def test_reasons_say_what_happened_and_what_was_said() -> None:
    assert {task.title: reason(task, EN) for task in read_report(evening(), "").tasks} == {
        "Film": "",
        "Trailer": "E-9: the film is torn",
        "1-slow": "It was still running when the time was over: nothing listens",
        "1-gone": "The vendor does not know it: ResourceNotFound: no such task",
        "1-open": "It was running when the wait ended",
    }


def test_without_outputs_the_counts_are_told() -> None:
    counts = {"total": 4, "succeeded": 3, "failed": 1}
    task = cloud_task("1", "satisfied", (1, "partial"), counts=counts)
    (row,) = make_table(read_report(wait_result("satisfied", task), ""), EN)
    assert row[0].endswith("  3 of 4 done")


def test_times_tell_how_long_in_which_status() -> None:
    tasks = {task.title: times(task, EN).replace("\u00a0", " ") for task in read_report(evening(), "").tasks}
    assert tasks["1-gone"] == "no status for 6 s"
    assert tasks["Trailer"].startswith("running ")
    assert "no status" not in tasks["Film"]


@pytest.mark.parametrize(
    ("task", "english", "chinese"),
    [
        (
            cloud_task("1", "satisfied", (0, "succeeded"), elapsed=0.02, polls=1),
            "ended before the first poll",
            "首次查询前已结束",
        ),
        (
            cloud_task("1", "failed", (0, "failed"), elapsed=0.2, polls=1),
            "ended before the first poll",
            "首次查询前已结束",
        ),
        (
            cloud_task("1", "satisfied", (0, "running"), elapsed=0.0, polls=1),
            "satisfied at the first poll",
            "首次查询时已符合要求",
        ),
        (cloud_task("1", "satisfied", elapsed=0.0, polls=0), "ended before the wait", "在等待开始前已结束"),
        (cloud_task("1", "timed_out", elapsed=4.0), "no status for 4 s", "4 秒内没有状态"),
        (cloud_task("1", "not_started", elapsed=0.0, polls=0), "", ""),
    ],
)
def test_times_of_what_needed_no_second_poll(task: Result, english: str, chinese: str) -> None:
    (read,) = read_report(wait_result("failed", task), "").tasks
    assert [times(read, words).replace("\u00a0", " ") for words in (EN, ZH)] == [english, chinese]


@pytest.mark.parametrize(
    ("seconds", "english", "chinese"),
    [
        (0, "0 s", "0 秒"),
        (0.02, "0 s", "0 秒"),
        (0.84, "0.8 s", "0.8 秒"),
        (4.006, "4 s", "4 秒"),
        (3, "3 s", "3 秒"),
        (59.7, "1 min", "1 分"),
        (200, "3 min 20 s", "3 分 20 秒"),
        (3600, "1 h", "1 小时"),
        (7530, "2 h 5 min", "2 小时 5 分"),
        (86400 * 3 + 59, "3 d", "3 天"),
        (86400 + 3600 * 5, "1 d 5 h", "1 天 5 小时"),
    ],
)
def test_a_duration_has_at_most_two_units(seconds: float, english: str, chinese: str) -> None:
    assert duration(seconds, EN).replace("\u00a0", " ") == english
    assert duration(seconds, ZH).replace("\u00a0", " ") == chinese


@pytest.mark.parametrize("length", [0.0, 0.3, 2, 9, 61, 1234, 7200, 86400, 5e5, 3e7])
def test_an_axis_has_a_few_labels_for_seconds_and_for_days(length: float) -> None:
    axis = Axis(read_report(wait_result("failed", LATE, elapsed=length), ""))
    labels = axis.labels()
    assert 2 <= len(labels) <= 6
    assert all(0 <= place <= 100.001 for place, dummy in labels)
    assert len({duration(seconds, EN) for dummy, seconds in labels}) == len(labels)


def test_waits_without_times_follow_each_other() -> None:
    gone = wait_result("failed", cloud_task("1", "not_found"), elapsed=5.0)
    axis = Axis(read_report([gone, gone], ""))
    assert (axis.length, axis.began, axis.percent(1, 0)) == (10.0, None, 50.0)


def test_every_cloud_task_is_counted_at_every_moment() -> None:
    report = read_report(evening(), "")
    counts = count_statuses(report.tasks, Axis(report), 50)
    assert {sum(line[column] for line in counts.values()) for column in range(50)} == {5}


def test_a_table_is_aligned_also_in_chinese() -> None:
    names = ["短片", "Film", "a" * 90]
    tasks = [cloud_task(str(number), "satisfied", (1, "succeeded"), name=name) for number, name in enumerate(names)]
    lines = [line for line, dummy in make_table(read_report(wait_result("satisfied", *tasks), ""), EN)]
    assert {width(line[: line.index("mps")]) for line in lines} == {42}
    assert [tone for dummy, tone in make_table(read_report(evening(), ""), EN)] == [
        "good",
        "bad",
        "late",
        "bad",
        "open",
    ]
