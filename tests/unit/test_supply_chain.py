# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What runs for us is named by its content: actions by commit, packages by hash."""

from __future__ import annotations

import pathlib
import re
import typing as t

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = pathlib.Path(__file__).resolve().parents[2]
ACTION = re.compile(r"^\s*(?:- )?uses:\s*(\S.*)$", re.MULTILINE)
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
WITH_ACTIONS = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in (".github/**/*.yml", "*.md", "docs/**/*.md", "docs/**/*.rst")
    for path in ROOT.glob(pattern)
    if ACTION.search(path.read_text(encoding="utf-8"))
)
LOCKS = {  # by what each is made from
    "bench": ["requirements-bench.txt"],
    "dev": ["requirements-dev.txt"],
    "nox": ["constraints.txt", "requirements-docs.txt"],
    "rulebook": ["requirements-rulebook.txt"],
    "run": ["requirements.txt"],
    "uv": [],
}


def loose_actions(text: str) -> t.Iterator[str]:
    """Actions that are not named by commit, with the version as a comment."""
    for action in ACTION.findall(text):
        if not action.startswith("./") and not PINNED.fullmatch(action):
            yield action


@pytest.mark.parametrize("name", WITH_ACTIONS)
def test_actions_are_named_by_commit(name: str) -> None:
    assert list(loose_actions((ROOT / name).read_text(encoding="utf-8"))) == []


def test_workflows_and_recipes_are_checked() -> None:
    assert {".github/workflows/ci.yml", "docs/docsite/rst/guide_pipelines.rst"} <= set(WITH_ACTIONS)


@pytest.mark.parametrize("action", ["a/b@v5", "a/b@" + "0" * 39 + " # v1.0.0", "a/b@" + "0" * 40])
def test_a_loose_action_is_found(action: str) -> None:
    assert list(loose_actions(f"      - uses: {action}\n")) == [action]
    assert not list(loose_actions("uses: ./.github/workflows/ci.yml\n- uses: a/b@" + "0" * 40 + " # v1.0.0\n"))


def entries(text: str) -> list[str]:
    return [entry for entry in re.split(r"(?m)^(?=[A-Za-z0-9])", text) if entry[:1].isalnum()]


def loose_packages(text: str) -> t.Iterator[str]:
    """Entries of a lock without one version, or without a hash."""
    for entry in entries(text):
        if not re.match(r"[\w.-]+==[^\s;]+[^\n]*( \\\n    --hash=sha256:[0-9a-f]{64})+\n?$", entry):
            yield entry.partition("\n")[0]


def requirements(name: str) -> t.Iterator[Requirement]:
    """The requirements of a file and of those that it includes."""
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
        bare = line.partition("#")[0].strip()
        if bare.startswith("-r "):
            yield from requirements(bare[3:])
        elif bare:
            yield Requirement(bare)


def unmet(lock: str, wanted: t.Iterable[Requirement]) -> t.Iterator[str]:
    """Requirements for which a lock has no version, or another one."""
    heads = [Requirement(entry.partition("\\")[0].strip()) for entry in entries(lock)]
    for requirement in wanted:
        same = [head for head in heads if canonicalize_name(head.name) == canonicalize_name(requirement.name)]
        found = [spec.version for head in same for spec in head.specifier]
        if not any(requirement.specifier.contains(version) for version in found):
            yield f"{requirement}: locked are {found}"


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_has_hashes_and_meets_its_requirements(lock: str) -> None:
    text = (ROOT / "locks" / f"{lock}.txt").read_text(encoding="utf-8")
    assert entries(text)
    assert list(loose_packages(text)) == []
    assert list(unmet(text, [each for name in LOCKS[lock] for each in requirements(name)])) == []
    assert "://" not in "".join(line for line in text.splitlines() if not line.startswith("#"))  # no registry's address


def test_a_loose_package_and_a_stale_lock_are_found() -> None:
    assert list(loose_packages("a==1\nb>=2 \\\n    --hash=sha256:" + "0" * 64 + "\n")) == ["a==1", "b>=2 \\"]
    assert list(unmet("a==1 \\\n    --hash=x\n", [Requirement("a>=2")])) == ["a>=2: locked are ['1']"]
    assert list(unmet("a==1 \\\n    --hash=x\n", [Requirement("b")])) == ["b: locked are []"]
