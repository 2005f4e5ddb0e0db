# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter ``callback_refs``. Its documentation is in ``callback_refs.yml``."""

from __future__ import annotations

import os
import typing as t

from ansible.errors import AnsibleFilterError

from ..module_utils._errors import CloudError
from ..module_utils._services.callbacks import refs_of_callback

TRIED = "Reading the callback"


def callback_refs(
    body: t.Any,
    provider: str | None = None,
    *,
    bucket: str | None = None,
    region: str | None = None,
    site: str | None = None,
    profile: str | None = None,
) -> list[dict[str, t.Any]]:
    """Returns the refs of the cloud tasks that a vendor's callback names.

    :raises AnsibleFilterError: when the callback or an option cannot be used.
    """
    given = {"bucket": bucket, "region": region, "site": site, "profile": profile}
    try:
        return refs_of_callback(body, provider, defaults=given, environ=os.environ)
    except CloudError as error:
        raise AnsibleFilterError(error.sentence(TRIED)) from None


class FilterModule:
    """What Ansible asks for the filters of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Returns the filters by name."""
        return {"callback_refs": callback_refs}
