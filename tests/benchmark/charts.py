# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The charts, from ``figures.json``: ``python -m tests.benchmark.charts FOLDER``. The one file that needs matplotlib.

Text stays text, in a grey that is readable on white and on black; what is ours is blue, all else grey.
"""

from __future__ import annotations

import json
import pathlib
import sys
import typing as t

import matplotlib as mpl  # type: ignore[import-not-found] # in a venv of its own
from matplotlib import ticker
from matplotlib.figure import Figure  # type: ignore[import-not-found] # the same

from .questions import idle_hour, many_tasks
from .report import LICENCE

Figures = dict[str, t.Any]
Bars = list[tuple[str, float]]
INK, OURS, OTHERS, PALE = "#6e7781", "#2f81f7", "#8b949e", "#c69026"
COLOURS = {
    many_tasks.OURS: OURS,
    many_tasks.SWEPT: "#1fa08c",
    many_tasks.FIXED: "#8957e5",
    many_tasks.THREADS: PALE,
    many_tasks.REQUESTS: "#57606a",
    many_tasks.AIOHTTP: "#cf222e",
    many_tasks.ASYNC: "#bf5b85",
    many_tasks.LOOP: OTHERS,
}
STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "cloudwait",
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "savefig.transparent": True,
}


def is_ours(name: str) -> bool:
    """Whether a contender is of this collection."""
    return name.startswith(("wait_for_task", "ansible -m")) or name.endswith(
        ("_task_info", "_job_info", "_task_detail")
    )


def plain(axis: t.Any) -> None:
    """Numbers as one writes them."""
    axis.set_major_formatter(ticker.FuncFormatter(lambda value, dummy: f"{value:,g}"))
    axis.set_minor_locator(ticker.NullLocator())


def bars(title: str, values: Bars, *, logarithmic: bool = False, base: float = 0.0) -> Figure:
    """A bar for each contender, the number beside it.

    :param base: what all have in common, drawn in a lighter grey.
    """
    figure = Figure(figsize=(8, 0.9 + 0.36 * len(values)), layout="constrained")
    axes = figure.subplots()
    names = [name for name, dummy in values]
    sizes = [max(0.0, value) for dummy, value in values]
    axes.barh(names, sizes, color=[OURS if is_ours(name) else OTHERS for name in names], height=0.62)
    if base:
        axes.axvline(base, color=PALE, linewidth=1, linestyle=(0, (4, 3)))
    if logarithmic:
        axes.set_xscale("log")
    for place, value in enumerate(sizes):
        axes.annotate(
            f"{value:,.3g}" if value < 100 else f"{value:,.0f}",
            (value, place),
            (4, 0),
            textcoords="offset points",
            va="center",
        )
    plain(axes.xaxis)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_title(title, loc="left")
    return figure


def playbook_poll(figures: Figures) -> Figure:
    """CPU of the whole process, with Ansible's own share marked."""
    values = [(name, cost["cpu"]["median"]) for name, cost in figures.items()]
    base = figures["ansible.builtin.ping"]["cpu"]["median"]
    return bars("One poll from a playbook, median CPU seconds (dashed: Ansible alone)", values, base=base)


def shell_poll(figures: Figures) -> Figure:
    """CPU of the whole process."""
    return bars("One poll from a shell, CPU seconds", [(name, cost["cpu"]["median"]) for name, cost in figures.items()])


def one_more(figures: Figures) -> Figure:
    """CPU of a poll."""
    values = [(name, slope["median"]) for name, slope in figures.items()]
    return bars("One more poll, CPU milliseconds, logarithmic", values, logarithmic=True)


def idle(figures: Figures) -> Figure:
    """CPU of the waiting itself."""
    values = [(name, figures[name]["cpu"]) for name in (idle_hour.OURS, idle_hour.UNTIL, idle_hour.MANY)]
    values.append((idle_hour.UNTIL_MANY, figures[idle_hour.UNTIL]["cpu"] * 1000))
    return bars("An idle hour, CPU seconds, logarithmic", values, logarithmic=True)


def many(figures: Figures) -> Figure:
    """How wall, CPU, lateness and memory grow."""
    figure = Figure(figsize=(8, 6.4), layout="constrained")
    places = figure.subplots(2, 2, sharex=True).flat
    measures: dict[str, t.Callable[[Figures], float]] = {
        "wall, seconds": lambda run: float(run["wall"]),
        "CPU, seconds": lambda run: float(run["cpu"]),
        "an end is noticed late, median seconds": lambda run: float(run["late"]["median"]),
        "memory of all processes, MiB": lambda run: float(run["peaks"].get("together", 0)),
    }
    for axes, (title, value) in zip(places, measures.items()):
        for who, colour in COLOURS.items():
            some = [(run["count"], max(0.001, value(run))) for run in figures["runs"] if run["who"] == who]
            if some:
                axes.plot(*zip(*some), color=colour, marker="o", markersize=4, label=who)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
        plain(axes.xaxis)
        plain(axes.yaxis)
        axes.set_xlabel("cloud tasks")
        axes.set_title(title, loc="left")
    handles, labels = axes.get_legend_handles_labels()
    first = figure.axes[0].get_legend_handles_labels()
    both = {**dict(zip(first[1], first[0])), **dict(zip(labels, handles))}
    figure.legend(both.values(), both.keys(), loc="outside upper left", ncols=3)
    return figure


def sweeps(figures: Figures) -> Figure:
    """Calls, with and without."""
    counts = {run["count"] for run in figures["runs"] if run["who"] == many_tasks.SWEPT}
    some = [
        run for run in figures["runs"] if run["count"] in counts and run["who"] in (many_tasks.OURS, many_tasks.SWEPT)
    ]
    values = [(f"{run['who']}, {run['count']:,}", float(sum(run["calls"].values()))) for run in some]
    return bars("Calls of one wait", values)


CHARTS: dict[str, tuple[str, t.Callable[[Figures], Figure]]] = {
    "playbook_poll": ("playbook_poll", playbook_poll),
    "shell_poll": ("shell_poll", shell_poll),
    "one_more_poll": ("one_more_poll", one_more),
    "idle_hour": ("idle_hour", idle),
    "many_tasks": ("many_tasks", many),
    "sweeps": ("many_tasks", sweeps),
}


def save(figure: Figure, path: pathlib.Path) -> None:
    """With the licence, and without blanks at the ends of lines."""
    figure.savefig(path, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    head, *lines = [line.rstrip() for line in path.read_text(encoding="utf-8").splitlines()]
    path.write_text("\n".join([head, LICENCE.rstrip(), *lines, ""]), encoding="utf-8")


def main(folder: str) -> None:
    """All charts of what has been measured."""
    place = pathlib.Path(folder)
    questions = json.loads((place / "figures.json").read_text(encoding="utf-8"))["questions"]
    with mpl.rc_context(STYLE):
        for name, (question, draw) in CHARTS.items():
            if question in questions:
                save(draw(questions[question]), place / f"{name}.svg")


if __name__ == "__main__":
    main(sys.argv[1])
