#!/usr/bin/python
# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: dingtalk_doc_task_info
short_description: Poll a document task of DingTalk
version_added: 0.1.0
author:
  - The cloudwait.conversion project (@cloudwait)
description:
  - Asks DingTalk once for the state of a document task, such as copying a document, and returns it as a normalized
    record.
  - A cloud task that failed is not a failure of this module; read RV(task.status).
  - The international host C(api.dingtalk.io) is asked unless O(site=china) is given or the environment variable
    E(DINGTALK_SITE) is V(china).
  - To wait for its end, use M(cloudwait.conversion.wait_for_task), or repeat this module with C(until) as the examples
    show.
extends_documentation_fragment:
  - cloudwait.conversion._attributes
  - cloudwait.conversion._attributes.dingtalk
  - cloudwait.conversion._dingtalk
  - cloudwait.conversion._transport
  - cloudwait.conversion._transport.poll
options:
  task_id:
    description:
      - Id of the cloud task, as the start call returned it.
    type: str
    required: true
seealso:
  - module: cloudwait.conversion.wait_for_task
  - module: cloudwait.conversion.task_info
  - module: cloudwait.conversion.dingtalk_doc_copy
  - name: Vendor page of GetTaskInfo
    description: Statuses and errors.
    link: https://open.dingtalk.com/document/development/api-gettaskinfo
"""

EXAMPLES = r"""
---
- name: Poll once, for an organization of the Chinese site
  cloudwait.conversion.dingtalk_doc_task_info:
    task_id: "{{ copy_task_id }}"
    site: china
  register: copy

- name: Show its status and how many documents are done
  ansible.builtin.debug:
    msg: "{{ copy.task.status }}, {{ copy.task.counts.succeeded }} of {{ copy.task.counts.total }} documents"

- name: Poll every five seconds until it has ended, with the credentials of another app
  cloudwait.conversion.dingtalk_doc_task_info:
    task_id: "{{ copy_task_id }}"
    site: china
    app_key: "{{ vault_dingtalk_app_key }}"
    app_secret: "{{ vault_dingtalk_app_secret }}"
  register: copy
  until: copy.task.done | default(not copy.error.retryable | default(true))
  retries: 60
  delay: 5
  failed_when: copy.task.status | default('unknown') != 'succeeded'
"""

RETURN = r"""
task:
  description:
    - The normalized record of the cloud task. Every key is always present; an unknown value is null.
  returned: success
  type: dict
  contains:
    provider:
      description: The service, here V(dingtalk_doc).
      returned: always
      type: str
      sample: dingtalk_doc
    task_id:
      description: The id that was asked for.
      returned: always
      type: str
      sample: task-0001
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
        - DingTalk has V(-1) for waiting, V(0) for running, V(1) for succeeded, V(2) for failed in part, V(3) for all
          failed and V(4) for failed.
      returned: always
      type: str
      sample: "1"
    done:
      description: Whether it has ended, successfully or not.
      returned: always
      type: bool
      sample: true
    progress:
      description: Percent done; the share of documents that have ended.
      returned: always
      type: int
      sample: 100
    counts:
      description:
        - The number of documents, as C(total), C(succeeded) and C(failed). Where they contradict RV(task.status), the
          status is right.
      returned: always
      type: dict
      sample: {total: 3, succeeded: 3, failed: 0}
    error:
      description:
        - Why it failed or failed in part, as C(code), C(message) and C(reason).
        - The reason is V(download), V(processing), V(timeout), V(source) or V(unknown).
      returned: always
      type: dict
      sample: null
    parts:
      description: Always empty; DingTalk does not report parts.
      returned: always
      type: list
      elements: dict
      sample: []
    outputs:
      description: Always empty; DingTalk does not report what was made.
      returned: always
      type: list
      elements: dict
      sample: []
    created_at:
      description: Always null; DingTalk does not report it.
      returned: always
      type: str
      sample: null
    started_at:
      description: Always null; DingTalk does not report it.
      returned: always
      type: str
      sample: null
    finished_at:
      description: Always null; DingTalk does not report it.
      returned: always
      type: str
      sample: null
    request_id:
      description: The vendor's id of this request; give it to the vendor's support.
      returned: always
      type: str
      sample: 30EE0000-0000-0000-0000-000000000001
    ref:
      description: All that is needed to poll it again, without secrets.
      returned: always
      type: dict
      sample: {provider: dingtalk_doc, task_id: task-0001, site: china}
response:
  description: The vendor's answer, with asterisks in place of secrets.
  returned: success
  type: dict
  sample: {taskId: task-0001, status: 1, totalCount: 3, succCount: 3, failCount: 0}
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
    code: InvalidAuthentication
    message: 不合法的access_token
    http_status: 400
    request_id: 30EE0000-0000-0000-0000-000000000001
    retryable: false
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cloudwait.conversion.plugins.module_utils._module import argspec
from ansible_collections.cloudwait.conversion.plugins.module_utils._module.run import run_info
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.dingtalk_doc import DingTalkDoc


def main() -> None:
    module = AnsibleModule(
        argument_spec=dict(
            task_id={"type": "str", "required": True},
            **argspec.dingtalk(),
            **argspec.transport(),
            **argspec.one_poll(),
        ),
        supports_check_mode=True,
    )
    run_info(module, DingTalkDoc)


if __name__ == "__main__":
    main()
