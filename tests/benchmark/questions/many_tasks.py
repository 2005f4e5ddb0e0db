# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waiting for many cloud tasks at once, alone or in one Ansible task, with and without sweeps."""

from __future__ import annotations

import collections
import math
import pathlib
import statistics
import subprocess
import typing as t

from ...functional.ansible_runs import NEEDS, make_interpreter
from ..cloud import DONE, SERVICES, TREE, Cloud, Scribe
from ..contenders import PAUSE, SELDOM_INTERVAL, info, program, sdk, seldom, until, wait
from ..measure import ROOT, Bench, Cost, Environment, Figures, at_once, play, run
from ..report import Target, bar_note, number, ratio, table, verdicts

TITLE = "Many cloud tasks"
RATE = 100
RATES_OF_MANY = {10_000: 400, 100_000: 1000}  # where a poll of each would take long otherwise
RATES = {**dict.fromkeys(NEEDS, 20), "mps": RATE}
GROUPS = 20  # of lives that last equally long
OURS = "wait_for_task"
FIXED = "wait_for_task, pace: fixed"
FIXED_SELDOM = f"the same, internal_poll_interval: {SELDOM_INTERVAL}"
PROBLEMS = "wait_for_task, return_records: problems"
SWEPT = "wait_for_task, sweep: auto"
MIXED = "wait_for_task, four services"
LOOP = "loop with until"
ASYNC = "async fan-out"
THREADS = "SDK and threads"
REQUESTS = "requests and threads"
AIOHTTP = "asyncio and aiohttp"
OPTIONS: dict[str, Figures] = {
    FIXED: {"pace": "fixed"},
    FIXED_SELDOM: {"pace": "fixed"},
    PROBLEMS: {"return_records": "problems"},
    SWEPT: {"sweep": "auto"},
}
PLAN = {10: (LOOP, ASYNC, THREADS, OURS), 100: (ASYNC, THREADS, OURS)}
PLAN.update({1_000: (THREADS, OURS, SWEPT, MIXED), 10_000: (REQUESTS, OURS, PROBLEMS, SWEPT)})
IN_TURN = (REQUESTS, AIOHTTP, FIXED, FIXED_SELDOM)  # at 1,000, with the same pauses
REPETITIONS = 3
LIVES = {10: (3, 12), 100: (3, 12), 1_000: (5, 25), 10_000: (10, 120)}  # seconds from the shortest to the longest
LIVES.update({100_000: (10, 120)})
NOT_PRIMED = 100_000  # number of cloud tasks from which on first polls would take too long


class Crowd:
    """Cloud tasks whose lives end one after the other.

    :param lives: seconds, by provider and id.
    """

    def __init__(self, providers: t.Sequence[str], count: int, least: float, most: float) -> None:
        self.tasks: list[Figures] = []
        self.lives: dict[tuple[str, str], float] = {}
        groups = min(GROUPS, count // len(providers))
        for group in range(groups):
            seconds = least + (most - least) * group / max(1, groups - 1)
            life = [{"status": "running", "seconds": seconds}, DONE]
            for name in providers:
                size = count // len(providers) // groups
                entry = {"provider": name, "task_id": f"g{group}-{{n}}", "count": size, "life": life}
                self.tasks.append(entry)
                self.lives.update({(name, f"g{group}-{place}"): seconds for place in range(1, size + 1)})

    @property
    def ids(self) -> list[str]:
        """All ids, where they are of one provider; those that end first do not come first."""
        return sorted(task_id for dummy, task_id in self.lives)


class Run:
    """One contender at one crowd."""

    def __init__(self, bench: Bench, who: str, count: int) -> None:
        self._who = who
        self._count = count
        self._pause = bench.pick(PAUSE, 1)
        self._aiohttp = bench.aiohttp or ""
        self._rate = RATES_OF_MANY.get(count, RATE)
        self._crowd = Crowd(
            SERVICES if who == MIXED else ("mps",), count, *bench.pick(LIVES.get(count, (1, 2)), (1, 2))
        )

    def measure(self) -> Figures:
        """From the first polls, with which the lives begin, to the end."""
        mixed = self._who == MIXED
        primed = 0
        with Cloud(self._crowd.tasks, **({"rate_limit": RATES} if mixed else {})) as cloud:
            names = cloud.folder / "ids.txt"
            names.write_text("\n".join(self._crowd.ids), encoding="utf-8")
            environment = {**cloud.environment(), **(seldom(cloud) if self._who == FIXED_SELDOM else {})}
            if not mixed and self._count < NOT_PRIMED:
                command = program("prime.py", cloud.host, str(names))
                subprocess.run(command, env={**environment, **TREE}, cwd=ROOT, check=True)
                primed = self._count
            with Scribe(cloud, 10_000 / self._rate) as scribe:
                cpu = cloud.cpu()
                cost = self._run(cloud, environment, str(names))
                cpu = cloud.cpu() - cpu
            told = self._told(scribe.entries, primed)
        after = cost.ended - told.pop("last")
        return {"who": self._who, "count": self._count, "cloud_cpu": cpu, **cost._asdict(), **told, "after": after}

    def _run(self, cloud: Cloud, environment: Environment, names: str) -> Cost:
        if self._who == THREADS:
            return run(program("sdk_threads.py", names, str(self._rate), str(self._pause)), environment, sample=True)
        if self._who == REQUESTS:
            command = program("requests_threads.py", cloud.host, names, str(self._rate))
            return run(command, {**environment, **TREE}, sample=True)
        if self._who == AIOHTTP:
            command = program("aiohttp_loop.py", cloud.host, names, str(self._rate), python=self._aiohttp)
            return run(command, {**environment, **TREE}, sample=True)
        return play(self._task(names), environment, sample=True)

    def _task(self, names: str) -> Figures:
        """The Ansible task of a contender that is one."""
        ids, tries = self._crowd.ids, {"retries": 1000, "delay": self._pause}
        if self._who == LOOP:
            task: Figures = {**until(info("mps", "{{ item }}"), "poll.task.done", **tries), "loop": ids}
        elif self._who == ASYNC:
            start = {**sdk("{{ item }}", wait=True, delay=self._pause), "loop": ids, "async": 900, "poll": 0}
            status = {"ansible.builtin.async_status": {"jid": "{{ item.ansible_job_id }}"}}
            finish = {**until(status, "poll is finished", **tries), "loop": "{{ jobs.results }}"}
            python = {"ansible_python_interpreter": make_interpreter(pathlib.Path(names).with_name("python"))}
            task = {"block": [{**start, "register": "jobs"}, finish], "vars": python}
        else:
            items = [{"provider": name, "task_id": task_id, **NEEDS[name]} for name, task_id in self._crowd.lives]
            given: Figures = {"tasks": items} if self._who == MIXED else {"provider": "mps", "tasks": ids}
            task = wait(**given, rate_limit={**RATES, "mps": self._rate}, **OPTIONS.get(self._who, {}))
        return task

    def _told(self, entries: list[Figures], primed: int) -> Figures:
        """What the journal tells: calls and connections, how late each end was seen, the silence between rounds."""
        first: dict[tuple[str, str], float] = {}
        last: dict[tuple[str, str], float] = {}
        for entry in entries:
            if entry["task_id"]:
                key = (entry["provider"], entry["task_id"])
                first.setdefault(key, entry["time"])
                last[key] = entry["time"]
        late = sorted(last[key] - first[key] - seconds for key, seconds in self._crowd.lives.items())
        calls = entries[primed:]
        return {
            "last": entries[-1]["time"],
            "calls": dict(collections.Counter(entry["action"] for entry in calls)),
            "throttled": sum(entry["verdict"] not in ("ok", "missing") for entry in calls),
            "connections": len({entry["connection"] for entry in calls}),
            "late": {
                "median": statistics.median(late),
                "p95": late[math.ceil(len(late) * 0.95) - 1],
                "most": late[-1],
            },
            "silence": silence(calls),
        }


def silence(calls: list[Figures]) -> float:
    """Seconds between calls that have no connection in common: one run of the module has ended, another begins."""
    ends = {call["connection"]: call["time"] for call in calls}
    total, open_until = 0.0, 0.0
    for call, following in zip(calls, calls[1:]):
        open_until = max(open_until, ends[call["connection"]])
        if call["time"] >= open_until:
            total += following["time"] - call["time"]
    return total


def measure(bench: Bench) -> Figures:
    """All contenders at all sizes that they are fit for."""
    plan = bench.pick(PLAN, {2: (LOOP, ASYNC, THREADS), 4: (MIXED,), 120: (OURS, SWEPT)})
    jobs = {f"{count} {who}": Run(bench, who, count).measure for count, some in plan.items() for who in some}
    runs = at_once(jobs) if bench.smoke else {name: job() for name, job in jobs.items()}
    peers = [who for who in IN_TURN if who != AIOHTTP or bench.aiohttp]
    count = bench.pick(1_000, 6)
    turns = bench.in_turn({who: Run(bench, who, count).measure for who in peers}, REPETITIONS)
    return {"runs": sorted([*runs.values(), *map(middle, turns.values())], key=lambda run: run["count"])}


def middle(runs: t.Sequence[Figures]) -> Figures:
    """The one of several runs that needed the median of their CPU, and the CPU of all."""
    return {**sorted(runs, key=lambda run: run["cpu"])[len(runs) // 2], "values": [run["cpu"] for run in runs]}


# The section


def tell(figures: Figures) -> str:
    """The section."""
    runs = figures["runs"]
    return f"""\
Media tasks whose lives end one after the other, evenly spread {lives_in_words(runs)}.
Their lives begin before the clock starts, so that all contenders have the same ends to find.
At most {RATE} calls a second are sent, {RATES_OF_MANY[10_000]} for 10,000. `wait_for_task` runs at its defaults but for that rate
and for what its row says. The row of four services is a mix, at 20, 20, {RATE} and 20 calls a second, beyond which the stand-in
cloud throttles.

{contenders(runs)}
- **late**: seconds from the end of a cloud task to the call that saw it, by the stand-in cloud's journal.
- **largest**: the largest process. **together**: all processes at their highest, with shared memory counted once.

{bar_note("many_tasks")}

{table(HEAD, [row(run) for run in runs])}

The stand-in cloud shares the machine's cores and needed the CPU of the last column beside what is measured: with
10,000 cloud tasks it limits the wall.

{verdicts(targets(figures))}

### Calls with sweeps

With `sweep: auto`, pages of the vendor's list of open media tasks tell which are over, and only those are asked for in
full.

{bar_note("sweeps")}

{table(["cloud tasks", "sweep", "DescribeTaskDetail", "DescribeTasks", "calls in all", "late, median s"], sweeps(runs))}
"""


ABOUT = {
    LOOP: f"the info module with `until` over a `loop`, which waits for one after the other, with pauses of {PAUSE} s.",
    ASYNC: f"a module on the SDK that waits with pauses of {PAUSE} s, started in the background for each, then `async_status`.",
    THREADS: f"a Python program of 40 lines with 16 threads, which pauses {PAUSE} s after each pass over all.",
    REQUESTS: "the same with sessions of `requests`, and with the pauses of `pace: fixed` for each cloud task.",
    AIOHTTP: "the same with one thread and at most 16 connections.",
}


def contenders(runs: list[Figures]) -> str:
    """What those are that are not ours, and how often they ran."""
    lines = [f"- **{who}**: {about}" for who, about in ABOUT.items() if any(run["who"] == who for run in runs)]
    turns = [run["who"] for run in runs if "values" in run]
    if turns:
        lines.append(
            f"- {', '.join(turns)}, 1,000 each, ran {REPETITIONS} times in turn; the run with the median CPU is shown. Other rows are one run."
        )
    return "\n".join(lines)


HEAD = [
    "cloud tasks",
    "who",
    "wall s",
    "CPU s",
    "CPU ms a call",
    "calls",
    "connections",
    "late, median s",
    "late, 95 % s",
    "largest MiB",
    "together MiB",
    "cloud's CPU s",
]


def lives_in_words(runs: list[Figures]) -> str:
    """How long they last."""
    counts = dict.fromkeys(run["count"] for run in runs)
    some = {count: LIVES[count] for count in counts if count in LIVES}
    return ", ".join(f"over {least} to {most} s for {count:,}" for count, (least, most) in some.items())


def largest_process(run: Figures) -> float:
    """The memory of the largest process, in MiB."""
    return max((value for role, value in run["peaks"].items() if role != "together"), default=0.0)


def row(run: Figures) -> list[str]:
    """A run as a row of the table."""
    calls = sum(run["calls"].values())
    values = [run["wall"], run["cpu"], run["cpu"] / max(1, calls) * 1000, calls, run["connections"]]
    late = [run["late"]["median"], run["late"]["p95"]]
    memory = [largest_process(run), run["peaks"].get("together", 0.0), run["cloud_cpu"]]
    return [f"{run['count']:,}", run["who"], *map(number, [*values, *late, *memory])]


def targets(figures: Figures) -> list[Target]:
    """What was wanted of waits for many."""
    runs = figures["runs"]
    mine = [run for run in runs if run["who"] == OURS]
    short = [run for run in runs if run["who"] == PROBLEMS]
    peers = {run["who"]: run["values"] for run in runs if "values" in run}
    return [
        *(beside_peers(peers) if peers else []),
        *(limits(*mine[-2:]) if mine[1:] else []),
        *(
            Target(f"{run['count']:,} in at most 100 MiB with return_records: problems", *memory(run, 100))
            for run in short
        ),
    ]


def memory(run: Figures, most: float) -> tuple[str, bool]:
    """The largest process of each role in words, and whether none is larger than ``most`` MiB."""
    sizes = {role: value for role, value in run["peaks"].items() if role != "together" and value >= 1}
    return ", ".join(f"{role} {value:.0f} MiB" for role, value in sizes.items()), max(sizes.values(), default=0) <= most


def beside_peers(peers: dict[str, list[float]]) -> list[Target]:
    """The CPU beside that of programs with the same pauses."""
    times = {who: statistics.median(map(ratio, peers[FIXED], values)) for who, values in peers.items()}
    found = f"{times[REQUESTS]:.2f} times" + (
        f", and {times[AIOHTTP]:.2f} times that with aiohttp" if AIOHTTP in times else ""
    )
    wanted = "1,000 cloud tasks for at most 1.3 times the CPU of a thread loop with requests, same pauses"
    quieter = statistics.median(map(ratio, peers[FIXED_SELDOM], peers[REQUESTS]))
    return [
        Target(wanted, found, times[REQUESTS] <= 1.3),
        Target(
            "the same without most of Ansible's own polling, at most 1.3 times", f"{quieter:.2f} times", quieter <= 1.3
        ),
    ]


def limits(small: Figures, large: Figures) -> list[Target]:
    """What was wanted of the largest wait."""
    a_call = [run["cpu"] / sum(run["calls"].values()) * 1000 for run in (small, large)]
    share = large["silence"] / large["wall"]
    size = f"{large['count']:,} cloud tasks"
    return [
        Target(f"{size} in at most 100 MiB, largest process", *memory(large, 100)),
        Target(
            "CPU that grows no faster than the number of polls",
            f"{a_call[0]:.2f} ms a call with {small['count']:,} cloud tasks, {a_call[1]:.2f} ms with {large['count']:,}",
            a_call[1] <= a_call[0],
        ),
        Target(
            f"the hand-over between rounds under 5 % of the wait for {size}",
            f"no call for {share * 100:.1f} % of the time between one run of the module and the next",
            share < 0.05,
        ),
    ]


def sweeps(runs: list[Figures]) -> list[list[str]]:
    """The rows of the second table."""
    swept = {run["count"] for run in runs if run["who"] == SWEPT}
    return [
        [
            f"{run['count']:,}",
            f"`{'auto' if run['who'] == SWEPT else 'never'}`",
            *(number(run["calls"].get(action, 0)) for action in ("DescribeTaskDetail", "DescribeTasks")),
            number(sum(run["calls"].values())),
            number(run["late"]["median"]),
        ]
        for run in runs
        if run["count"] in swept and run["who"] in (OURS, SWEPT)
    ]
