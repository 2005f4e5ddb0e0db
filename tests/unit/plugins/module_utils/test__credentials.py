# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where credentials come from: the order of the sources, sets that are half given, files, and a role's metadata."""

from __future__ import annotations

import http.server
import itertools
import json
import pathlib
import threading
import time
import typing as t

import pytest
from ansible_collections.cloudwait.conversion.plugins.module_utils import _credentials
from ansible_collections.cloudwait.conversion.plugins.module_utils._credentials import (
    Cached,
    DingTalkApp,
    Keys,
    TencentCredentials,
    dingtalk_app,
    dingtalk_user,
    tencent_credentials,
)
from ansible_collections.cloudwait.conversion.plugins.module_utils._errors import CloudError

PATIENCE = 20.0
OPTIONS = {"secret_id": "option-id", "secret_key": "option-key"}
ENVIRONMENT = {"TENCENTCLOUD_SECRET_ID": "environment-id", "TENCENTCLOUD_SECRET_KEY": "environment-key"}


@pytest.fixture(autouse=True)
def home(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """An empty home; what this machine has in /etc does not count."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(_credentials, "SDK_FILES", _credentials.SDK_FILES[:1])
    return tmp_path


def write_tccli(home: pathlib.Path, profile: str, content: str | dict[str, t.Any]) -> pathlib.Path:
    path = home / ".tccli" / f"{profile}.credential"
    path.parent.mkdir(exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def write_sdk(home: pathlib.Path, text: str) -> pathlib.Path:
    path = home / ".tencentcloud" / "credentials"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def refusal(call: t.Callable[[], t.Any]) -> str:
    with pytest.raises(CloudError) as caught:
        call()
    assert (caught.value.kind, caught.value.retryable) == ("config", False)
    return caught.value.sentence("Polling")


# --- The order of the sources --------------------------------------------------------------------------------------

ALL: list[tuple[str, dict[str, str], dict[str, str]]] = [
    ("options", OPTIONS, {}),
    ("profile chosen", {"profile": "chosen"}, {}),
    ("cvm_role role", {"cvm_role": "role"}, {}),
    ("environment", {}, ENVIRONMENT),
    ("profile vendor", {}, {"TENCENTCLOUD_PROFILE": "vendor"}),
    ("profile tool", {}, {"TCCLI_PROFILE": "tool"}),
    ("cvm_role other", {}, {"TENCENTCLOUD_CVM_ROLE": "other"}),
    ("profile default", {}, {}),
]


@pytest.mark.parametrize("first", range(len(ALL)), ids=[source for source, dummy, dummy2 in ALL])
def test_the_first_source_that_is_given_wins(first: int, home: pathlib.Path) -> None:
    write_tccli(home, "default", {"secretId": "default-id", "secretKey": "default-key"})
    options: dict[str, str] = {}
    environ: dict[str, str] = {}
    for dummy, some_options, some_environ in ALL[first:]:
        options.update(some_options)
        environ.update(some_environ)
    assert tencent_credentials(options, environ).source == ALL[first][0]


def test_nothing_given_says_what_to_give() -> None:
    assert refusal(lambda: tencent_credentials({}, {})) == (
        "Polling failed: no Tencent credentials were given; give secret_id and secret_key, profile or cvm_role, "
        "or set TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY where the Ansible task runs."
    )


@pytest.mark.parametrize("empty", ["", None])
def test_empty_is_not_given(empty: str | None) -> None:
    options = dict.fromkeys(("secret_id", "secret_key", "token", "profile", "cvm_role"), empty)
    environ = dict.fromkeys(
        ("TENCENTCLOUD_TOKEN", "TENCENTCLOUD_PROFILE", "TCCLI_PROFILE", "TENCENTCLOUD_CVM_ROLE", *ENVIRONMENT), ""
    )
    assert "no Tencent credentials were given" in refusal(lambda: tencent_credentials(options, environ))
    assert tencent_credentials(options, {**environ, **ENVIRONMENT}).keys() == Keys("environment-id", "environment-key")
    assert tencent_credentials(OPTIONS, environ).keys() == Keys("option-id", "option-key")


@pytest.mark.parametrize(
    ("options", "environ", "keys"),
    [
        (OPTIONS, {}, Keys("option-id", "option-key")),
        ({**OPTIONS, "token": "option-token"}, ENVIRONMENT, Keys("option-id", "option-key", "option-token")),
        ({}, ENVIRONMENT, Keys("environment-id", "environment-key")),
        (OPTIONS, {"TENCENTCLOUD_TOKEN": "another"}, Keys("option-id", "option-key")),  # never of two sources
        (
            {},
            {**ENVIRONMENT, "TENCENTCLOUD_TOKEN": "environment-token"},
            Keys("environment-id", "environment-key", "environment-token"),
        ),
    ],
)
def test_a_set_comes_whole_from_one_source(options: dict[str, str], environ: dict[str, str], keys: Keys) -> None:
    assert tencent_credentials(options, environ).keys() == keys


ID, KEY, TOKEN = ("TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY", "TENCENTCLOUD_TOKEN")


@pytest.mark.parametrize(
    ("options", "environ", "said"),
    [
        ({"secret_id": "i"}, ENVIRONMENT, "of the options are incomplete: secret_id is given, secret_key is missing"),
        ({"secret_key": "k"}, ENVIRONMENT, "of the options are incomplete: secret_key is given, secret_id is missing"),
        (
            {"secret_key": "k", "profile": "p"},
            {},
            "of the options are incomplete: secret_key is given, secret_id is missing",
        ),
        (
            {"secret_id": "i", "token": "t"},
            {},
            "of the options are incomplete: secret_id is given, secret_key is missing",
        ),
        (
            {"token": "t"},
            ENVIRONMENT,
            "of the options are incomplete: token is given, secret_id and secret_key are missing",
        ),
        ({}, {ID: "i"}, f"of the environment are incomplete: {ID} is given, {KEY} is missing"),
        ({}, {KEY: "k"}, f"of the environment are incomplete: {KEY} is given, {ID} is missing"),
        ({}, {TOKEN: "t"}, f"of the environment are incomplete: {TOKEN} is given, {ID} and {KEY} are missing"),
    ],
)
def test_half_a_set_is_never_completed(
    options: dict[str, str], environ: dict[str, str], said: str, home: pathlib.Path
) -> None:
    write_tccli(home, "default", {"secretId": "default-id", "secretKey": "default-key"})
    assert refusal(lambda: tencent_credentials(options, environ)).startswith(
        f"Polling failed: the credentials {said}; give all"
    )


@pytest.mark.parametrize("value", [" EXAMPLE", "EXAMPLE\n", "EXAM\nPLE", "EXAMPL\u00c9", "\tEXAMPLE", " ", "EXAM\0PLE"])
@pytest.mark.parametrize("name", ["secret_id", "secret_key", "token"])
def test_blanks_and_odd_characters_are_refused_and_not_shown(name: str, value: str) -> None:
    said = refusal(lambda: tencent_credentials({**OPTIONS, name: value}, {}))
    what = "blanks around it; " if value != value.strip() else "characters that no key has; "
    assert said.startswith(f"Polling failed: {name} of the options has {what}")
    assert "EXAM" not in said


def test_a_line_break_in_the_environment_is_refused() -> None:
    said = refusal(lambda: tencent_credentials({}, {**ENVIRONMENT, KEY: "environment-key\n"}))
    assert said.startswith(f"Polling failed: {KEY} of the environment has blanks around it")


# --- Profiles --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "keys"),
    [
        ({"secretId": "i", "secretKey": "k"}, Keys("i", "k")),
        ({"secretId": "i", "secretKey": "k", "token": "t"}, Keys("i", "k", "t")),
        ({"secretId": "i", "secretKey": "k", "token": None, "type": None, "more": [1]}, Keys("i", "k")),
        ('\ufeff{"secretId": "i", "secretKey": "k"}', Keys("i", "k")),
    ],
)
def test_a_profile_of_tccli_is_read(content: t.Any, keys: Keys, home: pathlib.Path) -> None:
    write_tccli(home, "work", content)
    credentials = tencent_credentials({"profile": "work"}, {})
    assert (credentials.source, credentials.keys()) == ("profile work", keys)


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("[work]\nsecret_id = i\nsecret_key = k\n", Keys("i", "k")),
        ('[work]\nsecret_id = "i"\nsecret_key = "k"\nrole_arn = "r"\n', Keys("i", "k")),
        ("[default]\nsecret_id=x\nsecret_key=y\n[work]\nsecret_id=i\nsecret_key=%(k\n", Keys("i", "%(k")),
    ],
)
def test_a_profile_of_the_sdk_is_read(text: str, keys: Keys, home: pathlib.Path) -> None:
    write_sdk(home, text)
    assert tencent_credentials({"profile": "work"}, {}).keys() == keys


def test_the_file_of_tccli_comes_first(home: pathlib.Path) -> None:
    write_sdk(home, "[default]\nsecret_id = sdk-id\nsecret_key = sdk-key\n")
    assert tencent_credentials({}, {}).keys() == Keys("sdk-id", "sdk-key")
    write_tccli(home, "default", {"secretId": "tccli-id", "secretKey": "tccli-key"})
    assert tencent_credentials({}, {}).keys() == Keys("tccli-id", "tccli-key")


INI = "write sections such as [default], and lines such as secret_id = ...."
USELESS = "which this collection cannot use; use a profile with keys, or the option cvm_role."


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"type": "oauth"}, "{} holds no keys; "),
        ({"type": "cvm-role"}, f'{{}} has as its type "cvm-role", {USELESS}'),
        ({"type": ["x"], "secretId": "i"}, f"{{}} has as its type something that is no text, {USELESS}"),
        ({"secretId": "i", "secretKey": "k", "role-arn": "r"}, f'{{}} has as its type "role-arn", {USELESS}'),
        ("[1]", "{} is not a JSON object; "),
        ("secretId: i", "{} is not a JSON object; "),
        ("[" * 50_000, "{} is not a JSON object; "),
        ("", "{} is not a JSON object; "),
        ({}, "{} holds no keys; "),
        ({"secretId": 1, "secretKey": ["k"]}, "{} holds no keys; "),
    ],
)
def test_a_useless_profile_of_tccli_is_told(content: t.Any, said: str, home: pathlib.Path) -> None:
    path = write_tccli(home, "work", content)
    text = refusal(tencent_credentials({"profile": "work"}, {}).keys)
    assert text.startswith("Polling failed: the profile file " + said.format(path))


def test_half_a_profile_is_never_completed(home: pathlib.Path) -> None:
    path = write_tccli(home, "work", {"secretId": "i", "token": "t"})
    credentials = tencent_credentials({"profile": "work"}, ENVIRONMENT)
    assert refusal(credentials.keys) == (
        f"Polling failed: the credentials of the profile file {path} are incomplete: secretId is given, "
        "secretKey is missing; give all of them in the same place."
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[default]\nsecret_id = i\nsecret_key = k\n", "has no section [work]; add it, or name another profile."),
        ("", "has no section [work]; add it, or name another profile."),
        ("secret_id = i\n", f"is not an INI file; {INI}"),
        ("[work]\n[work]\n", f"is not an INI file; {INI}"),
        ("[work]\nregion = ap-beijing\n", "holds no keys; put some into it."),
    ],
)
def test_a_useless_file_of_the_sdk_is_told(text: str, said: str, home: pathlib.Path) -> None:
    path = write_sdk(home, text)
    assert (
        refusal(tencent_credentials({"profile": "work"}, {}).keys) == f"Polling failed: the profile file {path} {said}"
    )


def test_a_profile_that_is_nowhere_says_where_it_was_sought(home: pathlib.Path) -> None:
    assert refusal(tencent_credentials({"profile": "work"}, {}).keys) == (
        f'Polling failed: the profile "work" was found neither in {home}/.tccli/work.credential '
        f"nor in {home}/.tencentcloud/credentials; "
        "create it with tccli configure on the host where the Ansible task runs, or name another."
    )


def test_a_profile_that_cannot_be_read_is_told(home: pathlib.Path) -> None:
    (home / ".tccli" / "folder.credential").mkdir(parents=True)
    write_tccli(home, "bytes", "").write_bytes(b"\xff\xfe")
    assert "cannot be read (Is a directory)" in refusal(tencent_credentials({"profile": "folder"}, {}).keys)
    assert "cannot be read (it is not UTF-8 text)" in refusal(tencent_credentials({"profile": "bytes"}, {}).keys)


@pytest.mark.parametrize(
    ("name", "shown"),
    [("../secret", "../secret"), (" a/b", "a/b"), ("a\\b", "a\\b"), ("..", ".."), (".", "."), ("a\0b", "a\\x00b")],
)
def test_a_profile_is_no_path(name: str, shown: str) -> None:
    said = refusal(lambda: tencent_credentials({"profile": name}, {}))
    assert said.startswith(f'Polling failed: profile is "{shown}", which is not the name of a profile; ')


@pytest.mark.parametrize("type_", ["oauth", "sso"])
def test_a_profile_of_a_log_in_is_used_while_its_keys_are_good(type_: str, home: pathlib.Path) -> None:
    ends = int(time.time()) + 3600
    content = {"type": type_, "secretId": "i", "secretKey": "k", "token": "t", "expiresAt": ends, type_: {"x": "y"}}
    write_tccli(home, "work", content)
    credentials = tencent_credentials({"profile": "work"}, {})
    assert credentials.keys() == Keys("i", "k", "t", ends)
    write_tccli(home, "work", {**content, "secretId": "renewed by the tool", "expiresAt": ends + 60})
    assert credentials.renew(credentials.keys())
    assert credentials.keys().secret_id == "renewed by the tool"


def test_a_profile_of_the_type_default_holds_keys(home: pathlib.Path) -> None:
    write_tccli(home, "work", {"type": "default", "secretId": "i", "secretKey": "k"})
    assert tencent_credentials({"profile": "work"}, {}).keys() == Keys("i", "k")


@pytest.mark.parametrize(
    ("type_", "ends", "said"),
    [
        (
            "oauth",
            1_700_000_000,
            "the keys in {} have ended at 2023-11-14T22:13:20Z; renew them by {} or by tccli auth login.",
        ),
        ("sso", -5.5, "the keys in {} have ended at 1970-01-01T00:00:00Z; renew them by {} or by tccli sso login."),
        ("sso", None, "{} does not say when its keys end; renew them by {} or by tccli sso login."),
        ("sso", "soon", "{} does not say when its keys end; renew them by {} or by tccli sso login."),
        ("oauth", True, "{} does not say when its keys end; renew them by {} or by tccli auth login."),
        ("oauth", float("inf"), "{} does not say when its keys end; renew them by {} or by tccli auth login."),
    ],
)
def test_keys_of_a_log_in_that_have_ended_are_refused(type_: str, ends: t.Any, said: str, home: pathlib.Path) -> None:
    path = write_tccli(home, "work", {"type": type_, "secretId": "i", "secretKey": "k", "expiresAt": ends})
    wanted = said.format(f"the profile file {path}", "any command of tccli with this profile,")
    assert refusal(tencent_credentials({"profile": "work"}, {}).keys) == f"Polling failed: {wanted}"


# --- Swapped ---------------------------------------------------------------------------------------------------------

FAKE_ID = "AKIDEXAMPLEEXAMPLEEXAMPLEEXAMPLE0001"
FAKE_KEY = "EXAMPLEFAKESECRETKEY000000000001"
SWAPPED = "the two are swapped, give each in the other's place."


@pytest.mark.parametrize(
    ("options", "environ", "said"),
    [
        (
            {"secret_id": FAKE_KEY, "secret_key": FAKE_ID},
            {},
            f'secret_key of the options begins with "AKID", as what belongs into secret_id does; {SWAPPED}',
        ),
        (
            {},
            {ID: FAKE_KEY, KEY: FAKE_ID},
            f'{KEY} of the environment begins with "AKID", as what belongs into {ID} does; {SWAPPED}',
        ),
        (
            {"secret_key": FAKE_ID},
            {},
            (
                'secret_key of the options begins with "AKID", as what belongs into secret_id does; '
                "give the secret in secret_key."
            ),
        ),
        (
            {"secret_id": FAKE_ID, "secret_key": FAKE_ID},
            {},
            (
                'secret_key of the options begins with "AKID", as what belongs into secret_id does; '
                "give the secret in secret_key."
            ),
        ),
    ],
)
def test_swapped_keys_are_told_without_them(options: dict[str, str], environ: dict[str, str], said: str) -> None:
    text = refusal(lambda: tencent_credentials(options, environ))
    assert text == f"Polling failed: {said}"
    assert FAKE_ID not in text
    assert FAKE_KEY not in text


def test_swapped_keys_in_a_profile_are_told(home: pathlib.Path) -> None:
    path = write_tccli(home, "work", {"secretId": FAKE_KEY, "secretKey": FAKE_ID})
    assert refusal(tencent_credentials({"profile": "work"}, {}).keys) == (
        f'Polling failed: secretKey of the profile file {path} begins with "AKID", as what belongs into secretId does; '
        f"{SWAPPED}"
    )


def test_a_secret_may_begin_as_ids_do_by_chance() -> None:
    assert tencent_credentials({"secret_id": FAKE_ID, "secret_key": "AKID" + FAKE_KEY[4:]}, {}).keys().token is None


def test_a_swapped_app_of_dingtalk_is_told() -> None:
    options = {"app_key": "EXAMPLE-FAKE-APP-SECRET", "app_secret": "dingexamplekey"}
    assert refusal(lambda: dingtalk_app(options, {})) == (
        f'Polling failed: app_secret of the options begins with "ding", as what belongs into app_key does; {SWAPPED}'
    )


# --- Renewal -------------------------------------------------------------------------------------------------------


class Source:
    """Temporary keys that live for a while, on a clock of its own."""

    def __init__(self, life: float | None = 1000.0, *, renewable: bool = True) -> None:
        self.now = 0.0
        self.life = life
        self.loads = 0
        self.credentials = TencentCredentials("source", self.load, renewable=renewable, now=lambda: self.now)

    def load(self) -> Keys:
        self.loads += 1
        return Keys(f"id{self.loads}", "key", "token", None if self.life is None else self.now + self.life)


@pytest.mark.parametrize(
    ("life", "times", "ids"),
    [
        (1000, [0, 0, 699, 700], ["id1", "id1", "id1", "id1"]),
        (1000, [0, 701, 702, 1500], ["id1", "id2", "id2", "id3"]),  # five minutes before the end
        (None, [0, 1e9], ["id1", "id1"]),
        (120, [0, 59, 61, 62], ["id1", "id1", "id2", "id2"]),  # of a short life, at half of it
        (-10, [0, 1, 1e9], ["id1", "id1", "id1"]),  # over already: this host's clock is wrong, not the keys
    ],
)
def test_temporary_keys_are_renewed_before_they_end(life: float | None, times: list[float], ids: list[str]) -> None:
    source = Source(life)
    seen = []
    for now in times:
        source.now = now
        seen.append(source.credentials.keys().secret_id)
    assert seen == ids


def test_refused_keys_are_renewed_where_they_come_from() -> None:
    source = Source()
    refused = source.credentials.keys()
    assert source.credentials.renew(refused) is True
    assert source.credentials.keys().secret_id == "id2"


def test_keys_that_another_poll_has_renewed_are_not_renewed_again() -> None:
    source = Source()
    refused = source.credentials.keys()
    assert [source.credentials.renew(refused) for dummy in range(3)] == [True, True, True]
    assert source.loads == 2


def test_fixed_keys_cannot_be_renewed() -> None:
    credentials = tencent_credentials(OPTIONS, {})
    assert credentials.renew(credentials.keys()) is False


def test_a_profile_is_read_again(home: pathlib.Path) -> None:
    write_tccli(home, "work", {"secretId": "i", "secretKey": "k"})
    credentials = tencent_credentials({"profile": "work"}, {})
    refused = credentials.keys()
    assert credentials.renew(refused) is False  # it still says the same
    write_tccli(home, "work", {"secretId": "j", "secretKey": "k"})
    assert credentials.renew(refused) is True
    assert credentials.keys() == Keys("j", "k")


class Turn:
    """A lock for which this thread has to wait until another one has met an error."""

    def __init__(self, kept: Cached[str], error: CloudError) -> None:
        self.kept = kept
        self.error = error

    def __enter__(self) -> None:
        self.kept._failures += 1
        self.kept._error = self.error

    def __exit__(self, *dummy: object) -> None:
        """Nobody waits for this one."""


def no_fetch() -> t.NoReturn:
    raise AssertionError("this thread must not fetch, too")


def fail(kind: str) -> t.NoReturn:
    raise CloudError(kind, "no keys")


def test_who_waited_for_a_fetch_that_failed_does_not_fetch_too(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: Cached[str] = Cached(lambda: 0.0, renew_before=300)
    error = CloudError("network", "no keys")
    monkeypatch.setattr(kept, "_lock", Turn(kept, error))
    with pytest.raises(CloudError, match="no keys") as caught:
        kept.get(no_fetch)
    assert (caught.value.as_dict(), caught.value is error) == (error.as_dict(), False)


def test_who_comes_later_fetches_anew_if_that_may_help() -> None:
    kept: Cached[str] = Cached(lambda: 0.0, renew_before=300)
    with pytest.raises(CloudError):
        kept.get(lambda: fail("network"))
    assert kept.get(lambda: ("keys", None)) == "keys"
    kept.refuse("keys")
    with pytest.raises(CloudError):
        kept.get(lambda: fail("auth"))
    with pytest.raises(CloudError, match="no keys"):
        kept.get(no_fetch)


def test_a_final_error_counts_until_somebody_may_have_corrected_what_was_wrong() -> None:
    now = 100.0
    kept: Cached[str] = Cached(lambda: now, renew_before=300)
    with pytest.raises(CloudError):
        kept.get(lambda: fail("config"))
    now = 129.0
    with pytest.raises(CloudError, match="no keys"):
        kept.get(no_fetch)
    now = 130.0
    assert kept.get(lambda: ("keys", 1000.0)) == "keys"


def test_what_is_still_good_is_used_when_its_renewal_fails() -> None:
    now = 0.0
    kept: Cached[str] = Cached(lambda: now, renew_before=300)
    assert kept.get(lambda: ("keys", 1000.0)) == "keys"
    now = 701.0
    assert kept.get(lambda: fail("auth")) == "keys"
    assert kept.get(no_fetch) == "keys"  # not tried again at once
    now = 712.0
    assert kept.get(lambda: ("more keys", 1000.0)) == "more keys"
    now = 1713.0
    with pytest.raises(CloudError, match="no keys"):
        kept.get(lambda: fail("network"))


def test_what_was_refused_is_not_used_again() -> None:
    kept: Cached[str] = Cached(lambda: 0.0, renew_before=300)
    kept.get(lambda: ("keys", 1000.0))
    kept.refuse("other keys")  # met late: they had been replaced since
    assert kept.get(no_fetch) == "keys"
    kept.refuse("keys")
    with pytest.raises(CloudError, match="no keys"):
        kept.get(lambda: fail("network"))
    assert kept.get(lambda: ("keys", 1000.0)) == "keys"  # fetched once more, and the same


def test_threads_load_once() -> None:
    source = Source()
    start = threading.Barrier(8)
    seen: list[Keys] = []

    def use() -> None:
        start.wait(PATIENCE)
        seen.append(source.credentials.keys())

    threads = [threading.Thread(target=use) for dummy in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert (len(seen), len(set(seen)), source.loads) == (8, 1, 1)


# --- Roles ---------------------------------------------------------------------------------------------------------

ROLE_PATH = "/latest/meta-data/cam/security-credentials/worker"
ROLE_KEYS = {
    "TmpSecretId": "role-id",
    "TmpSecretKey": "role-key",
    "Token": "role-token",
    "ExpiredTime": 4_000_000_000,
    "Code": "Success",
}


class Metadata:
    """A metadata service on this machine; gives one answer after the other, the last one for ever."""

    def __init__(self) -> None:
        self.answers: t.Iterator[tuple[int, bytes]] = iter(())
        self.paths: list[str] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.paths.append(self.path)
                status, body = next(outer.answers)
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                if status == 302:
                    self.send_header("Location", "http://gateway.example.com/")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *dummy: t.Any) -> None:
                pass

        self.server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        self.environ = {"CLOUDWAIT_METADATA_ENDPOINT": f"http://127.0.0.1:{self.server.server_port}/"}
        self._thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def say(self, *answers: tuple[int, t.Any]) -> None:
        made = [(status, body if isinstance(body, bytes) else json.dumps(body).encode()) for status, body in answers]
        self.answers = itertools.chain(made, itertools.repeat(made[-1]))

    def close(self) -> None:
        self.server.shutdown()
        self._thread.join(PATIENCE)
        self.server.server_close()


@pytest.fixture
def metadata(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[Metadata]:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")  # must not be asked
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    service = Metadata()
    yield service
    service.close()


def test_the_keys_of_a_role_are_fetched(metadata: Metadata) -> None:
    metadata.say((200, ROLE_KEYS))
    credentials = tencent_credentials({"cvm_role": "worker"}, metadata.environ)
    wanted = Keys("role-id", "role-key", "role-token", 4e9)
    assert (credentials.source, metadata.paths) == ("cvm_role worker", [])  # not before they are needed
    assert (credentials.keys(), credentials.keys()) == (wanted, wanted)
    assert metadata.paths == [ROLE_PATH]


def test_the_keys_of_a_role_are_renewed(metadata: Metadata) -> None:
    metadata.say((200, ROLE_KEYS), (200, {**ROLE_KEYS, "TmpSecretId": "next-id"}))
    credentials = tencent_credentials({}, {"TENCENTCLOUD_CVM_ROLE": "worker", **metadata.environ})
    assert credentials.renew(credentials.keys()) is True
    assert credentials.keys().secret_id == "next-id"


ROLE_ADVICE = "run the Ansible task on a CVM that has the role worker, or give other credentials"
NO_KEYS = "the metadata service has no keys for the CVM role worker (HTTP {})"


@pytest.mark.parametrize(
    ("status", "body", "kind", "said"),
    [
        (404, b"not found", "auth", NO_KEYS),
        (200, b"<html>", "auth", NO_KEYS),
        (200, b"[" * 50_000, "auth", NO_KEYS),
        (200, [1], "auth", NO_KEYS),
        (200, {"Code": "Failed"}, "auth", NO_KEYS),
        (200, {**ROLE_KEYS, "Token": None}, "auth", NO_KEYS),
        (200, {**ROLE_KEYS, "TmpSecretKey": "a\r\nb"}, "auth", NO_KEYS),
        (200, {**ROLE_KEYS, "TmpSecretId": ""}, "auth", NO_KEYS),
        (200, {**ROLE_KEYS, "ExpiredTime": "soon"}, "auth", NO_KEYS),
        (200, {**ROLE_KEYS, "ExpiredTime": 10**400}, "auth", NO_KEYS),
        (500, b"", "network", NO_KEYS),
        (429, b"", "network", NO_KEYS),
        (
            200,
            b"x" * 70_000,
            "auth",
            "the keys of the CVM role worker could not be fetched: the answer is longer than 65536 bytes",
        ),
        (
            302,
            b"",
            "auth",
            (
                "the keys of the CVM role worker could not be fetched: {host} answered with a redirect to "
                "gateway.example.com, which a signed request never follows"
            ),
        ),
    ],
)
def test_a_role_without_keys_is_told(status: int, body: t.Any, kind: str, said: str, metadata: Metadata) -> None:
    metadata.say((status, body))
    with pytest.raises(CloudError) as caught:
        tencent_credentials({"cvm_role": "worker"}, metadata.environ).keys()
    said = said.format(status, host=f"127.0.0.1:{metadata.server.server_port}")
    assert (caught.value.kind, caught.value.retryable) == (kind, kind == "network")
    assert caught.value.sentence("Polling") == f"Polling failed: {said}; {ROLE_ADVICE}."


@pytest.mark.parametrize("name", ["a/b", "a b", "..", ".", "a?b", "a%2fb", "../../user-data"])
def test_a_role_is_no_path(name: str) -> None:
    assert refusal(lambda: tencent_credentials({"cvm_role": name}, {})).startswith(
        f'Polling failed: cvm_role is "{name}", which is not the name of a role; '
    )


@pytest.mark.parametrize(
    ("endpoint", "said"),
    [
        (
            "https://gateway.example.com",
            'CLOUDWAIT_METADATA_ENDPOINT names the host "gateway.example.com", which is not this machine; ',
        ),
        ("http://169.254.0.23", "CLOUDWAIT_METADATA_ENDPOINT is plain http to another machine, "),
        ("http://user:x@127.0.0.1", "CLOUDWAIT_METADATA_ENDPOINT has a user name or password in it; "),
        ("127.0.0.1", "CLOUDWAIT_METADATA_ENDPOINT is not an http or https URL with a host; "),
    ],
)
def test_the_metadata_service_is_moved_to_this_machine_only(endpoint: str, said: str) -> None:
    environ = {"CLOUDWAIT_METADATA_ENDPOINT": endpoint}
    assert refusal(lambda: tencent_credentials({"cvm_role": "worker"}, environ)).startswith(f"Polling failed: {said}")


# --- DingTalk ------------------------------------------------------------------------------------------------------

APP_ENVIRONMENT = {"DINGTALK_APP_KEY": "environment-key", "DINGTALK_APP_SECRET": "environment-secret"}
TOKEN_ENVIRONMENT = {"DINGTALK_ACCESS_TOKEN": "environment-token"}


@pytest.mark.parametrize(
    ("options", "environ", "app"),
    [
        ({"app_key": "k", "app_secret": "s"}, APP_ENVIRONMENT, DingTalkApp("options", "k", "s")),
        ({"app_key": "k", "app_secret": "s", "access_token": "t"}, {}, DingTalkApp("options", "k", "s")),
        ({"access_token": "t"}, APP_ENVIRONMENT, DingTalkApp("options", access_token="t")),
        (
            {"app_key": "", "app_secret": None},
            {**APP_ENVIRONMENT, **TOKEN_ENVIRONMENT},
            DingTalkApp("environment", "environment-key", "environment-secret"),
        ),
        (
            {},
            {**TOKEN_ENVIRONMENT, "DINGTALK_APP_KEY": ""},
            DingTalkApp("environment", access_token="environment-token"),
        ),
    ],
)
def test_a_dingtalk_app_or_token_is_found(options: dict[str, t.Any], environ: dict[str, str], app: DingTalkApp) -> None:
    assert dingtalk_app(options, environ) == app


@pytest.mark.parametrize(
    ("options", "environ", "said"),
    [
        (
            {},
            {},
            (
                "no DingTalk credentials were given; give app_key and app_secret, or access_token, or set "
                "DINGTALK_APP_KEY and DINGTALK_APP_SECRET where the Ansible task runs."
            ),
        ),
        (
            {"app_key": "k"},
            APP_ENVIRONMENT,
            "the credentials of the options are incomplete: app_key is given, app_secret is missing; ",
        ),
        (
            {"app_secret": "s", "access_token": "t"},
            {},
            "the credentials of the options are incomplete: app_secret is given, app_key is missing; ",
        ),
        (
            {},
            {"DINGTALK_APP_SECRET": "s"},
            "the credentials of the environment are incomplete: DINGTALK_APP_SECRET is given, DINGTALK_APP_KEY is missing; ",
        ),
        (
            {"access_token": "t\n"},
            {},
            "access_token of the options has blanks around it; ",
        ),
        ({"app_key": "k", "app_secret": " s"}, {}, "app_secret of the options has blanks around it; "),
    ],
)
def test_dingtalk_credentials_are_refused(options: dict[str, str], environ: dict[str, str], said: str) -> None:
    assert refusal(lambda: dingtalk_app(options, environ)).startswith(f"Polling failed: {said}")


USER_ENVIRONMENT = {"DINGTALK_USER_ACCESS_TOKEN": "environment-user-token"}
NO_USER = (
    "no access token of a DingTalk user was given; give user_access_token, or set DINGTALK_USER_ACCESS_TOKEN where the "
    "Ansible task runs, or give operator_id to copy as an app."
)


@pytest.mark.parametrize(
    ("options", "environ", "user"),
    [
        ({"user_access_token": "t"}, USER_ENVIRONMENT, DingTalkApp("options", access_token="t")),
        ({}, USER_ENVIRONMENT, DingTalkApp("environment", access_token="environment-user-token")),
        (
            {"user_access_token": None},
            USER_ENVIRONMENT,
            DingTalkApp("environment", access_token="environment-user-token"),
        ),
        (
            {"app_key": "k", "app_secret": "s", "access_token": "a", "user_access_token": "t"},
            {**APP_ENVIRONMENT, **TOKEN_ENVIRONMENT},
            DingTalkApp("options", access_token="t"),
        ),
    ],
)
def test_the_token_of_a_dingtalk_user_is_found(
    options: dict[str, t.Any], environ: dict[str, str], user: DingTalkApp
) -> None:
    assert dingtalk_user(options, environ) == user


@pytest.mark.parametrize(
    ("options", "environ", "said"),
    [
        ({}, {}, NO_USER),
        ({"user_access_token": ""}, {"DINGTALK_USER_ACCESS_TOKEN": ""}, NO_USER),
        ({"app_key": "k", "app_secret": "s"}, APP_ENVIRONMENT, NO_USER),  # never that of an app
        ({"access_token": "a"}, TOKEN_ENVIRONMENT, NO_USER),
        ({"user_access_token": "t "}, {}, "user_access_token of the options has blanks around it; "),
        ({}, {"DINGTALK_USER_ACCESS_TOKEN": "a\nb"}, "DINGTALK_USER_ACCESS_TOKEN of the environment has characters "),
    ],
)
def test_what_is_no_token_of_a_user_is_refused(options: dict[str, str], environ: dict[str, str], said: str) -> None:
    assert refusal(lambda: dingtalk_user(options, environ)).startswith(f"Polling failed: {said}")
