# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What this collection costs, beside what else one could run: measures, and writes docs/benchmarks.md with its charts.

``python -m tests.benchmark`` in the root of a checkout; about 50 minutes, on a machine that must be quiet. No figure is
asserted. ``--smoke`` sees in seconds that everything still runs.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import subprocess
import sys
import time
import typing as t

from . import machine, report
from .measure import ROOT, Bench, Figures
from .questions import (
    a_hundred_thousand,
    events,
    idle_hour,
    lines,
    many_tasks,
    one_more_poll,
    orphans,
    pace,
    playbook_poll,
    shell_poll,
    start_up,
)

QUESTIONS = {
    "playbook_poll": playbook_poll,
    "shell_poll": shell_poll,
    "one_more_poll": one_more_poll,
    "idle_hour": idle_hour,
    "lines": lines,
    "pace": pace,
    "many_tasks": many_tasks,
    "a_hundred_thousand": a_hundred_thousand,
    "orphans": orphans,
    "events": events,
    "start_up": start_up,
}
ONLY_IF_NAMED = ("a_hundred_thousand",)
"""Questions that are not part of the default run."""


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmark", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--only",
        action="append",
        choices=list(QUESTIONS),
        help="measure this alone, and keep the rest; may be repeated",
    )
    parser.add_argument("--smoke", action="store_true", help="small numbers that mean nothing; needs --output")
    parser.add_argument("--render", action="store_true", help="measure nothing, write page and charts anew")
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "docs", help="a folder (default: docs)")
    parser.add_argument(
        "--tools", type=pathlib.Path, help="the folder of a venv that has tccli, aiohttp and matplotlib"
    )
    options = parser.parse_args()
    if options.smoke and options.output == ROOT / "docs":
        parser.error("--smoke needs an --output of its own: its figures mean nothing")
    return options


def tool(options: argparse.Namespace, name: str) -> str | None:
    """A program of the venv with the tools."""
    path = options.tools.resolve() / "bin" / name if options.tools else None
    return str(path) if path is not None and path.exists() else None


def python_with(options: argparse.Namespace, package: str) -> str | None:
    """A Python that has a package: that of the venv with the tools, or this one."""
    for python in filter(None, (tool(options, "python"), sys.executable)):
        if not subprocess.run([python, "-c", f"import {package}"], stderr=subprocess.DEVNULL, check=False).returncode:
            return python
    return None


def load(path: pathlib.Path) -> Figures:
    """The figures of an earlier run."""
    if not path.exists():
        return {"questions": {}, "days": {}}
    return t.cast("Figures", json.loads(path.read_text(encoding="utf-8")))


def measure(options: argparse.Namespace, figures: Figures) -> None:
    """Ask all questions that are wanted, and save after each."""
    bench = Bench(smoke=options.smoke, tccli=tool(options, "tccli"), aiohttp=python_with(options, "aiohttp"))
    here = machine.describe(bench)
    is_other = figures.get("machine", {}).get("words") != here["words"]
    for name in [*figures["questions"]]:
        if is_other or not (options.only or name in ONLY_IF_NAMED):
            del figures["questions"][name], figures["days"][name]
    figures["machine"] = here
    for name in options.only or [name for name in QUESTIONS if name not in ONLY_IF_NAMED]:
        began = time.monotonic()
        figures["questions"][name] = QUESTIONS[name].measure(bench)
        figures["days"][name] = here["date"]
        write(options, figures)
        print(f"{name}: {time.monotonic() - began:.0f} s", flush=True)


def write(options: argparse.Namespace, figures: Figures) -> None:
    """Figures and page."""
    folder = options.output / "benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "figures.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    (folder / "figures.json.license").write_text("\n".join([*report.HEADER, ""]), encoding="utf-8")
    (options.output / "benchmarks.md").write_text(report.page(figures, QUESTIONS), encoding="utf-8")


def draw(options: argparse.Namespace) -> None:
    """The charts, by the Python that has matplotlib."""
    python = python_with(options, "matplotlib")
    if python is None:
        print("no charts: matplotlib is not installed; see requirements-bench.txt")
        return
    command = [python, "-m", "tests.benchmark.charts", str((options.output / "benchmarks").resolve())]
    subprocess.run(command, cwd=ROOT, check=True)


def main() -> None:
    """Measure, write, draw."""
    options = arguments()
    figures = load(options.output / "benchmarks" / "figures.json")
    if options.render:
        write(options, figures)
    else:
        measure(options, figures)
    draw(options)


if __name__ == "__main__":
    main()
