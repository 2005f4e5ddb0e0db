# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make the files in locks/ anew: the newest versions that the requirements allow, with the hashes of their files.

Started by "make lock". A lock holds for every Python from bootstrap.OLDEST on. What one lock has is taken over by the next.
"""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys
import tempfile

import bootstrap

LOCKS = bootstrap.ROOT / "locks"
HEADER = """\
# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# {why}
# Made by "make lock": change the requirements, not this file.
"""
#: what each lock is for, and what it is made from
SOURCES = {
    "uv": ("What tools/bootstrap.py installs first.", ["uv>=0.13,<1"]),
    "dev": ("What the tests and gates need, for tools/bootstrap.py.", ["-r requirements-dev.txt"]),
    "run": (
        "What the demo needs, for tools/bootstrap.py.",
        ["ansible-core", "-r requirements.txt", "-c requirements-dev.txt"],
    ),
    "bench": ('What "make bench" needs in a venv of its own.', ["-r requirements-bench.txt"]),
    "nox": (
        "Versions and hashes of all that sessions of nox install, but for those about a certain ansible-core.",
        ["-r constraints.txt", "-r requirements-docs.txt"],
    ),
}
#: packages of the lock of nox with needs that contradict those of the others; they are resolved after the others
LATE = ["galaxy-importer"]
#: what they need in another version than the others; no lock of nox has it, so that its hash is not checked there
CONTRADICTED = ["attrs"]
NO_LATER = "3.14"  # the Python for which the late ones cannot be resolved


def compiled(lines: list[str], *constraints: pathlib.Path) -> str:
    """The versions and hashes of these requirements and all that they need."""
    oldest = ".".join(map(str, bootstrap.OLDEST))
    command = ["pip", "compile", "-q", "--no-config", "--universal", "--generate-hashes", "--python-version", oldest]
    quiet = ["--no-annotate", "--no-header", "--upgrade"]
    bounds = [part for path in constraints for part in ("--constraints", str(path))]
    return subprocess.run(
        [sys.executable, "-m", "uv", *command, *quiet, *bounds, "-"],
        cwd=bootstrap.ROOT,
        env={**os.environ, **bootstrap.uv_environment(sys.executable)},
        input="\n".join([*lines, ""]),
        stdout=subprocess.PIPE,
        encoding="utf-8",
        check=True,
    ).stdout


def packages(text: str) -> list[str]:
    """The entries of a lock, each with its hashes."""
    return [entry for entry in re.split(r"(?m)^(?=[A-Za-z0-9])", text) if entry[:1].isalnum()]


def name_of(entry: str) -> str:
    """The name of the package of an entry."""
    return entry.partition("==")[0]


def compiled_for_nox(lines: list[str], folder: pathlib.Path, *constraints: pathlib.Path) -> str:
    """As compiled(), for requirements of which some contradict each other; each session installs a few of them."""
    flat = [line for file in lines for line in requirements(file)]
    late = [line for line in flat if line.startswith(tuple(LATE))]
    first = compiled([line for line in flat if line not in late], *constraints)
    kept = [entry for entry in packages(first) if name_of(entry) not in CONTRADICTED]
    lock = folder / "nox.txt"
    lock.write_text("".join(kept), encoding="utf-8")
    more = packages(compiled([f'{line}; python_version < "{NO_LATER}"' for line in late], lock))
    known = {name_of(entry) for entry in kept} | set(CONTRADICTED)
    return "".join(sorted([*kept, *(entry for entry in more if name_of(entry) not in known)], key=name_of))


def requirements(line: str) -> list[str]:
    """The requirements of a line; of "-r FILE", those of the file."""
    if not line.startswith("-r "):
        return [line]
    text = (bootstrap.ROOT / line[3:]).read_text(encoding="utf-8")
    return [each for row in text.splitlines() if (bare := row.partition("#")[0].strip()) for each in requirements(bare)]


def main() -> None:
    """Write all locks."""
    LOCKS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        done: list[pathlib.Path] = []
        for lock, (why, lines) in SOURCES.items():
            path = LOCKS / f"{lock}.txt"
            bounds = done if lock in ("run", "nox") else []
            text = compiled_for_nox(lines, pathlib.Path(name), *bounds) if lock == "nox" else compiled(lines, *bounds)
            path.write_text(HEADER.format(why=why) + text, encoding="utf-8")
            done += [path] if lock == "dev" else []
            print(f"{path.relative_to(bootstrap.ROOT)}: {len(packages(text))} packages")


if __name__ == "__main__":
    main()
