# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 3: services.
"""All services by provider word. A new service needs a line in ``CLASSES`` and its name in the import above it."""

from __future__ import annotations

import importlib
import typing as t

from .base import Service

if t.TYPE_CHECKING:  # pragma: no cover # Ansible reads these imports to send the files to the host with each module
    from . import cos_doc, cos_media, dingtalk_doc, ess, mps  # noqa: F401 # used by their names below

CLASSES = {
    "ess": "Ess",
    "cos_doc": "CosDoc",
    "cos_media": "CosMedia",
    "mps": "Mps",
    "dingtalk_doc": "DingTalkDoc",
}
"""Name of each class by provider word. The file has the word as its name."""


class Services(t.Mapping[str, type[Service]]):
    """The classes of the services by provider word. Files are imported at first use, since importing takes time."""

    def __getitem__(self, word: str) -> type[Service]:
        name = CLASSES[word]
        service: type[Service] = getattr(importlib.import_module(f".{word}", __package__), name)
        return service

    def __contains__(self, word: object) -> bool:
        return word in CLASSES

    def __iter__(self) -> t.Iterator[str]:
        return iter(CLASSES)

    def __len__(self) -> int:
        return len(CLASSES)


SERVICES = Services()

__all__ = ["SERVICES"]
