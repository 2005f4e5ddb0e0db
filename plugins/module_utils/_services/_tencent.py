# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 3: services.
"""The base class of all Tencent services, whatever their API: credentials, and advice about them."""

from __future__ import annotations

import typing as t

from .._credentials import Keys, TencentCredentials, tencent_credentials
from .._errors import CloudError
from .._transport import Request
from .base import Environ, Options, Service, Settings

KEY_ADVICE = "check secret_id and secret_key for typing mistakes, and that the key is enabled"
QUOTA_ADVICE = "a quota of the account is used up: raise it with the vendor"


class TencentService(Service):
    """A service whose requests are signed with a Tencent key pair."""

    expired_codes: t.ClassVar[tuple[str, ...]]
    """Error codes which say that temporary keys have expired."""

    def __init__(self, settings: Settings, credentials: TencentCredentials) -> None:
        super().__init__(settings)
        self._credentials = credentials
        self._used: dict[str, None] = {}

    @classmethod
    def create(cls, settings: Settings, options: Options, environ: Environ) -> TencentService:
        """Returns the service with the first key pair that options or environment give.

        :raises CloudError: ``config``, when they give none or an incomplete set.
        """
        own = {name: options[name] for name in cls.own_options if options.get(name) is not None}
        return cls(settings, tencent_credentials(options, environ), **own)

    @property
    def credential_source(self) -> str:
        """Where the keys come from, in a word or two."""
        return self._credentials.source

    def secrets(self) -> list[str]:
        """Returns every secret key and token used so far."""
        return list(self._used)

    def keys(self) -> Keys:
        """Returns the current keys, and remembers them as secrets.

        :raises CloudError: when a profile or the metadata service has no keys.
        """
        keys = self._credentials.keys()
        self._used.update(dict.fromkeys(filter(None, (keys.secret_key, keys.token))))
        return keys

    def repairs(self) -> dict[str, t.Callable[[CloudError, Request], bool]]:
        """Returns the repairs of every service, and one that fetches expired temporary keys again."""
        return {**super().repairs(), "keys": self._repair_keys}

    def _repair_keys(self, error: CloudError, request: Request) -> bool:
        return error.code in self.expired_codes and self._credentials.renew(request.keys)


__all__ = ["KEY_ADVICE", "QUOTA_ADVICE", "TencentService"]
