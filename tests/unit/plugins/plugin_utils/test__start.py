# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the end of a module and the words of a connection mean: whether the module may have started something."""

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleActionFail, AnsibleAuthenticationFailure, AnsibleConnectionFailure, AnsibleError
from ansible_collections.cloudwait.conversion.plugins.plugin_utils import _start


def ended(code: int, stderr: str = "", stdout: str = "") -> dict[str, t.Any]:
    return {"failed": True, "msg": "MODULE FAILURE", "rc": code, "module_stderr": stderr, "module_stdout": stdout}


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (ended(-9), "the module was killed by SIGKILL, as when memory runs out"),
        (ended(137), "the module was killed by SIGKILL, as when memory runs out"),
        (ended(143), "the module was killed by SIGTERM"),
        (ended(0), "the module ended without an answer (return code 0): it said nothing"),
        (ended(1, "Traceback\nMemoryError\n"), "the module ended without an answer (return code 1): MemoryError"),
        (ended(255, "", "broken"), "the module ended without an answer (return code 255): broken"),
        (ended(1, "sudo: unable to resolve host h\nMemoryError"), "the module ended without an answer (return code 1): MemoryError"),
    ],
)  # fmt: skip
def test_a_module_that_gave_no_answer_may_have_done_it(answer: dict[str, t.Any], said: str) -> None:
    assert _start._crash(answer, become="sudo") == said


@pytest.mark.parametrize(
    "answer",
    [
        {"changed": True, "task": {}},
        {"failed": True, "msg": "missing required arguments: agent"},
        {"failed": True, "msg": "missing required arguments: agent", "exception": "(traceback unavailable)"},
        {
            "failed": True,
            "msg": "It was refused.",
            "error": {"kind": "invalid"},
            "exception": "(traceback unavailable)",
        },
        {"ansible_job_id": "j1", "started": 1},
        ended(127, "/bin/sh: 1: /nowhere/python3: not found"),
        ended(126, "/bin/sh: 1: /etc/passwd: Permission denied"),
        ended(1, "sudo: a password is required\n"),
    ],
)
def test_a_module_that_answered_or_did_not_run_is_left_alone(answer: dict[str, t.Any]) -> None:
    assert _start._crash(answer, become="sudo") is None


SSH = "Failed to connect to the host via ssh: "


@pytest.mark.parametrize(
    "error",
    [
        AnsibleConnectionFailure(f"{SSH}ssh: connect to host h port 22: Connection refused"),
        AnsibleConnectionFailure(f"{SSH}ssh: Could not resolve hostname h: Name or service not known"),
        AnsibleConnectionFailure(f"{SSH}root@h: Permission denied (publickey)."),
        AnsibleConnectionFailure(f"{SSH}debug1: Reading configuration data\nHost key verification failed."),
        AnsibleConnectionFailure(f"{SSH}kex_exchange_identification: Connection closed by remote host"),
        AnsibleConnectionFailure("Timeout (12s) waiting for privilege escalation prompt: "),
        AnsibleConnectionFailure("Timed out waiting for become success or become password prompt."),
        AnsibleAuthenticationFailure("Invalid/incorrect password: no"),
        AnsibleError("Incorrect sudo password"),
        AnsibleError("Missing sudo password"),
        AnsibleError("failed to find the executable specified /nowhere/sh."),
        AnsibleActionFail("no"),
    ],
)
def test_some_errors_say_that_the_module_did_not_run(error: Exception) -> None:
    assert _start._not_begun(error)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (AnsibleConnectionFailure(f"{SSH}Connection to h closed by remote host."), "Connection to h closed by remote host"),
        (AnsibleConnectionFailure(f"{SSH}Shared connection to h closed."), "Shared connection to h closed"),
        (AnsibleConnectionFailure(f"{SSH}debug1: ssh: connect to host\nclient_loop: Broken pipe"), "client_loop: Broken pipe"),
        (AnsibleConnectionFailure(SSH), "it said nothing"),
        (AnsibleError("SSM exec_command timeout"), "AnsibleError: SSM exec_command timeout"),
        (EOFError(), "EOFError: it said nothing"),
    ],
)  # fmt: skip
def test_all_others_leave_it_open(error: Exception, words: str) -> None:
    assert not _start._not_begun(error)
    assert _start._words(error) == words
