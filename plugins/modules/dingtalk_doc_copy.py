#!/usr/bin/python
# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: dingtalk_doc_copy
short_description: Copy a document in DingTalk
version_added: 0.1.0
author:
  - The cloudwait.conversion project (@cloudwait)
description:
  - Copies a document of DingTalk into a folder or under another document, and returns a normalized record of the copy.
  - DingTalk decides whether it copies at once or in a cloud task. For a copy that was made at once, the record has the
    status V(succeeded), no C(task_id), and the new document in its C(outputs). M(cloudwait.conversion.wait_for_task)
    accepts such a record and does not poll it.
  - This module does not wait. Pass its whole result to M(cloudwait.conversion.wait_for_task), which waits for many
    cloud tasks at once.
  - "B(Mind the token): without O(operator_id), DingTalk requires the access token of a B(user), O(user_access_token).
    The credentials of an app are not used then."
  - "B(Mind the site): the international host C(api.dingtalk.io) is asked unless O(site=china) is given or the
    environment variable E(DINGTALK_SITE) is V(china)."
extends_documentation_fragment:
  - cloudwait.conversion._attributes.starts
  - cloudwait.conversion._attributes.dingtalk
  - cloudwait.conversion._ledger
  - cloudwait.conversion._dingtalk
  - cloudwait.conversion._transport
  - cloudwait.conversion._transport.poll
options:
  source_dentry_uuid:
    description:
      - Id of the document to copy, which is C(dentryUuid) in the vendor's file search.
    type: str
    required: true
  target_parent_dentry_uuid:
    description:
      - Id of the folder or document under which to place the copy.
    type: str
    required: true
  target_pre_dentry_uuid:
    description:
      - Id of the document after which to place the copy. Without it, DingTalk chooses the place.
    type: str
  operator_id:
    description:
      - Id of a member in whose name to copy, with the credentials of an app. These are O(app_key) with O(app_secret),
        O(access_token), or their environment variables.
      - This uses the call C(CopyDocWithAppAuth), which is in the vendor's SDK but on no page of the vendor. The id is
        presumably the member's union id.
    type: str
  user_access_token:
    description:
      - The access token of a user, for a copy without O(operator_id). It is not renewed when it expires.
      - Without it, the environment variable E(DINGTALK_USER_ACCESS_TOKEN) of the host and user that the Ansible task
        runs as is used.
    type: str
notes:
  - The app needs the permission C(SNS.Document.WorkspaceDocument.Write).
  - Polling and waiting require the credentials of an B(app), since the vendor's call for that accepts no others; see
    M(cloudwait.conversion.dingtalk_doc_task_info). To copy as a user and to wait for the copy, you need both.
  - DingTalk has no list of these cloud tasks. When it is uncertain whether a copy was started, check the target folder.
seealso:
  - module: cloudwait.conversion.wait_for_task
  - module: cloudwait.conversion.ledger_info
  - module: cloudwait.conversion.dingtalk_doc_task_info
  - name: Vendor page of CopyDoc
    description: Parameters and permission.
    link: https://open.dingtalk.com/document/development/api-copydoc
"""

EXAMPLES = r"""
---
- name: Copy a document as a user, in an organization of the Chinese site
  cloudwait.conversion.dingtalk_doc_copy:
    source_dentry_uuid: "{{ template_uuid }}"
    target_parent_dentry_uuid: "{{ folder_uuid }}"
    user_access_token: "{{ vault_dingtalk_user_token }}"
    site: china
  register: started

- name: Wait for it, with the credentials of an app in the environment
  cloudwait.conversion.wait_for_task:
    tasks: ["{{ started }}"]
  register: copy

- name: Show the URL of the new document, when DingTalk reports it
  ansible.builtin.debug:
    msg: "{{ copy.task.outputs[0].url }}"
  when: copy.task.outputs | length > 0

- name: Copy the template once for each month
  cloudwait.conversion.dingtalk_doc_copy:
    source_dentry_uuid: "{{ template_uuid }}"
    target_parent_dentry_uuid: "{{ folder_uuid }}"
    user_access_token: "{{ vault_dingtalk_user_token }}"
    site: china
    ledger: ~/copies.ledger
    idempotency_key: "template {{ month }}"

- name: Copy many as an app
  module_defaults:
    group/cloudwait.conversion.dingtalk:
      app_key: "{{ vault_dingtalk_app_key }}"
      app_secret: "{{ vault_dingtalk_app_secret }}"
      site: china
  block:
    - name: Start all copies
      cloudwait.conversion.dingtalk_doc_copy:
        source_dentry_uuid: "{{ item }}"
        target_parent_dentry_uuid: "{{ folder_uuid }}"
        operator_id: "{{ operator_union_id }}"
      loop: "{{ document_uuids }}"
      register: started

    - name: Wait for all of them at once
      cloudwait.conversion.wait_for_task:
        tasks: "{{ started.results }}"
"""

RETURN = r"""
task:
  description:
    - The record, with the keys of RV(cloudwait.conversion.dingtalk_doc_task_info#module:task).
    - For a cloud task, its status is V(pending). For a copy that was made at once, its status is V(succeeded), it has
      no id, and its one output has the type V(dingtalk_document), the id of the new document and its C(url).
    - In check mode its id is null and its status V(unknown).
  returned: success
  type: dict
  sample:
    provider: dingtalk_doc
    task_id: null
    status: succeeded
    native_status: null
    done: true
    outputs: [{type: dingtalk_document, value: EXAMPLEdentryuuid0000000000000001, url: "https://example.com/i/nodes/EXAMPLE"}]
    ref: {provider: dingtalk_doc, task_id: null, site: china}
response:
  description: The vendor's answer, with asterisks in place of secrets. Empty in check mode.
  returned: success
  type: dict
  sample: {isAsync: false, syncCopyResult: {dentryUuid: EXAMPLEdentryuuid0000000000000001, url: "https://example.com/i/nodes/EXAMPLE"}}
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
  description: Where the token of the user or the credentials of the app came from.
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
    - Why the start failed. A copy that fails later is no error of this module.
    - C(kind) is one of V(auth), V(permission), V(not_found), V(throttled), V(invalid),
      V(server), V(network), V(protocol), V(config), V(clock), V(interrupted), V(uncertain).
    - With RV(ignore:changed=true), the copy may have been made nevertheless.
  returned: failure
  type: dict
  sample:
    kind: auth
    code: InvalidAuthentication
    message: The access token is not valid
    http_status: 400
    request_id: 30EE0000-0000-0000-0000-000000000001
    retryable: false
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cloudwait.conversion.plugins.module_utils._module import argspec
from ansible_collections.cloudwait.conversion.plugins.module_utils._module.starts import run_start
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.dingtalk_doc import DingTalkDocStarts

OPTIONS = {
    "source_dentry_uuid": {"type": "str", "required": True},
    "target_parent_dentry_uuid": {"type": "str", "required": True},
    "target_pre_dentry_uuid": {"type": "str"},
    "operator_id": {"type": "str"},
    "user_access_token": {"type": "str", "no_log": True},
}


def main() -> None:
    module = AnsibleModule(
        argument_spec=dict(
            **OPTIONS,
            **argspec.ledger(),
            **argspec.dingtalk(),
            **argspec.transport(),
            **argspec.one_poll(),
        ),
        required_by={"idempotency_key": "ledger"},
        supports_check_mode=True,
    )
    run_start(module, DingTalkDocStarts)


if __name__ == "__main__":
    main()
