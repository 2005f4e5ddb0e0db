# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests know of each service: one file a service, named by its word, and nothing of it anywhere else.

A case file sets ``CASE``. It imports nothing of the collection, so that a mistake there cannot hide itself here. Files
whose names begin with an underscore are no cases: ``_case.py`` says what a case is, the others what families share.
"""

from __future__ import annotations

import dataclasses
import importlib
import pathlib

from ._case import Case


def _load() -> dict[str, Case]:
    """Returns the case of each file, by word."""
    words = sorted(path.stem for path in pathlib.Path(__file__).parent.glob("[!_]*.py"))
    loaded = {word: importlib.import_module(f".{word}", __package__) for word in words}
    return {word: dataclasses.replace(module.CASE, word=word) for word, module in loaded.items()}


CASES = _load()
STARTS = {word: case.start for word, case in CASES.items() if case.start is not None}
"""The starts of the services that have one, by word."""

__all__ = ["CASES", "STARTS"]
