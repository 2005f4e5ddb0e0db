#!/usr/bin/python
# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: wait_for_task
short_description: Wait for one or many cloud tasks of any service
version_added: 0.1.0
author:
  - The cloudwait.conversion project (@cloudwait)
description:
  - Waits for one or many cloud tasks, of any mix of services, side by side in one Ansible task.
  - Ends as soon as the outcome is clear. When a cloud task failed, the module fails and names the cloud task, the part
    of it that failed and the reason. A cloud task of which only a part failed counts as failed, too, unless O(until)
    names V(partial).
  - Survives lost connections, throttling and unreadable answers. RV(outcome) says why the wait ended.
  - Prints progress as plain lines while it waits. To turn them off, set the environment variable E(CLOUDWAIT_PROGRESS)
    to V(0) on the controller, or C(no_log) on the Ansible task.
  - All requests are sent from the host and by the user that the Ansible task runs as; credentials stay there.
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
      - Polls each cloud task once, does not wait, and never fails because of a status.
  action:
    support: full
  async:
    support: partial
    details:
      - With C(async), the whole wait runs on the host. No progress lines are printed, and O(condition) and
        O(state_file) are refused. If it is not at least 10 seconds longer than O(timeout), the wait ends earlier, so
        that its result is not lost.
requirements:
  - xmltodict, for jobs of Tencent COS
options:
  provider:
    description:
      - The service that runs the cloud task, such as V(mps). The guide Services lists all.
      - With O(tasks), the default for its items.
    type: str
  task_id:
    description:
      - Id of the one cloud task to wait for.
      - Mutually exclusive with O(tasks).
    type: str
  bucket:
    description:
      - The bucket of a job of Tencent COS, in the form C(name-appid).
      - With O(tasks), the default for its items.
    type: str
  region:
    description:
      - The region of the bucket of a job of Tencent COS. Without it, the environment variable E(TENCENTCLOUD_REGION) is
        used.
      - With O(tasks), the default for its items.
    type: str
  agent:
    description:
      - On whose behalf to ask Tencent ESS, in the edition for third-party applications.
      - With O(tasks), the default for its items.
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
      - The employee on whose behalf to ask Tencent ESS, in the company edition. Use either this or O(agent).
      - With O(tasks), the default for its items.
    type: dict
    suboptions:
      user_id:
        description: Id of an employee of the company who may read the conversion.
        type: str
  edition:
    description:
      - The edition of Tencent ESS that the cloud task belongs to; see M(cloudwait.conversion.ess_task_info). Without
        it, the edition follows from which of O(agent) and O(operator) is given.
      - With O(tasks), the default for its items.
    type: str
    choices: [auto, channel, company]
  api_action:
    description:
      - The API action to ask Tencent ESS with; see M(cloudwait.conversion.ess_task_info). Without it, this is V(auto).
      - With O(tasks), the default for its items.
    type: str
    choices: [auto, ChannelGetTaskResultApi, DescribeFileConvertTask]
  tasks:
    description:
      - The cloud tasks to wait for. Each item is one of the following.
      - A string, the id of the cloud task. The options above describe the rest.
      - A dict with C(provider), C(task_id), and those of C(bucket), C(region), C(agent), C(operator), C(edition),
        C(api_action), C(site) and C(profile) that are needed, such as the C(ref) of a record. A cloud task of another
        account needs its C(profile).
      - A dict with a record under C(task), such as the whole result of another module of this collection. A record that
        is C(done) is not polled. A start in check mode returns a record without an id, which counts as unfinished.
      - A result that holds several cloud tasks, such as that of a wait, of a list module or of a loop. It stands for
        all of them. Such a result may also be given in place of the list.
      - A dict may also have a C(name), which progress lines and messages show.
      - Any other key is refused. Credentials and O(endpoint) are not allowed in an item.
      - A cloud task that is given twice is polled once and reported twice. An empty list is satisfied at once, with a
        warning.
    type: list
    elements: raw
  until:
    description:
      - The statuses that count as success; V(succeeded), V(partial), V(failed), V(canceled), or V(done) for any end.
    type: list
    elements: str
    default: [succeeded]
  condition:
    description:
      - A bare Jinja expression over C(task), the record of a cloud task, or a list of expressions that must all be
        true, as in C(until) of a playbook. It replaces O(until) and is mutually exclusive with it.
      - A mistake that can be found without a record, such as a syntax error, an unknown filter or a misspelt key of the
        record, is refused before anything is sent.
      - It is evaluated on the controller, within a second after a record has changed where the module runs on the
        controller's machine as the same user, else within some seconds, at most 30. An expression that cannot be
        evaluated counts as not true until the cloud task has ended.
      - C(task.progress) says how much has ended, not whether it succeeded. It is often V(100) for a cloud task that
        failed, so check C(task.status), too.
    type: raw
  require:
    description:
      - How many of the cloud tasks must satisfy O(until) or O(condition); V(all), V(any), or a number. With V(any) or a
        number, the wait fails as soon as that number cannot be reached any more.
    type: raw
    default: all
  fail_fast:
    description:
      - With O(require=all), whether to stop at the first cloud task that can no longer satisfy O(until) or
        O(condition). When V(false), the wait goes on for the others, then fails and names all that failed.
    type: bool
    default: true
  timeout:
    description:
      - Time limit of the whole wait, as a number of seconds or a text such as V(90s), V(30m), V(1h30m) or V(2d). All
        options in seconds accept such a text. At the limit, a last poll may take up to 5 seconds more.
      - The limit holds even when a name server, a proxy, a service or the connection to the host hangs.
      - If the machine stands still meanwhile, as a virtual machine does while it is moved or paused, and goes on after the
        limit, the last polls follow then.
      - V(0) polls once.
    type: raw
    default: 900
  on_timeout:
    description:
      - What happens to cloud tasks that have not ended at O(timeout). V(leave) leaves them alone.
      - V(abort) aborts what the vendor lets one abort. Tencent MPS aborts media tasks that still wait, and live streams;
        the other services have no such operation. RV(tasks) says of each what became of it, as C(abort).
      - Aborting begins after the last poll and may take a minute and a half. Allow for it in C(async) and in the time
        limit of a job. If the Ansible task has the keyword C(timeout), the wait leaves 10 seconds of it for that, or a
        third of it if that is less.
      - With V(abort), cloud tasks are also aborted when C(ansible-playbook) is ended from outside, as when a pipeline is
        canceled. There is no result then, and nothing is left that O(state_file) could continue.
    type: str
    choices: [leave, abort]
    default: leave
  delay:
    description:
      - Number of seconds before the first poll.
    type: raw
    default: 0
  sleep:
    description:
      - Number of seconds between the first and the second poll of a cloud task. Each pause between polls is shortened
        by up to a quarter at random.
    type: raw
    default: 2
  backoff:
    description:
      - Factor by which the pause between polls of a cloud task grows after each poll.
    type: float
    default: 1.5
  max_sleep:
    description:
      - Longest pause between polls of a cloud task, in seconds.
    type: raw
    default: 30
  pace:
    description:
      - What decides the pauses between polls of a cloud task.
      - With V(expected), polls are concentrated around the expected end of a running cloud task, and progress lines say
        how much time is left. The expected end is computed from the progress of the cloud task, or from how long other
        cloud tasks of the same service ran that have succeeded in the same wait, if these times are similar. Pauses are
        never shorter than O(sleep) and never longer than O(max_sleep). Without a forecast, they are those of V(fixed).
      - With V(fixed), O(sleep), O(backoff) and O(max_sleep) alone decide.
    type: str
    choices: [expected, fixed]
    default: expected
  max_polls:
    description:
      - Maximum number of polls of a cloud task, failed ones included. Without it, only O(timeout) limits them.
    type: int
  stable_polls:
    description:
      - Number of polls in a row that must return the same status before it counts. Until then, the record keeps the status
        before it. With V(1), each status counts at once. It must not be above O(max_polls).
      - After a new status, the cloud task is polled again after O(sleep). Polls that fail are not counted.
    type: int
    default: 1
  stall_timeout:
    description:
      - Number of seconds without any change after which to give up on a cloud task. Without it, a cloud task in a
        paused queue is waited for until O(timeout).
    type: raw
  not_found_grace:
    description:
      - Number of seconds from the start of the wait during which a cloud task may be unknown to its vendor, since some
        services need a moment to know a new one. A cloud task that was found before ends at the second answer that it
        is unknown.
      - A cloud task that is still unknown when the wait ends has the outcome V(not_found), even when O(timeout) is
        shorter.
    type: raw
    default: 30
  max_errors:
    description:
      - Number of failed polls in a row after which to give up on a cloud task. Polls fail through lost connections,
        errors of the vendor, throttling or unreadable answers.
      - A progress line reports the first failed poll at once, and another one when the reason changes or a poll succeeds
        again.
      - After refused credentials, missing permissions or wrong options, the wait gives up on the cloud task at once.
    type: int
    default: 10
  rate_limit:
    description:
      - Maximum number of calls per second, as a dict with services as keys, such as C(mps). Other services
        keep their default, which the guide Services lists.
      - Calls are spaced evenly. Above 20 calls per second, those of the same 50 milliseconds start together.
      - When a vendor throttles, its service is called less often for a while.
    type: dict
  sweep:
    description:
      - Whether the vendor's lists may replace single polls, so that many cloud tasks need fewer calls.
      - V(never) polls each cloud task. V(auto) reads lists where more than a hundred cloud tasks of one account are
        open and the service lists open cloud tasks, as Tencent MPS does with C(DescribeTasks). Only cloud tasks that
        are on no list any more are then polled. The lists are read as often as one cloud task would be polled, and less
        often when they have more than one page for each hundred open cloud tasks.
      - While a cloud task is on a list, its record has the status, but no progress and no parts. The account needs the
        permission to list; when the vendor refuses the list, a warning says so.
      - V(auto) polls each cloud task, too, when O(condition), O(max_polls), O(stall_timeout) or O(stable_polls) is given, in check mode,
        when the list is refused, and when the lists hold so many other cloud tasks that they have more than four pages
        for each hundred open ones.
    type: str
    choices: [never, auto]
    default: never
  heartbeat:
    description:
      - Number of seconds between progress lines when nothing changes. V(0) prints no progress lines at all.
      - Lines are printed to standard output at once, also when it is a pipe or a file. With C(ansible -o) and with
        callback plugins that print for programs, such as JSON, they go to standard error.
    type: raw
    default: 60
  return_response:
    description:
      - Whether each of RV(tasks) has the vendor's last answer, as C(response), with asterisks in place of secrets, as the
        info modules return it. Answers may be long.
    type: str
    choices: [none, last]
    default: none
  return_records:
    description:
      - Which cloud tasks are in RV(tasks).
      - V(problems) leaves out those that satisfied the wait. RV(summary), C(msg) and all other counts are about all of
        them. Use it for thousands of cloud tasks, whose records would fill a variable and the log with megabytes.
    type: str
    choices: [all, problems]
    default: all
  state_file:
    description:
      - Path of a file on the controller with what is needed to continue after the wait was killed. When the same
        Ansible task runs again, it continues with the same deadline and history, and does not poll what had ended at the
        vendor.
      - An existing file must belong to a wait for the same cloud tasks. The file is removed when the wait ends, and kept
        when the wait is killed or loses its connection to the host.
      - It is written after changes, but not so often that writing would take more than a twentieth of the time.
      - A file that cannot be written any more causes a warning and does not end the wait.
      - Several hosts need a path each. The file is not used in check mode.
    type: path
  endpoint:
    description:
      - Base URL in place of the vendor's host, when all cloud tasks are of one service.
      - Without it, and for several services, the environment variables C(CLOUDWAIT_<PROVIDER>_ENDPOINT) are used, such
        as E(CLOUDWAIT_MPS_ENDPOINT) for V(mps); the guide Services lists all.
    type: str
seealso:
  - module: cloudwait.conversion.task_info
  - name: Services
    description: A guide; every service with its word, the options it needs, its endpoint variable and its limits.
    link: https://github.com/cloudwait/cloudwait.conversion/blob/main/docs/docsite/rst/guide_services.rst
  - name: Waiting for cloud tasks
    description: A guide; how a wait proceeds, what each outcome means and what to do then.
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

- name: Poll several media tasks once
  cloudwait.conversion.mps_task_detail:
    task_id: "{{ item }}"
  loop: "{{ media_ids }}"
  register: polled

- name: Wait for those of them that have not ended yet
  cloudwait.conversion.wait_for_task:
    tasks: "{{ polled.results }}"

- name: Accept a document of which some pages failed
  cloudwait.conversion.wait_for_task:
    provider: cos_doc
    bucket: examplebucket-1250000000
    region: ap-beijing
    task_id: "{{ job_id }}"
    until: [succeeded, partial]

- name: Continue when two of three have succeeded, and show them by name
  cloudwait.conversion.wait_for_task:
    provider: mps
    tasks:
      - {task_id: "{{ first_id }}", name: Trailer}
      - {task_id: "{{ second_id }}", name: Film}
      - {task_id: "{{ third_id }}", name: Credits}
    require: 2
    timeout: 1h30m

- name: Continue as soon as half of it is done
  cloudwait.conversion.wait_for_task:
    provider: mps
    task_id: "{{ transcode_id }}"
    condition:
      - task.progress >= 50
      - task.status in ['running', 'succeeded'] # one that failed has a progress of 100, too

- name: Wait for all, and handle those that failed
  block:
    - name: Wait to the end, whatever fails
      cloudwait.conversion.wait_for_task:
        provider: mps
        tasks: "{{ film_ids }}"
        fail_fast: false
      register: conversions
  rescue:
    - name: Stop unless conversions failed
      ansible.builtin.assert:
        that: conversions.outcome == 'failed'
        fail_msg: "{{ conversions.msg }}"

    - name: Name those that failed
      ansible.builtin.debug:
        msg: "{{ conversions.failed_tasks | map(attribute='task_id') | join(', ') }}"

- name: Wait, and continue where an earlier run was killed
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

- name: Wait from a bastion that can reach the cloud, with the credentials of its environment
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

- name: Wait in the background, with async a little longer than timeout
  cloudwait.conversion.wait_for_task:
    provider: mps
    task_id: "{{ transcode_id }}"
    timeout: 600
  async: 660
  poll: 0
  register: background

- name: Get the result of the wait in the background
  ansible.builtin.async_status:
    jid: "{{ background.ansible_job_id }}"
  register: conversion
  until: conversion is finished
  retries: 132
  delay: 5
"""

RETURN = r"""
outcome:
  description:
    - V(satisfied) when O(require) is met. Otherwise the first of V(error), V(not_found), V(failed), V(stalled) and
      V(timed_out) that is the outcome of a cloud task; in check mode V(unfinished).
  returned: always
  type: str
  sample: failed
tasks:
  description:
    - The record of each cloud task, in input order, with the keys of RV(cloudwait.conversion.task_info#module:task) and
      the ones below.
  returned: always
  type: list
  elements: dict
  contains:
    outcome:
      description:
        - V(satisfied), V(failed) (ended with another status), V(timed_out), V(stalled), V(not_found), V(error), or
          V(unfinished) (the wait ended before the cloud task did, or check mode).
      returned: always
      type: str
      sample: satisfied
    polls:
      description: Number of polls of it. Pages of lists that O(sweep) reads are not counted.
      returned: always
      type: int
      sample: 7
    name:
      description: The name that its item gave, or null.
      returned: always
      type: str
      sample: Trailer
    elapsed:
      description: Number of seconds from the start of the wait until this cloud task ended or the wait did.
      returned: always
      type: float
      sample: 31.2
    history:
      description:
        - Its first and last fifty changes and failed polls, each with C(at), C(status), C(native_status) and C(progress).
        - A failed poll has the state before it, and C(error) with C(kind), C(code) and C(request_id).
      returned: always
      type: list
      elements: dict
      sample: [{at: "2026-01-02T03:04:06Z", status: running, native_status: PROCESSING, progress: 40}]
    response:
      description: The vendor's last answer, with asterisks in place of secrets.
      returned: with O(return_response=last), when a poll succeeded
      type: dict
      sample: {Status: FINISH, TaskType: WorkflowTask}
    abort:
      description:
        - What became of it when the wait aborted it, as O(on_timeout=abort) asks for; else null.
        - C(aborted) says whether it was aborted, and C(reason) why not.
      returned: always
      type: dict
      sample: {aborted: true, reason: null}
    poll_error:
      description:
        - Why its last poll failed, in the form of RV(cloudwait.conversion.task_info#module:error); null when it
          succeeded.
        - For a cloud task that was not satisfied, also why O(condition) could not be evaluated.
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
  description: The number of cloud tasks, as C(total), and the number of those with each status.
  returned: always
  type: dict
  sample: {total: 3, pending: 0, running: 0, succeeded: 2, partial: 0, failed: 1, canceled: 0, unknown: 0}
elapsed:
  description: Seconds that the wait took.
  returned: always
  type: float
  sample: 64.8
polls:
  description: Number of polls of all cloud tasks.
  returned: always
  type: int
  sample: 19
api_calls:
  description: Number of requests to each service, including those for tokens and repeated ones.
  returned: always
  type: dict
  sample: {mps: 12, cos_doc: 7}
endpoint_host:
  description: The hosts that were asked and are not the vendors', separated by commas.
  returned: when O(endpoint) or an environment variable names another host
  type: str
  sample: gateway.example.com
error:
  description: Why the wait could not begin, in the form of RV(cloudwait.conversion.task_info#module:error).
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
from ansible_collections.cloudwait.conversion.plugins.module_utils._wait.options import SPEC


def main() -> None:
    module = WaitModule(argument_spec=argspec.wait(SPEC), supports_check_mode=True)
    run_wait(module)


if __name__ == "__main__":
    main()
