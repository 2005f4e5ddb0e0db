# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A browser and axe-core as fixtures; where one of them cannot be had, its tests are skipped with the reason."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..unit.conftest import _make_importable
from .chromium import NAMES, Chromium, find_chromium

HERE = Path(__file__).resolve().parent
CACHE = HERE.parents[1] / ".cache" / "browser"
NPM = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent")

_make_importable()


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """A browser with one page."""
    program = find_chromium()
    if program is None:
        pytest.skip(f"there is no browser: none of {', '.join(NAMES)} (Debian: apt-get install chromium)")
    chromium = Chromium(program, tmp_path_factory.mktemp("profile"))
    yield chromium
    chromium.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """The script of axe-core, in the version of package-lock.json; npm compares its hash."""
    lock, copy = HERE / "package-lock.json", CACHE / "package-lock.json"
    script = CACHE / "node_modules" / "axe-core" / "axe.min.js"
    if not script.exists() or copy.read_bytes() != lock.read_bytes():
        if shutil.which("npm") is None:
            pytest.skip("there is no npm, which installs axe-core")
        CACHE.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, CACHE)
        done = subprocess.run(NPM, cwd=CACHE, capture_output=True, text=True, check=False)
        if done.returncode and not os.environ.get("CI"):
            pytest.skip(f"npm could not install axe-core: {done.stderr.strip()}")
        assert not done.returncode, done.stderr
    return script.read_text(encoding="utf-8")
