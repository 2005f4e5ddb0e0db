# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What modules take, from their own code."""

from __future__ import annotations

import importlib
import typing as t

import pytest
from ansible.module_utils.basic import AnsibleModule


class Captured(Exception):
    """Carries an argument specification out of a module's main()."""


def spec_of(module: str) -> dict[str, t.Any]:
    """Returns the argument specification of a module."""

    def capture(self: object, argument_spec: dict[str, t.Any], **others: t.Any) -> t.NoReturn:
        raise Captured(argument_spec)

    loaded = importlib.import_module(f"ansible_collections.cloudwait.conversion.plugins.modules.{module}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AnsibleModule, "__init__", capture)
        with pytest.raises(Captured) as caught:
            loaded.main()
    return t.cast("dict[str, t.Any]", caught.value.args[0])


def parameters(spec: t.Mapping[str, t.Any], given: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Returns what Ansible makes of the options that a user gives: all options, with their defaults."""

    def value(name: str) -> t.Any:
        own = given.get(name, spec[name].get("default"))
        return parameters(spec[name]["options"], own) if isinstance(own, dict) and "options" in spec[name] else own

    return {name: value(name) for name in spec}
