# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 2: credentials. It knows no AnsibleModule.
"""Sources of credentials. A complete set is always taken from one source, the first that gives any.

The order of sources is documented with the options. An incomplete set is an error that names what is missing. It is
never completed from another source: the vendor would refuse a key of one account with the id of another, and its
message would mislead the user.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import threading
import time
import typing as t

from ._errors import CloudError, quoted
from ._transport import Request, Transport, check_endpoint, is_loopback

METADATA_ENDPOINT = "http://metadata.tencentyun.com"
METADATA_PATH = "/latest/meta-data/cam/security-credentials/"
METADATA_TIMEOUT = 2.0
METADATA_MAX_BYTES = 64 * 1024
RENEW_BEFORE = 300
"""Seconds before temporary keys expire at which they are fetched again, as in the vendor's SDK."""

RENEW_AGAIN = 10.0
"""Seconds after which a failed renewal is tried again, while the present value is still valid."""

FINAL_FOR = 30.0
"""Seconds for which nothing is fetched after an error that repetition does not mend. Later, its cause may be corrected."""

LATEST = 253402300799
"""Last second of the year 9999, in Unix seconds: the latest time that messages can show."""

TEMPORARY = ("oauth", "sso")
"""Types of tccli profiles that hold temporary keys."""

DEFAULT_PROFILE = "default"
SDK_FILES = (os.path.join("~", ".tencentcloud", "credentials"), os.path.join("/etc", "tencentcloud", "credentials"))

Values = t.Mapping[str, t.Any]
T = t.TypeVar("T")


class Keys(t.NamedTuple):
    """A Tencent key pair. Temporary keys also have a token, and expire at ``expires_at`` (Unix seconds).

    Null in ``expires_at`` means that the end is unknown, or that there is none.
    """

    secret_id: str
    secret_key: str
    token: str | None = None
    expires_at: float | None = None


class DingTalkApp(t.NamedTuple):
    """The key and secret of a DingTalk app, or an access token that was fetched elsewhere."""

    source: str
    app_key: str | None = None
    app_secret: str | None = None
    access_token: str | None = None


class Cached(t.Generic[T]):
    """A value that one thread fetches for all threads, and that is fetched again before it expires.

    Threads that waited while a fetch failed get the same error and do not fetch themselves. Otherwise they would ask a
    service that is slow to refuse one after the other, each waiting for all before it.

    :param clock: returns seconds.
    :param renew_before: seconds before the end at which the value is fetched again. A value with a lifetime of less
        than twice that is fetched again after half of its lifetime.
    :param value: a first value, whose end is unknown.
    """

    def __init__(self, clock: t.Callable[[], float], *, renew_before: float, value: T | None = None) -> None:
        self.value = value
        self._clock = clock
        self._renew_before = renew_before
        self._old_at = self._ends_at = math.inf
        self._refused: T | None = None
        self._lock = threading.Lock()
        self._failures = 0
        self._error: CloudError | None = None
        self._failed_at = 0.0

    def get(self, fetch: t.Callable[[], tuple[T, float | None]]) -> T:
        """Returns the cached value while it is valid, else fetches it under the lock.

        :param fetch: returns the value and its lifetime in seconds; null, 0 or less if its end is unknown.
        :raises CloudError: the error of this fetch, of one that this thread waited for, or a recent final error.
        """
        before = self._failures
        with self._lock:
            if self._is_good_until(self._old_at):
                return t.cast(T, self.value)
            is_good = self._is_good_until(self._ends_at)
            if not is_good and self._error is not None and (self._failures > before or self._is_final()):
                raise self._error.again()
            try:
                self._put(*fetch())
            except CloudError as error:
                if not is_good:
                    self._failures += 1
                    self._error, self._failed_at = error.again(), self._clock()
                    raise
                self._old_at = self._clock() + RENEW_AGAIN  # the present value is still valid
            return t.cast(T, self.value)

    def refuse(self, value: T) -> None:
        """Mark a value as refused by the vendor, so that it is fetched again, unless another one has replaced it."""
        self._refused = value

    def _is_final(self) -> bool:
        """Whether repetition does not mend the last error, which is so recent that its cause cannot be corrected yet."""
        since = self._clock() - self._failed_at
        return self._error is not None and not self._error.retryable and 0.0 <= since < FINAL_FOR

    def _is_good_until(self, end: float) -> bool:
        return self.value is not None and self.value != self._refused and self._clock() <= end

    def _put(self, value: T, life: float | None) -> None:
        self.value, self._refused, self._error = value, None, None
        self._old_at = self._ends_at = math.inf
        if life is not None and life > 0:
            self._ends_at = self._clock() + life
            self._old_at = self._clock() + max(life - self._renew_before, life / 2)


class TencentCredentials:
    """Keys of one source, loaded at first use and again before they expire. Safe to use from several threads.

    :param source: name of the source in results, such as ``profile default``.
    :param load: reads or fetches the keys.
    :param renewable: whether loading again can give other keys.
    """

    def __init__(
        self,
        source: str,
        load: t.Callable[[], Keys],
        *,
        renewable: bool = False,
        now: t.Callable[[], float] = time.time,  # keys expire at a calendar time
    ) -> None:
        self.source = source
        self._load = load
        self._renewable = renewable
        self._now = now
        self._cached: Cached[Keys] = Cached(now, renew_before=RENEW_BEFORE)

    def keys(self) -> Keys:
        """Returns the current keys.

        :raises CloudError: when the source has no valid keys.
        """
        return self._cached.get(self._load_with_life)

    def renew(self, refused: Keys) -> bool:
        """Load keys again after the vendor has refused some. Returns whether there are others now.

        :raises CloudError: when the source has no valid keys.
        """
        if self._renewable:
            self._cached.refuse(refused)
        return self.keys() != refused

    def _load_with_life(self) -> tuple[Keys, float | None]:
        keys = self._load()
        return keys, None if keys.expires_at is None else keys.expires_at - self._now()


def _first(values: Values, *names: str) -> list[str | None]:
    return [values.get(name) or None for name in names]


def _check_text(what: str, value: str | None) -> None:
    """Refuse a value that a header cannot hold, such as one with a space or line break that was copied with it.

    :param what: name of the value for the message, which never shows the value itself.
    :raises CloudError: ``config``.
    """
    if value is not None and value != value.strip():
        raise CloudError("config", f"{what} has blanks around it", advice="give it without them")
    if value is not None and not (value.isascii() and value.isprintable()):
        raise CloudError("config", f"{what} has characters that no key has", advice="copy it again")


def _check_swap(names: tuple[str, str], pair: t.Sequence[str | None], where: str, begins: str) -> None:
    """Refuse an id in place of a secret. Ids have a fixed prefix, which a secret is most unlikely to have.

    :param names: names of id and secret.
    :param pair: their values.
    :param where: the source, for the message.
    :param begins: the prefix of ids.
    :raises CloudError: ``config``.
    """
    found, secret = (value or "" for value in pair)
    if not secret.startswith(begins) or (found.startswith(begins) and found != secret):
        return
    said = f'{names[1]} of {where} begins with "{begins}", as what belongs into {names[0]} does'
    is_swap = found not in ("", secret)
    advice = "the two are swapped, give each in the other's place" if is_swap else f"give the secret in {names[1]}"
    raise CloudError("config", said, advice=advice)


def _whole(names: t.Sequence[str], values: t.Sequence[str | None], where: str) -> bool:
    """Returns whether all values of a set are given.

    :raises CloudError: ``config``, when only some of them are given, or when one is malformed.
    """
    for name, value in zip(names, values):
        _check_text(f"{name} of {where}", value)
    missing = [name for name, value in zip(names, values) if value is None]
    if missing and len(missing) < len(names):
        given = ", ".join(name for name in names if name not in missing)
        raise CloudError(
            "config",
            f"the credentials of {where} are incomplete: {given} is given, {', '.join(missing)} is missing",
            advice="give all of them in the same place",
        )
    return not missing


# --- Tencent -------------------------------------------------------------------------------------------------------


def tencent_credentials(options: Values, environ: t.Mapping[str, str]) -> TencentCredentials:
    """Returns the credentials of the first source that is given. Files and the metadata service are read at first use.

    :param options: ``secret_id``, ``secret_key``, ``token``, ``profile``, ``cvm_role``; each may be missing or null.
    :raises CloudError: ``config``, when no source is given, or when the first one is incomplete or malformed.
    """
    keys = _given_keys(options, ("secret_id", "secret_key"), "token", "the options")
    if keys:
        return _fixed("options", keys)
    profile, role = (str(options.get(name) or "").strip() for name in ("profile", "cvm_role"))
    if profile:
        return _profile(profile)
    if role:
        return _role(role, environ)
    prefix = "TENCENTCLOUD_"
    keys = _given_keys(environ, (prefix + "SECRET_ID", prefix + "SECRET_KEY"), prefix + "TOKEN", "the environment")
    if keys:
        return _fixed("environment", keys)
    for name in ("TENCENTCLOUD_PROFILE", "TCCLI_PROFILE"):
        if environ.get(name):
            return _profile(environ[name])
    if environ.get("TENCENTCLOUD_CVM_ROLE"):
        return _role(environ["TENCENTCLOUD_CVM_ROLE"], environ)
    if any(os.path.exists(path) for path in _profile_files(DEFAULT_PROFILE)):
        return _profile(DEFAULT_PROFILE)
    raise CloudError(
        "config",
        "no Tencent credentials were given",
        advice="give secret_id and secret_key, profile or cvm_role, or set TENCENTCLOUD_SECRET_ID and "
        "TENCENTCLOUD_SECRET_KEY where the Ansible task runs",
    )


def _given_keys(values: Values, names: tuple[str, str], token_name: str, where: str) -> Keys | None:
    pair = _first(values, *names)
    token = _first(values, token_name)[0]
    if token and pair == [None, None]:
        raise CloudError(
            "config",
            f"the credentials of {where} are incomplete: {token_name} is given, {' and '.join(names)} are missing",
            advice="give all three in the same place",
        )
    _check_swap(names, pair, where, "AKID")
    if not _whole(names, pair, where):
        return None
    _check_text(f"{token_name} of {where}", token)
    return Keys(t.cast(str, pair[0]), t.cast(str, pair[1]), token)


def _fixed(source: str, keys: Keys) -> TencentCredentials:
    return TencentCredentials(source, lambda: keys)


def _profile(name: str) -> TencentCredentials:
    if not re.fullmatch(r"[^/\\\0]+", name) or name in (".", ".."):
        raise CloudError(
            "config",
            f"profile is {quoted(name)}, which is not the name of a profile",
            advice="give a name that a file can have",
        )
    return TencentCredentials(f"profile {name}", lambda: _read_profile(name), renewable=True)


def _tccli_file(profile: str) -> str:
    return os.path.expanduser(os.path.join("~", ".tccli", f"{profile}.credential"))


def _profile_files(profile: str) -> list[str]:
    return [_tccli_file(profile), *(os.path.expanduser(path) for path in SDK_FILES)]


def _read_profile(name: str) -> Keys:
    tccli, *sdk = _profile_files(name)
    if os.path.exists(tccli):
        return _read_tccli(tccli)
    for path in sdk:
        if os.path.exists(path):
            return _read_sdk(path, name)
    raise CloudError(
        "config",
        f"the profile {quoted(name)} was found neither in {tccli} nor in {' nor in '.join(sdk)}",
        advice="create it with tccli configure on the host where the Ansible task runs, or name another",
    )


def _read_text(path: str) -> str:
    try:
        with open(path, encoding="utf-8-sig") as file:
            return file.read(METADATA_MAX_BYTES)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        said = f"the profile file {path} cannot be read ({reason})"
        raise CloudError("config", said, advice="let the user that the Ansible task runs as read it") from None


def _read_tccli(path: str, now: t.Callable[[], float] = time.time) -> Keys:  # keys expire at a calendar time
    """Returns the keys in a file of tccli: JSON with ``secretId``, ``secretKey``, ``token``, and ``type`` of the login.

    Files of the types ``oauth`` and ``sso`` hold temporary keys, which end at ``expiresAt`` (Unix seconds).

    :raises CloudError: ``config``, when the file has no valid keys.
    """
    text = _read_text(path)
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        said = f"the profile file {path} is not a JSON object"
        raise CloudError("config", said, advice="make it anew with tccli configure")
    way = data.get("type") or ("role-arn" if data.get("role-arn") else None)
    keys = {name: data.get(name) for name in ("secretId", "secretKey", "token")}
    if way in TEMPORARY:
        return _keys_of_file(path, keys)._replace(expires_at=_end_of(path, way, data.get("expiresAt"), now))
    if way and way != "default":
        kind = quoted(way, 40) if isinstance(way, str) else "something that is no text"
        raise CloudError(
            "config",
            f"the profile file {path} has as its type {kind}, which this collection cannot use",
            advice="use a profile with keys, or the option cvm_role",
        )
    return _keys_of_file(path, keys)


def _end_of(path: str, way: str, value: t.Any, now: t.Callable[[], float]) -> float:
    """Returns when the temporary keys of a profile expire, in Unix seconds. Only tccli can renew them.

    :param way: type of the profile.
    :param value: ``expiresAt`` of the file.
    :raises CloudError: ``config``, when that is not a time, or when the keys have expired.
    """
    advice = (
        f"renew them by any command of tccli with this profile, or by tccli {'auth' if way == 'oauth' else 'sso'} login"
    )
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise CloudError("config", f"the profile file {path} does not say when its keys end", advice=advice)
    if value <= now():
        ended = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(max(0, min(value, LATEST))))
        raise CloudError("config", f"the keys in the profile file {path} have ended at {ended}", advice=advice)
    return float(value)


def _read_sdk(path: str, profile: str) -> Keys:
    """Returns the keys in a file of the SDK: INI with one section for each profile.

    Values may have double quotes around them, as in the vendor's documentation.

    :raises CloudError: ``config``, when the file has no valid keys for the profile.
    """
    import configparser  # noqa: PLC0415 # seldom needed, and importing takes time in every run of a module

    parser = configparser.ConfigParser(interpolation=None)
    text = _read_text(path)
    try:
        parser.read_string(text)
        values = dict(parser[profile])
    except KeyError:
        said = f"the profile file {path} has no section [{profile}]"
        raise CloudError("config", said, advice="add it, or name another profile") from None
    except configparser.Error:
        said = f"the profile file {path} is not an INI file"
        raise CloudError(
            "config", said, advice="write sections such as [default], and lines such as secret_id = ..."
        ) from None
    plain = {name: value.strip().strip('"') for name, value in values.items()}
    return _keys_of_file(path, {"secretId": plain.get("secret_id"), "secretKey": plain.get("secret_key")})


def _keys_of_file(path: str, values: Values) -> Keys:
    texts = {name: value for name, value in values.items() if isinstance(value, str)}
    keys = _given_keys(texts, ("secretId", "secretKey"), "token", f"the profile file {path}")
    if keys is None:
        raise CloudError("config", f"the profile file {path} holds no keys", advice="put some into it")
    return keys


def _role(name: str, environ: t.Mapping[str, str]) -> TencentCredentials:
    if not re.fullmatch(r"[A-Za-z0-9_.-]+", name) or name.strip(".") == "":
        said = f"cvm_role is {quoted(name)}, which is not the name of a role"
        raise CloudError("config", said, advice="give the role's name, which has letters, digits and _ . - only")
    override = environ.get("CLOUDWAIT_METADATA_ENDPOINT")
    endpoint = METADATA_ENDPOINT
    if override:
        parts = check_endpoint(override, "CLOUDWAIT_METADATA_ENDPOINT")
        if not is_loopback(parts.hostname):
            said = f"CLOUDWAIT_METADATA_ENDPOINT names the host {quoted(parts.hostname)}, which is not this machine"
            raise CloudError("config", said, advice="it is for tests: give a host such as 127.0.0.1, or unset it")
        endpoint = override.rstrip("/")
    url = endpoint + METADATA_PATH + name
    return TencentCredentials(f"cvm_role {name}", lambda: _fetch_role(url, name), renewable=True)


def _fetch_role(url: str, name: str) -> Keys:
    """Returns the temporary keys of a role, from the metadata service, which only a CVM with that role can use.

    :raises CloudError: ``network`` for an error that may pass, else ``auth``.
    """
    metadata = Transport(timeout=METADATA_TIMEOUT, max_bytes=METADATA_MAX_BYTES, environment=False)
    advice = f"run the Ansible task on a CVM that has the role {name}, or give other credentials"
    try:
        with contextlib.closing(metadata) as transport:
            answer = transport.send(Request("GET", url, sign=lambda dummy: {}, headers={}))
        return _keys_of_role(json.loads(answer.body.decode("utf-8")) if answer.status == 200 else {})
    except CloudError as error:
        said, retryable = f"the keys of the CVM role {name} could not be fetched: {error.said}", error.retryable
        retryable = retryable and error.kind != "protocol"  # such an answer does not come from the metadata service
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        said = f"the metadata service has no keys for the CVM role {name} (HTTP {answer.status})"
        retryable = answer.status == 429 or answer.status >= 500
    raise CloudError("network" if retryable else "auth", said, advice=advice)


def _keys_of_role(data: t.Any) -> Keys:
    keys = Keys(data["TmpSecretId"], data["TmpSecretKey"], data["Token"], float(data["ExpiredTime"]))
    if not all(isinstance(text, str) and re.fullmatch("[!-~]+", text) for text in keys[:3]):
        raise ValueError("keys must be able to stand in a header")
    return keys


# --- DingTalk ------------------------------------------------------------------------------------------------------


def dingtalk_app(options: Values, environ: t.Mapping[str, str]) -> DingTalkApp:
    """Returns the app or token of the first source: the options, else the environment.

    In a source, the key and secret of an app take precedence over an access token.

    :param options: ``app_key``, ``app_secret``, ``access_token``; each may be missing or null.
    :raises CloudError: ``config``, when no source is given, or when the first one is incomplete or malformed.
    """
    sources = (
        ("options", "the options", options, ("app_key", "app_secret"), "access_token"),
        (
            "environment",
            "the environment",
            environ,
            ("DINGTALK_APP_KEY", "DINGTALK_APP_SECRET"),
            "DINGTALK_ACCESS_TOKEN",
        ),
    )
    for source, where, values, names, token_name in sources:
        pair = _first(values, *names)
        _check_swap(names, pair, where, "ding")
        if _whole(names, pair, where):
            return DingTalkApp(source, pair[0], pair[1])
        app = _given_token(source, where, values, token_name)
        if app:
            return app
    raise CloudError(
        "config",
        "no DingTalk credentials were given",
        advice="give app_key and app_secret, or access_token, or set DINGTALK_APP_KEY and DINGTALK_APP_SECRET where "
        "the Ansible task runs",
    )


def _given_token(source: str, where: str, values: Values, name: str) -> DingTalkApp | None:
    token = _first(values, name)[0]
    if not token:
        return None
    _check_text(f"{name} of {where}", token)
    return DingTalkApp(source, access_token=token)


def dingtalk_user(options: Values, environ: t.Mapping[str, str]) -> DingTalkApp:
    """Returns the access token of a user, from the options, else from the environment. It cannot be renewed.

    :param options: ``user_access_token``, which may be missing or null.
    :raises CloudError: ``config``, when no token is given, or when it is malformed.
    """
    for source, where, values, name in (
        ("options", "the options", options, "user_access_token"),
        ("environment", "the environment", environ, "DINGTALK_USER_ACCESS_TOKEN"),
    ):
        app = _given_token(source, where, values, name)
        if app:
            return app
    raise CloudError(
        "config",
        "no access token of a DingTalk user was given",
        advice="give user_access_token, or set DINGTALK_USER_ACCESS_TOKEN where the Ansible task runs, or give "
        "operator_id to copy as an app",
    )


__all__ = [
    "Cached",
    "DingTalkApp",
    "Keys",
    "TencentCredentials",
    "dingtalk_app",
    "dingtalk_user",
    "tencent_credentials",
]
