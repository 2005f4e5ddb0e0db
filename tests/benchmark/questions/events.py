# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The event source: what it loses when it is killed, what it costs, how fast it is, and what lies do to it."""

from __future__ import annotations

import bisect
import collections
import contextlib
import functools
import math
import statistics
import time
import typing as t

from ...functional.ansible_runs import NEEDS
from ..cloud import DONE, RUNNING, SERVICES, Cloud
from ..event_source import LISTEN, Event, Host, flood, media_callback
from ..measure import Bench, Figures, spread
from ..report import Target, number, table, verdicts
from .idle_hour import HOUR, used

TITLE = "The event source"
RATES = {"ess": 10, "cos_doc": 20, "mps": 50, "dingtalk_doc": 10}
"""Calls a second that the defaults allow."""
COUNT, KILLS = 1000, 3
WINDOW = 10.0
"""Seconds for which calls are counted."""
MARGIN = 1.05
"""Calls that arrive, beside those that are allowed: one that takes longer on its way comes closer to the next."""
IDLE_TASKS, BEGUN, WATCHED = 10, 45, 60
WATCHERS = 3
RARELY = 1000
"""Seconds between two polls that no callback has caused, where callbacks are measured."""
LIED_ABOUT, CALLBACKS = 100, 40
LIES, LYING = 1000, 5
"""Callbacks a second that lie, and for how many seconds they come."""
REPETITIONS = 3
MEMORY, IDLE_CPU, LATENESS = 150, 20, 1.0
"""What is wanted: MiB, CPU seconds an hour, and seconds from a callback to its event."""
ODD_LIES = (
    media_callback("of-another-account"),
    media_callback("2600000001-WorkflowTask-0123456789abcdef0123456789abcdeftt1"),
    b'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY e "film-1">]><r><TaskId>&e;</TaskId></r>',
    b'{"WorkflowTaskEvent": {"TaskId": ["film-1"]}}',
    b"{" * 1000,
)


def ref(provider: str, task_id: str) -> Figures:
    """An item of ``tasks``."""
    return {"provider": provider, **NEEDS[provider], "task_id": task_id}


def listening(bench: Bench) -> Figures:
    """The arguments by which the source listens, if it can."""
    return {"listen": LISTEN} if bench.aiohttp else {}


def most_calls(times: t.Sequence[float], seconds: float) -> int:
    """The most calls that came within any so many seconds."""
    return max((bisect.bisect_left(times, at + seconds) - place for place, at in enumerate(times)), default=0)


def call_times(cloud: Cloud) -> dict[str, list[float]]:
    """When each provider was called."""
    found: dict[str, list[float]] = {name: [] for name in SERVICES}
    for entry in cloud.control("journal")["entries"]:
        found[entry["provider"]].append(entry["time"])
    return {name: sorted(times) for name, times in found.items()}


def kills(bench: Bench) -> Figures:
    """Many cloud tasks of all services, and a source that is killed several times on the way to their ends."""
    count, times = bench.pick((COUNT, KILLS), (8, 1))
    size, least, most = count // len(SERVICES), *bench.pick((5, 65), (0.5, 1))
    lives = {
        (name, f"{name}-{place}"): least + (most - least) * place / size for name in SERVICES for place in range(size)
    }
    tasks = [
        {"provider": name, "task_id": task_id, "life": [{"status": "running", "seconds": seconds}, DONE]}
        for (name, task_id), seconds in lives.items()
    ]
    told: list[Event] = []
    peaks = []
    with Cloud(tasks) as cloud:
        watch = {"tasks": [ref(*key) for key in lives], "state_file": str(cloud.folder / "state.sqlite")}
        arguments = {**watch, **listening(bench), **bench.pick({}, {"sleep": 0.3})}
        with Host(bench, cloud, None) as idler:
            idler.until_begun()
            base = idler.peak()
        began = time.monotonic()
        for turn in range(times + 1):
            wanted = count if turn == times else count * (turn + 1) // (times + 2)
            with Host(bench, cloud, arguments) as host:
                host.until(lambda: len({event.task_id for event in (*told, *host.events)}) >= wanted)  # noqa: B023 # called here
                peaks.append(host.peak())
            told += host.events
        wall = time.monotonic() - began
        calls = call_times(cloud)
    return {"count": count, "kills": times, "wall": wall, "base": base, "peaks": peaks, **doubles(told), **paces(calls)}


def doubles(told: t.Sequence[Event]) -> Figures:
    """How many ends were told, and how many of them more than once."""
    by_task: dict[str, list[str]] = collections.defaultdict(list)
    for event in told:
        by_task[event.task_id].append(event.event_id)
    return {
        "told": len(by_task),
        "outcomes": dict(collections.Counter(event.outcome or "" for event in told)),
        "same_id": sum(len(ids) - len(set(ids)) for ids in by_task.values()),
        "other_id": sum(len(set(ids)) - 1 for ids in by_task.values()),
    }


def paces(calls: t.Mapping[str, t.Sequence[float]]) -> Figures:
    """How many calls there were, and how dense they were, by provider."""
    return {
        "calls": {name: len(times) for name, times in calls.items()},
        "in_window": {name: most_calls(times, WINDOW) for name, times in calls.items()},
        "in_second": {name: most_calls(times, 1.0) for name, times in calls.items()},
    }


def idle(bench: Bench) -> list[float]:
    """CPU seconds an hour of some sources that watch what does not move, after the first polls."""
    tasks = [ref("mps", f"still-{place}") for place in range(1, IDLE_TASKS + 1)]
    still = {"provider": "mps", "task_id": "still-{n}", "count": IDLE_TASKS, "life": [RUNNING]}
    with contextlib.ExitStack() as stack:
        hosts = []
        for dummy in range(bench.pick(WATCHERS, 1)):
            cloud = stack.enter_context(Cloud([still]))
            arguments = {"tasks": tasks, "state_file": str(cloud.folder / "state.sqlite"), **listening(bench)}
            hosts.append(stack.enter_context(Host(bench, cloud, arguments)))
        time.sleep(bench.pick(BEGUN, 1))
        began, before = time.monotonic(), [used(host.pid) for host in hosts]
        time.sleep(bench.pick(WATCHED, 1))
        after, seconds = [used(host.pid) for host in hosts], time.monotonic() - began
    return [(cpu - base) / seconds * HOUR for base, cpu in zip(before, after)]


def callbacks(bench: Bench) -> Figures:
    """Callbacks that tell the truth, one after the other, and many that lie; polls are rare but for them."""
    true = [f"true-{place}" for place in range(bench.pick(CALLBACKS, 3))]
    films = [f"film-{place}" for place in range(bench.pick(LIED_ABOUT, 5))]
    still = [{"provider": "mps", "task_id": name, "life": [RUNNING]} for name in (*true, *films)]
    with Cloud(still) as cloud:
        arguments = {"tasks": [ref("mps", name) for name in (*true, *films)], "listen": LISTEN}
        with Host(bench, cloud, {**arguments, "sleep": RARELY, "max_sleep": RARELY}) as host:
            host.until(lambda: len(call_times(cloud)["mps"]) >= len(still) and host.port)
            late = [lateness(cloud, host, name) for name in true]
            lies = lie(bench, cloud, host, films)
            lies["outcome"] = outcome_of(cloud, host, films[0])
    return {"late": late, **lies}


def lateness(cloud: Cloud, host: Host, task_id: str) -> float:
    """Seconds from the callback of a cloud task that has ended to its event."""
    before = len(host.events)
    cloud.begin("mps", task_id, [DONE])
    sent = host.call_back(media_callback(task_id))
    host.until(lambda: len(host.events) > before)
    return host.events[-1].time - sent


def lie(bench: Bench, cloud: Cloud, host: Host, films: t.Sequence[str]) -> Figures:
    """Callbacks by which cloud tasks have failed that run, and others that mean nothing."""
    told, before = len(host.events), len(call_times(cloud)["mps"])
    bodies = [body for name in films for body in (media_callback(name, error=30000), *ODD_LIES)]
    answers = flood(host.port, bodies, *bench.pick((LIES, LYING), (50, 1)))
    time.sleep(1.5)  # a poll that one of them has caused is over, and told
    times = call_times(cloud)["mps"][before:]
    return {
        "sent": len(answers.times),
        "refused": answers.refused,
        "per_second": answers.per_second,
        "answered": [statistics.median(answers.times), percentile(answers.times)],
        "polls": len(times),
        "most": most_calls(times, LYING),
        "believed": len(host.events) - told,
    }


def outcome_of(cloud: Cloud, host: Host, task_id: str) -> str | None:
    """The outcome that is told of a cloud task which has succeeded, after all that was said about it."""
    lateness(cloud, host, task_id)
    return host.events[-1].outcome


def percentile(values: t.Sequence[float], share: float = 0.95) -> float:
    """The least value that so many are not above."""
    return sorted(values)[math.ceil(len(values) * share) - 1]


def measure(bench: Bench) -> Figures:
    """All of it; what needs the listener only where aiohttp is."""
    jobs: dict[str, t.Callable[[], t.Any]] = {
        "kills": lambda: kills(bench),
        "idle": lambda: spread(idle(bench)),
        "callbacks": lambda: [callbacks(bench) for dummy in range(bench.pick(REPETITIONS, 1))] if bench.aiohttp else [],
    }
    return {name: found for name, (found,) in bench.in_turn(jobs, 1).items()}


def middle(runs: t.Sequence[Figures], value: t.Callable[[Figures], float]) -> float:
    """The median of several runs."""
    return statistics.median(map(value, runs))


def own_memory(killed: Figures) -> float:
    """MiB of the source's own share, in the largest of its processes."""
    return float(max(killed["peaks"]) - killed["base"])


def targets(figures: Figures) -> list[Target]:
    """What was wanted."""
    killed, runs = figures["kills"], figures["callbacks"]
    lost, other = killed["count"] - killed["told"], killed["other_id"]
    cpu, memory = figures["idle"]["most"], own_memory(killed)
    ends = (
        f"the event source tells each end of {killed['count']:,} cloud tasks, killed {killed['kills']} times on the way"
    )
    return [
        Target(
            f"{ends}, duplicates only with the same event_id",
            f"{killed['told']:,} told, {lost:,} lost, {other:,} duplicates with another id",
            not lost and not other and list(killed["outcomes"]) == ["satisfied"],
        ),
        Target("its calls within the rates meanwhile", worst(killed), is_within(killed["in_window"], WINDOW)),
        Target(f"its own share of memory under {MEMORY} MiB", f"{memory:.0f} MiB", memory < MEMORY),
        Target(f"its CPU under {IDLE_CPU} s in an idle hour", f"at most {cpu:.1f} s", cpu < IDLE_CPU),
        *(of_callbacks(runs) if runs else []),
    ]


def is_within(calls: t.Mapping[str, int], seconds: float) -> bool:
    """Whether no more calls came within so many seconds than the rates allow."""
    return all(count <= RATES[name] * seconds * MARGIN for name, count in calls.items())


def worst(killed: Figures) -> str:
    """The provider that came closest to its rate."""
    name = max(RATES, key=lambda name: killed["in_window"][name] / RATES[name])
    found = killed["in_window"][name]
    return f"at most {found} of {name} in {WINDOW:.0f} s, where {RATES[name]} a second are allowed"


def of_callbacks(runs: t.Sequence[Figures]) -> list[Target]:
    """What was wanted of callbacks."""
    late = middle(runs, lambda run: percentile(run["late"]))
    believed = sum(run["believed"] + (run["outcome"] != "satisfied") for run in runs)
    most = max(run["most"] for run in runs)
    answered = middle(runs, lambda run: float(run["answered"][1]))
    return [
        Target("95 % of events less than 1 s after the callback of their cloud task", f"{late:.2f} s", late < LATENESS),
        Target(
            "lying callbacks change no verdict, and cause polls within the rate only",
            f"{believed} verdicts changed, at most {most} polls within any {LYING} s, where {RATES['mps']} a second are allowed",
            not believed and is_within({"mps": most}, LYING),
        ),
        Target("95 % of lying callbacks answered within 0.1 s", f"{answered * 1000:.1f} ms", answered <= 0.1),
    ]


def tell(figures: Figures) -> str:
    """The section."""
    killed = figures["kills"]
    same, other = killed["same_id"], killed["other_id"]
    rows = [
        ["ends told", f"{killed['told']:,} of {killed['count']:,}"],
        ["ends told more than once, with the same `event_id`", f"{same:,}"],
        ["the same, with another `event_id`", f"{other:,}"],
        ["wall s, with the pauses of the kills", number(killed["wall"])],
        ["most memory of one process, MiB", number(max(killed["peaks"]))],
        ["memory of a process with asyncio and aiohttp alone, MiB", number(killed["base"])],
        ["CPU s in an idle hour, median", number(figures["idle"]["median"])],
        ["the same, least and most", f"{number(figures['idle']['least'])} to {number(figures['idle']['most'])}"],
    ]
    pace = [
        [name, *(f"{killed[what][name]:,}" for what in ("calls", "in_second", "in_window")), f"{rate:,}"]
        for name, rate in RATES.items()
    ]
    return f"""\
The event source `cloud_tasks` in a process that gives it a queue, as `ansible-rulebook` does, without its rules. It watches
{killed["count"]:,} cloud tasks of four services, whose ends are spread over a minute, with a state file and at the default
rates, and is killed (`kill -9`) {killed["kills"]} times while ends are told. Its own share of memory is the peak of its largest
process, less that of a process which only imports asyncio and aiohttp; Java and the rules of `ansible-rulebook` are not
measured. The idle hour is reckoned from {WATCHED} s of {WATCHERS} sources that began {BEGUN} s before, each with {IDLE_TASKS} cloud
tasks that do not end.

{table(["what", "measured"], rows)}

Calls that the stand-in cloud has noted meanwhile, and the most that came within any second and within any {WINDOW:.0f} s:

{table(["provider", "calls", "in 1 s", f"in {WINDOW:.0f} s", "allowed a second"], pace)}

{tell_callbacks(figures["callbacks"])}

{verdicts(targets(figures))}
"""


def tell_callbacks(runs: t.Sequence[Figures]) -> str:
    """What callbacks do."""
    if not runs:
        return "Callbacks were not measured: aiohttp is not installed, which the listener needs."
    late = functools.partial(middle, runs)
    rows = [
        ["from a callback to its event, median s", number(late(lambda run: statistics.median(run["late"])))],
        ["the same, 95 % s", number(late(lambda run: percentile(run["late"])))],
        ["lying callbacks a second", number(late(lambda run: float(run["per_second"])))],
        ["from a lie to its answer, median ms", number(late(lambda run: run["answered"][0] * 1000))],
        ["the same, 95 % ms", number(late(lambda run: run["answered"][1] * 1000))],
        ["lies, and polls that they caused", f"{runs[0]['sent']:,}, {late(lambda run: float(run['polls'])):,.0f}"],
        ["verdicts changed, in all runs", f"{sum(run['believed'] for run in runs)}"],
    ]
    return f"""\
Callbacks, where polls are {RARELY:,} s apart: first some of cloud tasks that have just ended, one after the other; then, for
{LYING} s, forged ones that {LIED_ABOUT} running cloud tasks have failed, between others with unknown ids, XML with entities,
and bodies that cannot be read. Medians of {REPETITIONS} runs.

{table(["what", "measured"], rows)}"""
