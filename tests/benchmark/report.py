# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From figures to ``benchmarks.md``."""

from __future__ import annotations

import pathlib
import statistics
import typing as t

from .measure import Figures

HEADER = [line[2:] for line in pathlib.Path(__file__).read_text(encoding="utf-8").splitlines()[:3]]
LICENCE = "\n".join(["<!--", *HEADER, "-->", ""])
"""The header of this file, for what is made."""

INTRODUCTION = """\
# Benchmarks

What this collection costs, side by side with what one could run instead: in one run, on one machine, against the
[stand-in cloud](../extensions/simulator/README.md). This page and its charts are made by `make bench`; the figures behind
them are in [figures.json](benchmarks/figures.json).

- CPU is user and system time of all processes that a contender starts, also of those in the background. The stand-in
  cloud's is not counted, but it runs on the same cores and so limits the wall.
- The network is this machine's own, so the time that a question takes is that of the programs. Over a real network, what
  is asked side by side gains and what opens a connection for each question loses.
- Medians, with the least and the most where there were several runs. Contenders take turns, so that a drift of the
  machine hits all alike. Nothing here is asserted by a test: the numbers of another machine are others.
"""


def number(value: float) -> str:
    """Three digits that count, and no more than that."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) >= 1 else f"{value:.2g}"


def ratio(value: float, base: float) -> float:
    """How many times; in a smoke run there may be nothing to compare with."""
    return value / base if base else 0.0


def paired(spread: Figures, base: Figures) -> float:
    """How many times, turn by turn, and the median of that: a drift of the machine falls out."""
    return statistics.median(ratio(value, other) for value, other in zip(spread["values"], base["values"]))


def table(head: t.Sequence[str], rows: t.Iterable[t.Sequence[str]]) -> str:
    """A table; columns without letters stand right."""
    lines = list(rows)
    columns = list(zip(*lines))
    right = [not any(map(str.isalpha, "".join(column))) for column in columns]
    marks = ["---:" if side else "---" for side in right] or ["---"] * len(head)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [head, marks, *lines])


class Target(t.NamedTuple):
    """What was wanted, in words with a limit, what was found, and whether that is enough."""

    wanted: str
    found: str
    reached: bool

    @property
    def verdict(self) -> str:
        """In two words."""
        return "Reached" if self.reached else "Not reached"


def verdicts(targets: t.Iterable[Target]) -> str:
    """A line on each target."""
    return "\n".join(f"- Wanted: {target.wanted}. **{target.verdict}**: {target.found}." for target in targets)


def overview(targets: t.Sequence[Target]) -> str:
    """The section on all targets."""
    rows = [[target.wanted, target.found, target.verdict] for target in targets]
    return f"""\
## Targets

{table(["wanted", "measured", "verdict"], rows)}
"""


def bar_note(name: str) -> str:
    """The place of a chart."""
    return f"![The table below as a chart](benchmarks/{name}.svg)"


def machine_words(machine: Figures, days: t.Iterable[str]) -> str:
    """Date, machine and versions."""
    rows = [[name, value] for name, value in machine["versions"].items()]
    dates = sorted({machine["date"], *days})
    when = dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
    busy = "" if machine["load"] < 0.5 else " **The machine was not quiet, so take the figures with care.**"
    return f"""\
## The machine

Measured on {when} on {machine["words"]}.
Some questions may have been measured later, in a run of their own; before the last one, the load average was {machine["load"]:.1f}.{busy}

{table(["what", "version"], rows)}
"""


def page(figures: Figures, sections: t.Mapping[str, t.Any]) -> str:
    """The whole page, of what has been measured."""
    parts = [LICENCE, INTRODUCTION, machine_words(figures["machine"], figures["days"].values())]
    asked = {name: question for name, question in sections.items() if name in figures["questions"]}
    targets = [each for name, question in asked.items() for each in question.targets(figures["questions"][name])]
    parts += [overview(targets)] if targets else []
    for name, question in asked.items():
        parts.append(f"## {question.TITLE}\n\n{question.tell(figures['questions'][name])}")
    return "\n".join(parts)
