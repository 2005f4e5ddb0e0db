# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 3: services.
"""All providers by their word; a fifth one is one line here, and one name at the imports."""

from __future__ import annotations

import importlib
import typing as t

from .base import Provider

if t.TYPE_CHECKING:  # pragma: no cover # read by Ansible, which sends with a module what it sees imported
    from . import cos_doc, dingtalk_doc, ess, mps  # noqa: F401 # loaded below

CLASSES = {
    "ess": "EssProvider",
    "cos_doc": "CosDocProvider",
    "mps": "MpsProvider",
    "dingtalk_doc": "DingTalkDocProvider",
}
"""The class in the file of the same name as the word."""


class Providers(t.Mapping[str, type[Provider]]):
    """Loads the file of a provider when it is first asked for: every round of a wait pays for what it loads."""

    def __getitem__(self, word: str) -> type[Provider]:
        module = importlib.import_module(f".{word}", __package__) if word in CLASSES else None
        provider: type[Provider] = getattr(module, CLASSES[word])
        return provider

    def __contains__(self, word: object) -> bool:
        return word in CLASSES

    def __iter__(self) -> t.Iterator[str]:
        return iter(CLASSES)

    def __len__(self) -> int:
        return len(CLASSES)


PROVIDERS = Providers()

__all__ = ["PROVIDERS"]
