#!/usr/bin/python
# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: task_info
short_description: Poll a cloud task of any service
version_added: 0.1.0
author:
  - The cloudwait.conversion project (@cloudwait)
description:
  - Asks a service once for the state of one cloud task and returns it as a normalized record, in the same form for
    every service.
  - Name the cloud task with O(provider), O(task_id) and the options that its service needs, or with O(ref), which other
    modules of this collection return.
  - A cloud task that failed is not a failure of this module; read RV(task.status).
  - To wait for its end, use M(cloudwait.conversion.wait_for_task), or repeat this module with C(until) as the examples
    show.
extends_documentation_fragment:
  - cloudwait.conversion._attributes
  - cloudwait.conversion._attributes.any_service
  - cloudwait.conversion._tencent
  - cloudwait.conversion._dingtalk
  - cloudwait.conversion._transport
  - cloudwait.conversion._transport.poll
requirements:
  - xmltodict, for jobs of Tencent COS
options:
  provider:
    description:
      - The service that runs the cloud task, such as V(mps). The guide Services lists all.
      - Required without O(ref).
    type: str
  task_id:
    description:
      - Id of the cloud task, as the call that started it returned it.
      - Required without O(ref).
    type: str
  ref:
    description:
      - The cloud task to poll, in place of O(provider) and O(task_id).
      - This is the C(ref) of a record, or a record, or the whole result of a module of this collection that holds one
        cloud task.
      - It has the keys C(provider) and C(task_id), and those of C(bucket), C(region), C(agent), C(operator),
        C(edition), C(api_action), C(site) and C(profile) that its service has. A C(name) is ignored. Any other key is
        refused. Credentials are options of this module and never part of O(ref).
      - The options of this module complete it, such as O(region) when it has no C(region).
    type: dict
  bucket:
    description:
      - The bucket of a job of Tencent COS, in the form C(name-appid).
    type: str
  agent:
    description:
      - On whose behalf to ask Tencent ESS, in the edition for third-party applications.
    type: dict
    suboptions:
      app_id:
        description: Id of the third-party application.
        type: str
      proxy_organization_open_id:
        description: Id of the organization that the application acts for, at most 64 characters.
        type: str
      proxy_operator:
        description: The member of that organization who acts.
        type: dict
        suboptions:
          open_id:
            description: Id of the member, at most 64 characters.
            type: str
      proxy_app_id:
        description: Leave it out unless the vendor told you a value.
        type: str
  operator:
    description:
      - The employee on whose behalf to ask Tencent ESS, in the company edition. Use either this or O(agent).
    type: dict
    suboptions:
      user_id:
        description: Id of an employee of the company who may read the conversion.
        type: str
  edition:
    description:
      - The edition of Tencent ESS that the cloud task belongs to; see M(cloudwait.conversion.ess_task_info). Without
        it, the edition follows from which of O(agent) and O(operator) is given.
    type: str
    choices: [auto, channel, company]
  api_action:
    description:
      - The API action to ask Tencent ESS with; see M(cloudwait.conversion.ess_task_info). Without it, this is V(auto).
    type: str
    choices: [auto, ChannelGetTaskResultApi, DescribeFileConvertTask]
  http_method:
    description:
      - The HTTP method to ask Tencent MPS with; C(POST) as in the vendor's SDK, or C(GET) as on the vendor's page.
    type: str
    default: POST
    choices: [POST, GET]
seealso:
  - module: cloudwait.conversion.wait_for_task
  - name: Services
    description: A guide; every service with its word, the options it needs, its endpoint variable and its limits.
    link: https://github.com/cloudwait/cloudwait.conversion/blob/main/docs/docsite/rst/guide_services.rst
"""

EXAMPLES = r"""
---
- name: Poll a media task once
  cloudwait.conversion.task_info:
    provider: mps
    task_id: "{{ transcode_id }}"
  register: media

# The same from a shell:
# ansible localhost -m cloudwait.conversion.task_info -a "provider=mps task_id=2600000001-WorkflowTask-0123"

- name: Show its status
  ansible.builtin.debug:
    msg: "{{ media.task.status }}, {{ media.task.progress }} percent"

- name: Poll the same media task again
  cloudwait.conversion.task_info:
    ref: "{{ media.task.ref }}"

- name: Poll a document job once
  cloudwait.conversion.task_info:
    provider: cos_doc
    task_id: "{{ job_id }}"
    bucket: examplebucket-1250000000
    region: ap-beijing

- name: Start a document job
  cloudwait.conversion.cos_doc_job:
    bucket: examplebucket-1250000000
    region: ap-beijing
    input_object: in/report.docx
    output:
      object: out/report-${Number}.jpg
  register: started

- name: Poll what was started every five seconds until it has ended, whatever its status
  cloudwait.conversion.task_info:
    ref: "{{ started }}"
  register: job
  until: job.task.done | default(not job.error.retryable | default(true))
  retries: 60
  delay: 5
  failed_when: job.task.status | default('unknown') != 'succeeded'

- name: Poll many media tasks once, without waiting, by a wait in check mode
  cloudwait.conversion.wait_for_task:
    provider: mps
    tasks: "{{ media_ids }}"
  check_mode: true
  register: many

- name: Poll each of them that had not ended
  cloudwait.conversion.task_info:
    ref: "{{ item }}"
  loop: "{{ many.unfinished_tasks }}"
  loop_control:
    label: "{{ item.task_id }}"
"""

RETURN = r"""
task:
  description:
    - The normalized record of the cloud task. Every key is always present; an unknown value is null.
  returned: success
  type: dict
  contains:
    provider:
      description: The service that runs the cloud task.
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
      description: The vendor's own status, as text.
      returned: always
      type: str
      sample: "FINISH"
    done:
      description: Whether it has ended, successfully or not.
      returned: always
      type: bool
      sample: true
    progress:
      description: Percent done, where the vendor's answer supports it.
      returned: always
      type: int
      sample: 100
    counts:
      description: The number of its pages, documents or parts, as C(total), C(succeeded) and C(failed).
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
      description:
        - Its sub-tasks, each with C(kind), C(status), C(progress), C(error) and C(outputs). Empty where it has none.
      returned: always
      type: list
      elements: dict
      sample: [{kind: TranscodeTask, status: succeeded, progress: 100, error: null, outputs: []}]
    outputs:
      description:
        - What was made, each with C(type) and C(value), and with C(bucket), C(region), C(page), C(sheet) and C(url)
          where the vendor's answer has them.
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
  description: The vendor's answer, with asterisks in place of the secrets in it.
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
api_action:
  description: The API action that was used last.
  returned: when Tencent ESS was asked
  type: str
  sample: ChannelGetTaskResultApi
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

from ansible_collections.cloudwait.conversion.plugins.module_utils._module import argspec
from ansible_collections.cloudwait.conversion.plugins.module_utils._module.run import QuietModule
from ansible_collections.cloudwait.conversion.plugins.module_utils._module.task_info import run_task_info


def main() -> None:
    module = QuietModule(
        argument_spec=dict(
            ref={"type": "dict"},
            **argspec.one_task(),
            **argspec.http_method(),
            **argspec.tencent(),
            **argspec.dingtalk(),
            **argspec.transport(),
            **argspec.one_poll(),
        ),
        supports_check_mode=True,
    )
    run_task_info(module)


if __name__ == "__main__":
    main()
