# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 5: modules.
"""Runs the module that tells the versions of objects in a COS bucket."""

from __future__ import annotations

import typing as t

from .._errors import quoted
from .._services.cos_objects import CosObjects, find_versions
from .run import Ref, Result, checked_retries, patiently, run

if t.TYPE_CHECKING:  # pragma: no cover # read by mypy alone
    from ansible.module_utils.basic import AnsibleModule


def run_object_info(module: AnsibleModule) -> None:
    """Run the module. Its result has the objects that exist, by the keys that were given."""

    def work(service: CosObjects, ref: Ref, result: Result) -> None:
        service.base_url(ref)  # refuses a wrong bucket also where no key is given
        retries = checked_retries(module.params)
        given = {name: name.lstrip("/") for name in module.params["objects"]}  # as COS has keys
        found = find_versions(service, ref, given.values(), lambda ask: patiently(ask, retries))
        result["objects"] = {name: found[key] for name, key in given.items() if key in found}

    tried = f"Listing the objects of the bucket {quoted(module.params['bucket'])}"
    run(module, CosObjects, CosObjects.make_blank_ref, tried, work)


__all__ = ["run_object_info"]
