# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One more poll in a wait: the slope, so that start-up does not count."""

from __future__ import annotations

import typing as t

from ..cloud import RUNNING, TOKEN, Cloud, ends_at_poll
from ..contenders import SELDOM_INTERVAL, info, program, sdk, seldom, tccli_loop, until, uri, wait
from ..measure import Bench, Cost, Counted, Environment, Figures, play, run, slopes
from ..report import Target, bar_note, number, paired, table, verdicts

TITLE = "One more poll in a wait"
REPETITIONS = 5
LOOPS = (200, 6000)  # so many that it does not count how long Ansible takes to start, which varies by 0.3 s
PAUSED_LOOPS = (200, 3000)
OURS = ("wait_for_task, DingTalk", "wait_for_task, MPS")
BARE = "bare requests.Session loop, DingTalk"
PAUSE = 0.005
PAUSED = "wait_for_task with pauses of 5 ms, DingTalk"
PAUSED_SELDOM = f"the same, internal_poll_interval: {SELDOM_INTERVAL}, DingTalk"
PAUSED_BARE = "bare loop with pauses of 5 ms, DingTalk"
URI = "uri + until, DingTalk"
INFO = "info module + until"


Contenders = dict[str, tuple[Counted, int, int]]
"""Who, and from how many polls to how many."""


def ours(cloud: Cloud, provider: str, pause: float = 0.0, variables: Environment | None = None) -> Counted:
    """A wait of so many polls.

    :param pause: seconds between two polls, on average; a wait shortens each by an eighth on average.
    :param variables: environment variables besides those of the cloud.
    """

    def cost(count: int) -> Cost:
        name = f"wait-{count}-{pause}"
        cloud.begin(provider, name, ends_at_poll(count))
        pace = {"sleep": pause / 0.875, "max_sleep": pause / 0.875, "rate_limit": {provider: 1e6}}
        return play(wait(provider=provider, task_id=name, **pace), {**cloud.environment(), **(variables or {})})

    return cost


def again(cloud: Cloud, provider: str, task: t.Callable[[str], Figures], condition: str) -> Counted:
    """An Ansible task that ``until`` repeats so often."""

    def cost(count: int) -> Cost:
        name = f"{next(iter(task('')))}-{count}"
        cloud.begin(provider, name, ends_at_poll(count))
        return play(until(task(name), condition, retries=count, delay=0), cloud.environment())

    return cost


def looped(cloud: Cloud, command: t.Callable[[int], list[str]]) -> Counted:
    """A program that polls so often."""
    return lambda count: run(command(count), cloud.environment())


def of_dingtalk(bench: Bench, cloud: Cloud) -> Contenders:
    """Those that ask DingTalk, which wants no signature."""
    loops, tries = bench.pick(LOOPS, (3, 3)), bench.pick((3, 9), (2, 2))
    paused = bench.pick(PAUSED_LOOPS, (3, 3))
    page = f"{cloud.url}/v2.0/doc/task/info/still"
    here = (cloud, "dingtalk_doc")
    return {
        OURS[0]: (ours(*here), *loops),
        BARE: (looped(cloud, lambda count: program("bare_loop.py", page, TOKEN, str(count), "0")), *loops),
        PAUSED: (ours(*here, PAUSE), *paused),
        PAUSED_SELDOM: (ours(*here, PAUSE, seldom(cloud)), *paused),
        PAUSED_BARE: (
            looped(cloud, lambda count: program("bare_loop.py", page, TOKEN, str(count), str(PAUSE))),
            *paused,
        ),
        URI: (again(*here, lambda name: uri(cloud, name), "poll.json.status == 1"), *tries),
        INFO + ", DingTalk": (again(*here, lambda name: info("dingtalk_doc", name), "poll.task.done"), *tries),
    }


def of_mps(bench: Bench, cloud: Cloud) -> Contenders:
    """Those that ask MPS."""
    loops, tries = bench.pick(LOOPS, (3, 3)), bench.pick((3, 9), (2, 2))
    here = (cloud, "mps")
    found: Contenders = {
        OURS[1]: (ours(*here), *loops),
        "SDK loop, MPS": (looped(cloud, lambda count: program("sdk_loop.py", "still", str(count))), *loops),
        INFO + ", MPS": (again(*here, lambda name: info("mps", name), "poll.task.done"), *tries),
        "module on the SDK + until, MPS": (again(*here, sdk, "poll.task.Status == 'FINISH'"), *tries),
    }
    if bench.tccli:
        shell = looped(cloud, lambda count: tccli_loop(bench, cloud, "still", count))
        found["tccli in a shell loop, MPS"] = (shell, *bench.pick((2, 6), (2, 2)))
    return found


def measure(bench: Bench) -> Figures:
    """CPU milliseconds a poll."""
    still = [{"provider": name, "task_id": "still", "life": [RUNNING]} for name in ("dingtalk_doc", "mps")]
    with Cloud(still) as cloud:
        return slopes(bench, {**of_dingtalk(bench, cloud), **of_mps(bench, cloud)}, REPETITIONS)


def targets(figures: Figures) -> list[Target]:
    """What was wanted; the pairs of which there are figures."""
    pairs = {
        "one more poll": (OURS[0], BARE),
        "one more poll, with pauses of 5 ms": (PAUSED, PAUSED_BARE),
        "the same without most of Ansible's own polling": (PAUSED_SELDOM, PAUSED_BARE),
    }
    some = {what: pair for what, pair in pairs.items() if pair[0] in figures}
    times = {what: paired(*(figures[who] for who in pair)) for what, pair in some.items()}
    to_uri = paired(figures[URI], figures[OURS[0]])
    return [
        *(
            Target(f"{what}, at most 0.75 of the bare loop", f"{value:.2f}", value <= 0.75)
            for what, value in times.items()
        ),
        Target("one more poll, at least 250 times cheaper than uri + until", f"{to_uri:.0f} times", to_uri >= 250),
    ]


def tell(figures: Figures) -> str:
    """The section."""
    mine = figures[OURS[0]]
    rows = [
        [name, *(number(slope[value]) for value in ("median", "least", "most")), number(paired(slope, mine))]
        for name, slope in figures.items()
    ]
    return f"""\
What one poll more costs while one waits, as the slope between few and many polls of the same wait: start-up does not
count. The waits have no pauses, so that only polls are measured; where pauses are named, each poll also has to wake up a
process that sleeps, and Ansible itself polls its Ansible task meanwhile, a thousand times a second unless
`internal_poll_interval` in `ansible.cfg` says otherwise. MPS answers are longer than DingTalk's and must be signed for;
the bare loop neither signs nor checks anything. How many times ours something costs is the median of that in
each of {REPETITIONS} turns.

{bar_note("one_more_poll")}

{table(["one more poll", "CPU ms", "least", "most", "times ours, DingTalk"], rows)}

{verdicts(targets(figures))}
"""
