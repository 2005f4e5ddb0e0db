#!/usr/bin/python
# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: cos_doc_job_info
short_description: Poll a document job of Tencent COS
version_added: 0.1.0
author:
  - The cloudwait.conversion project (@cloudwait)
description:
  - Asks Cloud Infinite, the data processing of Tencent COS, once for the state of a document job and returns it as a
    normalized record.
  - A job that failed is not a failure of this module; read RV(task.status).
  - A job that COS calls successful although pages failed has the status V(partial).
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
      - Id of the job, as the start call returned it. Jobs are kept for one month.
    type: str
    required: true
    aliases: [job_id]
  bucket:
    description:
      - The bucket of the job, in the form C(name-appid).
    type: str
    required: true
  region:
    description:
      - The region of the bucket. Without it, the environment variable E(TENCENTCLOUD_REGION) is used.
    type: str
requirements:
  - xmltodict
seealso:
  - module: cloudwait.conversion.wait_for_task
  - module: cloudwait.conversion.task_info
  - module: cloudwait.conversion.cos_doc_job
  - module: cloudwait.conversion.cos_doc_job_list_info
  - name: Vendor page of DescribeDocProcessJob
    description: Elements of the answer.
    link: https://www.tencentcloud.com/document/product/436/54091
"""

EXAMPLES = r"""
---
- name: Poll once
  cloudwait.conversion.cos_doc_job_info:
    task_id: d00000000000000000000000000000001
    bucket: examplebucket-1250000000
    region: ap-beijing
  register: job

- name: List the pages that were made
  ansible.builtin.debug:
    msg: "{{ job.task.outputs | map(attribute='value') | list }}"

- name: Poll every five seconds until it has ended, successfully or not
  cloudwait.conversion.cos_doc_job_info:
    job_id: "{{ job_id }}"
    bucket: examplebucket-1250000000
    region: ap-beijing
    profile: documents
  register: job
  until: job.task.done | default(not job.error.retryable | default(true))
  retries: 60
  delay: 5
  failed_when: job.task.status | default('unknown') not in ['succeeded', 'partial']
"""

RETURN = r"""
task:
  description:
    - The normalized record of the cloud task. Every key is always present; an unknown value is null.
  returned: success
  type: dict
  contains:
    provider:
      description: The service, here V(cos_doc).
      returned: always
      type: str
      sample: cos_doc
    task_id:
      description: The id that was asked for.
      returned: always
      type: str
      sample: d00000000000000000000000000000001
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
        - COS has V(Submitted), V(Pause), V(Running), V(Success), V(Failed) and V(Cancel).
      returned: always
      type: str
      sample: "Success"
    done:
      description: Whether it has ended, successfully or not.
      returned: always
      type: bool
      sample: true
    progress:
      description: Percent done. COS seldom reports it for document jobs.
      returned: always
      type: int
      sample: null
    counts:
      description:
        - The number of pages, as C(total), C(succeeded) and C(failed). The total counts all pages of the source, which
          may be more than were asked for.
      returned: always
      type: dict
      sample: {total: 2, succeeded: 1, failed: 0}
    error:
      description:
        - Why it failed or failed in part, as C(code), C(message) and C(reason).
        - The reason is V(download), V(processing), V(timeout), V(source) or V(unknown).
      returned: always
      type: dict
      sample: null
    parts:
      description: Always empty; a document job has no parts.
      returned: always
      type: list
      elements: dict
      sample: []
    outputs:
      description: The objects that were made, with bucket, region and page, and for a spreadsheet with sheet.
      returned: always
      type: list
      elements: dict
      sample: [{type: cos_object, value: out/page-1.png, bucket: examplebucket-1250000000, region: ap-beijing, page: 1}]
    created_at:
      description: When it was created, in UTC.
      returned: always
      type: str
      sample: "2026-01-01T19:04:05Z"
    started_at:
      description: When it was started, in UTC.
      returned: always
      type: str
      sample: "2026-01-01T19:04:06Z"
    finished_at:
      description: When it ended, in UTC.
      returned: always
      type: str
      sample: "2026-01-01T19:04:09Z"
    request_id:
      description: The vendor's id of this request; give it to the vendor's support.
      returned: always
      type: str
      sample: NjBhMDAwMDBfZXhhbXBsZQ==
    ref:
      description: All that is needed to poll it again, without secrets.
      returned: always
      type: dict
      sample: {provider: cos_doc, task_id: d00000000000000000000000000000001, bucket: examplebucket-1250000000, region: ap-beijing}
response:
  description:
    - The part under C(Response) of the vendor's answer, with asterisks in place of secrets. C(JobsDetail) and
      C(PageInfo) are always lists.
  returned: success
  type: dict
  sample: {JobsDetail: [{JobId: d00000000000000000000000000000001, State: Success}]}
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
    kind: auth
    code: SignatureDoesNotMatch
    message: The Signature you specified is invalid
    http_status: 403
    request_id: NjBhMDAwMDBfZXhhbXBsZQ==
    retryable: false
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cloudwait.conversion.plugins.module_utils._module import argspec
from ansible_collections.cloudwait.conversion.plugins.module_utils._module.run import run_info
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.cos_doc import CosDoc


def main() -> None:
    module = AnsibleModule(
        argument_spec=dict(
            task_id={"type": "str", "required": True, "aliases": ["job_id"]},
            bucket={"type": "str", "required": True},
            **argspec.tencent(),
            **argspec.transport(),
            **argspec.one_poll(),
        ),
        supports_check_mode=True,
    )
    run_info(module, CosDoc)


if __name__ == "__main__":
    main()
