# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The metadata service of a cloud machine: role names, and fresh temporary keys of a role."""

from __future__ import annotations

import json
from typing import Callable

from keyring import Keyring
from messages import JSON, TEXT, Reply, Request

PROVIDER = "metadata"
#: the environment variable that tells the collection where the service is
ENDPOINT_VARIABLE = "CLOUDWAIT_METADATA_ENDPOINT"
PATH = "/latest/meta-data/cam/security-credentials"


def claims(request: Request) -> bool:
    """Return whether the request is for the metadata service."""
    return request.path == PATH or request.path.startswith(PATH + "/")


def action(request: Request) -> str:
    """Return the name of the call, as the journal and `faults` of a scenario have it."""
    return "GetRoleKeys" if request.path[len(PATH) :].strip("/") else "ListRoles"


def answer(request: Request, keyring: Keyring, clock: Callable[[], float]) -> Reply:
    """Return the names of the roles, or new keys of one. As on a cloud machine, anybody who can ask may."""
    role = request.path[len(PATH) :].strip("/")
    if request.method != "GET":
        return Reply(405, b"405 Method Not Allowed\n", TEXT, verdict="405")
    if not role and keyring.role_names:
        return Reply(200, "\n".join(keyring.role_names).encode("utf-8"), TEXT)
    keys = keyring.issue_role_keys(role, clock)
    if keys is None:
        return Reply(404, b"404 Not Found\n", TEXT, verdict="404")
    return Reply(200, json.dumps(keys).encode("utf-8"), JSON)
