# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A module without Ansible, whose end is an exception that holds its result."""

from __future__ import annotations

import typing as t

from ansible_collections.cloudwait.conversion.plugins.module_utils._module import argspec
from ansible_collections.cloudwait.conversion.tests.unit.argspecs import parameters

Dict = dict[str, t.Any]

COMMON: Dict = parameters({**argspec.transport(), **argspec.one_poll()}, {})


class Ended(Exception):
    """The end of a module, with its result."""

    def __init__(self, failed: bool, result: Dict) -> None:
        super().__init__(result)
        self.failed = failed
        self.result = result


class FakeModule:
    """As much of AnsibleModule as is used."""

    def __init__(self, params: Dict, *, check_mode: bool = False) -> None:
        self.params = {**COMMON, **params}
        self.check_mode = check_mode
        self.no_log_values: set[str] = set()
        self.warnings: list[str] = []

    def warn(self, text: str) -> None:
        self.warnings.append(text)

    def exit_json(self, **result: t.Any) -> t.NoReturn:
        raise Ended(False, result)

    def fail_json(self, **result: t.Any) -> t.NoReturn:
        raise Ended(True, result)


class Run(t.NamedTuple):
    """How a module ended, after which pauses, with which warnings."""

    failed: bool
    result: Dict
    sleeps: list[float]
    module: FakeModule

    @property
    def error(self) -> Dict:
        assert self.failed
        return t.cast(Dict, self.result["error"])
