# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.cloudwait.conversion.plugins.module_utils._errors import CloudError
from ansible_collections.cloudwait.conversion.plugins.module_utils._pacing import FOREVER
from ansible_collections.cloudwait.conversion.plugins.module_utils._record import make_record
from ansible_collections.cloudwait.conversion.plugins.module_utils._wait.book import News, drop_satisfied
from ansible_collections.cloudwait.conversion.plugins.module_utils._wait.contract import (
    PlanItem,
    PollError,
    Update,
)
from ansible_collections.cloudwait.conversion.plugins.plugin_utils import _progress
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._progress import Lines
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._rounds import Rounds
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._timing import Timing

OPTIONS: dict[str, t.Any] = {
    "until": ["succeeded"],
    "require": "all",
    "fail_fast": True,
    "timeout": 900.0,
    "heartbeat": 60.0,
    "max_errors": 3,
    "not_found_grace": 30.0,
    "return_records": "all",
}


class Clock:
    def __init__(self) -> None:
        self.now = 50.0
        self.wall = 1767323045.0  # 2026-01-02T03:04:05Z

    def rounds(self, *, check_mode: bool = False, conditional: bool = False, **options: t.Any) -> Rounds:
        merged = {**OPTIONS, **options}
        timing = Timing(merged["timeout"], clock=lambda: self.now, wall=lambda: self.wall)
        return Rounds(merged, timing, check_mode=check_mode, conditional=conditional)

    def lines(self, rounds: Rounds, **options: t.Any) -> Lines:
        return Lines("h", {**OPTIONS, **options}, rounds.timing, quiet=False, show=print)

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        self.wall += seconds


def told_lines(rounds: Rounds, news: News) -> list[str]:
    """The lines for the news of a round."""
    shown: list[str] = []
    Lines("h", OPTIONS, rounds.timing, quiet=False, show=shown.append).tell_news(rounds.book, news)
    return shown


def ref(number: int) -> dict[str, t.Any]:
    return {"provider": "mps", "task_id": f"m{number}"}


def state(due_in: float = 3.0, changed_ago: float = 1.0) -> dict[str, t.Any]:
    return {"polls": 1, "errors": 0, "missing": 0, "seen": True, "due_in": due_in, "changed_ago": changed_ago}


def answer(count: int = 2, **changes: t.Any) -> Update:
    """The first round of a wait on some cloud tasks; all are running."""
    numbers = [str(number) for number in range(count)]
    report: dict[str, t.Any] = {
        "polls": dict.fromkeys(numbers, 1),
        "errors": {},
        "troubles": {},
        "records": {number: make_record(ref(int(number)), "running", "PROCESSING") for number in numbers},
        "history": {
            number: [{"elapsed": 1.0, "status": "running", "native_status": "PROCESSING", "progress": None}]
            for number in numbers
        },
        "failures": {},
        "responses": {},
        "expected": {},
        "outcomes": {},
        "api_calls": {"mps": count},
    }
    following = {
        "queues": {"mps": {"ready_in": 2.0, "slowdown": 1.0}},
        "states": {number: state() for number in numbers},
    }
    plan = [{"ref": ref(number)} for number in range(count)]
    update = {"plan": plan, "about": {}, "notes": [], "report": {**report, **changes}, "next": following}
    return t.cast(Update, update)


def test_the_first_round_gets_what_the_user_gave() -> None:
    order = Clock().rounds().next_arguments()
    assert set(order) == {"_round"}
    assert order["_round"]["first"] is True
    assert order["_round"]["left"] == 900.0


def test_what_a_result_of_problems_will_not_have_is_dropped() -> None:
    rounds = Clock().rounds(fail_fast=False, return_records="problems")
    done = {"0": [{"elapsed": 2.0, "status": "succeeded", "native_status": "FINISH", "progress": 100}]}
    record = make_record(ref(0), "succeeded", "FINISH", progress=100, request_id="r1")
    ends = {"0": ["satisfied", 2.0], "1": ["failed", 2.0]}
    news = rounds.take(answer(records={"0": record}, history={**done, "1": done["0"]}, outcomes=ends))
    drop_satisfied(rounds.book, news.changed)
    entries, result = rounds.book.entries, rounds.result()
    assert [len(entry.history) for entry in entries] == [0, 1]
    assert (entries[0].record["request_id"], result["summary"]["succeeded"]) == (None, 1)
    assert [task["task_id"] for task in result["tasks"]] == ["m1"]


def test_a_later_round_gets_only_what_is_open_and_how_old_everything_is() -> None:
    clock = Clock()
    rounds = clock.rounds(fail_fast=False)
    clock.pass_time(2)
    rounds.take(answer(outcomes={"0": ["failed", 1.5]}))
    clock.pass_time(1)
    order = rounds.next_arguments()
    assert (order["tasks"], order["task_id"]) == (None, None)
    handed = order["_round"]
    assert handed["plan"] == {"1": {"ref": ref(1)}}
    assert handed["states"]["1"]["due_in"] == 2.0
    assert handed["states"]["1"]["changed_ago"] == 2.0
    assert handed["queues"]["mps"]["ready_in"] == 1.0
    assert handed["left"] == 897.0
    assert handed["elapsed"] == 3.0
    assert handed["first"] is False


@pytest.mark.parametrize(("cost", "after_change"), [(0.1, 5.0), (0.25, 5.0), (1.0, 20.0), (9.0, 30.0)])
def test_a_dear_hand_over_makes_rounds_longer(cost: float, after_change: float) -> None:
    rounds = Clock().rounds()
    rounds.take(answer())
    rounds.end_round(cost, 1.0)
    assert rounds.next_arguments()["_round"]["after_change"] == after_change


def test_a_quiet_round_lasts_ten_minutes_unless_the_ansible_task_ends_sooner() -> None:
    rounds = Clock().rounds()
    assert rounds.next_arguments()["_round"]["linger"] == 600.0
    assert rounds.next_arguments(at_most=4.0)["_round"]["linger"] == 4.0


def test_a_round_is_told_where_its_live_channel_is() -> None:
    rounds = Clock().rounds()
    assert "channel" not in rounds.next_arguments()["_round"]
    assert rounds.next_arguments(reach={"channel": "/tmp/x/live"})["_round"]["channel"] == "/tmp/x/live"


def test_a_heartbeat_is_due_again_and_again_and_after_each_line_anew() -> None:
    clock = Clock()
    rounds = clock.rounds(heartbeat=20)
    shown: list[str] = []
    lines = Lines("h", {**OPTIONS, "heartbeat": 20}, rounds.timing, quiet=False, show=shown.append)
    clock.pass_time(20)
    lines.beat(None)
    assert shown == ["[h] cloudwait: no answer to the first polls yet, 20 s elapsed, 880 s left"]
    rounds.take(answer())
    for number in range(2, 5):
        lines.beat(rounds.book)
        assert lines.next_in() == 20.0
        clock.pass_time(20)
        lines.beat(rounds.book)
        assert len(shown) == number
    clock.pass_time(15)
    lines.tell("something else")
    assert lines.next_in() == 20.0


def test_a_wait_without_lines_has_no_heartbeat() -> None:
    clock = Clock()
    lines = Lines("h", OPTIONS, clock.rounds().timing, quiet=True, show=pytest.fail)
    clock.pass_time(3600)
    lines.beat(None)
    assert lines.next_in() == FOREVER


def test_an_update_in_the_middle_of_a_round_changes_what_it_tells_and_nothing_else() -> None:
    clock = Clock()
    rounds = clock.rounds()
    rounds.take(answer())
    clock.pass_time(5)
    update = answer(1, polls={"0": 4})
    update["next"]["states"]["0"]["due_in"] = 7.0
    rounds.take(update)
    clock.pass_time(1)
    states = rounds.next_arguments()["_round"]["states"]
    assert (states["0"]["due_in"], states["0"]["changed_ago"]) == (6.0, 2.0)
    assert (states["1"]["due_in"], states["1"]["changed_ago"]) == (0.0, 7.0)
    assert [entry.polls for entry in rounds.book.entries] == [4, 1]


def test_records_that_came_along_are_judged_at_once() -> None:
    rounds = Clock().rounds()
    rounds.begin([{"ref": ref(0), "record": make_record(ref(0), "succeeded", "FINISH")}], {})
    assert rounds.has_verdict()
    assert rounds.result()["outcome"] == "satisfied"


def test_a_wait_is_not_over_before_it_is_known_what_it_is_about() -> None:
    assert not Clock().rounds().has_verdict()


def test_an_empty_list_is_satisfied() -> None:
    rounds = Clock().rounds()
    rounds.begin([], {})
    assert rounds.has_verdict()
    assert rounds.result()["summary"]["total"] == 0
    assert "failed" not in rounds.result()


def test_a_lost_round_counts_one_error_against_everything_open() -> None:
    rounds = Clock().rounds()
    rounds.take(answer())
    for dummy in range(2):
        rounds.lose("the connection to the host was lost")
        assert not rounds.has_verdict()
    rounds.lose("the connection to the host was lost")
    assert rounds.result()["outcome"] == "error"
    assert "the connection to the host was lost" in rounds.result()["msg"]


def test_a_good_round_forgets_the_losses() -> None:
    rounds = Clock().rounds()
    rounds.take(answer())
    rounds.lose("gone")
    rounds.take(answer())
    assert rounds.losses == 1, "a round that has told something may still be lost"
    rounds.end_round(0.1, 1.0)
    assert rounds.losses == 0


def test_the_last_error_stays_until_a_poll_is_good() -> None:
    clock = Clock()
    rounds = clock.rounds()
    error: t.Any = {"kind": "network", "code": None, "message": "broke", "retryable": True}
    first = answer()
    first["report"]["errors"]["0"] = t.cast(PollError, {**error, "advice": "try again"})
    rounds.take(first)
    second = answer()
    second["report"]["polls"] = {}  # there was no poll
    rounds.take(second)
    assert [entry.poll_error for entry in rounds.book.entries] == [error, None]
    third = answer()
    third["report"]["polls"] = {"0": 2, "1": 2}
    rounds.take(third)
    assert [entry.poll_error for entry in rounds.book.entries] == [None, None]


def test_the_result_has_every_key_on_success_and_on_failure() -> None:
    keys = [
        "changed",
        "outcome",
        "msg",
        "tasks",
        "failed_tasks",
        "unfinished_tasks",
        "summary",
        "elapsed",
        "polls",
        "api_calls",
    ]
    good, bad = Clock().rounds(), Clock().rounds()
    good.take(answer(outcomes={"0": ["satisfied", 1.0], "1": ["satisfied", 2.0]}))
    bad.take(answer(outcomes={"0": ["failed", 1.0]}))
    assert set(good.result()) == set(keys)
    assert set(bad.result()) == {*keys, "failed"}
    assert bad.result()["failed_tasks"] == [ref(0)]
    assert bad.result()["unfinished_tasks"] == [ref(1)]
    assert [each["outcome"] for each in bad.result()["tasks"]] == ["failed", "unfinished"]
    assert good.result()["tasks"][0]["history"] == [
        {"at": "2026-01-02T03:04:06Z", "status": "running", "native_status": "PROCESSING", "progress": None}
    ]


def test_a_single_cloud_task_stands_by_itself_too() -> None:
    rounds = Clock().rounds()
    rounds.take(answer(count=1))
    assert rounds.result()["task"] == rounds.result()["tasks"][0]


def test_a_twin_is_reported_like_its_other() -> None:
    rounds = Clock().rounds()
    first = answer(count=1, outcomes={"0": ["satisfied", 1.0]})
    first["plan"].append({"ref": ref(0), "twin_of": 0})
    rounds.take(first)
    assert rounds.has_verdict()
    assert [each["outcome"] for each in rounds.result()["tasks"]] == ["satisfied", "satisfied"]
    assert rounds.result()["polls"] == 1


@pytest.mark.parametrize(
    ("status", "verdict", "outcome"),
    [
        ("running", True, "satisfied"),
        ("running", False, "unfinished"),
        ("running", None, "unfinished"),
        ("succeeded", True, "satisfied"),
        ("succeeded", False, "failed"),
        ("succeeded", None, "error"),
    ],
)
def test_what_a_condition_decides(status: str, verdict: bool | None, outcome: str) -> None:
    rounds = Clock().rounds(conditional=True)
    rounds.take(answer(count=1, records={"0": make_record(ref(0), status, status)}))
    rounds.book.decide(0, verdict, "the condition x cannot be evaluated", 1.0)
    assert rounds.result()["tasks"][0]["outcome"] == outcome
    if outcome == "error":
        assert "the condition x cannot be evaluated" in rounds.result()["msg"]


def test_check_mode_reports_what_was_not_started_and_does_not_fail() -> None:
    rounds = Clock().rounds(check_mode=True)
    rounds.begin([{"ref": {"provider": "mps", "task_id": None}, "unstarted": True}], {})
    result = rounds.result()
    assert (result["outcome"], "failed" in result) == ("unfinished", False)


def test_failed_polls_are_in_the_history_with_what_the_vendor_s_support_asks_for() -> None:
    rounds = Clock().rounds()
    failed = {"elapsed": 0.5, "kind": "server", "code": "InternalError", "request_id": "r-1"}
    later = {**failed, "elapsed": 2.5, "request_id": "r-2"}
    told = rounds.take(answer(1, failures={"0": [failed, later]}, responses={"0": {"Status": "PROCESSING"}}))
    (task,) = rounds.result()["tasks"]
    error = {"kind": "server", "code": "InternalError"}
    assert [(event["status"], event.get("error")) for event in task["history"]] == [
        ("unknown", {**error, "request_id": "r-1"}),
        ("running", None),
        ("running", {**error, "request_id": "r-2"}),
    ]
    assert task["response"] == {"Status": "PROCESSING"}
    assert told_lines(rounds, told) == ["[h] cloudwait: mps m0: running after 1 s"]


def test_a_cloud_task_whose_polls_all_failed_was_never_seen() -> None:
    rounds = Clock().rounds()
    failed = {"elapsed": 0.5, "kind": "not_found", "code": None, "request_id": None}
    rounds.take(answer(1, records={}, history={}, failures={"0": [failed]}))
    assert not rounds.book.entries[0].seen


def test_a_long_history_keeps_its_ends() -> None:
    rounds = Clock().rounds()
    rounds.take(answer(count=1))
    for number in range(200):
        change = {"elapsed": 1.0, "status": "running", "native_status": "PROCESSING", "progress": number}
        rounds.take(answer(count=1, history={"0": [change]}))
    progress = [change["progress"] for change in rounds.result()["tasks"][0]["history"]]
    assert progress == [None, *range(49), *range(150, 200)]


# --- life after a kill ---


def killed(clock: Clock) -> dict[str, t.Any]:
    rounds = clock.rounds(fail_fast=False)
    clock.pass_time(10)
    done = make_record(ref(0), "failed", "FINISH")
    first = answer(count=3, outcomes={"0": ["failed", 4.0], "2": ["not_found", 6.0]})
    first["report"]["records"]["0"] = done
    rounds.take(first)
    return rounds.dump()


def test_a_wait_goes_on_with_its_deadline_and_asks_for_nothing_that_had_ended() -> None:
    clock = Clock()
    saved = killed(clock)
    clock.wall += 100  # and another process, with a monotonic clock of its own
    clock.now = 7.0
    rounds = clock.rounds(fail_fast=False, timeout=60)
    assert rounds.resume(saved, [{"ref": ref(2)}, {"ref": ref(1)}, {"ref": ref(0), "name": "A film"}], {})
    order = rounds.next_arguments()
    assert order["_round"]["plan"] == {"0": {"ref": ref(2)}, "1": {"ref": ref(1)}}
    assert order["_round"]["left"] == pytest.approx(790.0)
    assert order["_round"]["elapsed"] == pytest.approx(110.0)
    assert order["_round"]["states"]["1"]["due_in"] == 0.0
    result = rounds.result()
    assert [each["outcome"] for each in result["tasks"]] == ["unfinished", "unfinished", "failed"]
    assert [each["elapsed"] for each in result["tasks"]] == [pytest.approx(110.0), pytest.approx(110.0), 4.0]
    assert result["tasks"][2]["name"] == "A film"
    assert result["tasks"][1]["history"][0]["at"] == "2026-01-02T03:04:06Z"
    assert result["api_calls"] == {"mps": 3}


@pytest.mark.parametrize("outcome", ["satisfied", "error", "timed_out", "stalled", "not_found"])
def test_what_had_not_ended_is_polled_again_since_the_new_options_may_judge_it_otherwise(outcome: str) -> None:
    clock = Clock()
    before = clock.rounds(fail_fast=False)
    before.take(answer(outcomes={"0": [outcome, 1.5]}))
    rounds = clock.rounds(fail_fast=False)
    assert rounds.resume(before.dump(), [{"ref": ref(0)}, {"ref": ref(1)}], {})
    order = rounds.next_arguments()["_round"]
    assert {*order["plan"]} == {"0", "1"}
    assert order["states"]["0"]["polls"] == 1


def test_what_a_condition_has_satisfied_needs_no_further_poll() -> None:
    clock = Clock()
    before = clock.rounds(conditional=True)
    before.take(answer())
    before.book.decide(0, True, None, 1.5)
    rounds = clock.rounds(conditional=True)
    assert rounds.resume(before.dump(), [{"ref": ref(0)}, {"ref": ref(1)}], {})
    assert rounds.book.entries[0].seen, "so the action evaluates the condition before the next round"


def test_a_record_that_comes_with_the_call_counts_more_than_what_was_saved_before_it() -> None:
    clock = Clock()
    before = clock.rounds()
    before.take(answer())
    rounds = clock.rounds()
    done = make_record(ref(0), "succeeded", "FINISH", outputs=[{"type": "path", "value": "/out/a.mp4"}])
    assert rounds.resume(before.dump(), [{"ref": ref(0), "record": done}, {"ref": ref(1)}], {})
    task = rounds.result()["tasks"][0]
    assert (task["status"], task["outcome"], task["outputs"]) == ("succeeded", "satisfied", done["outputs"])
    assert rounds.book.open_numbers() == [1]


def test_a_clock_that_is_set_back_between_kill_and_resume_gives_no_time_back() -> None:
    clock = Clock()
    saved = killed(clock)
    clock.wall -= 3600
    rounds = clock.rounds(fail_fast=False)
    assert rounds.resume(saved, [{"ref": ref(number)} for number in range(3)], {})
    assert rounds.timing.left() == pytest.approx(890.0)
    assert rounds.timing.elapsed() == pytest.approx(10.0)


@pytest.mark.parametrize("name", ["left", "elapsed", "saved", "started"])
def test_a_state_with_a_time_that_is_no_number_is_damaged(name: str) -> None:
    clock = Clock()
    with pytest.raises(ValueError, match="a time is no number"):
        clock.rounds().resume({**killed(clock), name: float("inf")}, [{"ref": ref(number)} for number in range(3)], {})


def test_a_wait_that_is_continued_after_its_deadline_gets_one_more_round() -> None:
    clock = Clock()
    saved = killed(clock)
    clock.pass_time(5000)
    resumed = clock.rounds()
    assert resumed.resume(saved, [{"ref": ref(number)} for number in range(3)], {})
    assert not resumed.is_too_late()
    assert resumed.limit(3.0, 10.0) == 8.0
    resumed.lose("the host gave no answer")
    assert resumed.has_verdict()


def test_the_options_of_the_new_call_win() -> None:
    clock = Clock()
    saved = killed(clock)
    rounds = clock.rounds(fail_fast=False, until=["done"])
    rounds.resume(saved, [{"ref": ref(number)} for number in range(3)], {})
    assert rounds.result()["tasks"][0]["outcome"] == "satisfied"


def test_what_has_no_id_is_told_apart_by_its_order() -> None:
    clock = Clock()
    blank = {"provider": "mps", "task_id": None}
    copies: list[PlanItem] = [
        {"ref": blank, "record": make_record(blank, "succeeded", None, request_id=name)} for name in "ab"
    ]
    plan: list[PlanItem] = [*copies, {"ref": ref(1)}]
    rounds = clock.rounds()
    rounds.begin(plan, {})
    resumed = clock.rounds()
    assert resumed.resume(rounds.dump(), [plan[2], *copies], {})
    assert [task["request_id"] for task in resumed.result()["tasks"]] == [None, "a", "b"]


def test_a_twin_goes_on_with_what_is_known_of_its_other() -> None:
    clock = Clock()
    rounds = clock.rounds()
    first = answer(count=1)
    rounds.take({**first, "plan": [{"ref": ref(0)}, {"ref": ref(0), "twin_of": 0}]})
    resumed = clock.rounds()
    assert resumed.resume(rounds.dump(), [{"ref": ref(0)}, {"ref": ref(0), "twin_of": 0}], {})
    assert resumed.next_arguments()["_round"]["states"]["0"]["polls"] == 1
    assert [len(task["history"]) for task in resumed.result()["tasks"]] == [1, 1]
    assert [entry.seen for entry in resumed.book.entries][:1] == [True]


def test_a_record_that_came_along_is_known_without_a_poll() -> None:
    clock = Clock()
    rounds = clock.rounds(conditional=True)
    plan: list[PlanItem] = [{"ref": ref(0), "record": make_record(ref(0), "succeeded", None)}, {"ref": ref(1)}]
    rounds.begin(plan, {})
    resumed = clock.rounds(conditional=True)
    assert resumed.resume(rounds.dump(), plan, {"endpoint_host": "gateway.example.com"})
    assert [entry.seen for entry in resumed.book.entries] == [True, False]
    assert resumed.result()["endpoint_host"] == "gateway.example.com"


def test_a_state_of_other_cloud_tasks_is_no_state_of_ours() -> None:
    clock = Clock()
    saved = killed(clock)
    assert not clock.rounds().resume(saved, [{"ref": ref(number)} for number in range(2)], {})
    assert not clock.rounds().resume(saved, [{"ref": ref(number)} for number in range(4)], {})


# --- lines ---


def test_a_line_cannot_speak_to_a_pipeline() -> None:
    line = _progress.line("h", "mps m1: failed: \r\n::error::\x1b[31mred" + "x" * 500)
    assert line.startswith("[h] cloudwait: mps m1: failed: ::error:: [31mred")
    assert len(line) == 200
    assert line.isprintable()


def test_lines_of_changes_are_few_and_the_rest_is_counted() -> None:
    clock = Clock()
    rounds = clock.rounds()
    shown: list[str] = []
    lines = Lines("h", OPTIONS, rounds.timing, quiet=False, show=shown.append)
    news = rounds.take(answer(count=30))
    lines.tell_news(rounds.book, news)
    assert len(shown) == 20
    assert shown[0] == "[h] cloudwait: mps m0: running after 1 s"
    clock.pass_time(2)
    news = rounds.take(answer(count=30))
    lines.tell_news(rounds.book, news)
    assert (len(shown), lines.next_in()) == (20, 3.0)
    clock.pass_time(3)
    lines.beat(rounds.book)
    assert shown[20:] == ["[h] cloudwait: and 40 more have changed"]
    news = rounds.take(answer(count=30))
    lines.tell_news(rounds.book, news)
    lines.tell("the end")
    assert shown[41:] == ["[h] cloudwait: and 10 more have changed", "[h] cloudwait: the end"]


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        (None, ""),
        (1.5, ""),
        (63.0, ", about 60 s left"),
        (181.0, ", about 3 min left"),
        (7201.0, ", about 2 h 0 min left"),
    ],
)
def test_lines_say_how_much_time_a_cloud_task_should_need(expected: float | None, words: str) -> None:
    rounds = Clock().rounds()
    told = rounds.take(answer(1, expected={} if expected is None else {"0": expected}))
    assert told_lines(rounds, told) == [f"[h] cloudwait: mps m0: running after 1 s{words}"]
    heartbeat = _progress.heartbeat_line("h", rounds.book, elapsed=1, left=839)
    assert heartbeat.endswith(f"mps m0 has been running for 0 s{words}")


def test_a_heartbeat_tells_who_has_been_longest_in_its_state() -> None:
    rounds = Clock().rounds()
    rounds.take(answer())
    line = _progress.heartbeat_line("h", rounds.book, elapsed=61, left=839)
    assert line == (
        "[h] cloudwait: 2 of 2 still open (2 running), 61 s elapsed, 839 s left; mps m0 has been running for 60 s"
    )


def change(elapsed: float, status: str, progress: int | None = None) -> dict[str, t.Any]:
    return {"elapsed": elapsed, "status": status, "native_status": status.upper(), "progress": progress}


def test_every_change_of_a_round_has_its_line_in_the_order_of_time() -> None:
    rounds = Clock().rounds()
    changes = {"0": [change(1.0, "pending"), change(4.0, "running", 20)], "1": [change(2.0, "running")]}
    told = rounds.take(answer(history=changes))
    assert told_lines(rounds, told) == [
        "[h] cloudwait: mps m0: pending after 1 s",
        "[h] cloudwait: mps m1: running after 2 s",
        "[h] cloudwait: mps m0: running 20 % after 4 s, was pending",
    ]


def test_a_paused_queue_is_named() -> None:
    rounds = Clock().rounds()
    paused = {**change(1.0, "pending"), "native_status": "Pause"}
    record = make_record(ref(0), "pending", "Pause")
    told = rounds.take(answer(1, history={"0": [paused]}, records={"0": record}))
    assert told_lines(rounds, told) == ["[h] cloudwait: mps m0: pending (paused by the queue) after 1 s"]
    line = _progress.heartbeat_line("h", rounds.book, elapsed=61, left=839)
    assert line.endswith("; mps m0 has been pending (paused by the queue) for 60 s")


def test_a_cloud_task_is_shown_by_its_name() -> None:
    rounds = Clock().rounds()
    first = answer(count=1)
    first["plan"][0]["name"] = "Trailer"
    assert told_lines(rounds, rounds.take(first)) == ["[h] cloudwait: Trailer (mps m0): running after 1 s"]
    rounds.stop("timed_out")
    assert "the time was over: Trailer (mps m0) was still running;" in rounds.result()["msg"]


TROUBLE = {"kind": "network", "code": None, "message": "nothing listens at 127.0.0.1:9", "advice": "check the network"}


def test_trouble_is_told_once_with_what_happens_next() -> None:
    rounds = Clock().rounds()
    told = rounds.take(answer(records={}, history={}, errors={"0": TROUBLE}, troubles={"0": True}))
    assert told_lines(rounds, told) == [
        (
            "[h] cloudwait: mps m0: poll failed, trying again for up to 3 failures in a row or 900 s: "
            "nothing listens at 127.0.0.1:9"
        )
    ]
    again = rounds.take(answer(records={}, history={}, errors={"0": TROUBLE}))
    assert told_lines(rounds, again) == []


def test_cloud_tasks_with_the_same_trouble_share_a_line() -> None:
    rounds = Clock().rounds()
    numbers = [str(number) for number in range(40)]
    troubles: dict[str, t.Any] = {"errors": dict.fromkeys(numbers, TROUBLE), "troubles": dict.fromkeys(numbers, True)}
    told = rounds.take(answer(40, records={}, history={}, **troubles))
    (line,) = told_lines(rounds, told)
    assert line.startswith("[h] cloudwait: mps m0 and 39 more: poll failed, ")


def test_the_end_of_trouble_is_told() -> None:
    rounds = Clock().rounds()
    rounds.take(answer())
    told = rounds.take(answer(records={}, history={}, troubles={"0": False}))
    assert told_lines(rounds, told) == ["[h] cloudwait: mps m0: polls succeed again, running"]


def test_a_cloud_task_that_is_given_up_is_told() -> None:
    rounds = Clock().rounds(fail_fast=False)
    ended: dict[str, t.Any] = {"errors": {"0": TROUBLE}, "outcomes": {"0": ["error", 3.0]}}
    told = rounds.take(answer(records={}, history={}, **ended))
    assert told_lines(rounds, told) == ["[h] cloudwait: mps m0: given up: nothing listens at 127.0.0.1:9"]


def test_a_cloud_task_whose_poll_ended_it_is_not_said_to_be_polled_again() -> None:
    rounds = Clock().rounds()
    ended = {"errors": {"0": TROUBLE}, "troubles": {"0": True}, "outcomes": {"0": ["error", 1.0]}}
    told = rounds.take(answer(1, records={}, history={}, **ended))
    (line,) = told_lines(rounds, told)
    assert "given up" in line


def test_an_unknown_id_is_told_with_the_time_it_has_left() -> None:
    rounds = Clock().rounds(timeout=10.0)
    unknown = {"kind": "not_found", "code": "NoSuchJob", "message": "no such job", "advice": "check the id"}
    told = rounds.take(answer(1, records={}, history={}, errors={"0": unknown}, troubles={"0": True}))
    assert told_lines(rounds, told) == [
        "[h] cloudwait: mps m0: not known to the vendor, polling again for 10 s, in case it is new: NoSuchJob: no such job"
    ]
    rounds.stop("timed_out")
    result = rounds.result()
    assert (result["outcome"], result["tasks"][0]["outcome"]) == ("not_found", "not_found")
    assert result["msg"].endswith("mps m0 is not known to the vendor (NoSuchJob: no such job); check the id.")


@pytest.mark.parametrize(
    ("timeout", "passed", "limit"),
    [(3600.0, 0.0, 730.0), (600.0, 0.0, 605.0), (20.0, 0.0, 25.0), (20.0, 19.0, 8.0), (0.0, 0.0, 137.0)],
)
def test_a_round_that_does_not_come_back_has_a_limit(timeout: float, passed: float, limit: float) -> None:
    clock = Clock()
    rounds = clock.rounds(timeout=timeout)
    clock.pass_time(passed)
    assert rounds.limit(7, 10.0) == limit


def test_a_first_round_after_a_lost_one_has_time_to_start_too() -> None:
    clock = Clock()
    rounds = clock.rounds(timeout=20.0)
    rounds.lose("the host gave no answer")
    clock.pass_time(19.0)
    assert rounds.limit(7, 10.0) == 8.0


@pytest.mark.parametrize(
    ("took", "left", "within"), [(0.6, 60.0, 20.0), (1.5, 60.0, 20.0), (4.0, 57.5, 17.5), (99.0, 57.0, 17.0)]
)
def test_where_a_round_is_slow_to_start_the_next_one_ends_sooner(took: float, left: float, within: float) -> None:
    rounds = Clock().rounds(timeout=60.0)
    rounds.next_arguments()
    rounds.take(answer(1))
    rounds.end_round(0.1, took)
    order = rounds.next_arguments(20.0)["_round"]
    assert (order["left"], order["within"], order["linger"]) == (left, within, 20.0)


def test_a_wait_that_was_stopped_beyond_its_deadline_gets_one_more_round() -> None:
    clock = Clock()
    rounds = clock.rounds(timeout=60.0)
    rounds.next_arguments()
    rounds.take(answer(1))
    clock.pass_time(3600.0)
    assert not rounds.is_too_late()
    assert rounds.limit(7, 10.0) == 8.0
    assert rounds.next_arguments()["_round"]["left"] == 0.0
    assert rounds.is_too_late()


def test_what_ends_a_wait_from_outside_is_told_as_its_last_error() -> None:
    rounds = Clock().rounds()
    rounds.take(answer(1))
    rounds.stop("timed_out", CloudError("timeout", "the timeout of the Ansible task came"))
    (task,) = rounds.result()["tasks"]
    assert (task["outcome"], task["poll_error"]["kind"], task["poll_error"]["retryable"]) == (
        "timed_out",
        "timeout",
        True,
    )


# --- conditions ---


def test_what_is_over_and_not_judged_is_undecided() -> None:
    clock = Clock()
    rounds = clock.rounds(conditional=True)
    first = answer(3)
    first["report"]["records"]["1"] = make_record(ref(1), "failed", "FINISH")
    rounds.take(first)
    assert rounds.book.undecided() == [1]
    rounds.book.decide(1, False, None, 1.0)
    assert rounds.book.undecided() == []


def test_without_a_condition_nothing_is_undecided() -> None:
    clock = Clock()
    rounds = clock.rounds()
    first = answer(1)
    first["report"]["outcomes"] = {"0": ["failed", 2.0]}
    first["report"]["records"]["0"] = make_record(ref(0), "failed", "FINISH")
    rounds.take(first)
    assert rounds.book.undecided() == []
