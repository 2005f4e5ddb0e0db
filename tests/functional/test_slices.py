# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A large wait spread over workers, as the guide "Events" shows it, with the real ansible-runner: transmit, worker, process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from .ansible_runs import HANGS, Ansible

COUNT = 30
SLICES = 2
RATE = 20
PLAY = {
    "name": "Wait for a slice",
    "hosts": "localhost",
    "connection": "local",
    "gather_facts": False,
    "tasks": [
        {
            "name": "Wait",
            "cloudwait.conversion.wait_for_task": {
                "tasks": "{{ refs[slice_index | int :: slice_count | int] }}",
                "rate_limit": {"mps": "{{ rate / slice_count }}"},
                "sleep": 0.5,
            },
            "register": "waited",
        },
        {"name": "Tell", "ansible.builtin.set_stats": {"data": {"summary": "{{ waited.summary }}"}}},
    ],
}


def runner(ansible: Ansible, *arguments: str, stdin: bytes = b"") -> bytes:
    """Run a command of ansible-runner."""
    programs = str(Path(sys.executable).parent)
    path = os.pathsep.join((programs, ansible.environment.get("PATH", os.defpath)))
    done = subprocess.run(
        [f"{programs}/ansible-runner", *arguments],
        input=stdin,
        env={**ansible.environment, "PATH": path},
        capture_output=True,
        timeout=HANGS,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def play_slice(ansible: Ansible, index: int) -> dict[str, Any]:
    """Send a slice to a worker, run it there, and return what it has told at its end."""
    source, target = (ansible.folder / f"{name}-{index}" for name in ("source", "target"))
    (source / "project").mkdir(parents=True)
    (source / "env").mkdir()
    (source / "inventory").mkdir()
    (source / "project" / "wait.json").write_text(json.dumps([PLAY]), encoding="utf-8")
    refs = [{"provider": "mps", "task_id": f"film-{number}"} for number in range(1, COUNT + 1)]
    variables = {"refs": refs, "slice_index": index, "slice_count": SLICES, "rate": RATE}
    python = {"ansible_python_interpreter": ansible.python}
    (source / "env" / "extravars").write_text(json.dumps({**variables, **python}), encoding="utf-8")
    (source / "inventory" / "hosts").write_text("localhost ansible_connection=local\n", encoding="utf-8")
    sent = runner(ansible, "transmit", str(source), "-p", "wait.json", "--ident", "slice")
    worked = runner(ansible, "worker", "--private-data-dir", str(ansible.folder / f"worker-{index}"), stdin=sent)
    runner(ansible, "process", str(target), "--ident", "slice", stdin=worked)
    events = (target / "artifacts" / "slice" / "job_events").glob("*.json")
    told = [json.loads(path.read_text(encoding="utf-8")) for path in events]
    (last,) = [event for event in told if event["event"] == "playbook_on_stats"]
    found: dict[str, Any] = last["event_data"]["artifact_data"]["summary"]
    return found


def test_a_wait_is_spread_over_workers_with_a_share_of_the_rate(
    start_simulator: Callable[..., Any], start_ansible: Callable[..., Ansible]
) -> None:
    life = [{"status": "running", "looks": 2}, {"status": "succeeded"}]
    simulator = start_simulator({"tasks": [{"provider": "mps", "task_id": "film-{n}", "count": COUNT, "life": life}]})
    ansible = start_ansible(simulator.environment)
    with ThreadPoolExecutor(SLICES) as pool:
        summaries = list(pool.map(lambda index: play_slice(ansible, index), range(SLICES)))
    assert [summary["succeeded"] for summary in summaries] == [COUNT // SLICES] * SLICES
    journal = simulator.journal()
    assert {entry["task_id"] for entry in journal} == {f"film-{number}" for number in range(1, COUNT + 1)}
    assert len(journal) == 3 * COUNT  # nobody polls the cloud tasks of another slice
