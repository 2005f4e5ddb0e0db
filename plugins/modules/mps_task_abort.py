#!/usr/bin/python
# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: mps_task_abort
short_description: Abort a media task of Tencent MPS
version_added: 0.1.0
author:
  - The cloudwait.conversion project (@cloudwait)
description:
  - Aborts a media task of Tencent MPS. The vendor aborts a media task only while it is C(WAITING), and one of a live
    stream also while it is C(PROCESSING).
  - Polls the media task first. One that has ended is left alone, with RV(ignore:changed=false). For one that the vendor
    does not abort any more, the module fails and says so.
  - Then aborts the media task and polls it once more, since the vendor's answer to an abort has no status. The vendor
    documents no status for an aborted media task, so this poll may show one that failed with an error, or one that has
    not ended yet.
extends_documentation_fragment:
  - cloudwait.conversion._attributes
  - cloudwait.conversion._attributes.tencent
  - cloudwait.conversion._tencent
  - cloudwait.conversion._transport
  - cloudwait.conversion._transport.poll
attributes:
  check_mode:
    details:
      - Polls the media task and predicts whether it would be aborted.
  diff_mode:
    support: none
    details:
      - The result has the record after the abort, not the one before it.
  idempotent:
    details:
      - A media task that has ended is left alone.
  action:
    description:
      - Indicates this has a corresponding action plugin so some parts of the options can be executed on the controller.
    support: full
    details:
      - The action plugin runs the module unchanged. When the module is killed or its connection is lost, the action
        plugin reports what may have happened.
  async:
    description: Supports being used with the C(async) keyword.
    support: full
    details:
      - For a module that was killed in the background, M(ansible.builtin.async_status) returns no C(error) and not
        RV(ignore:changed=true), although the abort may have happened.
options:
  task_id:
    description:
      - Id of the media task, as the start call returned it. MPS keeps it for 7 days, on the international site for 3
        days.
    type: str
    required: true
notes:
  - An abort is not repeated when it is uncertain whether it happened. The module then fails with
    RV(ignore:changed=true) and RV(ignore:error.retryable=false). It is safe to run it again.
  - The result is the same when the module was killed, crashed, lost its connection to the host while it ran, or was
    ended by the C(timeout) of the Ansible task; C(error.kind) is V(interrupted) then.
seealso:
  - module: cloudwait.conversion.mps_task_detail
  - module: cloudwait.conversion.mps_task_list_info
  - module: cloudwait.conversion.mps_media_task
  - name: Vendor page of ManageTask
    description: What can be aborted, in Chinese.
    link: https://cloud.tencent.com/document/product/862/40947
"""

EXAMPLES = r"""
---
- name: Abort a media task that has not started
  cloudwait.conversion.mps_task_abort:
    task_id: 2600000001-WorkflowTask-fedcba9876543210fedcba9876543210tt1
  register: aborted

- name: Find all media tasks that still wait
  cloudwait.conversion.mps_task_list_info:
    statuses: [WAITING]
  register: waiting

- name: Abort them, except those that have started meanwhile
  cloudwait.conversion.mps_task_abort:
    task_id: "{{ item.task_id }}"
  loop: "{{ waiting.refs }}"
  loop_control:
    label: "{{ item.task_id }}"
  register: aborted
  failed_when: aborted is failed and aborted.error.kind | default('') != 'invalid'
"""

RETURN = r"""
task:
  description:
    - The record of the last poll, with the keys of RV(cloudwait.conversion.mps_task_detail#module:task). When the
      module failed after its first poll, the record of that one.
  returned: when a poll succeeded
  type: dict
  sample:
    provider: mps
    task_id: 2600000001-WorkflowTask-0123456789abcdef0123456789abcdeftt1
    status: failed
    native_status: FINISH
    done: true
    ref: {provider: mps, task_id: 2600000001-WorkflowTask-0123456789abcdef0123456789abcdeftt1}
response:
  description: The part under C(Response) of the vendor's answer to that poll, with asterisks in place of secrets.
  returned: when a poll succeeded
  type: dict
  sample: {TaskType: WorkflowTask, Status: FINISH}
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
    - Why a poll or the abort failed. For a media task that the vendor does not abort any more, C(kind) is V(invalid).
    - C(kind) is one of V(auth), V(permission), V(not_found), V(throttled), V(invalid),
      V(server), V(network), V(protocol), V(config), V(clock), V(interrupted).
    - With RV(ignore:changed=true), the media task has been aborted, or may have been.
  returned: failure
  type: dict
  sample:
    kind: invalid
    code: null
    message: its status is running, and MPS aborts cloud tasks only while they wait (live streams also while they run)
    http_status: null
    request_id: null
    retryable: false
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cloudwait.conversion.plugins.module_utils._module import argspec
from ansible_collections.cloudwait.conversion.plugins.module_utils._module.starts import run_abort


def main() -> None:
    module = AnsibleModule(
        argument_spec=dict(
            task_id={"type": "str", "required": True},
            **argspec.tencent(),
            **argspec.transport(),
            **argspec.one_poll(),
        ),
        supports_check_mode=True,
    )
    run_abort(module)


if __name__ == "__main__":
    main()
