# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The generated tables are fresh, and a stale one is found."""

from __future__ import annotations

import importlib.util
import pathlib
import typing as t

import pytest
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.registry import SERVICES

ROOT = pathlib.Path(__file__).resolve().parents[2]


def load() -> t.Any:
    """The tool, which lies in a folder that is no package."""
    spec = importlib.util.spec_from_file_location("tables", ROOT / "tools" / "tables.py")
    if spec is None or spec.loader is None:
        pytest.skip("tools/ is not part of an installed collection")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


tables = load()


@pytest.mark.parametrize("name", tables.FILES)
def test_tables_are_fresh(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert tables.filled(text, SERVICES) == text, f"{name} has a stale table: run python tools/tables.py"


def test_every_service_has_its_tables_in_the_guide() -> None:
    text = (ROOT / "docs/docsite/rst/guide_services.rst").read_text(encoding="utf-8")
    found = {match["words"] for match in tables.BLOCK.finditer(text)}
    assert found == {"services", *(f"statuses {word}" for word in SERVICES)}


def test_a_stale_table_is_written_anew() -> None:
    word, service = next(iter(SERVICES.items()))
    stale = f"a\n.. begin generated table: statuses {word}\nold\n.. end generated table: statuses {word}\nb\n"
    new = tables.filled(stale, SERVICES)
    assert "old" not in new
    assert all(f"``{native}``" in new for native in service.statuses)
    assert (new.splitlines()[0], new.splitlines()[-1]) == ("a", "b")


def test_a_table_that_is_none_is_refused() -> None:
    text = "<!-- begin generated table: prices -->\n<!-- end generated table: prices -->\n"
    with pytest.raises(SystemExit, match="no generated table prices"):
        tables.filled(text, SERVICES)
