# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a user can be told: one example of each kind of error and of each outcome, and the words of all sentences."""

from __future__ import annotations

import ast
import pathlib
import re
import typing as t

import pytest
from ansible_collections.cloudwait.conversion.plugins.module_utils._errors import KINDS, CloudError, shown
from ansible_collections.cloudwait.conversion.plugins.module_utils._record import make_record
from ansible_collections.cloudwait.conversion.plugins.module_utils._wait import verdict
from ansible_collections.cloudwait.conversion.plugins.module_utils._wait.options import POLICY, check_policy

ROOT = pathlib.Path(__file__).resolve().parents[2]
POLL = 'The poll of the Tencent MPS cloud task "film"'

# --- One example of each kind ---------------------------------------------------------------------------------------

EXAMPLES = {
    "auth": (
        CloudError("auth", 'the vendor said "AuthFailure.SignatureFailure: bad signature"'),
        (
            'The poll of the Tencent MPS cloud task "film" failed: the vendor said "AuthFailure.SignatureFailure: bad '
            'signature"; check the credentials that were used.'
        ),
    ),
    "permission": (
        CloudError("permission", 'the vendor said "UnauthorizedOperation: no right to mps"'),
        (
            'The poll of the Tencent MPS cloud task "film" failed: the vendor said "UnauthorizedOperation: no right to mps"; '
            "give this account or app the permission, or use another one."
        ),
    ),
    "not_found": (
        CloudError("not_found", 'the vendor said "ResourceNotFound: no such task"'),
        (
            'The poll of the Tencent MPS cloud task "film" failed: the vendor said "ResourceNotFound: no such task"; check '
            "the task id, the site and how long ago the cloud task was started."
        ),
    ),
    "throttled": (
        CloudError("throttled", 'the vendor said "RequestLimitExceeded"'),
        (
            'The poll of the Tencent MPS cloud task "film" failed: the vendor said "RequestLimitExceeded"; ask less often or '
            "raise the limit with the vendor."
        ),
    ),
    "invalid": (
        CloudError("invalid", 'the vendor said "InvalidParameter"'),
        'The poll of the Tencent MPS cloud task "film" failed: the vendor said "InvalidParameter"; correct the options.',
    ),
    "server": (
        CloudError("server", "mps.tencentcloudapi.com answered with HTTP 503"),
        (
            'The poll of the Tencent MPS cloud task "film" failed: mps.tencentcloudapi.com answered with HTTP 503; try again '
            "later, the fault is on the vendor's side."
        ),
    ),
    "network": (
        CloudError("network", "nothing listens at 127.0.0.1:9"),
        (
            'The poll of the Tencent MPS cloud task "film" failed: nothing listens at 127.0.0.1:9; check the network, the '
            "proxy settings and the endpoint."
        ),
    ),
    "protocol": (
        CloudError("protocol", "what mps.tencentcloudapi.com answered is not HTTP"),
        (
            'The poll of the Tencent MPS cloud task "film" failed: what mps.tencentcloudapi.com answered is not HTTP; check '
            "that the endpoint is the vendor's and that no proxy answers in its place."
        ),
    ),
    "config": (
        CloudError("config", 'region is "Beijing", which is no region\'s id', advice="give the region's id"),
        (
            'The poll of the Tencent MPS cloud task "film" failed: region is "Beijing", which is no region\'s id; give the '
            "region's id."
        ),
    ),
    "clock": (
        CloudError("clock", 'the vendor said "AuthFailure.SignatureExpire"'),
        (
            'The poll of the Tencent MPS cloud task "film" failed: the vendor said "AuthFailure.SignatureExpire"; set this '
            "host's clock right, for example with NTP."
        ),
    ),
    "timeout": (
        CloudError("timeout", "the timeout of the Ansible task came"),
        (
            'The poll of the Tencent MPS cloud task "film" failed: the timeout of the Ansible task came; raise the timeout '
            "keyword of the Ansible task, or lower the option timeout below it."
        ),
    ),
    "internal": (
        CloudError("internal", "KeyError: 'x'"),
        (
            "The poll of the Tencent MPS cloud task \"film\" failed: KeyError: 'x'; report it with the output of -vvv, "
            "without secrets."
        ),
    ),
    "interrupted": (
        CloudError("interrupted", "SIGTERM ended this module before the vendor's answer came"),
        (
            'The poll of the Tencent MPS cloud task "film" failed: SIGTERM ended this module before the vendor\'s answer '
            "came; find out whether it happened before you do it again."
        ),
    ),
    "uncertain": (
        CloudError("uncertain", "a start was sent and no id came back"),
        (
            'The poll of the Tencent MPS cloud task "film" failed: a start was sent and no id came back; find out whether '
            "the cloud task exists before you start it again."
        ),
    ),
}


def test_every_kind_has_its_example() -> None:
    assert list(EXAMPLES) == list(KINDS)


@pytest.mark.parametrize("kind", EXAMPLES)
def test_a_kind_reads_as_one_sentence(kind: str) -> None:
    error, sentence = EXAMPLES[kind]
    assert error.kind == kind
    assert error.sentence(POLL) == sentence


# --- One example of each outcome ------------------------------------------------------------------------------------

BROKEN = {"kind": "network", "code": None, "message": "nothing listens at 127.0.0.1:9"}
UNKNOWN = {"kind": "not_found", "code": "ResourceNotFound", "message": "no such task"}
TORN = {"code": "E-9", "message": "the film is torn", "reason": "source"}
AFTER = "0 of 1 cloud tasks satisfied the wait after 9 s; "
OUTCOMES: dict[str, tuple[str, dict[str, t.Any], str]] = {
    "satisfied": ("succeeded", {}, "1 of 1 cloud tasks satisfied the wait after 9 s."),
    "error": (
        "running",
        {"poll_error": BROKEN},
        AFTER + "the wait gave up: Trailer (mps film) was still running, and the last poll failed: nothing listens at "
        "127.0.0.1:9; check the network, and wait again; cloud tasks that are not over keep running.",
    ),
    "not_found": (
        "unknown",
        {"poll_error": UNKNOWN},
        AFTER + "Trailer (mps film) is not known to the vendor (ResourceNotFound: no such task); check the network.",
    ),
    "failed": (
        "failed",
        {"error": TORN},
        AFTER + "Trailer (mps film) failed (E-9: the film is torn); see failed_tasks, and the error of each in tasks.",
    ),
    "stalled": (
        "pending",
        {},
        AFTER + "nothing changed for stall_timeout: Trailer (mps film) was still pending; see whether the queue is "
        "paused, or raise stall_timeout.",
    ),
    "timed_out": (
        "running",
        {},
        AFTER + "the time was over: Trailer (mps film) was still running; check the network, or raise timeout or "
        "max_polls; the cloud tasks keep running.",
    ),
    "unfinished": ("running", {}, AFTER + "check mode polled once and did not wait."),
}


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_an_outcome_reads_as_one_sentence(outcome: str) -> None:
    status, more, sentence = OUTCOMES[outcome]
    native = None if status == "unknown" else status.upper()
    record = make_record({"provider": "mps", "task_id": "film"}, status, native)
    task = {"poll_error": None, "abort": None, **record, **more, "name": "Trailer", "outcome": outcome}
    assert (
        verdict.message(outcome, [task][outcome == "satisfied" :], total=1, elapsed=9.0, advice="check the network")
        == sentence
    )


# --- Options --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("timeout", -1, "timeout must be at least 0, got -1"),
        ("timeout", "30 minutes", 'timeout is "30 minutes", which is no duration'),
        ("sleep", None, None),
        ("max_polls", 0, "max_polls must be at least 1, got 0"),
        (
            "until",
            ["suceeded"],
            'until has the word "suceeded", which is none of succeeded, partial, failed, canceled, done',
        ),
        ("until", [], "until is an empty list"),
        ("require", "most", 'require is "most", which is neither all nor any nor a number above 0'),
        ("require", 0, "require is 0, which is neither all nor any nor a number above 0"),
        ("require", True, "require is true, which is neither all nor any nor a number above 0"),
    ],
)
def test_a_wrong_option_is_named_with_its_value(option: str, value: t.Any, sentence: str | None) -> None:
    options = {**{name: each.get("default") for name, each in POLICY.items()}, option: value}
    if sentence is None:
        assert check_policy(options)[option] is None
        return
    with pytest.raises(CloudError) as caught:
        check_policy(options)
    assert (caught.value.kind, caught.value.said) == ("config", sentence)


# --- Words ----------------------------------------------------------------------------------------------------------

DIALECT = re.compile(
    r"\b(look at|looks at|looked|looking at|mend|mended|make no sense|makes no sense|deed|slips|by way of|"
    r"ended otherwise|what it says)\b|<class"
)
"""Words of our own that a reader must guess at, and the names of Python's classes."""


def sentences(source: str) -> t.Iterator[tuple[int, str]]:
    """The texts of a file that may be part of a sentence, but for docstrings and documentation."""
    tree = ast.parse(source)
    skipped = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    skipped |= {id(node.value) for node in tree.body if isinstance(node, ast.Assign)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped:
            yield node.lineno, node.value


PLUGINS = [path for path in sorted((ROOT / "plugins").rglob("*.py")) if path.parent.name != "doc_fragments"]


@pytest.mark.parametrize("path", PLUGINS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_sentence_has_words_that_a_reader_must_guess_at(path: pathlib.Path) -> None:
    found = [(line, text) for line, text in sentences(path.read_text(encoding="utf-8")) if DIALECT.search(text)]
    assert found == []


@pytest.mark.parametrize("text", ["mend it", "please look at it", "is of type <class 'str'>"])
def test_such_a_word_is_found(text: str) -> None:
    source = f'def f():\n    """look at"""\n    raise ValueError({text!r})\n'
    assert [bool(DIALECT.search(found)) for dummy, found in sentences(source)] == [True]


def test_a_value_is_shown_as_the_user_wrote_it() -> None:
    assert [shown(value) for value in ("a b", 7, True, ["x"])] == ['"a b"', "7", "true", '["x"]']
