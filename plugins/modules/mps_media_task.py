#!/usr/bin/python
# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: mps_media_task
short_description: Start a media task in Tencent MPS
version_added: 0.1.0
author:
  - The cloudwait.conversion project (@cloudwait)
description:
  - Starts a media task in Tencent MPS with the API action C(ProcessMedia), such as transcoding, screenshots,
    subtitles or an orchestration, and returns a normalized record of it.
  - This module does not wait. Pass its whole result to M(cloudwait.conversion.wait_for_task), which waits for many
    cloud tasks at once.
extends_documentation_fragment:
  - cloudwait.conversion._attributes.starts
  - cloudwait.conversion._attributes.tencent
  - cloudwait.conversion._ledger
  - cloudwait.conversion._tencent
  - cloudwait.conversion._transport
  - cloudwait.conversion._transport.poll
attributes:
  idempotent:
    details:
      - Only with O(ledger). Without it, each run starts another cloud task. With O(session_id), the vendor refuses a
        second one with the same id, and the module fails.
options:
  parameters:
    description:
      - The parameters of C(ProcessMedia), in the vendor's spelling. They are checked as described here and sent
        unchanged.
      - C(InputInfo.Type) must be V(COS), V(URL), V(AWS-S3) or V(VOD), with the matching member C(CosInputInfo),
        C(UrlInputInfo), C(S3InputInfo) or C(VODInputInfo). An input of the type V(URL) also requires C(OutputStorage);
        for other types, it defaults to the storage of the input.
      - At least one of C(MediaProcessTask), C(AiContentReviewTask), C(AiAnalysisTask), C(AiRecognitionTask),
        C(AiQualityControlTask), C(SmartSubtitlesTask), C(SmartEraseTask), C(AIDubbingTask), C(ScheduleId) and
        C(Activities) must say what to do.
      - C(OutputDir) must begin and end with a slash. It defaults to the folder of the input. C(TasksPriority) must be
        from V(-10) to V(10). It defaults to V(0).
      - Members with names of secrets, such as C(S3SecretKey) or C(NotifyKey), and C(NotifyUrl) are never shown in results, in messages
        or in the log of the host.
      - Nor is the query string of a C(Url), such as a signature. It is no part of the default of O(idempotency_key), so
        give one where only the query says which file it is.
    type: dict
    required: true
  session_id:
    description:
      - A text of your choice, at most 50 characters. The vendor starts only one cloud task with it, so the start is
        repeated even when it is uncertain whether it happened.
      - The vendor remembers it for three days according to the page of C(ProcessMedia), for seven days according to
        that of C(DescribeTaskDetail).
      - Takes precedence over C(SessionId) in O(parameters), which does the same.
      - With O(ledger), O(idempotency_key) is sent as the session id unless one is given, or a digest of it if it is
        longer than 50 characters or starts another cloud task after one that failed.
      - Where O(on_failed=start_again) starts another cloud task, a session id of your own gets C(-2), C(-3) and so on
        at its end, since the vendor refuses the first one. If that makes it too long, a digest is sent in its place.
    type: str
  session_context:
    description:
      - A text of your choice, at most 1000 characters, which the vendor returns as C(SessionContext) in polls and
        notifications.
      - Takes precedence over C(SessionContext) in O(parameters).
    type: str
  callback_url:
    description:
      - URL to which MPS sends a callback in JSON when the cloud task has ended. It is sent as C(TaskNotifyConfig),
        which O(parameters) must not contain then.
      - MPS does not sign the body of callbacks, so anybody can send one. Treat a callback as a hint, and poll the cloud
        task.
      - The URL is never shown in results or messages, since it may contain a secret.
    type: str
  callback_mode:
    description:
      - When MPS sends a callback; V(Finish) for the end, V(Change) for each change of the status. MPS uses V(Finish) by
        default. Requires O(callback_url).
    type: str
    choices: [Finish, Change]
  callback_key:
    description:
      - A text of your choice. With it, callbacks have a C(Sign) that is made from this key and a time, and that does
        not cover the rest of the callback. Requires O(callback_url).
    type: str
notes:
  - With O(session_id), an uncertain start is repeated up to O(request_retries) times. When no repeat gets an answer
    either, the module fails with RV(ignore:changed=true) and RV(ignore:error.retryable=true). When the vendor refuses a
    repeat because the id was used before, the module fails with RV(ignore:changed=true), and its message says that a
    cloud task with this id exists; the vendor does not return its C(TaskId) then.
  - With O(ledger), when another cloud task of other work has used the session id, nothing is started and nothing is
    left in the ledger. Give another O(session_id), or another O(idempotency_key) where O(session_id) is not given.
  - When it is uncertain whether a cloud task was started, search for it with M(cloudwait.conversion.mps_task_list_info)
    by the time of the start. The list does not show the session; C(SessionId) in the response of
    M(cloudwait.conversion.mps_task_detail) does.
  - Cloud tasks that were started with other API actions, such as C(ProcessLiveStream) or C(EditMedia), can be waited
    for, but this module cannot start them.
seealso:
  - module: cloudwait.conversion.wait_for_task
  - module: cloudwait.conversion.ledger_info
  - module: cloudwait.conversion.mps_task_detail
  - module: cloudwait.conversion.mps_task_list_info
  - module: cloudwait.conversion.mps_task_abort
  - name: Vendor page of ProcessMedia
    description: All parameters, in Chinese.
    link: https://cloud.tencent.com/document/product/862/37578
"""

EXAMPLES = r"""
---
- name: Transcode a film
  cloudwait.conversion.mps_media_task:
    parameters:
      InputInfo:
        Type: COS
        CosInputInfo:
          Bucket: examplebucket-1250000000
          Region: ap-beijing
          Object: /in/film.mov
      OutputDir: /out/
      MediaProcessTask:
        TranscodeTaskSet:
          - Definition: 100010
  register: started

- name: Wait for it for at most an hour, with the whole result as an item
  cloudwait.conversion.wait_for_task:
    tasks: ["{{ started }}"]
    timeout: 3600
  register: film

- name: Start an orchestration for each film, and none twice, however often this playbook is run
  cloudwait.conversion.mps_media_task:
    ledger: ~/films.ledger
    idempotency_key: "night-{{ item.id }}"
    parameters:
      InputInfo:
        Type: COS
        CosInputInfo:
          Bucket: examplebucket-1250000000
          Region: ap-beijing
          Object: "{{ item.object }}"
      ScheduleId: 12345
  loop: "{{ films }}"
  loop_control:
    label: "{{ item.id }}"
  register: started

- name: Wait for all of them at once, even when some fail
  cloudwait.conversion.wait_for_task:
    tasks: "{{ started.results }}"
    fail_fast: false
    timeout: 7200

- name: Start a transcoding and do not wait; the event source cloud_tasks reports the end to a rulebook
  cloudwait.conversion.mps_media_task:
    callback_url: "https://events.example.com/callback/{{ vault_callback_secret }}/mps"
    parameters:
      InputInfo:
        Type: COS
        CosInputInfo:
          Bucket: examplebucket-1250000000
          Region: ap-beijing
          Object: /in/film.mov
      OutputDir: /out/
      MediaProcessTask:
        TranscodeTaskSet:
          - Definition: 100010

- name: Process a file at a URL, on the international site
  cloudwait.conversion.mps_media_task:
    site: intl
    parameters:
      InputInfo:
        Type: URL
        UrlInputInfo:
          Url: https://media.example.com/trailer.mov
      OutputStorage:
        Type: COS
        CosOutputStorage:
          Bucket: examplebucket-1250000000
          Region: ap-singapore
      OutputDir: /out/
      MediaProcessTask:
        SnapshotByTimeOffsetTaskSet:
          - Definition: 10
            ExtTimeOffsetSet: [3.5s, 50%]
"""

RETURN = r"""
task:
  description:
    - The record of the cloud task, with the keys of RV(cloudwait.conversion.mps_task_detail#module:task).
    - Its status is V(pending) and it has no C(native_status), since the answer to a start has none. In check mode, its
      id is null and its status is V(unknown).
  returned: success
  type: dict
  sample:
    provider: mps
    task_id: 2600000001-WorkflowTask-0123456789abcdef0123456789abcdeftt1
    status: pending
    native_status: null
    done: false
    ref: {provider: mps, task_id: 2600000001-WorkflowTask-0123456789abcdef0123456789abcdeftt1}
response:
  description:
    - The part under C(Response) of the vendor's answer, with asterisks in place of secrets. Empty in check mode.
  returned: success
  type: dict
  sample: {TaskId: 2600000001-WorkflowTask-0123456789abcdef0123456789abcdeftt1, RequestId: 11111111-0000-4000-8000-000000000004}
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
    - Why the start failed. A media task that fails later is no error of this module.
    - C(kind) is one of V(auth), V(permission), V(not_found), V(throttled), V(invalid),
      V(server), V(network), V(protocol), V(config), V(clock), V(interrupted), V(uncertain).
    - With RV(ignore:changed=true), the media task may have been started nevertheless.
  returned: failure
  type: dict
  sample:
    kind: config
    code: null
    message: 'parameters.OutputDir is "out", which does not begin and end with a slash'
    http_status: null
    request_id: null
    retryable: false
"""

from ansible_collections.cloudwait.conversion.plugins.module_utils._module import argspec
from ansible_collections.cloudwait.conversion.plugins.module_utils._module.run import QuietModule
from ansible_collections.cloudwait.conversion.plugins.module_utils._module.starts import run_start
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.mps import MpsStarts

OPTIONS = {
    "parameters": {"type": "dict", "required": True},
    "session_id": {"type": "str"},
    "session_context": {"type": "str"},
    "callback_url": {"type": "str"},
    "callback_mode": {"type": "str", "choices": ["Finish", "Change"]},
    "callback_key": {"type": "str", "no_log": True},
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
        required_by={"idempotency_key": "ledger"},
        supports_check_mode=True,
    )
    run_start(module, MpsStarts)


if __name__ == "__main__":
    main()
