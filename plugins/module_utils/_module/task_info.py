# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 5: modules.
"""The module ``task_info``, which polls a cloud task of any service.

It is a file of its own, so that modules of one service are sent to the host without the files of all others.
"""

from __future__ import annotations

import os
import typing as t

from .._errors import CloudError
from .._services.registry import SERVICES
from .._wait.items import options_of, plan_one, texts_to_hide
from .run import hide_secrets, run_info

if t.TYPE_CHECKING:  # pragma: no cover # read by mypy alone
    from ansible.module_utils.basic import AnsibleModule


def run_task_info(module: AnsibleModule) -> None:
    """Run the info module for any service: one poll of the cloud task that its options or its ``ref`` describe."""
    failure = None
    try:
        item = plan_one(module.params, os.environ)
    except CloudError as error:
        failure = error
    if failure is not None:
        msg = failure.sentence("The poll of the cloud task")
        hide_secrets(module, texts_to_hide(failure, msg))
        module.fail_json(msg=msg, error=failure.as_dict())
    ref = item["ref"]
    options = {**options_of(item, module.params), "task_id": ref["task_id"]}
    run_info(module, SERVICES[ref["provider"]], options=options, make_ref=lambda dummy_options, dummy_environ: ref)


__all__ = ["run_task_info"]
