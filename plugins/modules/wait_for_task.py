#!/usr/bin/python
# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: wait_for_task
short_description: Wait for conversions in clouds, and say why when it ends
version_added: 0.1.0
author:
  - The cloudwait.conversion project (@cloudwait)
description:
  - Waits for one or many cloud tasks, of any mix of Tencent ESS, Tencent COS, Tencent MPS and DingTalk, in one Ansible
    task and side by side.
  - It ends the moment that its verdict is clear. It fails when a cloud task has failed, and says which one, which part
    of it and why; a cloud task of which a part failed is no success unless O(until) says so.
  - It survives lost connections, throttling and bad answers, and tells the outcomes apart by RV(outcome).
  - Progress is printed as plain lines while it waits; the environment variable E(CLOUDWAIT_PROGRESS) set to V(0) on the
    controller, or C(no_log) on the Ansible task, turns them off.
  - The questions are asked from the host and user that the Ansible task runs as; credentials stay there.
extends_documentation_fragment:
  - cloudwait.conversion._attributes
  - cloudwait.conversion._attributes.any_service
  - cloudwait.conversion._attributes.wait
  - cloudwait.conversion._tencent
  - cloudwait.conversion._dingtalk
  - cloudwait.conversion._transport
attributes:
  check_mode:
    details:
      - Looks once at each cloud task, does not wait, and never fails because of a status.
  action:
    support: full
  async:
    support: partial
    details:
      - With C(async), the whole wait runs on the host; no lines are printed, and O(condition) and O(state_file) are
        refused.
requirements:
  - xmltodict, for jobs of Tencent COS
options:
  provider:
    description:
      - The service of the cloud task; V(ess), V(cos_doc), V(mps) or V(dingtalk_doc).
      - With O(tasks), the default for its items.
    type: str
  task_id:
    description:
      - The id of the one cloud task to wait for. Not together with O(tasks).
    type: str
  bucket:
    description:
      - The bucket of a V(cos_doc) job, with the APPID behind a dash. With O(tasks), the default for its items.
    type: str
  region:
    description:
      - The region of that bucket. With O(tasks), the default for its items.
      - Without it, the environment variable E(TENCENTCLOUD_REGION) counts.
    type: str
  agent:
    description:
      - On whose behalf to ask Tencent ESS, with its edition for third-party applications. With O(tasks), the default for its
        items.
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
      - By whom to ask Tencent ESS, with its company edition, in place of O(agent). With O(tasks), the default for its items.
    type: dict
    suboptions:
      user_id:
        description: Id of an employee of the company, who may do this.
        type: str
  edition:
    description:
      - Which edition of Tencent ESS the cloud task belongs to; see M(cloudwait.conversion.ess_task_info). Without it, that is
        told by which of O(agent) and O(operator) is given.
    type: str
    choices: [auto, channel, company]
  api_action:
    description:
      - With which operation to ask Tencent ESS; see M(cloudwait.conversion.ess_task_info). With O(tasks), the default
        for its items.
    type: str
    choices: [auto, ChannelGetTaskResultApi, DescribeFileConvertTask]
  tasks:
    description:
      - The cloud tasks to wait for. Each item is one of these.
      - A string, the task id; the rest comes from the options that describe one cloud task.
      - A dict of C(provider), C(task_id), C(bucket), C(region), C(agent), C(operator), C(edition), C(api_action), C(site) and
        C(profile), as many as are needed; the C(ref) of a record is one. Items of another account name its C(profile).
      - A dict that holds a record under C(task), such as a whole result of another module of this collection. A record
        that is C(done) needs no poll. What a start returned in check mode has no id, and counts as unfinished.
      - A result that holds several, such as that of a wait, of a list module or of a loop, stands for all of them. Such a
        result may also stand in place of the list.
      - A dict may have a C(name) beside these, by which progress lines and messages call the cloud task.
      - Any other key is refused. Credentials and C(endpoint) never stand in an item.
      - The same cloud task twice is polled once and reported twice. An empty list is satisfied at once, with a warning.
    type: list
    elements: raw
  until:
    description:
      - Which ends are good; V(succeeded), V(partial), V(failed), V(canceled), or V(done) for any end.
    type: list
    elements: str
    default: [succeeded]
  condition:
    description:
      - A bare Jinja expression over C(task), the record, or a list of expressions that must all be true, as in C(until)
        of a playbook. It takes the place of O(until); the two exclude each other.
      - A mistake that can be found without a record is refused before anything is sent; a syntax error, an unknown filter,
        or a misspelt key of the record.
      - It is evaluated on the controller, some seconds after a record has changed; a smaller O(heartbeat) makes that
        sooner. One that cannot be evaluated counts as not true while the cloud task goes on.
      - C(task.progress) says how much is over, not how well; of a cloud task that failed it is often V(100). So ask for
        C(task.status), too.
    type: raw
  require:
    description:
      - How many of the cloud tasks must be good; V(all), V(any), or a number. With V(any) or a number, the wait fails as
        soon as so many cannot be good any more.
    type: raw
    default: all
  fail_fast:
    description:
      - With O(require=all), stop at the first cloud task that cannot be good any more. Else wait for the rest, and name
        all that failed.
    type: bool
    default: true
  timeout:
    description:
      - Time limit of the whole wait, as a number of seconds or a text such as V(90s), V(30m), V(1h30m) or V(2d); so do all
        options that are seconds. At the end comes a last poll, which may take up to 5 seconds more.
      - The limit holds whatever hangs; a name server, a proxy, a service, or the connection to the host.
      - V(0) polls once.
    type: raw
    default: 900
  delay:
    description:
      - Seconds before the first poll.
    type: raw
    default: 0
  sleep:
    description:
      - Seconds between the first and the second poll of a cloud task. Up to a quarter less by chance, here and later.
    type: raw
    default: 2
  backoff:
    description:
      - Factor by which the pause between two polls of a cloud task grows after each poll.
    type: float
    default: 1.5
  max_sleep:
    description:
      - Longest pause between two polls of a cloud task, in seconds.
    type: raw
    default: 30
  max_polls:
    description:
      - Most polls of a cloud task, failed ones included. Without it there is no limit but the time.
    type: int
  stall_timeout:
    description:
      - Seconds without any change after which the wait gives up on a cloud task. Without it, a paused queue is waited for
        until O(timeout).
    type: raw
  not_found_grace:
    description:
      - Seconds from the beginning of the wait for which a cloud task may be unknown to the vendor, since some services
        take a moment to know it. One that was known and then is unknown ends at the second such answer.
      - One that is still unknown when the wait ends has the outcome V(not_found), also when O(timeout) is shorter.
    type: raw
    default: 30
  max_errors:
    description:
      - How many polls of a cloud task may fail in a row, by lost connections, errors of the vendor, throttling or
        unreadable answers, before the wait gives up on it.
      - The first failed poll is told at once in a progress line, and again when the reason changes or ends.
      - Refused credentials, missing permissions and wrong options end it at once.
    type: int
    default: 10
  rate_limit:
    description:
      - The most calls a second, by service, such as C(mps) to 100. Services that are not named keep their default, which
        is 10 for C(ess), 20 for C(cos_doc), 50 for C(mps) and 10 for C(dingtalk_doc).
      - Calls are spaced evenly. When a vendor throttles, that service is asked less often for a while.
    type: dict
  sweep:
    description:
      - Whether lists of the vendor may take the place of looks, so that many cloud tasks cost fewer calls.
      - V(never) looks at each cloud task. V(auto) reads the lists of those that are not over, where a service has such
        lists (Tencent MPS, C(DescribeTasks)) and more than a hundred cloud tasks of one account are open. Only those that
        are on no list any more are asked for in full. The lists are read as often as one cloud task would be looked
        at, and more seldom when that takes more than a page for each hundred of the open ones.
      - While a list tells of a cloud task, its record has the status and no progress or parts. The account needs the
        permission for C(DescribeTasks); when the vendor refuses the list, a warning says so.
      - Each cloud task is looked at by itself all the same with O(condition), O(max_polls) or O(stall_timeout), in check
        mode, when the list is refused, and when the lists are so full of other cloud tasks that to read them would take
        more than four times as many pages as there are hundreds of open ones.
    type: str
    choices: [never, auto]
    default: never
  heartbeat:
    description:
      - Seconds between progress lines when nothing changes. V(0) prints no lines at all.
      - Lines go to standard output, each at once, also where that is a pipe or a file. Where a callback owns standard
        output that is not made for people, as those that write JSON and C(ansible -o), they go to standard error.
    type: raw
    default: 60
  state_file:
    description:
      - A file on the controller that holds what is needed to go on after a kill. Run the same Ansible task again, and it
        goes on with the same deadline and history, and asks for nothing that had ended.
      - The file must not exist, or be of the same cloud tasks. It is removed when the wait ends with a verdict.
      - One that cannot be written any more costs a warning, not the wait.
      - Several hosts need several paths. It is not used in check mode.
    type: path
  endpoint:
    description:
      - Base URL in place of the vendor's host, where all cloud tasks are of one service.
      - Without it, or for a mix, the environment variables E(CLOUDWAIT_ESS_ENDPOINT), E(CLOUDWAIT_COS_DOC_ENDPOINT),
        E(CLOUDWAIT_MPS_ENDPOINT) and E(CLOUDWAIT_DINGTALK_DOC_ENDPOINT) count.
    type: str
seealso:
  - module: cloudwait.conversion.ess_convert_task
  - module: cloudwait.conversion.cos_doc_job
  - module: cloudwait.conversion.cos_doc_job_list_info
  - module: cloudwait.conversion.mps_media_task
  - module: cloudwait.conversion.mps_task_list_info
  - module: cloudwait.conversion.dingtalk_doc_copy
  - module: cloudwait.conversion.ess_task_info
  - module: cloudwait.conversion.cos_doc_job_info
  - module: cloudwait.conversion.mps_task_detail
  - module: cloudwait.conversion.dingtalk_doc_task_info
  - name: Waiting for cloud tasks
    description: A guide; how a wait goes on one time line, what each outcome means and what to do then.
    link: https://github.com/cloudwait/cloudwait.conversion/blob/main/docs/docsite/rst/guide_waiting.rst
"""

EXAMPLES = r"""
---
- name: Wait for one cloud task
  cloudwait.conversion.wait_for_task:
    provider: mps
    task_id: "{{ transcode_id }}"
  register: film

# The same from a shell:
# ansible localhost -m cloudwait.conversion.wait_for_task -a "provider=mps task_id=2600000001-WorkflowTask-0123"

- name: Start a document job for each report
  cloudwait.conversion.cos_doc_job:
    bucket: examplebucket-1250000000
    region: ap-beijing
    input_object: "{{ item }}"
    output:
      object: "{{ item }}-${Number}.jpg"
  loop: "{{ report_keys }}"
  register: started

- name: Wait for all of them at once
  cloudwait.conversion.wait_for_task:
    tasks: "{{ started.results }}"

- name: Wait for many, of several services, for at most half an hour
  cloudwait.conversion.wait_for_task:
    tasks:
      - provider: mps
        task_id: "{{ transcode_id }}"
      - provider: cos_doc
        task_id: "{{ job_id }}"
        bucket: examplebucket-1250000000
        region: ap-beijing
      - provider: ess
        task_id: "{{ conversion_id }}"
        agent:
          app_id: yDExampleAppId0000000000000000000
          proxy_organization_open_id: org_example
          proxy_operator:
            open_id: n9527
      - provider: dingtalk_doc
        task_id: "{{ copy_id }}"
        site: china
    timeout: 1800

- name: Look at several media tasks
  cloudwait.conversion.mps_task_detail:
    task_id: "{{ item }}"
  loop: "{{ media_ids }}"
  register: looks

- name: Wait for those of them that are not over yet
  cloudwait.conversion.wait_for_task:
    tasks: "{{ looks.results }}"

- name: Count a document of which some pages failed as good
  cloudwait.conversion.wait_for_task:
    provider: cos_doc
    bucket: examplebucket-1250000000
    region: ap-beijing
    task_id: "{{ job_id }}"
    until: [succeeded, partial]

- name: Go on when two of three are there, and show them by name
  cloudwait.conversion.wait_for_task:
    provider: mps
    tasks:
      - {task_id: "{{ first_id }}", name: Trailer}
      - {task_id: "{{ second_id }}", name: Film}
      - {task_id: "{{ third_id }}", name: Credits}
    require: 2
    timeout: 1h30m

- name: Go on as soon as half of it is done
  cloudwait.conversion.wait_for_task:
    provider: mps
    task_id: "{{ transcode_id }}"
    condition:
      - task.progress >= 50
      - task.status in ['running', 'succeeded'] # one that failed has a progress of 100, too

- name: Wait for all, and deal with those that failed
  block:
    - name: Wait to the end, whatever fails
      cloudwait.conversion.wait_for_task:
        provider: mps
        tasks: "{{ media_ids }}"
        fail_fast: false
      register: conversions
  rescue:
    - name: Stop unless it is the conversions that failed
      ansible.builtin.assert:
        that: conversions.outcome == 'failed'
        fail_msg: "{{ conversions.msg }}"

    - name: Name those that failed
      ansible.builtin.debug:
        msg: "{{ conversions.failed_tasks | map(attribute='task_id') | join(', ') }}"

- name: Wait, and go on where an earlier run was killed
  cloudwait.conversion.wait_for_task:
    provider: mps
    tasks: "{{ media_ids }}"
    state_file: "{{ playbook_dir }}/night.wait.json"

- name: Share options between Ansible tasks
  module_defaults:
    group/cloudwait.conversion.tencent:
      profile: media
  block:
    - name: Wait with the profile
      cloudwait.conversion.wait_for_task:
        provider: mps
        task_id: "{{ transcode_id }}"

- name: Ask from a bastion that may reach the cloud, with the credentials of its environment
  cloudwait.conversion.wait_for_task:
    provider: mps
    task_id: "{{ transcode_id }}"
  delegate_to: "{{ bastion }}"

- name: Wait for cloud tasks of two accounts
  cloudwait.conversion.wait_for_task:
    provider: mps
    tasks:
      - task_id: "{{ first_id }}"
        profile: first
      - task_id: "{{ second_id }}"
        profile: second

- name: Wait in the background; async is a little more than timeout
  cloudwait.conversion.wait_for_task:
    provider: mps
    task_id: "{{ transcode_id }}"
    timeout: 600
  async: 660
  poll: 0
  register: background

- name: Get what the wait in the background found
  ansible.builtin.async_status:
    jid: "{{ background.ansible_job_id }}"
  register: conversion
  until: conversion is finished
  retries: 66
  delay: 10
"""

RETURN = r"""
outcome:
  description:
    - V(satisfied) when O(require) is met; else the first that was found of V(error), V(not_found), V(failed),
      V(stalled), V(timed_out). In check mode V(unfinished) when it is not met.
  returned: always
  type: str
  sample: failed
tasks:
  description:
    - The record of each cloud task, in input order, with the keys of RV(cloudwait.conversion.mps_task_detail#module:task)
      and the ones below.
  returned: always
  type: list
  elements: dict
  contains:
    outcome:
      description:
        - V(satisfied), V(failed) (ended otherwise), V(timed_out), V(stalled), V(not_found), V(error), or V(unfinished)
          (the wait ended first, or check mode).
      returned: always
      type: str
      sample: satisfied
    polls:
      description: How many looks there were at it; pages of lists that O(sweep) read are not counted.
      returned: always
      type: int
      sample: 7
    name:
      description: The name that the item gave it, or null.
      returned: always
      type: str
      sample: Trailer
    elapsed:
      description: Seconds from the beginning of the wait to its end.
      returned: always
      type: float
      sample: 31.2
    history:
      description: Its changes, the first and the last fifty, each with C(at), C(status), C(native_status), C(progress).
      returned: always
      type: list
      elements: dict
      sample: [{at: "2026-01-02T03:04:06Z", status: running, native_status: PROCESSING, progress: 40}]
    poll_error:
      description:
        - What went wrong with the last look, in the form of C(error) of the info modules; null when it went well.
        - Of one that was not satisfied, also why O(condition) could not be evaluated.
      returned: always
      type: dict
      sample: null
task:
  description: The record of the cloud task, when there is exactly one.
  returned: when there is exactly one
  type: dict
  sample: {provider: mps, task_id: 2600000001-WorkflowTask-0123, status: succeeded, outcome: satisfied}
failed_tasks:
  description: The refs of those with the outcome V(failed), V(not_found) or V(error).
  returned: always
  type: list
  elements: dict
  sample: [{provider: mps, task_id: 2600000001-WorkflowTask-0123}]
unfinished_tasks:
  description: The refs of those with the outcome V(timed_out), V(stalled) or V(unfinished).
  returned: always
  type: list
  elements: dict
  sample: []
summary:
  description: How many cloud tasks there were, as C(total), and how many of each status.
  returned: always
  type: dict
  sample: {total: 3, pending: 0, running: 0, succeeded: 2, partial: 0, failed: 1, canceled: 0, unknown: 0}
elapsed:
  description: Seconds that the wait took.
  returned: always
  type: float
  sample: 64.8
polls:
  description: How many looks there were in all.
  returned: always
  type: int
  sample: 19
api_calls:
  description: How many requests were sent to each service, fetching tokens and repeated ones included.
  returned: always
  type: dict
  sample: {mps: 12, cos_doc: 7}
endpoint_host:
  description: The hosts that were asked and are not the vendors', with commas between them.
  returned: when O(endpoint) or an environment variable names another host
  type: str
  sample: gateway.example.com
error:
  description: Why the wait could not begin, in the form of C(error) of the info modules.
  returned: when it could not begin
  type: dict
  sample:
    kind: config
    code: null
    message: "tasks[2] has no provider"
    http_status: null
    request_id: null
    retryable: false
"""

from ansible_collections.cloudwait.conversion.plugins.module_utils._module import argspec
from ansible_collections.cloudwait.conversion.plugins.module_utils._module.wait import WaitModule, run_wait


def main() -> None:
    module = WaitModule(argument_spec=argspec.wait(), supports_check_mode=True)
    run_wait(module)


if __name__ == "__main__":
    main()
