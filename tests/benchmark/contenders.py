# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is measured: Ansible tasks and commands, ours and what one could run instead."""

from __future__ import annotations

import pathlib
import sys
import typing as t

from ..functional.ansible_runs import MODULES, NEEDS
from .cloud import TOKEN, Cloud
from .measure import ROOT, Bench, Cost, Environment, Figures, play, run

PROGRAMS = pathlib.Path(__file__).resolve().parent / "programs"
COLLECTION = "cloudwait.conversion."
SHELL_LOOP = 'count=$1; shift; while [ "$count" -gt 0 ]; do "$@" > /dev/null || exit; count=$((count - 1)); done'
PAUSE = 5
"""Seconds between two polls of those that have a fixed pause: what ``until`` takes when nothing is said."""
SELDOM_INTERVAL = 0.05
"""Seconds between two polls by Ansible itself of what its Ansible task does, where these are to be few."""


def wait(**options: t.Any) -> Figures:
    """Ours: one wait."""
    return {COLLECTION + "wait_for_task": options}


def info(provider: str, task_id: str) -> Figures:
    """Ours: one poll."""
    return {COLLECTION + MODULES[provider]: {**NEEDS[provider], "task_id": task_id}}


def uri(cloud: Cloud, task_id: str) -> Figures:
    """The plainest poll that ansible-core has: an unsigned GET; only DingTalk is content with a token."""
    headers = {"x-acs-dingtalk-access-token": TOKEN}
    return {"ansible.builtin.uri": {"url": f"{cloud.url}/v2.0/doc/task/info/{task_id}", "headers": headers}}


def sdk(task_id: str, **options: t.Any) -> Figures:
    """A module on the vendor's SDK, as in ``library``."""
    return {"sdk_mps_task": {"task_id": task_id, **options}}


def until(task: Figures, condition: str, *, retries: int, delay: float) -> Figures:
    """An Ansible task, repeated."""
    return {**task, "register": "poll", "until": condition, "retries": retries, "delay": delay}


def program(name: str, *arguments: str, python: str = sys.executable) -> list[str]:
    """A command line of one of the programs here."""
    return [python, str(PROGRAMS / name), *arguments]


def tccli(bench: Bench, cloud: Cloud, task_id: str) -> list[str]:
    """The vendor's command line."""
    options = ["--TaskId", task_id, "--endpoint", cloud.url]
    return [str(bench.tccli), "mps", "DescribeTaskDetail", *options]


def tccli_loop(bench: Bench, cloud: Cloud, task_id: str, count: int) -> list[str]:
    """The same in a loop of the shell."""
    return ["/bin/sh", "-c", SHELL_LOOP, "loop", str(count), *tccli(bench, cloud, task_id)]


def played(cloud: Cloud, task: Figures, variables: Environment | None = None) -> t.Callable[[], Cost]:
    """A playbook, to be measured.

    :param variables: environment variables besides those of the cloud.
    """
    return lambda: play(task, {**cloud.environment(), **(variables or {})})


def started(cloud: Cloud, command: t.Sequence[str]) -> t.Callable[[], Cost]:
    """A command, to be measured."""
    return lambda: run(command, cloud.environment())


def seldom(cloud: Cloud) -> Environment:
    """Variables by which Ansible itself polls less often, and by which lines are printed."""
    path = cloud.folder / "seldom.cfg"
    lines = [f"collections_path = {ROOT / '.cache' / 'tree'}", "localhost_warning = false"]
    text = "\n".join(["[defaults]", *lines, f"internal_poll_interval = {SELDOM_INTERVAL}", ""])
    path.write_text(f"{text}[inventory]\ninventory_unparsed_warning = false\n", encoding="utf-8")
    return {"ANSIBLE_CONFIG": str(path), "CLOUDWAIT_PROGRESS": "1"}
