# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The arguments of the event source: their defaults, and what is refused in one sentence."""

from __future__ import annotations

import pathlib
import typing as t

import pytest
import yaml
from ansible_collections.cloudwait.conversion.plugins.module_utils._errors import CloudError
from ansible_collections.cloudwait.conversion.plugins.module_utils._events.arguments import check_arguments, spec

SOURCE = pathlib.Path(__file__).resolve().parents[4] / "extensions" / "eda" / "plugins" / "event_source"
TASKS: dict[str, t.Any] = {"tasks": [{"provider": "mps", "task_id": "film"}]}
LISTEN = {"port": 5000, "token": "EXAMPLE-FAKE-TOKEN", "callback_secret": "EXAMPLE-FAKE-SECRET"}


def test_arguments_have_the_defaults_of_a_wait() -> None:
    checked = check_arguments({**TASKS, "max_sleep": "1m"})
    wanted = {"sleep": 2.0, "backoff": 1.5, "max_sleep": 60.0, "not_found_grace": 30.0, "timeout": 86400.0}
    assert {name: checked[name] for name in wanted} == wanted
    assert (checked["changes"], checked["state_file"], checked["listen"]) == (False, None, None)


def test_a_listener_is_on_this_machine_alone_unless_a_host_is_given() -> None:
    assert check_arguments({"listen": LISTEN})["listen"]["host"] == "127.0.0.1"


def test_what_ansible_rulebook_adds_is_no_argument() -> None:
    checked = check_arguments({**TASKS, "feedback": True, "eda_feedback_queue": object()})
    assert "eda_feedback_queue" not in checked


WRONG: dict[str, tuple[dict[t.Any, t.Any], str]] = {
    "nothing": ({}, "none of tasks, lists and listen is given; give what to watch."),
    "unknown": ({**TASKS, "taks": []}, "taks is not an argument; correct the argument."),
    "type": ({**TASKS, "changes": "perhaps"}, "changes"),
    "timeout": ({**TASKS, "timeout": "soon"}, 'timeout is "soon", which is no duration; '),
    "no timeout": ({**TASKS, "timeout": 0}, "timeout must be at least 1, got 0"),
    "sleep": ({**TASKS, "sleep": -1}, "sleep must be at least 0, got -1"),
    "rate": ({**TASKS, "rate_limit": {"mps": 0}}, "rate_limit of mps is 0, which is no number above 0"),
    "rate of nobody": ({**TASKS, "rate_limit": {"vod": 5}}, 'rate_limit has the key "vod"; give one of '),
    "list": ({"lists": [{"provider": "ess"}]}, "lists[0] has the provider ess, which offers no list of cloud tasks; "),
    "list of nobody": ({"lists": [{"provider": "vod"}]}, 'lists[0] has the provider "vod"; give one of '),
    "foreign": (
        {"lists": [{"provider": "mps", "bucket": "b-1"}]},
        "lists[0] gives bucket, which mps does not have; leave it out: it may have site, profile.",
    ),
    "port": ({"listen": {**LISTEN, "port": 70000}}, "listen.port is 70000, which is no port; "),
    "no secrets": ({"listen": {"port": 1}}, "listen has neither token nor callback_secret, so nobody could use it; "),
    "path": ({"listen": {**LISTEN, "callback_secret": "a/b"}}, "listen.callback_secret has a character that cannot "),
    "every host": ({"listen": {**LISTEN, "host": ""}}, "listen.host is empty, which would be every address of this "),
    "blank": (
        {"listen": {**LISTEN, "token": "EXAMPLE-FAKE-TOKEN\n"}},
        "listen.token has a character that cannot stand ",
    ),
    "number": ({"listen": 5000}, "listen is no dictionary; give it with keys and values."),
    "texts": ({"listen": ["5000"]}, "listen is no dictionary; "),
    "text": ({"listen": "5000"}, "listen is no dictionary; "),
    "place": ({"lists": ["mps"]}, "lists[0] is no dictionary; "),
    "no list": ({"lists": "mps"}, "lists is no list; put a dash before each of its items."),
    "one list": ({"lists": {"provider": "mps"}}, "lists is no list; "),
    "key": ({**TASKS, 5: 1}, "there is the key 5, which is no text; "),
    "key of a list": ({"lists": [{"provider": "mps", 5: 1}]}, "lists[0] has the key 5, which is no text; "),
    "no file": ({**TASKS, "state_file": ""}, "state_file is empty; name a file, or leave it out."),
    "half of TLS": ({"listen": {**LISTEN, "tls_cert": "c.pem"}}, "tls_cert, tls_key found in listen"),
    "never done": (
        {"listen": LISTEN, "exit_when_done": True},
        "exit_when_done is true, and with lists or listen it is never done; ",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_argument_is_refused_in_one_sentence(name: str) -> None:
    arguments, said = WRONG[name]
    with pytest.raises(CloudError) as caught:
        check_arguments(arguments)
    sentence = caught.value.sentence("The event source cloud_tasks")
    assert caught.value.kind == "config"
    assert said in sentence
    assert sentence.count("\n") == 0
    assert "Supported" not in sentence


def test_a_refusal_shows_no_secret() -> None:
    given = {"secret_key": "EXAMPLE-FAKE-SECRET-KEY", "listen": {**LISTEN, "port": "EXAMPLE-FAKE-TOKEN"}}
    with pytest.raises(CloudError) as caught:
        check_arguments(given)
    assert "EXAMPLE-FAKE" not in caught.value.sentence("It")


def test_the_documentation_names_the_arguments() -> None:
    text = (SOURCE / "cloud_tasks.py").read_text(encoding="utf-8")
    documented = yaml.safe_load(text.partition('DOCUMENTATION = r"""')[2].partition('"""')[0])["options"]
    arguments = spec()
    for name, option in documented.items():
        assert option["type"] == arguments[name]["type"], name
        assert option.get("default") == arguments[name].get("default"), name
        inner = arguments[name].get("options") or {}
        assert set(option.get("suboptions", {})) == set(inner), name
    of_accounts = set(arguments) - set(documented)
    assert {"secret_id", "secret_key", "app_key", "profile", "site", "validate_certs"} <= of_accounts
