#!/usr/bin/python
# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: cos_object_info
short_description: Read the ETags of objects in a Tencent COS bucket
version_added: 0.1.0
author:
  - The cloudwait.conversion project (@cloudwait)
description:
  - Returns the ETag of objects in a COS bucket and when they were last modified. An object that is overwritten under the
    same key has another ETag.
  - Reads the list of the bucket, up to 1,000 keys a call, in alphabetical order. Keys that are close to each other need
        fewer calls.
  - With O(cloudwait.conversion.cos_doc_job#module:input_version), a document that was overwritten is converted again,
    and one that was not is left alone.
extends_documentation_fragment:
  - cloudwait.conversion._attributes
  - cloudwait.conversion._attributes.tencent
  - cloudwait.conversion._tencent
  - cloudwait.conversion._transport
  - cloudwait.conversion._transport.poll
options:
  bucket:
    description:
      - The bucket, in the form C(name-appid).
    type: str
    required: true
  region:
    description:
      - The region of the bucket. Without it, the environment variable E(TENCENTCLOUD_REGION) is used.
    type: str
  objects:
    description:
      - The keys of the objects.
    type: list
    elements: str
    required: true
requirements:
  - xmltodict
notes:
  - The account needs the permission C(cos:GetBucket) on the bucket.
  - The list of a bucket may lag behind; one that is read at once after an upload may lack the object.
seealso:
  - module: cloudwait.conversion.cos_doc_job
  - module: cloudwait.conversion.ledger_info
  - name: Vendor page of GET Bucket (List Objects)
    description: Parameters and elements of the list.
    link: https://www.tencentcloud.com/document/product/436/30614
"""

EXAMPLES = r"""
---
- name: Read the ETags of the reports
  cloudwait.conversion.cos_object_info:
    bucket: examplebucket-1250000000
    region: ap-beijing
    objects: [reports/march.docx, reports/april.docx]
  register: reports

- name: Convert each report once, and again when it has been overwritten
  cloudwait.conversion.cos_doc_job:
    bucket: examplebucket-1250000000
    region: ap-beijing
    input_object: "{{ item.key }}"
    input_version: "{{ item.value }}"
    output:
      object: "out/{{ item.key }}-${Number}.jpg"
    ledger: ~/conversions.ledger
  loop: "{{ reports.objects | dict2items }}"
  loop_control:
    label: "{{ item.key }}"
"""

RETURN = r"""
objects:
  description:
    - The version of each object, by its key. Keys of objects that the list does not have are left out.
    - C(etag) is the vendor's, without quotes. C(last_modified) is null where the vendor does not tell.
  returned: success
  type: dict
  sample:
    reports/march.docx: {etag: 9bb58f26192e4ba00f01e2e7b136bbd8, last_modified: "2026-01-02T03:04:05.000Z"}
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
    - Why the list could not be read.
    - C(kind) is one of V(auth), V(permission), V(not_found), V(throttled), V(invalid),
      V(server), V(network), V(protocol), V(config), V(clock).
  returned: failure
  type: dict
  sample:
    kind: permission
    code: AccessDenied
    message: Access Denied.
    http_status: 403
    request_id: NjBhMDAwMDBfZXhhbXBsZQ==
    retryable: false
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cloudwait.conversion.plugins.module_utils._module import argspec
from ansible_collections.cloudwait.conversion.plugins.module_utils._module.objects import run_object_info

OPTIONS = {
    "bucket": {"type": "str", "required": True},
    "objects": {"type": "list", "elements": "str", "required": True},
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
    run_object_info(module)


if __name__ == "__main__":
    main()
