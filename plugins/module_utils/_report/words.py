# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 4: reports of waits, pure functions.
"""The words of reports in each language. What vendors said, and the message of a wait, are not translated."""

from __future__ import annotations

import typing as t

from .._record import TERMINAL
from .._wait.verdict import FAILED, SATISFIED, TIMED_OUT, UNFINISHED
from .model import BAD, UNSEEN, CloudTask, Report, Wait

Words = t.Mapping[str, str]

ENGLISH: Words = {
    "lang": "en",
    "pending": "pending",
    "paused": "paused by the queue",
    "running": "running",
    "succeeded": "succeeded",
    "partial": "partial",
    "failed": "failed",
    "canceled": "canceled",
    "unknown": "unknown",
    "unseen": "no status yet",
    "timed_out": "timed out",
    "stalled": "stalled",
    "not_found": "not found",
    "error": "error",
    "unfinished": "unfinished",
    "not_started": "not started",
    "uncertain": "uncertain",
    "satisfied": "satisfied",
    "not_satisfied": "not satisfied",
    "why_failed": "It ended with the status {status}, which is not what the wait is for",
    "why_timed_out": "It was still {status} when the time was over",
    "why_stalled": "It was {status}, and nothing changed for stall_timeout",
    "why_not_found": "The vendor does not know it",
    "why_error": "The wait gave up on it",
    "why_unfinished": "It was {status} when the wait ended",
    "why_not_started": "It was not started",
    "why_uncertain": "It may have been started",
    "cloud_tasks": "{total:,} cloud tasks",
    "all_succeeded": "All {total:,} cloud tasks succeeded",
    "one_succeeded": "The cloud task succeeded",
    "all_satisfied": "All {total:,} cloud tasks satisfied the wait",
    "one_satisfied": "The cloud task satisfied the wait",
    "enough": "{good:,} of {total:,} cloud tasks satisfied the wait, which is enough",
    "bad": "{bad:,} of {total:,} cloud tasks {parts}",
    "bad_unfinished": "{bad:,} of {total:,} cloud tasks {parts}; unfinished: {open:,}",
    "open": "{good:,} of {total:,} cloud tasks satisfied the wait so far",
    "refused": "The wait could not begin",
    "nothing": "There was nothing to wait for",
    "n_failed": "{:,} failed",
    "all_failed": "failed",
    "n_timed_out": "{:,} timed out",
    "all_timed_out": "timed out",
    "n_stalled": "{:,} stalled",
    "all_stalled": "stalled",
    "n_not_found": "{:,} not found",
    "all_not_found": "were not found",
    "n_error": "{:,} could not be polled",
    "all_error": "could not be polled",
    "n_not_started": "{:,} not started",
    "all_not_started": "were not started",
    "n_uncertain": "{:,} uncertain",
    "all_uncertain": "are uncertain",
    "several": "did not satisfy the wait: {}",
    "comma": ", ",
    "colon": ": ",
    "unlisted": "{:,} more satisfied",
    "counted": "{:,} of {:,} done",
    "more": "and {:,} more",
    "title": "Report of cloud tasks",
    "wait": "Wait {number}",
    "problems": "What went wrong",
    "problems_more": "{:,} more in the table below",
    "time_line": "Time line",
    "starts": "Begins at {time} UTC",
    "picture": "A picture of how long each cloud task had which status. The table below tells the same in words.",
    "count_picture": "How many cloud tasks had which status. Those that did not satisfy the wait are drawn one by one.",
    "slowest": "The slowest of the others",
    "mark_error": "failed poll",
    "mark_gap": "changes left out",
    "all_tasks": "All cloud tasks",
    "task": "Cloud task",
    "service": "Service",
    "status": "Status",
    "time": "Time",
    "result": "Outputs or reason",
    "reason": "Reason",
    "outputs": "Outputs",
    "took": "waited",
    "polls": "polls",
    "unit_s": "{}\u00a0s",
    "unit_min": "{}\u00a0min",
    "unit_h": "{}\u00a0h",
    "unit_d": "{}\u00a0d",
    "before": "ended before the wait",
    "before_first": "ended before the first poll",
    "at_first": "satisfied at the first poll",
    "without": "no status for {}",
    "made_by": "Made by cloudwait.conversion {version}",
    "group": "{count:,} {status}",
    "rest": "{count:,} more: numbers {first:,} to {last:,}",
}

CHINESE: Words = {
    "lang": "zh",
    "pending": "等待中",
    "paused": "队列已暂停",
    "running": "进行中",
    "succeeded": "成功",
    "partial": "部分成功",
    "failed": "失败",
    "canceled": "已取消",
    "unknown": "未知",
    "unseen": "尚无状态",
    "timed_out": "超时",
    "stalled": "停滞",
    "not_found": "未找到",
    "error": "错误",
    "unfinished": "未结束",
    "not_started": "未发起",
    "uncertain": "不确定",
    "satisfied": "符合要求",
    "not_satisfied": "不符合要求",
    "why_failed": "最终状态为「{status}」，不符合等待的要求",
    "why_timed_out": "到达时限时仍为「{status}」",
    "why_stalled": "状态为「{status}」，在 stall_timeout 内没有变化",
    "why_not_found": "厂商查不到这个任务",
    "why_error": "查询失败，已放弃等待",
    "why_unfinished": "等待结束时为「{status}」",
    "why_not_started": "未发起",
    "why_uncertain": "可能已发起",
    "cloud_tasks": "{total:,} 个云任务",
    "all_succeeded": "{total:,} 个云任务全部成功",
    "one_succeeded": "云任务成功",
    "all_satisfied": "{total} 个云任务全部符合要求",
    "one_satisfied": "云任务符合要求",
    "enough": "{total} 个云任务中有 {good} 个符合要求，已满足等待条件",
    "bad": "{total} 个云任务中有 {bad} 个{parts}",
    "bad_unfinished": "{total} 个云任务中有 {bad} 个{parts}，另有 {open} 个未结束",
    "open": "{total} 个云任务中目前有 {good} 个符合要求",
    "refused": "等待未能开始",
    "nothing": "没有需要等待的云任务",
    "n_failed": "{} 个失败",
    "all_failed": "失败",
    "n_timed_out": "{} 个超时",
    "all_timed_out": "超时",
    "n_stalled": "{} 个停滞",
    "all_stalled": "停滞",
    "n_not_found": "{} 个未找到",
    "all_not_found": "未找到",
    "n_error": "{} 个无法查询",
    "all_error": "无法查询",
    "n_not_started": "{} 个未发起",
    "all_not_started": "未发起",
    "n_uncertain": "{} 个不确定",
    "all_uncertain": "不确定",
    "several": "不符合要求：{}",
    "comma": "，",
    "colon": "：",
    "unlisted": "另有 {} 个符合要求",
    "counted": "完成 {:,} / {:,}",
    "more": "等 {} 项",
    "title": "云任务报告",
    "wait": "等待 {number}",
    "problems": "问题",
    "problems_more": "另有 {} 个见下表",
    "time_line": "时间线",
    "starts": "开始于 {time} UTC",
    "picture": "各云任务在每种状态停留的时间。下表以文字给出相同内容。",
    "count_picture": "各状态的云任务数量。不符合要求的任务逐个列出。",
    "slowest": "其余任务中最慢的",
    "mark_error": "查询失败",
    "mark_gap": "省略的变化",
    "all_tasks": "全部云任务",
    "task": "云任务",
    "service": "服务",
    "status": "状态",
    "time": "时间",
    "result": "输出或原因",
    "reason": "原因",
    "outputs": "输出",
    "took": "等待时间",
    "polls": "查询次数",
    "unit_s": "{}\u00a0秒",
    "unit_min": "{}\u00a0分",
    "unit_h": "{}\u00a0小时",
    "unit_d": "{}\u00a0天",
    "before": "在等待开始前已结束",
    "before_first": "首次查询前已结束",
    "at_first": "首次查询时已符合要求",
    "without": "{}内没有状态",
    "made_by": "由 cloudwait.conversion {version} 生成",
    "group": "{count} 个{status}",
    "rest": "另外 {count} 个：第 {first} 至 {last} 个",
}

LANGUAGES: t.Mapping[str, Words] = {"en": ENGLISH, "zh": CHINESE}
UNITS = (("unit_d", 86400), ("unit_h", 3600), ("unit_min", 60), ("unit_s", 1))


def duration(seconds: float, words: Words) -> str:
    """Returns a duration such as ``0.8 s``, ``12 s`` or ``3 min 20 s``: at most two units, and no-break spaces."""
    if seconds < 9.95:
        return words["unit_s"].format(f"{round(seconds, 1):g}")
    left = round(seconds)
    parts: list[str] = []
    for unit, size in UNITS:
        count, left = divmod(left, size)
        if parts and not count:
            break
        if count:
            parts.append(words[unit].format(count))
        if len(parts) == 2:
            break
    return "\u00a0".join(parts)  # a duration is not broken into two lines


def reason(task: CloudTask, words: Words) -> str:
    """Returns why a cloud task ended as it did, in one line; empty where there is nothing to explain."""
    if task.outcome == SATISFIED or (task.said and task.outcome == FAILED):
        return task.said
    why = words[f"why_{task.outcome}"].format(status=words[task.status])
    return f"{why}{words['colon']}{task.said}" if task.said else why


def verdict(report: Report, words: Words) -> str:
    """Returns how the waits ended, as one line."""
    tasks = report.tasks
    good = report.total - sum(not task.is_good for task in tasks)
    bad = sum(task.outcome in BAD for task in tasks)
    open_ones = report.total - good - bad
    if not report.total:
        return words["nothing" if report.is_good else "refused"]
    if bad and not report.is_good:
        parts = _parts(tasks, bad, words)
        key = "bad_unfinished" if open_ones else "bad"
        return words[key].format(bad=bad, total=report.total, parts=parts, open=open_ones)
    if good < report.total:
        return words["enough" if report.is_good else "open"].format(good=good, total=report.total)
    if any(not wait.is_good for wait in report.waits):
        return words["refused"]
    succeeded = all(task.status == "succeeded" for task in tasks)
    key = ("one_" if report.total == 1 else "all_") + ("succeeded" if succeeded and tasks else "satisfied")
    return words[key].format(total=report.total)


def _parts(tasks: t.Iterable[CloudTask], bad: int, words: Words) -> str:
    """Returns how many did not satisfy the wait in which way."""
    counts = dict.fromkeys(BAD, 0)
    for task in tasks:
        if task.outcome in counts:
            counts[task.outcome] += 1
    for word, count in counts.items():
        if count == bad:
            return words[f"all_{word}"]
    order = [FAILED, TIMED_OUT, *(word for word in BAD if word not in (FAILED, TIMED_OUT))]
    return words["several"].format(
        words["comma"].join(words[f"n_{word}"].format(counts[word]) for word in order if counts[word])
    )


def wait_problem(wait: Wait) -> bool:
    """Whether a wait failed without naming a cloud task, so that only its message tells why."""
    return not wait.is_good and wait.outcome != UNFINISHED and not any(task.outcome in BAD for task in wait.tasks)


def times(task: CloudTask, words: Words) -> str:
    """Returns how long a cloud task had which status, such as ``pending 0.8 s, running 3 s``."""
    spent = task.seconds()
    unseen = spent.pop(UNSEEN, 0.0)
    if spent:  # how soon the first poll came is no news then
        return words["comma"].join(f"{words[status]} {duration(seconds, words)}" for status, seconds in spent.items())
    if task.outcome in (SATISFIED, FAILED):
        return words[_at_once(task)]
    return words["without"].format(duration(unseen, words)) if unseen else ""


def _at_once(task: CloudTask) -> str:
    """Returns the key of the words for a cloud task that needed at most one poll."""
    if not task.polls:
        return "before"
    return "before_first" if task.status in TERMINAL else "at_first"


def outputs(task: CloudTask, words: Words, most: int = 3) -> str:
    """Returns the first outputs of a cloud task, and how many more there are; without outputs, what it has counted."""
    if not task.outputs and task.counts:
        return words["counted"].format(*task.counts)
    shown = ", ".join(task.outputs[:most])
    more = len(task.outputs) - most
    return f"{shown} {words['more'].format(more)}" if more > 0 else shown


__all__ = ["LANGUAGES", "Words", "duration", "outputs", "reason", "times", "verdict", "wait_problem"]
