# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 3: services.
"""All providers by their word; a fifth one is one line here."""

from __future__ import annotations

from .base import Provider
from .cos_doc import CosDocProvider
from .dingtalk_doc import DingTalkDocProvider
from .ess import EssProvider
from .mps import MpsProvider

PROVIDERS: dict[str, type[Provider]] = {
    provider.name: provider for provider in (EssProvider, CosDocProvider, MpsProvider, DingTalkDocProvider)
}

__all__ = ["PROVIDERS"]
