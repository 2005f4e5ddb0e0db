# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The registry: a provider is one file beside this one, and one line below."""

from __future__ import annotations

from collections.abc import Mapping

from services._base import Service
from services.cos_doc import CosDocService
from services.dingtalk_doc import DingtalkDocService
from services.ess import EssService
from services.mps import MpsService

SERVICES: Mapping[str, Service] = {
    service.name: service
    for service in (
        EssService(),
        CosDocService(),
        MpsService(),
        DingtalkDocService(),
    )
}
