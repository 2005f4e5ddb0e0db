# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every command of README, site and guides runs as it stands: collection installed, folder empty, stand-in cloud.

A command that cannot run here is in NOT_RUN, with the reason. The Chinese pages have the same commands, which
tests/unit/test_translations.py checks.
"""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple, TypeVar

import pytest

from .ansible_runs import CRASHES, ROOT
from .conftest import Simulator

Value = TypeVar("Value")

KEY = {"secret_id": "AKIDEXAMPLE", "secret_key": "EXAMPLE-SECRET-KEY"}  # that of the pages
APP = {"app_key": "dingexample", "app_secret": "EXAMPLE-APP-SECRET"}  # the same
LIFE = [{"status": "succeeded"}]
SCENARIO = {
    "credentials": {"tencent": [KEY], "dingtalk": [APP]},
    "tasks": [{"provider": "mps", "task_id": "film", "life": [{"status": "running"}, *LIFE]}],
    "starts": [{"provider": "cos_doc", "life": LIFE}],
}
NOT_RUN = {  # commands by their beginning, and why they do not run here
    "make ": "it needs a clone, and CI runs it",
    ".venv/": "the same",
    "python3 -m pip install": "it needs a registry",
    "ansible-galaxy collection install git+": "it needs the repository; the tarball is installed instead",
    "ansible-playbook cloudwait.conversion.demo": "test_demo.py runs it",
    "ansible-builder build": "it needs a container engine; check_execution_environment.py makes all but the image",
    "ansible-rulebook ": "the session rulebook of nox runs it",
    "sqlite3 ~/contracts.ledger": "it reads a ledger of earlier runs; test_starts_ledger.py reads one",
    "molecule test": "the session molecule of nox runs such scenarios",
    "ansible-playbook cloudwait.conversion.convert_documents --extra-vars @contracts.yml": "it asks for a password",
}
ENDS = {  # commands that end otherwise than with 0, and what they say then
    "ansible localhost -m cloudwait.conversion.task_info": (2, '"kind": "not_found"'),
}
FILES = {  # the code blocks that a reader of a page saves under a name before: how they begin
    "docs/docsite/rst/guide_first_run.rst": {"first.yml": "- name: Make images"},
    "docs/docsite/rst/guide_convert_documents.rst": {"night.yml": "provider: cos_doc"},
    "docs/docsite/rst/guide_testing.rst": {"evening.json": "{", "test_film.yml": "- name: Start the stand-in cloud"},
}


class Command(NamedTuple):
    """A command of a page, and what the page says that it prints."""

    text: str
    output: list[str]


def blocks(text: str) -> list[tuple[str, str]]:
    """The code blocks of a page: their kind and content."""
    found = []
    for match in re.finditer(r"(?ms)^\.\. code-block:: (\w+)\n\n((?:   [^\n]*\n|\n)+)|^```(\w+)\n(.*?)^```", text):
        body = "\n".join(line[3:] for line in match[2].split("\n")) if match[1] else match[4]
        found.append((match[1] or match[3], body.strip("\n") + "\n"))
    return found


def commands(text: str) -> list[Command]:
    """The commands in the console blocks of a page."""
    found: list[Command] = []
    for kind, body in blocks(text):
        for line in body.splitlines() if kind == "console" else ():
            if line.startswith("$ "):
                found.append(Command(re.sub(r"\s+# .*", "", line[2:]), []))
            elif line and found:
                found[-1].output.append(line)
    return found


def first_of(table: Mapping[str, Value], command: str) -> Value | None:
    """The value of the key with which a command begins."""
    return next((value for start, value in table.items() if command.startswith(start)), None)


PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("*.md", "docs/site/*.rst", "docs/docsite/rst/*.rst")
    for path in ROOT.glob(pattern)
    if ".zh" not in path.name and commands(path.read_text(encoding="utf-8"))
)


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def script(todo: list[Command]) -> str:
    """One shell for all commands, since variables that one sets are used by the next."""
    lines = [f"{{ {each.text}\n}} >out-{number} 2>&1; echo $? >status-{number}" for number, each in enumerate(todo)]
    return "\n".join([*lines, ""])


@pytest.mark.parametrize("page", PAGES)
def test_commands_do_what_the_page_says(
    page: str, installed: dict[str, str], start_cloud: Callable[..., Simulator], tmp_path: Path
) -> None:
    text = (ROOT / page).read_text(encoding="utf-8").replace("8765", free_port())
    todo = [each for each in commands(text) if not first_of(NOT_RUN, each.text)]
    if not shutil.which("curl"):
        todo = [each for each in todo if not each.text.startswith("curl ")]
    if not todo:
        return
    for name, start in FILES.get(page, {}).items():
        body = next(body for kind, body in blocks(text) if body.startswith(start) and kind != "console")
        (tmp_path / name).write_text(body, encoding="utf-8")
    environment = {**installed, **start_cloud(SCENARIO).environment, "FILM_ID": "film"}
    subprocess.run(["bash", "-c", script(todo)], cwd=tmp_path, env=environment, stdin=subprocess.DEVNULL, check=True)
    for number, each in enumerate(todo):
        status = int((tmp_path / f"status-{number}").read_text(encoding="utf-8"))
        output = (tmp_path / f"out-{number}").read_text(encoding="utf-8")
        wanted, said = first_of(ENDS, each.text) or (0, "")
        assert (status, [line for line in [*each.output, said] if line not in output]) == (wanted, []), output
        assert not any(crash in output for crash in CRASHES), output


@pytest.mark.parametrize("name", ["README.zh-CN.md", "docs/site/index.zh.rst"])
def test_commands_of_chinese_pages_are_those_of_the_english_ones(name: str) -> None:
    english, chinese = (ROOT / re.sub(r"\.zh[^.]*", "", name), ROOT / name)
    assert commands(chinese.read_text(encoding="utf-8")) == commands(english.read_text(encoding="utf-8"))


def test_commands_are_found() -> None:
    text = ".. code-block:: console\n\n   $ a b # why\n   c\n\n   $ d\n\n.. code-block:: json\n\n   {}\n\n```console\n$ e\n```\n"
    assert commands(text) == [Command("a b", ["c"]), Command("d", []), Command("e", [])]
