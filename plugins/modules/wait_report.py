#!/usr/bin/python
# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: wait_report
short_description: Write a report of waits for cloud tasks
version_added: 0.1.0
author:
  - The cloudwait.conversion project (@cloudwait)
description:
  - Writes a report of one or many results of M(cloudwait.conversion.wait_for_task) to a file.
  - An HTML page shows how the waits ended, what went wrong and why, and a time line of all cloud tasks. It needs no
    script and no other file, and requests nothing from anywhere.
  - JUnit is for GitLab, Jenkins and other systems that show tests; Markdown for a pull request or the summary of a step;
    JSON for programs.
  - Reports waits that failed or timed out as well. The module itself does not fail because of a cloud task.
  - The file is written on the host that the Ansible task runs on, as a whole or not at all.
extends_documentation_fragment:
  - ansible.builtin.files
attributes:
  action_group:
    description: It is a member of no action group, since it connects to no service.
    support: none
    membership: []
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
    support: full
  diff_mode:
    description:
      - Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
    support: full
    details:
      - A text of more than 104448 bytes is not part of the difference.
  idempotent:
    description:
      - When run twice in a row outside check mode, with the same arguments, the second invocation indicates no change.
      - This assumes that the system controlled or queried by the module has not changed in a relevant way.
    support: full
options:
  waits:
    description:
      - What the report is about. This is the result of M(cloudwait.conversion.wait_for_task), as C(register) keeps it,
        or a list of such results. The result of a loop of waits stands for all of them.
      - The order of the list is the order of the report. Waits that were skipped are left out.
      - Where cloud tasks have a C(name), they are reported under it.
    type: raw
    required: true
  dest:
    description:
      - Path of the file. Its folder must exist.
      - Give an absolute path, since Ansible does not define the working directory of modules.
    type: path
    required: true
  format:
    description:
      - The format of the report.
      - By default it follows from the ending of O(dest), which is C(.html), C(.htm), C(.xml) for V(junit), C(.json),
        C(.md) or C(.markdown).
    type: str
    choices:
      html: A page for people, in one file.
      junit: JUnit with a suite for each wait and a case for each cloud task.
      json: All that the page shows, for programs.
      markdown: The verdict, what went wrong, and a folded table of the rest; not longer than a comment on GitHub may be.
  title:
    description:
      - What the report is called, such as the name of the playbook or the pipeline.
      - By default, V(Report of cloud tasks) in the language of the report.
    type: str
  language:
    description:
      - Language of the words in the report. What vendors said, names and ids stay as they are.
    type: str
    choices:
      en: English
      zh: Chinese
    default: en
seealso:
  - module: cloudwait.conversion.wait_for_task
  - name: Reports
    description: A guide; what reports show, and recipes for GitLab, Jenkins and GitHub.
    link: https://github.com/cloudwait/cloudwait.conversion/blob/main/docs/docsite/rst/guide_reports.rst
"""

EXAMPLES = r"""
---
- name: Wait, and write a report whatever happens
  block:
    - name: Wait for the conversions
      cloudwait.conversion.wait_for_task:
        provider: mps
        tasks:
          - {task_id: "{{ trailer_id }}", name: Trailer}
          - {task_id: "{{ film_id }}", name: Film}
        fail_fast: false
      register: conversions
  always:
    - name: Write the page
      cloudwait.conversion.wait_report:
        waits: "{{ conversions }}"
        dest: "{{ playbook_dir }}/conversions.html"
        title: Conversions of the night
        mode: "0644"
      delegate_to: localhost

    - name: Write JUnit for the pipeline
      cloudwait.conversion.wait_report:
        waits: "{{ conversions }}"
        dest: "{{ playbook_dir }}/junit.xml"
        mode: "0644"
      delegate_to: localhost

- name: Wait for pages of documents, too
  cloudwait.conversion.wait_for_task:
    provider: cos_doc
    bucket: examplebucket-1250000000
    region: ap-beijing
    tasks: "{{ job_ids }}"
  register: pages

- name: Write one report of both waits, in Chinese
  cloudwait.conversion.wait_report:
    waits: ["{{ conversions }}", "{{ pages }}"]
    dest: "{{ playbook_dir }}/night.html"
    language: zh
    mode: "0644"
  delegate_to: localhost

- name: Write Markdown for a comment, to a file whose name says nothing
  cloudwait.conversion.wait_report:
    waits: "{{ conversions }}"
    dest: "{{ playbook_dir }}/comment"
    format: markdown
    mode: "0600"
  delegate_to: localhost
"""

RETURN = r"""
dest:
  description: The absolute path of the file.
  returned: success
  type: str
  sample: /srv/reports/night.html
format:
  description: The format that was written.
  returned: success
  type: str
  sample: html
satisfied:
  description: Whether all waits were satisfied.
  returned: success
  type: bool
  sample: false
total:
  description: Number of cloud tasks.
  returned: success
  type: int
  sample: 7
not_satisfied:
  description: Number of cloud tasks that did not satisfy their wait, including unfinished ones.
  returned: success
  type: int
  sample: 2
error:
  description: Why nothing was written, in the form of RV(cloudwait.conversion.task_info#module:error).
  returned: failure
  type: dict
  sample:
    kind: config
    code: null
    message: waits holds no result of a wait
    http_status: null
    request_id: null
    retryable: false
"""

from ansible_collections.cloudwait.conversion.plugins.module_utils._module import argspec
from ansible_collections.cloudwait.conversion.plugins.module_utils._module.report import run_report
from ansible_collections.cloudwait.conversion.plugins.module_utils._module.run import QuietModule


def main() -> None:
    module = QuietModule(argument_spec=argspec.report(), add_file_common_args=True, supports_check_mode=True)
    run_report(module)


if __name__ == "__main__":
    main()
