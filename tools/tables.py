# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the tables about services in README.md and the guides, from the classes of the services.

A table is between two comments, "begin generated table: NAME" and "end generated table: NAME". Run this program after a
change of a service. A test fails if a table is out of date.
"""

from __future__ import annotations

import pathlib
import re
import sys
import typing as t

ROOT = pathlib.Path(__file__).resolve().parent.parent
FILES = ("README.md", "docs/docsite/rst/guide_services.rst")
BLOCK = re.compile(
    r"^(?P<begin>(?:<!--|\.\.) begin generated table: (?P<words>[a-z_ ]+?)(?: -->)?\n)"
    r".*?"
    r"^(?P<end>(?:<!--|\.\.) end generated table: (?P=words)(?: -->)?$)",
    re.MULTILINE | re.DOTALL,
)

Row = t.Sequence[str]
Services = t.Mapping[str, t.Any]


def services_table(services: Services) -> list[Row]:
    """Returns the table of services: a heading, and a row for each service."""
    head = ("`provider`", "cloud tasks", "options besides `task_id`", "calls a second", "kept for", "endpoint variable")
    rows = [
        (
            f"`{word}`",
            summary(service),
            ", ".join(f"`{name}`" for name in (*service.ref_keys, *service.item_options)),
            f"{service.rate:g}",
            service.keeps or "not documented",
            f"`{service.endpoint_variable()}`",
        )
        for word, service in services.items()
    ]
    return [head, *rows]


def summary(service: t.Any) -> str:
    """Returns what a service converts: the first line of its class's docstring, without the full stop."""
    return str(service.__doc__).strip().splitlines()[0].rstrip(".")


def statuses_table(service: t.Any) -> list[Row]:
    """Returns the table of a service's statuses: a heading, and a row for each native status."""
    rows = [(f"`{native}`", f"`{status}`") for native, status in service.statuses.items()]
    return [("native status", "`status`"), *rows]


def table(words: str, services: Services) -> list[Row]:
    """Returns the table with a name.

    :param words: the name, such as "services" or "statuses mps".
    :raises SystemExit: when there is no such table.
    """
    kind, dummy, word = words.partition(" ")
    if kind == "services" and not word:
        return services_table(services)
    if kind == "statuses" and word in services:
        return statuses_table(services[word])
    sys.exit(f"There is no generated table {words}: correct its marker, or enter its service in registry.py.")


def markdown(rows: t.Sequence[Row]) -> str:
    """Returns a table in Markdown."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], "|" + " --- |" * len(rows[0]), *lines[1:], ""])


def restructured(rows: t.Sequence[Row]) -> str:
    """Returns a table in reStructuredText."""
    lines = ["", ".. list-table::", "   :header-rows: 1", ""]
    for row in rows:
        cells = [cell.replace("`", "``") for cell in row]
        lines += [f"   {'* -' if number == 0 else '  -'} {cell}" for number, cell in enumerate(cells)]
    return "\n".join([*lines, "", ""])


def filled(text: str, services: Services) -> str:
    """Returns a text with up-to-date tables."""

    def write(match: re.Match[str]) -> str:
        form = markdown if match["begin"].startswith("<!--") else restructured
        return match["begin"] + form(table(match["words"], services)) + match["end"]

    return BLOCK.sub(write, text)


def main() -> None:
    """Update the tables in all files that have some."""
    import build_docs  # noqa: PLC0415 # it is in this folder, which tests do not search

    build_docs.link_collection()
    sys.path.insert(0, str(build_docs.TREE))
    from ansible_collections.cloudwait.conversion.plugins.module_utils._services.registry import (  # noqa: PLC0415 # needs sys.path
        SERVICES,
    )

    for name in FILES:
        path = ROOT / name
        text = path.read_text(encoding="utf-8")
        new = filled(text, SERVICES)
        if new != text:
            path.write_text(new, encoding="utf-8")
            print(f"wrote the tables of {name}")


if __name__ == "__main__":
    main()
