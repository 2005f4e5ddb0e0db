# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guides explain each word that modules return, in English and Chinese, and the Chinese guides keep up."""

from __future__ import annotations

import json
import pathlib
import re
import typing as t

import pytest
from ansible_collections.cloudwait.conversion.plugins.module_utils._errors import KINDS
from ansible_collections.cloudwait.conversion.plugins.module_utils._record import STATUSES
from ansible_collections.cloudwait.conversion.plugins.module_utils._wait.verdict import (
    FAILED_OUTCOMES,
    SATISFIED,
    UNFINISHED_OUTCOMES,
)

ROOT = pathlib.Path(__file__).resolve().parents[2]
ENGLISH = ROOT / "docs" / "docsite" / "rst"
CHINESE = ROOT / "docs" / "docsite" / "zh"
PAGES = sorted(path.name for path in CHINESE.glob("*.rst"))
SERVICES = ROOT / "plugins" / "module_utils" / "_services"
OUTCOMES = (SATISFIED, *FAILED_OUTCOMES, *UNFINISHED_OUTCOMES)
TABLES = [  # a page, the title of a section whose first table explains words, and the words
    (ENGLISH / "guide_overview.rst", "Statuses", STATUSES),
    (ENGLISH / "guide_overview.rst", "Errors", KINDS),
    (ENGLISH / "guide_waiting.rst", "Outcomes", OUTCOMES),
    (CHINESE / "guide_overview.rst", "云任务的状态", STATUSES),
    (CHINESE / "guide_overview.rst", "错误类别", KINDS),
    (CHINESE / "guide_overview.rst", "等待结果", OUTCOMES),
]
SAME_COMMANDS = ["guide_first_run.rst", "guide_testing.rst"]  # whose commands and JSON need no translation


def explained(text: str, title: str) -> list[str]:
    """The words in the first column of the first table of a section."""
    section = re.split(rf"(?m)^{re.escape(title)}\n[-~]+\n", text)[1]
    table = section.split(".. list-table::")[1]
    return re.findall(r"^   \* - ``([a-z_]+)``", table, re.MULTILINE)


def blocks(text: str, kind: str) -> list[str]:
    """The code blocks of this kind, without comments of the shell."""
    found = re.findall(rf"^\.\. code-block:: {kind}\n\n((?:   .*\n|\n)+)", text, re.MULTILINE)
    return [re.sub(r" # .*", "", block).strip() for block in found]


def read(folder: pathlib.Path, name: str) -> str:
    return (folder / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(("path", "title", "words"), TABLES)
def test_each_word_that_modules_return_is_explained(path: pathlib.Path, title: str, words: t.Collection[str]) -> None:
    found = explained(path.read_text(encoding="utf-8"), title)
    assert [word for word in words if word not in found] == [], f"add a row to {path.name}, section {title}"
    assert len(set(found)) == len(found)


def test_a_missing_word_is_found() -> None:
    text = "Errors\n------\n\n.. list-table::\n\n   * - ``kind``\n   * - ``auth``\n     - x\n\n.. list-table::\n\n   * - ``b``\n"
    assert explained(text, "Errors") == ["kind", "auth"]


@pytest.mark.parametrize("name", PAGES)
def test_a_chinese_page_has_an_english_twin_with_the_same_label(name: str) -> None:
    labels = [re.findall(r"^\.\. _(\S+):$", read(folder, name), re.MULTILINE)[0] for folder in (ENGLISH, CHINESE)]
    assert labels[0] == labels[1]
    assert f"docs/docsite/zh/{name}" in (ROOT / "README.zh-CN.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", SAME_COMMANDS)
@pytest.mark.parametrize("kind", ["console", "json"])
def test_commands_are_those_of_the_english_page(name: str, kind: str) -> None:
    assert blocks(read(CHINESE, name), kind) == blocks(read(ENGLISH, name), kind)


def policies() -> list[t.Any]:
    return [json.loads(block) for block in blocks(read(ENGLISH, "guide_first_run.rst"), "json")]


def test_policies_grant_the_operations_that_the_services_call() -> None:
    actions = {action for policy in policies() for each in policy["statement"] for action in each["action"]}
    granted = {action.partition(":")[2] for action in actions if action.startswith(("mps:", "ess:", "essbasic:"))}
    code = "\n".join((SERVICES / name).read_text(encoding="utf-8") for name in ("ess.py", "mps.py"))
    assert [name for name in sorted(granted) if f'"{name}"' not in code] == []
    assert set(re.findall(r'make_request\([^"\n]*"([A-Z][A-Za-z]+)"', code)) <= granted
    assert all(policy["version"] == "2.0" and policy["statement"] for policy in policies())


def links_of(text: str) -> list[str]:
    """The links of a Markdown text."""
    return [
        link for pair in re.findall(r"\]\(([^)]+)\)|^\[[^\]]+\]: (\S+)", text, re.MULTILINE) for link in pair if link
    ]


def test_links_of_the_readme_work_on_galaxy() -> None:
    """Galaxy shows the text without the repository, so a relative link would lead nowhere."""
    links = links_of(read(ROOT, "README.md"))
    assert [link for link in links if not link.startswith(("https://", "#"))] == []
    own = re.compile(r"https://(?:github\.com/cloudwait/cloudwait\.conversion/blob/main|raw\S+/main)/([^#]+)")
    files = [match[1] for match in map(own.match, links) if match]
    assert len(files) > 10
    assert [name for name in files if not (ROOT / name).is_file()] == []
