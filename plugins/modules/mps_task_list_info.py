#!/usr/bin/python
# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: mps_task_list_info
short_description: List media tasks of Tencent MPS
version_added: 0.1.0
author:
  - The cloudwait.conversion project (@cloudwait)
description:
  - Lists the media tasks of an account in Tencent MPS, by status and time. The vendor's list covers the last seven
    days.
  - The vendor has one list for each status. All pages of each are fetched, up to O(limit) media tasks. A media task
    that moves from one list to the next meanwhile is listed once.
  - To wait for all that it finds, give RV(refs) to O(cloudwait.conversion.wait_for_task#module:tasks), as the examples
    show.
extends_documentation_fragment:
  - cloudwait.conversion._attributes
  - cloudwait.conversion._attributes.tencent
  - cloudwait.conversion._tencent
  - cloudwait.conversion._transport
  - cloudwait.conversion._transport.poll
options:
  statuses:
    description:
      - List only media tasks with one of these statuses, in the vendor's words. V(FINISH) means ended, successfully or
        not. V(WAITING) ones are listed first and V(FINISH) ones last, whatever the order in this option.
    type: list
    elements: str
    choices: [WAITING, PROCESSING, FINISH]
    default: [WAITING, PROCESSING, FINISH]
  sub_task_has_failed:
    description:
      - List only media tasks with a part that failed (V(true)), or only those without (V(false)). By default, both.
    type: bool
  start_time:
    description:
      - List only media tasks from this time on. The time is in ISO 8601 with its zone, such as V(2026-01-02T03:04:05Z)
        or V(2026-01-02T03:04:05+08:00).
    type: str
  end_time:
    description:
      - List only media tasks up to this time, in the form of O(start_time).
    type: str
  limit:
    description:
      - Maximum number of media tasks to list, at least 1. By default, all.
    type: int
seealso:
  - module: cloudwait.conversion.wait_for_task
  - module: cloudwait.conversion.mps_media_task
  - module: cloudwait.conversion.mps_task_detail
  - module: cloudwait.conversion.mps_task_abort
  - name: Vendor page of DescribeTasks
    description: Filters of the list, in Chinese.
    link: https://cloud.tencent.com/document/product/862/37613
"""

EXAMPLES = r"""
---
- name: Find all that have not ended
  cloudwait.conversion.mps_task_list_info:
    statuses: [WAITING, PROCESSING]
  register: media

- name: Wait for all of them, even when some fail
  cloudwait.conversion.wait_for_task:
    tasks: "{{ media.refs }}"
    fail_fast: false
    timeout: 7200

- name: Find those that failed in whole or in part within the last day
  cloudwait.conversion.mps_task_list_info:
    statuses: [FINISH]
    sub_task_has_failed: true
    start_time: "{{ '%Y-%m-%dT%H:%M:%SZ' | strftime(now().timestamp() - 86400, utc=true) }}"
  register: failed

- name: Poll each of them to see why
  cloudwait.conversion.mps_task_detail:
    task_id: "{{ item.task_id }}"
  loop: "{{ failed.refs }}"
  loop_control:
    label: "{{ item.task_id }}"
  register: details
"""

RETURN = r"""
refs:
  description: For each media task, what is needed to poll it or to wait for it.
  returned: when the options are valid, even when a later page of the list could not be read
  type: list
  elements: dict
  sample: [{provider: mps, task_id: 2600000001-WorkflowTask-0123456789abcdef0123456789abcdeftt1}]
tasks:
  description:
    - Records of those that are C(WAITING) or C(PROCESSING), with the keys of
      RV(cloudwait.conversion.mps_task_detail#module:task), but without parts and progress. For those that have ended,
      the list does not tell how, so they have no record here; poll them or wait for them.
  returned: when the options are valid, even when a later page of the list could not be read
  type: list
  elements: dict
  sample: [{provider: mps, task_id: 2600000001-WorkflowTask-0123456789abcdef0123456789abcdeftt1, status: running, done: false}]
entries:
  description:
    - What the vendor's list reports of each media task, in the order of RV(refs), with the C(Status) of its list added.
  returned: when the options are valid, even when a later page of the list could not be read
  type: list
  elements: dict
  sample: [{TaskId: 2600000001-WorkflowTask-0123456789abcdef0123456789abcdeftt1, TaskType: WorkflowTask, Status: PROCESSING}]
truncated:
  description: Whether there were more media tasks than O(limit).
  returned: when the options are valid, even when a later page of the list could not be read
  type: bool
  sample: false
credential_source:
  description: Where the credentials came from.
  returned: when the credentials were found
  type: str
  sample: environment
endpoint_host:
  description: The host that was asked, when it is not the vendor's.
  returned: when O(endpoint) or its environment variable names another host
  type: str
  sample: gateway.example.com
error:
  description:
    - Why the list could not be read. The result has what was found before.
    - C(kind) is one of V(auth), V(permission), V(not_found), V(throttled), V(invalid),
      V(server), V(network), V(protocol), V(config), V(clock).
  returned: failure
  type: dict
  sample:
    kind: auth
    code: AuthFailure.SignatureFailure
    message: The provided credentials could not be validated
    http_status: 200
    request_id: 11111111-0000-4000-8000-000000000002
    retryable: false
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cloudwait.conversion.plugins.module_utils._module import argspec
from ansible_collections.cloudwait.conversion.plugins.module_utils._module.starts import run_list
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.mps import LISTS, Mps

OPTIONS = {
    "statuses": {"type": "list", "elements": "str", "choices": list(LISTS), "default": list(LISTS)},
    "sub_task_has_failed": {"type": "bool"},
    "start_time": {"type": "str"},
    "end_time": {"type": "str"},
    "limit": {"type": "int"},
}


def main() -> None:
    module = AnsibleModule(
        argument_spec=dict(
            **OPTIONS,
            **argspec.tencent(),
            **argspec.transport(),
            **argspec.one_poll(),
        ),
        supports_check_mode=True,
    )
    run_list(module, Mps)


if __name__ == "__main__":
    main()
