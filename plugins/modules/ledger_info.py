#!/usr/bin/python
# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: ledger_info
short_description: List what a ledger of starts knows
version_added: 0.1.0
author:
  - The cloudwait.conversion project (@cloudwait)
description:
  - Lists the entries of a ledger, the file in which the start modules remember what they have started when their option
    C(ledger) is given.
  - Removes entries when asked, by age (O(prune_older_than)) or by key (O(forget)), and notes how cloud tasks have ended
    (O(ended)), so that later starts need not poll them.
  - Sends nothing to any vendor.
attributes:
  action_group:
    description: Is in no action group, since it needs no credentials and sends nothing.
    support: none
    membership: []
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
    support: full
  diff_mode:
    description:
      - Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
    support: none
    details:
      - RV(removed) and RV(noted) tell what has changed.
  idempotent:
    description:
      - When run twice in a row outside check mode, with the same arguments, the second invocation indicates no change.
      - This assumes that the system controlled or queried by the module has not changed in a relevant way.
    support: full
options:
  ledger:
    description:
      - Path of the ledger, on the host where the Ansible task runs. One that does not exist is listed as empty and is not
        made.
    type: path
    required: true
  provider:
    description:
      - List, and remove, only the entries of this service, such as V(cos_doc).
    type: str
  idempotency_key:
    description:
      - List, and remove, only the entries with this key.
    type: str
  prune_older_than:
    description:
      - Remove entries whose cloud task was started longer ago than this, a number of seconds or a text such as V(90d).
        Nothing is removed by age unless this option is given.
      - A start that is asked for again after its entry was removed starts another cloud task. With Tencent MPS, this is so
        only three days after the start, see O(forget).
      - Entries of the state V(sent) stay, since a cloud task may exist that nobody knows. Use O(forget) for them.
    type: raw
  forget:
    description:
      - Keys of entries to remove, of any state and age. The start can then be sent again.
      - With Tencent MPS, the vendor remembers the key as C(SessionId). A start with the same key returns the media task
        of the last 15 minutes that has it, and after that the vendor refuses it for three days, so give another
        idempotency key, or another session id where one is given.
    type: list
    elements: str
    default: []
  ended:
    description:
      - Results of M(cloudwait.conversion.wait_for_task), or records. The status of each cloud task in them that has ended
        is written into its entry. A start module then returns one that has succeeded without a poll.
      - Cloud tasks that are not in the ledger are ignored.
    type: list
    elements: raw
    default: []
notes:
  - The ledger is an SQLite database with one table, C(starts), whose columns are the members of RV(entries). The columns
    C(ref), C(record) and C(earlier) hold JSON. C(sqlite3 conversions.ledger 'SELECT key, state, task_id FROM starts')
    lists it without this module.
seealso:
  - module: cloudwait.conversion.cos_doc_job
  - module: cloudwait.conversion.mps_media_task
  - module: cloudwait.conversion.ess_convert_task
  - module: cloudwait.conversion.dingtalk_doc_copy
"""

EXAMPLES = r"""
---
- name: List what was started
  cloudwait.conversion.ledger_info:
    ledger: ~/conversions.ledger
  register: ledger

- name: Show the starts of which nobody knows whether they happened
  ansible.builtin.debug:
    msg: "{{ ledger.entries | selectattr('state', 'equalto', 'sent') | map(attribute='key') }}"

- name: Forget what was started more than half a year ago
  cloudwait.conversion.ledger_info:
    ledger: ~/conversions.ledger
    prune_older_than: 180d

- name: Let a start be sent again, after somebody has seen that it did not happen
  cloudwait.conversion.ledger_info:
    ledger: ~/conversions.ledger
    provider: ess
    forget: ["{{ key_of_the_contract }}"]
"""

RETURN = r"""
entries:
  description: The entries that are in the ledger now, the oldest start first.
  returned: success
  type: list
  elements: dict
  contains:
    provider:
      description: The service, such as V(cos_doc).
      returned: always
      type: str
      sample: cos_doc
    key:
      description: The C(idempotency_key) of the start. By default it is RV(entries[].asked), followed by a dash and the ETag
        where C(input_version) was given.
      returned: always
      type: str
      sample: 3f1c5b0c7a9d4e2f8b6a1d0c9e8f7a6b5c4d3e2f
    state:
      description:
        - V(reserved) if nothing was sent yet, V(sent) if the start may have been sent and its id is not known, V(started)
          if the id is known.
      returned: always
      type: str
      sample: started
    attempt:
      description: Counts the cloud tasks that were started under the key, which are several with C(on_failed=start_again).
      returned: always
      type: int
      sample: 1
    asked:
      description: A digest of what was asked for, without credentials and passwords.
      returned: always
      type: str
      sample: 3f1c5b0c7a9d4e2f8b6a1d0c9e8f7a6b5c4d3e2f
    intended_at:
      description: When the start was about to be sent, in UTC.
      returned: always
      type: str
      sample: "2026-01-02T03:04:05Z"
    started_at:
      description: When its id was written, in UTC; null before.
      returned: always
      type: str
      sample: "2026-01-02T03:04:06Z"
    task_id:
      description: The id of the cloud task; null while it is not known, and for a DingTalk copy that was made at once.
      returned: always
      type: str
      sample: d00000000000000000000000000000001
    status:
      description: The last status that a start module or O(ended) has told; null before.
      returned: always
      type: str
      sample: succeeded
    ref:
      description: The ref of the cloud task, which M(cloudwait.conversion.wait_for_task) accepts as an item.
      returned: always
      type: dict
      sample: {provider: cos_doc, task_id: d00000000000000000000000000000001, bucket: examplebucket-1250000000, region: ap-beijing}
    record:
      description:
        - Members of the record of a cloud task that has succeeded, such as C(outputs); null for all others. Texts of the
          vendor and URLs with a query are not in it.
      returned: always
      type: dict
      sample: {status: succeeded, done: true, native_status: Success}
    earlier:
      description: The ids of cloud tasks that were started under the key before.
      returned: always
      type: list
      elements: str
      sample: []
removed:
  description: The entries that were removed, or would be in check mode.
  returned: success
  type: list
  elements: dict
  sample: []
noted:
  description: The number of ends that were written, or would be in check mode.
  returned: success
  type: int
  sample: 0
error:
  description: Why the ledger cannot be used, or which option is wrong. C(kind) is V(config).
  returned: failure
  type: dict
  sample:
    kind: config
    code: null
    message: 'the ledger "/home/me/conversions.ledger" cannot be used: it belongs to another user'
    http_status: null
    request_id: null
    retryable: false
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cloudwait.conversion.plugins.module_utils._module import argspec
from ansible_collections.cloudwait.conversion.plugins.module_utils._module.ledger_info import run_ledger_info


def main() -> None:
    run_ledger_info(AnsibleModule(argument_spec=argspec.ledger_info(), supports_check_mode=True))


if __name__ == "__main__":
    main()
