#!/usr/bin/python
# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: mps_task_detail
short_description: Poll a media task of Tencent MPS
version_added: 0.1.0
author:
  - The cloudwait.conversion project (@cloudwait)
description:
  - Asks Tencent MPS once for the state of a media task and returns it as a normalized record.
  - A media task that failed is not a failure of this module; read RV(task.status).
  - MPS reports C(FINISH) for every media task that has ended, also when sub-tasks failed. RV(task.status) is derived
    from all sub-tasks; it is V(partial) when only some of them failed.
  - To wait for its end, use M(cloudwait.conversion.wait_for_task), or repeat this module with C(until) as the examples
    show.
extends_documentation_fragment:
  - cloudwait.conversion._attributes
  - cloudwait.conversion._attributes.tencent
  - cloudwait.conversion._tencent
  - cloudwait.conversion._transport
  - cloudwait.conversion._transport.poll
options:
  task_id:
    description:
      - Id of the media task, as the start call returned it. MPS keeps it for 7 days, on the international site for 3
        days.
    type: str
    required: true
  http_method:
    description:
      - The HTTP method to ask with; V(POST) as in the vendor's SDK, or V(GET) as on the vendor's page.
    type: str
    default: POST
    choices: [POST, GET]
seealso:
  - module: cloudwait.conversion.wait_for_task
  - module: cloudwait.conversion.task_info
  - module: cloudwait.conversion.mps_media_task
  - module: cloudwait.conversion.mps_task_list_info
  - module: cloudwait.conversion.mps_task_abort
  - name: Vendor page of DescribeTaskDetail
    description: Statuses and sub-tasks, in Chinese.
    link: https://cloud.tencent.com/document/product/862/37614
"""

EXAMPLES = r"""
---
- name: Poll once
  cloudwait.conversion.mps_task_detail:
    task_id: 2600000001-WorkflowTask-0123456789abcdef0123456789abcdeftt1
  register: media

- name: Show which parts failed and why
  ansible.builtin.debug:
    msg: "{{ item.kind }}: {{ item.error.message }}"
  loop: "{{ media.task.parts | selectattr('status', 'equalto', 'failed') | list }}"
  loop_control:
    label: "{{ item.kind }}"

- name: Two media tasks of the international site, with the same credentials
  module_defaults:
    group/cloudwait.conversion.tencent:
      profile: media
      site: intl
  block:
    - name: Poll the first one
      cloudwait.conversion.mps_task_detail:
        task_id: "{{ first_id }}"

    - name: Poll the second one every ten seconds until it has ended
      cloudwait.conversion.mps_task_detail:
        task_id: "{{ second_id }}"
      register: second
      until: second.task.done | default(not second.error.retryable | default(true))
      retries: 90
      delay: 10
      failed_when: second.task.status | default('unknown') != 'succeeded'
"""

RETURN = r"""
task:
  description:
    - The normalized record of the cloud task. Every key is always present; an unknown value is null.
  returned: success
  type: dict
  contains:
    provider:
      description: The service, here V(mps).
      returned: always
      type: str
      sample: mps
    task_id:
      description: The id that was asked for.
      returned: always
      type: str
      sample: 2600000001-WorkflowTask-0123456789abcdef0123456789abcdeftt1
    status:
      description:
        - V(pending), V(running), V(succeeded), V(partial) (ended, and a part of it failed), V(failed), V(canceled), or
          V(unknown) for a native status that the vendor does not document.
      returned: always
      type: str
      sample: succeeded
    native_status:
      description:
        - The vendor's own status, as text.
        - MPS has V(WAITING), V(PROCESSING) and V(FINISH).
      returned: always
      type: str
      sample: "FINISH"
    done:
      description: Whether it has ended, successfully or not.
      returned: always
      type: bool
      sample: true
    progress:
      description: Percent done; the mean over the parts, when each of them has a progress or has ended.
      returned: always
      type: int
      sample: 100
    counts:
      description:
        - The number of parts, as C(total), C(succeeded) and C(failed).
      returned: always
      type: dict
      sample: {total: 1, succeeded: 1, failed: 0}
    error:
      description:
        - Why it failed or failed in part, as C(code), C(message) and C(reason).
        - The reason is V(download), V(processing), V(timeout), V(source) or V(unknown).
      returned: always
      type: dict
      sample: null
    parts:
      description: The sub-tasks, each with C(kind), C(status), C(progress), C(error) and C(outputs).
      returned: always
      type: list
      elements: dict
      sample: [{kind: TranscodeTask, status: succeeded, progress: 100, error: null, outputs: []}]
    outputs:
      description: The files that were made, with bucket and region where MPS reports them.
      returned: always
      type: list
      elements: dict
      sample: [{type: cos_object, value: /out/a.mp4, bucket: examplebucket-1250000000, region: ap-beijing}]
    created_at:
      description: When it was created, in UTC.
      returned: always
      type: str
      sample: "2026-01-02T03:04:05Z"
    started_at:
      description: When it was started, in UTC.
      returned: always
      type: str
      sample: "2026-01-02T03:04:06Z"
    finished_at:
      description: When it ended, in UTC.
      returned: always
      type: str
      sample: "2026-01-02T03:05:00Z"
    request_id:
      description: The vendor's id of this request; give it to the vendor's support.
      returned: always
      type: str
      sample: 11111111-0000-4000-8000-000000000002
    ref:
      description: All that is needed to poll it again, without secrets.
      returned: always
      type: dict
      sample: {provider: mps, task_id: 2600000001-WorkflowTask-0123456789abcdef0123456789abcdeftt1}
response:
  description: The part under C(Response) of the vendor's answer, with asterisks in place of secrets.
  returned: success
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
    - Why the poll failed. A cloud task that failed is no error of this module; RV(task) tells of it.
    - C(kind) is one of V(auth), V(permission), V(not_found), V(throttled), V(invalid),
      V(server), V(network), V(protocol), V(config), V(clock).
  returned: failure
  type: dict
  sample:
    kind: not_found
    code: ResourceNotFound.TaskNotFound
    message: The task does not exist
    http_status: 200
    request_id: 11111111-0000-4000-8000-000000000002
    retryable: false
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cloudwait.conversion.plugins.module_utils._module import argspec
from ansible_collections.cloudwait.conversion.plugins.module_utils._module.run import run_info
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.mps import Mps


def main() -> None:
    module = AnsibleModule(
        argument_spec=dict(
            task_id={"type": "str", "required": True},
            **argspec.http_method(),
            **argspec.tencent(),
            **argspec.transport(),
            **argspec.one_poll(),
        ),
        supports_check_mode=True,
    )
    run_info(module, Mps)


if __name__ == "__main__":
    main()
