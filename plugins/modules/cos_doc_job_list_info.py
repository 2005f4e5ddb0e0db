#!/usr/bin/python
# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: cos_doc_job_list_info
short_description: List document jobs of Tencent COS
version_added: 0.1.0
author:
  - The cloudwait.conversion project (@cloudwait)
description:
  - Lists the document jobs of a bucket in Cloud Infinite, the data processing of Tencent COS, by state, time and queue.
  - COS keeps jobs for one month. All pages of the list are fetched, up to O(limit) jobs.
  - To wait for all that it finds, give RV(refs) to O(cloudwait.conversion.wait_for_task#module:tasks), as the examples
    show.
extends_documentation_fragment:
  - cloudwait.conversion._attributes
  - cloudwait.conversion._attributes.tencent
  - cloudwait.conversion._tencent
  - cloudwait.conversion._transport
  - cloudwait.conversion._transport.poll
options:
  bucket:
    description:
      - The bucket of the jobs, in the form C(name-appid).
    type: str
    required: true
  region:
    description:
      - The region of the bucket. Without it, the environment variable E(TENCENTCLOUD_REGION) is used.
    type: str
  queue_id:
    description:
      - List only jobs of this queue. Older editions of the vendor's page require it; newer ones and the vendor's SDK do
        not.
    type: str
  states:
    description:
      - List only jobs with one of these states, in the vendor's words. By default, all.
    type: list
    elements: str
    choices: [Submitted, Pause, Running, Success, Failed, Cancel]
  start_time:
    description:
      - List only jobs that were created at this time or later. The time is in ISO 8601 with its zone, such as
        V(2026-01-02T03:04:05Z) or V(2026-01-02T03:04:05+08:00).
    type: str
  end_time:
    description:
      - List only jobs that were created at this time or earlier, in the form of O(start_time).
    type: str
  order:
    description:
      - Whether the newest or the oldest jobs come first, by the time of their creation.
    type: str
    default: newest
    choices: [newest, oldest]
  limit:
    description:
      - Maximum number of jobs to list, at least 1. By default, all.
    type: int
requirements:
  - xmltodict
seealso:
  - module: cloudwait.conversion.wait_for_task
  - module: cloudwait.conversion.cos_doc_job
  - module: cloudwait.conversion.cos_doc_job_info
  - name: Vendor page of DescribeDocProcessJobs
    description: Filters of the list.
    link: https://www.tencentcloud.com/document/product/436/49409
"""

EXAMPLES = r"""
---
- name: Find the jobs of a queue since last night
  cloudwait.conversion.cos_doc_job_list_info:
    bucket: examplebucket-1250000000
    region: ap-beijing
    queue_id: p00000000000000000000000000000000
    start_time: "{{ '%Y-%m-%dT20:00:00Z' | strftime(now().timestamp() - 86400, utc=true) }}"
  register: jobs

- name: Wait until all of them have ended, successfully or not
  cloudwait.conversion.wait_for_task:
    tasks: "{{ jobs.refs }}"
    until: [done]
    timeout: 3600

- name: Find the ten most recent jobs that failed
  cloudwait.conversion.cos_doc_job_list_info:
    bucket: examplebucket-1250000000
    region: ap-beijing
    states: [Failed]
    limit: 10
  register: failed

- name: Show which documents failed and why
  ansible.builtin.debug:
    msg: "{{ item.0.Input.Object }}: {{ item.1.error.message }}"
  loop: "{{ failed.entries | zip(failed.tasks) | list }}"
  loop_control:
    label: "{{ item.1.task_id }}"
"""

RETURN = r"""
refs:
  description: For each job, what is needed to poll it or to wait for it.
  returned: when the options are valid, even when a later page of the list could not be read
  type: list
  elements: dict
  sample: [{provider: cos_doc, task_id: d00000000000000000000000000000001, bucket: examplebucket-1250000000, region: ap-beijing}]
tasks:
  description:
    - A record of each job in the same order, with the keys of RV(cloudwait.conversion.cos_doc_job_info#module:task).
      The list reports as much as a poll does, except the C(request_id).
  returned: when the options are valid, even when a later page of the list could not be read
  type: list
  elements: dict
  sample: [{provider: cos_doc, task_id: d00000000000000000000000000000001, status: running, native_status: Running, done: false}]
entries:
  description: What the vendor's list reports of each job, in the same order, with asterisks in place of secrets.
  returned: when the options are valid, even when a later page of the list could not be read
  type: list
  elements: dict
  sample: [{JobId: d00000000000000000000000000000001, State: Running}]
truncated:
  description: Whether there were more jobs than O(limit).
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
    code: SignatureDoesNotMatch
    message: The Signature you specified is invalid
    http_status: 403
    request_id: NjBhMDAwMDBfZXhhbXBsZQ==
    retryable: false
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cloudwait.conversion.plugins.module_utils._module import argspec
from ansible_collections.cloudwait.conversion.plugins.module_utils._module.starts import run_list
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.cos_doc import CosDoc

OPTIONS = {
    "bucket": {"type": "str", "required": True},
    "queue_id": {"type": "str"},
    "states": {"type": "list", "elements": "str", "choices": list(CosDoc.statuses)},
    "start_time": {"type": "str"},
    "end_time": {"type": "str"},
    "order": {"type": "str", "default": "newest", "choices": ["newest", "oldest"]},
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
    run_list(module, CosDoc)


if __name__ == "__main__":
    main()
