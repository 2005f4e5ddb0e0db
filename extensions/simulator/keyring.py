# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may call: key pairs, temporary keys of machine roles, and DingTalk tokens."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Mapping
from typing import Any, Callable, NamedTuple

from signatures import equal

DEFAULT_TENCENT: Mapping[str, Any] = {"secret_id": "AKIDEXAMPLE-FAKE-ID", "secret_key": "EXAMPLE-FAKE-SECRET-KEY"}
DEFAULT_DINGTALK: Mapping[str, Any] = {"app_key": "dingEXAMPLEKEY", "app_secret": "EXAMPLE-FAKE-APP-SECRET"}
DEFAULT_USER_TOKEN = "EXAMPLE-FAKE-USER-TOKEN"
TOKEN_SECONDS = 7200


class TencentKey(NamedTuple):
    """A key pair; a temporary one has a token and an end."""

    secret_id: str
    secret_key: str
    token: str | None = None
    ends: float | None = None

    def token_problem(self, token: str) -> str:
        """Return what is wrong with the token of a request: `missing`, `wrong`, `expired`, or an empty text."""
        if self.token is None:
            return "wrong" if token else ""
        if not token:
            return "missing"
        if not equal(token, self.token):
            return "wrong"
        return "expired" if self.ends is not None and time.monotonic() >= self.ends else ""


class Keyring:
    """All credentials that the simulator takes. Safe for several threads."""

    def __init__(self, credentials: Mapping[str, Any], roles: Mapping[str, float]) -> None:
        self._lock = threading.Lock()
        self._roles = dict(roles)
        self._apps = {app["app_key"]: app for app in credentials["dingtalk"]}
        self._fixed_tokens = frozenset(credentials["access_tokens"])
        self._user_tokens = frozenset(credentials["user_access_tokens"])
        self._keys: dict[str, TencentKey] = {}
        self._role_keys: dict[str, TencentKey] = {}
        self._tokens: dict[str, tuple[str, float]] = {}
        self.tokens_issued = 0
        self.role_key_fetches = 0
        for key in credentials["tencent"]:
            seconds = key.get("expires_in")
            ends = None if seconds is None else time.monotonic() + seconds
            self._keys[key["secret_id"]] = TencentKey(key["secret_id"], key["secret_key"], key.get("token"), ends)

    def tencent(self, secret_id: str) -> TencentKey | None:
        """Return a key pair, None if it is unknown. Temporary ones stay known when they have ended."""
        return self._keys.get(secret_id) or self._role_keys.get(secret_id)

    @property
    def role_names(self) -> list[str]:
        """The roles whose keys the metadata service gives out."""
        return list(self._roles)

    def issue_role_keys(self, role: str, clock: Callable[[], float]) -> dict[str, Any] | None:
        """Return new temporary keys of a role in the metadata service's form, None for an unknown role."""
        seconds = self._roles.get(role)
        if seconds is None:
            return None
        key = TencentKey(
            "AKIDROLE" + secrets.token_hex(12), secrets.token_hex(16), secrets.token_hex(32), time.monotonic() + seconds
        )
        ends = clock() + seconds
        with self._lock:
            self._role_keys[key.secret_id] = key
            self.role_key_fetches += 1
        return {
            "TmpSecretId": key.secret_id,
            "TmpSecretKey": key.secret_key,
            "ExpiredTime": int(ends),
            "Expiration": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(ends)),
            "Token": key.token,
            "Code": "Success",
        }

    def issue_token(self, app_key: str, app_secret: str) -> tuple[str, int] | None:
        """Return the token of an app and its seconds, None if key or secret is wrong.

        A token that is still good is given again, and is then good for longer.
        """
        app = self._apps.get(app_key)
        if app is None or not equal(app_secret, app["app_secret"]):
            return None
        seconds = app.get("token_seconds", TOKEN_SECONDS)
        now = time.monotonic()
        with self._lock:
            token, ends = self._tokens.get(app_key, ("", 0.0))
            if now >= ends:
                token = secrets.token_hex(16)
            self._tokens[app_key] = (token, now + seconds)
            self.tokens_issued += 1
        return token, int(seconds)

    def user_token_is_good(self, token: str) -> bool:
        """Return whether a token is one of a DingTalk user."""
        return any(equal(token, known) for known in self._user_tokens)

    def token_is_good(self, token: str) -> bool:
        """Return whether a token is one of a DingTalk app, and still good."""
        if any(equal(token, fixed) for fixed in self._fixed_tokens):
            return True
        now = time.monotonic()
        with self._lock:
            return any(equal(token, issued) and now < ends for issued, ends in self._tokens.values())

    def expire(self) -> None:
        """End all tokens and role keys that were given out."""
        with self._lock:
            self._tokens.clear()
            for secret_id, key in self._role_keys.items():
                self._role_keys[secret_id] = key._replace(ends=0.0)

    def reset_counts(self) -> None:
        """Begin all counts again."""
        with self._lock:
            self.tokens_issued = 0
            self.role_key_fetches = 0
