#!/usr/bin/python
# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: ess_convert_task
short_description: Start the conversion of a file to PDF in Tencent ESS
version_added: 0.1.0
author:
  - The cloudwait.conversion project (@cloudwait)
description:
  - Starts the conversion of one file to PDF in Tencent ESS and returns a normalized record of it.
  - Uploads a file of the host first (O(src)), or converts a file that was uploaded before (O(resource_id)).
  - This module does not wait. Pass its whole result to M(cloudwait.conversion.wait_for_task), which waits for many
    cloud tasks at once.
extends_documentation_fragment:
  - cloudwait.conversion._attributes.starts
  - cloudwait.conversion._attributes.tencent
  - cloudwait.conversion._ledger
  - cloudwait.conversion._tencent
  - cloudwait.conversion._transport
  - cloudwait.conversion._transport.poll
options:
  agent:
    description:
      - On whose behalf to convert, in the edition of ESS for third-party applications. O(agent.app_id),
        O(agent.proxy_organization_open_id) and O(agent.proxy_operator) are required, and the organization and the
        member must have passed the vendor's real-name check.
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
      - The employee on whose behalf to convert, in the edition of ESS for companies' own applications.
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
  src:
    description:
      - Path of the file to convert, on the host where the Ansible task runs. It must be a regular file of at most 60
        MB. An image may have at most 8 MB, and at most 5 MB in the edition V(company).
      - Use an absolute path. A relative one starts in the working directory of the module, which is not always the
        same.
      - The file is uploaded with C(UploadFiles) to C(file.ess.tencent.cn), where the vendor keeps it for one hour. When
        the start fails after the upload, pass RV(resource_id) of the result as O(resource_id) to start without another
        upload.
      - The environment variable E(CLOUDWAIT_ESS_UPLOAD_ENDPOINT) sets another base URL for uploads. Without it, uploads
        go to O(endpoint) or E(CLOUDWAIT_ESS_ENDPOINT), if one of them is given.
      - O(request_timeout) limits the whole upload, which is a third larger than the file, since it is encoded as
        Base64. Increase it for large files or slow connections.
      - Exactly one of O(src) and O(resource_id) is required.
    type: path
  resource_id:
    description:
      - Id of a file that was uploaded to ESS within the last hour, such as RV(resource_id) of an earlier result.
    type: str
  resource_type:
    description:
      - Type of the file. Defaults to the suffix of O(resource_name), or else of O(src), in upper or lower case.
    type: str
    choices: [doc, docx, xls, xlsx, jpg, jpeg, png, bmp, html, txt]
  resource_name:
    description:
      - Name of the file with its suffix, at most 256 characters. Defaults to the name of O(src).
      - Required with O(resource_id).
    type: str
  api_action:
    description:
      - The API action to start with. The vendor retires C(ChannelCreateConvertTaskApi) on 2026-12-31.
      - V(auto) uses C(ChannelCreateConvertTaskApi) until that day and C(CreateFileConvertTask) afterwards. When the
        vendor answers that the action does not exist any more, so that nothing was started, it uses the other one.
      - In the edition V(company), V(auto) uses C(CreateFileConvertTask), and C(CreateConvertTaskApi) when the vendor
        answers that the first does not exist.
    type: str
    default: auto
    choices: [auto, ChannelCreateConvertTaskApi, CreateFileConvertTask]
notes:
  - ESS has no list of conversions. When it is uncertain whether a conversion was started, its id cannot be found.
seealso:
  - module: cloudwait.conversion.wait_for_task
  - module: cloudwait.conversion.ledger_info
  - module: cloudwait.conversion.ess_task_info
  - name: Vendor page of ChannelCreateConvertTaskApi
    description: Types of files, in Chinese.
    link: https://qian.tencent.com/developers/partnerApis/files/ChannelCreateConvertTaskApi
  - name: Vendor page of UploadFiles
    description: Sizes of files, in Chinese.
    link: https://qian.tencent.com/developers/partnerApis/files/UploadFiles
"""

EXAMPLES = r"""
---
- name: Convert a contract to PDF and use the result
  module_defaults:
    cloudwait.conversion.ess_convert_task:
      agent:
        app_id: yDExampleAppId0000000000000000000
        proxy_organization_open_id: org_example
        proxy_operator:
          open_id: n9527
  block:
    - name: Start the conversion
      cloudwait.conversion.ess_convert_task:
        src: "{{ playbook_dir }}/contract.docx"
      register: started

    - name: Wait for it, with the whole result as an item
      cloudwait.conversion.wait_for_task:
        tasks: ["{{ started }}"]
      register: contract

    - name: Show the id of the PDF, for other API actions of ESS
      ansible.builtin.debug:
        msg: "{{ contract.task.outputs[0].value }}"
      when: not ansible_check_mode

- name: Start many conversions, with enough time to upload large files
  cloudwait.conversion.ess_convert_task:
    src: "{{ item }}"
    agent: "{{ ess_agent }}"
    request_timeout: 120
  loop: "{{ contract_files }}"
  register: started

- name: Wait for all of them at once
  cloudwait.conversion.wait_for_task:
    tasks: "{{ started.results }}"
    timeout: 1800

- name: Convert a contract once for each version of its content
  cloudwait.conversion.ess_convert_task:
    src: "{{ playbook_dir }}/contract.docx"
    agent: "{{ ess_agent }}"
    ledger: ~/conversions.ledger

- name: Convert a contract in the company edition
  cloudwait.conversion.ess_convert_task:
    src: "{{ playbook_dir }}/contract.docx"
    operator:
      user_id: yDExampleUserId000000000000000000
  register: started

- name: Convert a file that was uploaded within the last hour
  cloudwait.conversion.ess_convert_task:
    resource_id: "{{ uploaded_id }}"
    resource_name: contract.docx
    agent: "{{ ess_agent }}"
  register: started
"""

RETURN = r"""
task:
  description:
    - The record of the cloud task, with the keys of RV(cloudwait.conversion.ess_task_info#module:task).
    - Its status is V(pending) and it has no C(native_status), since the answer to a start has none. In check mode, its
      id is null and its status is V(unknown).
  returned: success
  type: dict
  sample:
    provider: ess
    task_id: "20260101000000000001"
    status: pending
    native_status: null
    done: false
    ref:
      provider: ess
      task_id: "20260101000000000001"
      agent: {app_id: yDExampleAppId0000000000000000000, proxy_organization_open_id: org_example, proxy_operator: {open_id: n9527}}
response:
  description:
    - The part under C(Response) of the vendor's answer to the start, with asterisks in place of secrets. Empty in check
      mode.
  returned: success
  type: dict
  sample: {TaskId: "20260101000000000001", RequestId: b38f53e0-0000-4000-8000-000000000001}
resource_id:
  description: Id of the file that was uploaded. ESS keeps it for one hour.
  returned: when O(src) was uploaded, also when the start failed after that
  type: str
  sample: yDExampleUploadedResource00000001
started:
  description:
    - How the cloud task was started; V(new) by this run, V(before) by an earlier run, V(adopted) if it was found at the
      vendor after a start whose answer had been lost. RV(ignore:changed) is V(false) for V(before) only.
  returned: success, with O(ledger)
  type: str
  sample: new
idempotency_key:
  description: The key under which the start is in the ledger.
  returned: with O(ledger)
  type: str
  sample: 3f1c5b0c7a9d4e2f8b6a1d0c9e8f7a6b5c4d3e2f
credential_source:
  description: Where the credentials came from.
  returned: when the credentials were found
  type: str
  sample: environment
endpoint_host:
  description: The hosts of the start and of the upload that are not the vendor's, separated by commas.
  returned: when O(endpoint) or an environment variable names another host
  type: str
  sample: gateway.example.com
api_action:
  description: The API action that was used last.
  returned: when the credentials were found
  type: str
  sample: ChannelCreateConvertTaskApi
error:
  description:
    - Why the start or the upload before it failed. A conversion that fails later is no error of this
      module.
    - C(kind) is one of V(auth), V(permission), V(not_found), V(throttled), V(invalid),
      V(server), V(network), V(protocol), V(config), V(clock), V(interrupted), V(uncertain).
    - With RV(ignore:changed=true), the conversion may have been started nevertheless.
  returned: failure
  type: dict
  sample:
    kind: network
    code: null
    message: essbasic.tencentcloudapi.com did not answer within 10 s
    http_status: null
    request_id: null
    retryable: false
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cloudwait.conversion.plugins.module_utils._module import argspec
from ansible_collections.cloudwait.conversion.plugins.module_utils._module.starts import run_start
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.ess import TYPES, EssStarts

OPTIONS = {
    **argspec.ess(),
    "src": {"type": "path"},
    "resource_id": {"type": "str"},
    "resource_type": {"type": "str", "choices": list(TYPES)},
    "resource_name": {"type": "str"},
    "api_action": {
        "type": "str",
        "default": "auto",
        "choices": ["auto", "ChannelCreateConvertTaskApi", "CreateFileConvertTask"],
    },
}


def main() -> None:
    module = AnsibleModule(
        argument_spec=dict(
            **OPTIONS,
            **argspec.ledger(),
            **argspec.tencent(),
            **argspec.transport(),
            **argspec.one_poll(),
        ),
        mutually_exclusive=[("src", "resource_id")],
        required_one_of=[("src", "resource_id")],
        required_by={"idempotency_key": "ledger"},
        supports_check_mode=True,
    )
    run_start(module, EssStarts)


if __name__ == "__main__":
    main()
