# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment variables that lead the collection to this simulator. The ready file has them for everybody else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keyring import DEFAULT_DINGTALK, DEFAULT_TENCENT, DEFAULT_USER_TOKEN
from metadata import ENDPOINT_VARIABLE
from services.registry import SERVICES

_NO_PROXY = "127.0.0.1,localhost,::1"


def environment(url: str, credentials: Mapping[str, Any]) -> dict[str, str]:
    """Return the variables: endpoints, the first credentials of the scenario, and no proxy for this machine."""
    tencent = next(iter(credentials["tencent"]), DEFAULT_TENCENT)
    dingtalk = next(iter(credentials["dingtalk"]), DEFAULT_DINGTALK)
    endpoints = [name for service in SERVICES.values() for name in service.endpoint_variables]
    return {
        **dict.fromkeys([*endpoints, ENDPOINT_VARIABLE], url),
        "TENCENTCLOUD_SECRET_ID": tencent["secret_id"],
        "TENCENTCLOUD_SECRET_KEY": tencent["secret_key"],
        "TENCENTCLOUD_TOKEN": tencent.get("token", ""),  # empty counts as unset, and hides one of the user's own
        "DINGTALK_APP_KEY": dingtalk["app_key"],
        "DINGTALK_APP_SECRET": dingtalk["app_secret"],
        "DINGTALK_USER_ACCESS_TOKEN": next(iter(credentials["user_access_tokens"]), DEFAULT_USER_TOKEN),
        "NO_PROXY": _NO_PROXY,
        "no_proxy": _NO_PROXY,
    }
