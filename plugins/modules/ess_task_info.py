#!/usr/bin/python
# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: ess_task_info
short_description: Poll a file conversion task of Tencent ESS
version_added: 0.1.0
author:
  - The cloudwait.conversion project (@cloudwait)
description:
  - Asks Tencent ESS once for the state of a file conversion and returns it as a normalized record.
  - A conversion that failed is not a failure of this module; read RV(task.status).
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
      - Id of the conversion, as the start call returned it.
    type: str
    required: true
  agent:
    description:
      - On whose behalf to ask, in the edition of ESS for third-party applications. O(agent.app_id),
        O(agent.proxy_organization_open_id) and O(agent.proxy_operator) are required.
      - Exactly one of O(agent) and O(operator) is required.
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
      - The employee on whose behalf to ask, in the edition of ESS for companies' own applications.
      - Exactly one of O(agent) and O(operator) is required.
    type: dict
    suboptions:
      user_id:
        description: Id of an employee of the company who has the permission for it.
        type: str
  edition:
    description:
      - The edition of ESS that the cloud task belongs to; V(channel) (service C(essbasic), third-party applications,
        with O(agent)) or V(company) (service C(ess), applications of the company itself, with O(operator)).
      - V(auto) is V(channel) when O(agent) is given, and V(company) when O(operator) is given.
    type: str
    default: auto
    choices: [auto, channel, company]
  api_action:
    description:
      - The API action to ask with. The vendor retires C(ChannelGetTaskResultApi) on 2026-12-31.
      - V(auto) uses C(ChannelGetTaskResultApi) until that day and C(DescribeFileConvertTask) afterwards. When the
        vendor answers that the action does not exist any more, it uses the other one.
      - In the edition V(company), V(auto) uses C(DescribeFileConvertTask), and C(GetTaskResultApi) when the vendor
        answers that the first does not exist.
    type: str
    default: auto
    choices: [auto, ChannelGetTaskResultApi, DescribeFileConvertTask]
seealso:
  - module: cloudwait.conversion.wait_for_task
  - module: cloudwait.conversion.task_info
  - module: cloudwait.conversion.ess_convert_task
  - name: Vendor page of ChannelGetTaskResultApi
    description: Statuses and errors, in Chinese.
    link: https://cloud.tencent.com/document/product/1420/78774
"""

EXAMPLES = r"""
---
- name: Poll once
  cloudwait.conversion.ess_task_info:
    task_id: "{{ convert_task_id }}"
    agent: "{{ ess_agent }}"
  vars:
    ess_agent:
      app_id: yDExampleAppId0000000000000000000
      proxy_organization_open_id: org_example
      proxy_operator:
        open_id: n9527
  register: conversion

- name: Use the resource that the conversion made
  ansible.builtin.debug:
    msg: "The PDF is {{ conversion.task.outputs[0].value }}"
  when: conversion.task.status == 'succeeded'

- name: Poll once, in the company edition
  cloudwait.conversion.ess_task_info:
    task_id: "{{ convert_task_id }}"
    operator:
      user_id: yDExampleUserId000000000000000000
  register: conversion

- name: Poll every five seconds until it has ended, successfully or not
  cloudwait.conversion.ess_task_info:
    task_id: "{{ convert_task_id }}"
    agent:
      app_id: yDExampleAppId0000000000000000000
      proxy_organization_open_id: org_example
      proxy_operator:
        open_id: n9527
  register: conversion
  until: conversion.task.done | default(not conversion.error.retryable | default(true))
  retries: 60
  delay: 5
  failed_when: conversion.task.status | default('unknown') != 'succeeded'
"""

RETURN = r"""
task:
  description:
    - The normalized record of the cloud task. Every key is always present; an unknown value is null.
  returned: success
  type: dict
  contains:
    provider:
      description: The service, here V(ess).
      returned: always
      type: str
      sample: ess
    task_id:
      description: The id that was asked for.
      returned: always
      type: str
      sample: yDExampleTaskId00000000000000001
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
        - ESS has numbers, such as V(0) for submitted, V(4) for converting, V(8) for done, V(-2) for a failed download,
          V(-6) for a failed conversion and V(-13) for a time-out.
      returned: always
      type: str
      sample: "8"
    done:
      description: Whether it has ended, successfully or not.
      returned: always
      type: bool
      sample: true
    progress:
      description: Always null; ESS does not report it.
      returned: always
      type: int
      sample: null
    counts:
      description:
        - Always null; ESS does not report it.
      returned: always
      type: dict
      sample: null
    error:
      description:
        - Why it failed or failed in part, as C(code), C(message) and C(reason).
        - The reason is V(download), V(processing), V(timeout), V(source) or V(unknown).
      returned: always
      type: dict
      sample: null
    parts:
      description: Always empty; a conversion of ESS has no parts.
      returned: always
      type: list
      elements: dict
      sample: []
    outputs:
      description: The resource that was made, once it has succeeded.
      returned: always
      type: list
      elements: dict
      sample: [{type: ess_resource, value: yDExampleResultResource000000001}]
    created_at:
      description: Always null; ESS does not report it.
      returned: always
      type: str
      sample: null
    started_at:
      description: Always null; ESS does not report it.
      returned: always
      type: str
      sample: null
    finished_at:
      description: Always null; ESS does not report it.
      returned: always
      type: str
      sample: null
    request_id:
      description: The vendor's id of this request; give it to the vendor's support.
      returned: always
      type: str
      sample: s1700000000000000002
    ref:
      description: All that is needed to poll it again, without secrets.
      returned: always
      type: dict
      sample:
        provider: ess
        task_id: yDExampleTaskId00000000000000001
        agent: {app_id: yDExampleAppId0000000000000000000, proxy_organization_open_id: org_example, proxy_operator: {open_id: n9527}}
response:
  description: The part under C(Response) of the vendor's answer, with asterisks in place of secrets.
  returned: success
  type: dict
  sample: {TaskId: "20260101000000000001", TaskStatus: 8, ResourceId: yDExampleResultResource000000001}
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
  returned: when the credentials were found
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
    kind: auth
    code: AuthFailure.SignatureFailure
    message: The provided credentials could not be validated
    http_status: 200
    request_id: s1700000000000000002
    retryable: false
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cloudwait.conversion.plugins.module_utils._module import argspec
from ansible_collections.cloudwait.conversion.plugins.module_utils._module.run import run_info
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.ess import Ess
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.task_options import spec_of


def main() -> None:
    module = AnsibleModule(
        argument_spec=dict(
            task_id={"type": "str", "required": True},
            api_action=spec_of("api_action", default="auto"),
            **argspec.ess(),
            **argspec.tencent(),
            **argspec.transport(),
            **argspec.one_poll(),
        ),
        supports_check_mode=True,
    )
    run_info(module, Ess)


if __name__ == "__main__":
    main()
