# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a round is handed over. The rest of the module is tested through playbooks."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.cloudwait.conversion.plugins.module_utils._module import wait


def answer(count: int) -> t.Any:
    """Of a round on so many cloud tasks."""
    some = {str(number): {"status": "running", "progress": number} for number in range(count)}
    return {"next": {"states": some}, "report": {"records": some, "history": some}}


def test_what_telling_costs_grows_with_what_is_told_though_only_a_sample_is_measured(monkeypatch: t.Any) -> None:
    ticks = iter(range(100))
    monkeypatch.setattr(time, "process_time", lambda: next(ticks))
    assert wait._cost_of_telling(answer(0)) == 0
    assert wait._cost_of_telling(answer(wait.SAMPLE)) == 3
    assert wait._cost_of_telling(answer(10 * wait.SAMPLE)) == 30


class Module:
    """What is asked of an AnsibleModule."""

    def __init__(self, *secrets: str) -> None:
        self.no_log_values = set(secrets)


def test_secrets_are_cut_out_of_what_is_shown_and_of_nothing_else() -> None:
    ref = {"provider": "mps", "task_id": "m-1234"}
    record = {"status": "failed", "progress": 1234, "error": {"message": "pin 1234"}, "ref": ref, "task_id": "m-1234"}
    change = {"elapsed": 0.1234, "status": "failed", "native_status": "E1234", "progress": 1234}
    round_: t.Any = {
        "cost": 1.0,
        "notes": ["1234 is odd"],
        "next": {"states": {"0": {"due_in": 1.1234, "changed_ago": 1234.5, "fingerprint": "a1234"}}},
        "plan": [{"ref": ref, "record": record}, {"ref": ref}],
        "report": {
            "polls": {"0": 1234},
            "records": {"0": record},
            "history": {"0": [change]},
            "failures": {"0": [{"elapsed": 12.34, "kind": "server", "code": "1234", "request_id": None}]},
            "responses": {"0": {"Secret": "1234", "Page": 1}},
            "errors": {"0": {"kind": "server", "message": "1234", "http_status": 1234, "retryable": True}},
        },
    }
    module = Module("1234")
    told = wait.hand_over(t.cast(t.Any, module), round_)
    assert module.no_log_values == set()  # else Ansible goes through all of it once more
    assert (told["next"], told["report"]["polls"]) == (round_["next"], {"0": 1234})
    assert [item["ref"] for item in told["plan"]] == [ref, ref]
    assert told["cost"] >= 1.0
    for shown in (told["report"]["records"]["0"], told["plan"][0]["record"]):
        assert (shown["ref"], shown["progress"]) == (ref, 1234)
        assert "1234" not in shown["error"]["message"]
    assert "1234" not in told["notes"][0]
    (was,) = told["report"]["history"]["0"]
    assert (was["elapsed"], was["progress"], "1234" in was["native_status"]) == (0.1234, 1234, False)
    (failed,) = told["report"]["failures"]["0"]
    assert "1234" not in failed["code"]
    assert "1234" not in told["report"]["responses"]["0"]["Secret"]
    error = told["report"]["errors"]["0"]
    assert (error["kind"], error["http_status"], "1234" in error["message"]) == ("server", 1234, False)


def test_a_plan_alone_is_handed_over_as_it_is() -> None:
    answer: t.Any = {"plan": [{"ref": {"provider": "mps", "task_id": "m-1234"}}], "invocation": {}}
    assert wait.hand_over(t.cast(t.Any, Module("1234")), answer) == answer
