#!/usr/bin/python
# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: cos_doc_job
short_description: Start a document job in Tencent COS
version_added: 0.1.0
author:
  - The cloudwait.conversion project (@cloudwait)
description:
  - Starts a document job of Cloud Infinite, the data processing of Tencent COS, and returns a normalized record of it.
    It makes an image of each page of a document, or a PDF of all of it.
  - The document is an object of the bucket, or what a URL leads to. The bucket must be bound to Cloud Infinite, with document processing
    switched on.
  - Every start makes a job that the vendor charges for.
  - It does not wait. Give the whole result to M(cloudwait.conversion.wait_for_task), which waits for many at once.
extends_documentation_fragment:
  - cloudwait.conversion._attributes.starts
  - cloudwait.conversion._attributes.tencent
  - cloudwait.conversion._tencent
  - cloudwait.conversion._transport
  - cloudwait.conversion._transport.poll
options:
  bucket:
    description:
      - The bucket of the document and of the job, with the APPID behind a dash.
    type: str
    required: true
  region:
    description:
      - The region of the bucket. Without it, the environment variable E(TENCENTCLOUD_REGION) counts.
    type: str
  input_object:
    description:
      - Key of the document in the bucket. The vendor takes up to 200 MB and 5000 pages, and fails a job that takes more
        than 5 minutes.
      - Either this or O(input_url) must be given, not both.
    type: str
  input_url:
    description:
      - URL of the document, C(http://) or C(https://), from where COS fetches it. It is sent as C(Input.Url), which the
        vendor's Go SDK has and no page of the vendor explains.
      - What stands behind a question mark, such as a signature, is shown neither in results nor in messages.
    type: str
  output:
    description:
      - Where the pages go.
    type: dict
    required: true
    suboptions:
      bucket:
        description: The bucket for the pages. Without it, O(bucket).
        type: str
      region:
        description: The region of that bucket. Without it, that of the job.
        type: str
      object:
        description:
          - Key of each page, as a template that COS fills in.
          - It must hold C(${Number}), which counts from 1, or C(${Page}), the number of the page. That of a table must
            hold C(${SheetID}) in its path and C(${Number}) in its last part.
          - Jinja does not touch C(${Number}); write it as it is.
        type: str
        required: true
  target_type:
    description:
      - What to make; an image of each page (V(jpg), V(png)), or one V(pdf) of the whole document.
    type: str
    default: jpg
    choices: [jpg, png, pdf]
  source_type:
    description:
      - Format of the document. Without it, the suffix of O(input_object) or O(input_url) counts, which is refused when it is
        none that the vendor's page lists.
      - Presentations are C(pptx), C(ppt), C(pot), C(potx), C(pps), C(ppsx), C(dps), C(dpt), C(pptm), C(potm), C(ppsm).
      - Texts are C(doc), C(dot), C(wps), C(wpt), C(docx), C(dotx), C(docm), C(dotm), C(rtf), C(txt), C(log), C(lrc),
        C(pdf), and code as C(c), C(cpp), C(h), C(asm), C(s), C(java), C(asp), C(bat), C(bas), C(prg), C(cmd), C(xml),
        C(htm), C(html).
      - Tables, which have rules of their own, are C(xls), C(xlt), C(et), C(ett), C(xlsx), C(xltx), C(csv), C(xlsb),
        C(xlsm), C(xltm), C(ets).
    type: str
  start_page:
    description:
      - The first page to convert, from 1. Without it, COS begins with the first. Not with O(target_type=pdf).
    type: int
  end_page:
    description:
      - The last page to convert; V(-1) is the last of the document, and so is no value. Not with O(target_type=pdf).
    type: int
  page_ranges:
    description:
      - The pages to convert, such as V(1,2-4,7). Not with O(target_type=pdf).
    type: str
  sheet_id:
    description:
      - The sheet of a table to convert, from 1; V(0) stands for all sheets. Give it for tables, since the vendor's
        pages disagree on what happens without it.
    type: int
  image_params:
    description:
      - Operations of the vendor's image processing for each page, joined with a pipe.
    type: str
  doc_password:
    description:
      - The password of the document. It is shown neither in results nor in messages.
    type: str
  comments:
    description:
      - Whether to show comments. Without it, COS hides them.
    type: bool
  paper_direction:
    description:
      - How to lay out a table; V(0) upright, V(1) across. Without it, COS takes V(0).
    type: int
    choices: [0, 1]
  paper_size:
    description:
      - Paper of a table; V(0) A4, V(1) A2, V(2) A0. Without it, COS takes V(0).
    type: int
    choices: [0, 1, 2]
  quality:
    description:
      - Quality of the images in percent, V(1) to V(100). Without it, COS takes V(100).
    type: int
  zoom:
    description:
      - Size of the images in percent, V(10) to V(200). Without it, COS takes V(100).
    type: int
  image_dpi:
    description:
      - Resolution of the images in dots an inch, V(96) to V(600). Without it, COS takes V(96). No side may have more
        than 65500 pixels.
    type: int
  pic_pagination:
    description:
      - Whether to make one long image of all pages, at most 20. Not with O(target_type=pdf).
    type: bool
  queue_id:
    description:
      - The queue of the job. Older editions of the vendor's page require it; newer ones and the vendor's SDK do not.
    type: str
  user_data:
    description:
      - A text that the vendor hands back in its answers and callbacks, where it is C(Operation.UserData).
    type: str
  callback_url:
    description:
      - URL to which COS sends a callback when the job has ended; it comes before what the queue says. It needs
        O(callback_type=Url), which is the default.
      - COS signs no callback, so anybody can send one. Take it as a hint, and ask with
        M(cloudwait.conversion.cos_doc_job_info).
      - What stands behind a question mark, such as a token, is shown neither in results nor in messages.
    type: str
  callback_format:
    description:
      - Format of the callback. Without it, COS takes V(XML).
    type: str
    choices: [XML, JSON]
  callback_type:
    description:
      - Where the callback goes; to O(callback_url), to a queue of the vendor's TDMQ (O(callback_mq)), or to one of its
        Kafka (O(callback_kafka)). Without it, COS takes V(Url).
    type: str
    choices: [Url, TDMQ, Kafka]
  callback_mq:
    description:
      - The queue for O(callback_type=TDMQ).
    type: dict
    suboptions:
      mode:
        description: Mode of the queue, V(Queue) or V(Topic).
        type: str
        required: true
      region:
        description: Region of the queue, such as V(sh) or V(bj).
        type: str
        required: true
      name:
        description: Name of the queue.
        type: str
        required: true
  callback_kafka:
    description:
      - The topic for O(callback_type=Kafka).
    type: dict
    suboptions:
      region:
        description: Region of the instance, such as V(ap-beijing).
        type: str
        required: true
      instance_id:
        description: Id of the instance, such as V(ckafka-example).
        type: str
        required: true
      topic:
        description: Name of the topic.
        type: str
        required: true
requirements:
  - xmltodict
notes:
  - The vendor's start call checks no ranges of numbers. This module checks them before it sends anything.
  - Look for a job whose start is uncertain with M(cloudwait.conversion.cos_doc_job_list_info).
seealso:
  - module: cloudwait.conversion.wait_for_task
  - module: cloudwait.conversion.cos_doc_job_info
  - module: cloudwait.conversion.cos_doc_job_list_info
  - name: Vendor page of CreateDocProcessJobs
    description: Formats and elements.
    link: https://www.tencentcloud.com/document/product/436/49407
"""

EXAMPLES = r"""
---
- name: Make images of the slides
  cloudwait.conversion.cos_doc_job:
    bucket: examplebucket-1250000000
    region: ap-beijing
    input_object: talks/opening.pptx
    target_type: png
    output:
      object: out/opening-${Number}.png
  register: started

- name: Wait for them; a whole result is an item
  cloudwait.conversion.wait_for_task:
    tasks: ["{{ started }}"]
  register: slides

- name: Make one PDF of each report
  cloudwait.conversion.cos_doc_job:
    bucket: examplebucket-1250000000
    region: ap-beijing
    input_object: "{{ item }}"
    target_type: pdf
    output:
      object: "pdf/{{ item | splitext | first }}-${Number}.pdf"
  loop: "{{ report_keys }}"
  register: started

- name: Wait for all of them at once
  cloudwait.conversion.wait_for_task:
    tasks: "{{ started.results }}"
    timeout: 1800

- name: Make images of a report that lies elsewhere, and have a callback when they are made
  cloudwait.conversion.cos_doc_job:
    bucket: examplebucket-1250000000
    region: ap-beijing
    input_url: https://files.example.com/reports/march.docx
    user_data: march
    callback_url: https://hooks.example.com/cos
    callback_format: JSON
    output:
      object: out/march-${Number}.jpg

- name: Make images of all sheets of a protected table, in another bucket
  cloudwait.conversion.cos_doc_job:
    bucket: examplebucket-1250000000
    region: ap-beijing
    input_object: tables/prices.xlsx
    doc_password: "{{ vault_prices_password }}"
    sheet_id: 0
    paper_direction: 1
    output:
      bucket: examplepages-1250000000
      object: prices/sheet-${SheetID}/${Number}.jpg
"""

RETURN = r"""
task:
  description:
    - The record of the job, with the keys of RV(cloudwait.conversion.cos_doc_job_info#module:task).
    - In check mode its id is null and its status V(unknown).
  returned: success
  type: dict
  sample:
    provider: cos_doc
    task_id: d00000000000000000000000000000001
    status: pending
    native_status: Submitted
    done: false
    created_at: "2026-01-01T19:04:05Z"
    ref: {provider: cos_doc, task_id: d00000000000000000000000000000001, bucket: examplebucket-1250000000, region: ap-beijing}
response:
  description: The vendor's answer, with secrets in it replaced by asterisks. The part under C(Response). Empty in check mode.
  returned: success
  type: dict
  sample: {JobsDetail: [{JobId: d00000000000000000000000000000001, State: Submitted}]}
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
    - What went wrong with the start. A job that fails later is no error of this module.
    - C(kind) is one of V(auth), V(permission), V(not_found), V(throttled), V(invalid),
      V(server), V(network), V(protocol), V(config), V(clock), V(interrupted).
    - With RV(ignore:changed=true), the job may have been started nevertheless.
  returned: failure
  type: dict
  sample:
    kind: config
    code: null
    message: 'output.object is "out/page.png", which lacks ${Number} or ${Page}'
    http_status: null
    request_id: null
    retryable: false
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cloudwait.conversion.plugins.module_utils._module import argspec
from ansible_collections.cloudwait.conversion.plugins.module_utils._module.starts import run_start
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.cos_doc import CosDocStarts

NEEDED = {"type": "str", "required": True}
OUTPUT = {
    "bucket": {"type": "str"},
    "region": {"type": "str"},
    "object": {"type": "str", "required": True},
}
OPTIONS = {
    "bucket": {"type": "str", "required": True},
    "input_object": {"type": "str"},
    "input_url": {"type": "str"},
    "output": {"type": "dict", "required": True, "options": OUTPUT},
    "target_type": {"type": "str", "default": "jpg", "choices": ["jpg", "png", "pdf"]},
    "source_type": {"type": "str"},
    "start_page": {"type": "int"},
    "end_page": {"type": "int"},
    "page_ranges": {"type": "str"},
    "sheet_id": {"type": "int"},
    "image_params": {"type": "str"},
    "doc_password": {"type": "str", "no_log": True},
    "comments": {"type": "bool"},
    "paper_direction": {"type": "int", "choices": [0, 1]},
    "paper_size": {"type": "int", "choices": [0, 1, 2]},
    "quality": {"type": "int"},
    "zoom": {"type": "int"},
    "image_dpi": {"type": "int"},
    "pic_pagination": {"type": "bool"},
    "queue_id": {"type": "str"},
    "user_data": {"type": "str"},
    "callback_url": {"type": "str"},
    "callback_format": {"type": "str", "choices": ["XML", "JSON"]},
    "callback_type": {"type": "str", "choices": ["Url", "TDMQ", "Kafka"]},
    "callback_mq": {"type": "dict", "options": dict.fromkeys(("mode", "region", "name"), NEEDED)},
    "callback_kafka": {"type": "dict", "options": dict.fromkeys(("region", "instance_id", "topic"), NEEDED)},
}


def main() -> None:
    module = AnsibleModule(
        argument_spec=dict(
            **OPTIONS,
            **argspec.tencent(),
            **argspec.transport(),
            **argspec.one_poll(),
        ),
        mutually_exclusive=[("input_object", "input_url")],
        required_one_of=[("input_object", "input_url")],
        supports_check_mode=True,
    )
    run_start(module, CosDocStarts)


if __name__ == "__main__":
    main()
