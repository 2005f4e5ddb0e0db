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
    The job makes an image of each page of a document, or one PDF of the whole document.
  - The document is an object in the bucket or a file at a URL. The bucket must be bound to Cloud Infinite, with
    document processing enabled.
  - The vendor charges for every job.
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
  bucket:
    description:
      - The bucket of the document and of the job, in the form C(name-appid).
    type: str
    required: true
  region:
    description:
      - The region of the bucket. Without it, the environment variable E(TENCENTCLOUD_REGION) is used.
    type: str
  input_object:
    description:
      - Key of the document in the bucket. The vendor takes up to 200 MB and 5000 pages, and fails a job that takes more
        than 5 minutes.
      - Exactly one of O(input_object) and O(input_url) is required.
    type: str
  input_url:
    description:
      - URL of the document, C(http://) or C(https://), from which COS downloads it. It is sent as C(Input.Url), which
        is in the vendor's Go SDK but on no page of the vendor.
      - Its query string, such as a signature, is never shown in results or messages. It is no part of the default of
        O(idempotency_key), so give one where only the query says which document it is.
    type: str
  output:
    description:
      - Where COS stores the pages.
    type: dict
    required: true
    suboptions:
      bucket:
        description: The bucket for the pages. Defaults to O(bucket).
        type: str
      region:
        description: The region of that bucket. Defaults to the region of the job.
        type: str
      object:
        description:
          - Key of each page, as a template that COS fills in.
          - It must contain C(${Number}), which counts from 1, or C(${Page}), the number of the page. For a table, it
            must contain C(${SheetID}) in its path and C(${Number}) in its last part.
          - Write C(${Number}) as it is; Jinja does not change it.
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
      - Format of the document. Defaults to the suffix of O(input_object) or O(input_url), which must then be one that
        the vendor's page lists.
      - Presentations are C(pptx), C(ppt), C(pot), C(potx), C(pps), C(ppsx), C(dps), C(dpt), C(pptm), C(potm), C(ppsm).
      - Texts are C(doc), C(dot), C(wps), C(wpt), C(docx), C(dotx), C(docm), C(dotm), C(rtf), C(txt), C(log), C(lrc),
        C(pdf), and code as C(c), C(cpp), C(h), C(asm), C(s), C(java), C(asp), C(bat), C(bas), C(prg), C(cmd), C(xml),
        C(htm), C(html).
      - Tables (spreadsheets), for which some options differ, are C(xls), C(xlt), C(et), C(ett), C(xlsx), C(xltx),
        C(csv), C(xlsb), C(xlsm), C(xltm), C(ets).
    type: str
  start_page:
    description:
      - The first page to convert, counted from 1. COS starts with the first page by default. Not allowed with
        O(target_type=pdf).
    type: int
  end_page:
    description:
      - The last page to convert. V(-1) is the last page of the document, which is also the default of COS. Not allowed
        with O(target_type=pdf).
    type: int
  page_ranges:
    description:
      - The pages to convert, such as V(1,2-4,7). Not allowed with O(target_type=pdf).
    type: str
  sheet_id:
    description:
      - Number of the sheet of a table to convert, counted from 1; V(0) converts all sheets. Set it for every table,
        since the vendor's pages disagree on the default.
    type: int
  image_params:
    description:
      - Operations of the vendor's image processing to apply to each page, separated by a pipe (C(|)).
    type: str
  doc_password:
    description:
      - The password of the document. It is never shown in results or messages.
    type: str
  comments:
    description:
      - Whether to show comments. COS hides them by default.
    type: bool
  paper_direction:
    description:
      - Orientation of the pages of a table; V(0) for portrait, V(1) for landscape. COS uses V(0) by default.
    type: int
    choices: [0, 1]
  paper_size:
    description:
      - Paper size of a table; V(0) for A4, V(1) for A2, V(2) for A0. COS uses V(0) by default.
    type: int
    choices: [0, 1, 2]
  quality:
    description:
      - Quality of the images in percent, V(1) to V(100). COS uses V(100) by default.
    type: int
  zoom:
    description:
      - Size of the images in percent, V(10) to V(200). COS uses V(100) by default.
    type: int
  image_dpi:
    description:
      - Resolution of the images in dots per inch, V(96) to V(600). COS uses V(96) by default. No side of an image may
        have more than 65500 pixels.
    type: int
  pic_pagination:
    description:
      - Whether to join all pages, at most 20, into one long image. Not allowed with O(target_type=pdf).
    type: bool
  queue_id:
    description:
      - Id of the queue for the job. Older editions of the vendor's page require it; newer ones and the vendor's SDK do
        not.
    type: str
  user_data:
    description:
      - A text that the vendor returns in its answers and callbacks as C(Operation.UserData).
    type: str
  callback_url:
    description:
      - URL to which COS sends a callback when the job has ended. It takes precedence over the callback of the queue.
        Requires O(callback_type=Url), which COS uses by default.
      - COS does not sign callbacks, so anybody can send one. Treat a callback as a hint, and poll the job with
        M(cloudwait.conversion.cos_doc_job_info).
      - The URL is never shown in results or messages, since it may contain a secret.
    type: str
  callback_format:
    description:
      - Format of the callback. COS uses V(XML) by default.
    type: str
    choices: [XML, JSON]
  callback_type:
    description:
      - Where COS sends the callback; V(Url) to O(callback_url), V(TDMQ) to the message queue in O(callback_mq),
        V(Kafka) to the topic in O(callback_kafka). COS uses V(Url) by default.
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
  - The vendor does not check whether numbers are in range when a job is started. This module checks them before it
    sends anything.
  - When it is uncertain whether a job was started, search for it with M(cloudwait.conversion.cos_doc_job_list_info).
seealso:
  - module: cloudwait.conversion.wait_for_task
  - module: cloudwait.conversion.ledger_info
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

- name: Wait for them, with the whole result as an item
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

- name: Make images of a book once, however often this playbook is run, and again after a failure
  cloudwait.conversion.cos_doc_job:
    bucket: examplebucket-1250000000
    region: ap-beijing
    input_object: books/atlas.pdf
    output:
      object: atlas/${Number}.jpg
    ledger: ~/conversions.ledger
    on_failed: start_again

- name: Make images of a report at a URL, with a callback when the job has ended
  cloudwait.conversion.cos_doc_job:
    bucket: examplebucket-1250000000
    region: ap-beijing
    input_url: https://files.example.com/reports/march.docx
    user_data: march
    callback_url: "https://events.example.com/callback/{{ vault_callback_secret }}/cos_doc"
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
  description:
    - The part under C(Response) of the vendor's answer, with asterisks in place of secrets. Empty in check mode.
  returned: success
  type: dict
  sample: {JobsDetail: [{JobId: d00000000000000000000000000000001, State: Submitted}]}
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
  description: The host that was asked, when it is not the vendor's.
  returned: when O(endpoint) or its environment variable names another host
  type: str
  sample: gateway.example.com
error:
  description:
    - Why the start failed. A job that fails later is no error of this module.
    - C(kind) is one of V(auth), V(permission), V(not_found), V(throttled), V(invalid),
      V(server), V(network), V(protocol), V(config), V(clock), V(interrupted), V(uncertain).
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

from ansible_collections.cloudwait.conversion.plugins.module_utils._module import argspec
from ansible_collections.cloudwait.conversion.plugins.module_utils._module.run import QuietModule
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
    module = QuietModule(
        argument_spec=dict(
            **OPTIONS,
            **argspec.ledger(),
            **argspec.tencent(),
            **argspec.transport(),
            **argspec.one_poll(),
        ),
        mutually_exclusive=[("input_object", "input_url")],
        required_one_of=[("input_object", "input_url")],
        required_by={"idempotency_key": "ledger"},
        supports_check_mode=True,
    )
    run_start(module, CosDocStarts)


if __name__ == "__main__":
    main()
