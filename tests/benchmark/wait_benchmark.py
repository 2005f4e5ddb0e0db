# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a wait costs, side by side with what a user would run instead. Prints figures, asserts nothing.

Run it as ``make bench``; it needs a quiet machine and some ten minutes. CPU is that of whole process trees, user and
system; slopes take the start-up out. Everything talks to one stand-in cloud on this machine, whose CPU is not counted.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import typing as t
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOKEN = "EXAMPLE-FAKE-ACCESS-TOKEN"
FOREVER = 10**9
RATES = {"ess": 20, "cos_doc": 20, "mps": 100, "dingtalk_doc": 20}
AGENT = {"app_id": "app", "proxy_organization_open_id": "org", "proxy_operator": {"open_id": "me"}}

BARE = """
import sys, requests
session = requests.Session()
for dummy in range(int(sys.argv[2])):
    session.get(sys.argv[1], headers={"x-acs-dingtalk-access-token": sys.argv[3]}).json()
"""


class Cost(t.NamedTuple):
    """What one run of a command took."""

    cpu: float
    wall: float
    peak_mib: float


class Cloud:
    """The stand-in cloud, as long as a with statement lasts."""

    def __init__(self, scenario: dict[str, t.Any]) -> None:
        self._scenario = {"credentials": {"access_tokens": [TOKEN]}, **scenario}

    def __enter__(self) -> Cloud:
        self._folder = tempfile.TemporaryDirectory(prefix="bench-")
        folder = pathlib.Path(self._folder.name)
        (folder / "scenario.json").write_text(json.dumps(self._scenario), encoding="utf-8")
        command = [sys.executable, str(ROOT / "extensions" / "simulator"), "--scenario", str(folder / "scenario.json")]
        self._process = subprocess.Popen(
            [*command, "--port", "0", "--ready-file", str(folder / "ready.json")], stdout=subprocess.PIPE
        )
        t.cast(t.IO[bytes], self._process.stdout).readline()
        self.ready = json.loads((folder / "ready.json").read_text(encoding="utf-8"))
        self.url: str = self.ready["url"]
        return self

    def __exit__(self, *dummy: object) -> None:
        self._process.terminate()
        self._process.wait()
        self._folder.cleanup()

    def stats(self) -> dict[str, t.Any]:
        headers = {"X-Simulator-Key": self.ready["control_key"]}
        with urllib.request.urlopen(urllib.request.Request(f"{self.url}/_simulator/stats", headers=headers)) as answer:
            return t.cast("dict[str, t.Any]", json.load(answer))

    def environment(self) -> dict[str, str]:
        endpoints = {f"CLOUDWAIT_{name.upper()}_ENDPOINT": self.url for name in RATES}
        return {
            **os.environ,
            **endpoints,
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "CLOUDWAIT_PROGRESS": "0",
            "DINGTALK_ACCESS_TOKEN": TOKEN,
            "NO_PROXY": "127.0.0.1",
            "TENCENTCLOUD_SECRET_ID": "AKIDEXAMPLE-FAKE-ID",
            "TENCENTCLOUD_SECRET_KEY": "EXAMPLE-FAKE-SECRET-KEY",
        }


def measure(command: list[str], environment: dict[str, str]) -> Cost:
    """A command to its end; the largest of its processes counts as its memory."""
    probe = (
        "import json, resource, subprocess, sys, time; began = time.monotonic();"
        "code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode;"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN);"
        "print(json.dumps([code, used.ru_utime + used.ru_stime, time.monotonic() - began, used.ru_maxrss / 1024]))"
    )
    run = subprocess.run(
        [sys.executable, "-c", probe, *command], env=environment, cwd=ROOT, capture_output=True, text=True, check=True
    )
    code, cpu, wall, peak = json.loads(run.stdout)
    if code:
        raise SystemExit(f"{command} ended with {code}: {run.stderr}")
    return Cost(cpu, wall, peak)


def play(cloud: Cloud, task: dict[str, t.Any]) -> Cost:
    """A playbook of one Ansible task."""
    playbook = [{"hosts": "localhost", "gather_facts": False, "tasks": [{"name": "Measured", **task}]}]
    with tempfile.NamedTemporaryFile("w", suffix=".yml", encoding="utf-8") as file:
        json.dump(playbook, file)
        file.flush()
        return measure([sys.executable, "-m", "ansible", "playbook", file.name], cloud.environment())


def wait(**options: t.Any) -> dict[str, t.Any]:
    return {"cloudwait.conversion.wait_for_task": options}


def running(looks: int) -> list[dict[str, t.Any]]:
    return [{"status": "running", "looks": looks}, {"status": "succeeded"}]


def slope(cost: t.Callable[[int], Cost], few: int, many: int) -> float:
    """CPU milliseconds of one more look."""
    return (cost(many).cpu - cost(few).cpu) / (many - few) * 1000


def one_more_look(few: int, many: int) -> None:
    """The marginal look: in a round of a wait, in a bare loop, and in until."""
    counts = (few, many, 4, 12)
    tasks = [{"provider": "dingtalk_doc", "task_id": f"d{count}", "life": running(count - 1)} for count in counts]
    tasks.append({"provider": "dingtalk_doc", "task_id": "bare", "life": [{"status": "running", "looks": FOREVER}]})
    with Cloud({"tasks": tasks}) as cloud:
        page = f"{cloud.url}/v2.0/doc/task/info"

        def ours(count: int) -> Cost:
            options = {"sleep": 0, "max_sleep": 0, "rate_limit": {"dingtalk_doc": 1e6}, "heartbeat": 600}
            return play(cloud, wait(provider="dingtalk_doc", task_id=f"d{count}", **options))

        def bare(count: int) -> Cost:
            return measure([sys.executable, "-c", BARE, f"{page}/bare", str(count), TOKEN], cloud.environment())

        def until(count: int) -> Cost:
            uri = {"url": f"{page}/d{count}", "headers": {"x-acs-dingtalk-access-token": TOKEN}}
            repeat = {"register": "look", "until": "look.json.status == 1", "retries": count, "delay": 0}
            return play(cloud, {"ansible.builtin.uri": uri, **repeat})

        mine, loop, tries = slope(ours, few, many), slope(bare, few, many), slope(until, 4, 12)
    print(f"one more look, CPU ms      wait_for_task {mine:8.3f}")
    print(f"                   requests.Session loop {loop:8.3f}   ours is {mine / loop:.2f} of it")
    print(f"                             uri + until {tries:8.3f}   ours is 1/{tries / mine:.0f} of it")


def idle_hour(seconds: int) -> None:
    """A cloud task that does not move, at the defaults; taken from two lengths of wait and reckoned for an hour."""
    life = [{"status": "running", "looks": FOREVER}]
    tasks = [{"provider": "mps", "task_id": "still", "life": life}]
    with Cloud({"tasks": tasks}) as cloud:

        def ours(timeout: int) -> Cost:
            options = {"timeout": timeout, "until": ["succeeded"]}
            return play(cloud, {**wait(provider="mps", task_id="still", **options), "ignore_errors": True})

        def look(count: int) -> Cost:
            info = {"task_id": "still"}
            repeat = {
                "register": "look",
                "until": "look.task.done",
                "retries": count,
                "delay": 0,
                "ignore_errors": True,
            }
            return play(cloud, {"cloudwait.conversion.mps_task_detail": info, **repeat})

        hour = slope(ours, 60, 60 + seconds) * 3.6
        until = slope(look, 4, 12) / 1000 * 120
    print(f"an idle hour, CPU s        wait_for_task {hour:8.1f}   reckoned from {seconds} s")
    print(f"        info module + until, delay 30    {until:8.1f}   reckoned from 8 looks")


def many(count: int, life_seconds: int) -> None:
    """Many cloud tasks of four services in one call, at the vendors' rates."""
    names = list(RATES)
    life = [{"status": "running", "seconds": life_seconds}, {"status": "succeeded"}]
    tasks = [{"provider": name, "task_id": f"{name}-{{n}}", "count": count // 4, "life": life} for name in names]
    items = [
        {"provider": name, "task_id": f"{name}-{number}", **({"agent": AGENT} if name == "ess" else {})}
        for name in names
        for number in range(1, count // 4 + 1)
    ]
    with Cloud({"tasks": tasks, "rate_limit": RATES}) as cloud:
        place = {"bucket": "examplebucket-1250000000", "region": "ap-beijing"}
        cost = play(cloud, wait(tasks=items, rate_limit=RATES, **place))
        stats = cloud.stats()
    print(f"{count} cloud tasks of four services that run for {life_seconds} s each, at {RATES} calls a second:")
    print(f"  wall {cost.wall:.1f} s, CPU {cost.cpu:.1f} s, largest process {cost.peak_mib:.0f} MiB")
    print(f"  {json.dumps(stats)}")


def main() -> None:
    """Every figure, or those that are asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--few", type=int, default=200, help="looks of the shorter wait (default: 200)")
    parser.add_argument("--many", type=int, default=2000, help="looks of the longer wait (default: 2000)")
    parser.add_argument(
        "--idle-seconds", type=int, default=240, help="how long to be idle (default: 240; 0 = leave out)"
    )
    parser.add_argument(
        "--tasks", type=int, default=1000, help="cloud tasks in one wait (default: 1000; 0 = leave out)"
    )
    parser.add_argument("--life", type=int, default=60, help="seconds that each of them runs (default: 60)")
    options = parser.parse_args()
    one_more_look(options.few, options.many)
    if options.tasks:
        many(options.tasks, options.life)
    if options.idle_seconds:
        idle_hour(options.idle_seconds)


if __name__ == "__main__":
    main()
