# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is set once for an action group in ``module_defaults`` reaches each of its modules, and none refuses it."""

from __future__ import annotations

import importlib
import pathlib
import typing as t

import pytest
import yaml
from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cloudwait.conversion.plugins.doc_fragments import _dingtalk, _tencent, _transport

ROOT = pathlib.Path(__file__).resolve().parents[2]
GROUPS: dict[str, list[str]] = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))[
    "action_groups"
]
FRAGMENTS: dict[str, tuple[str, ...]] = {
    "tencent": (_tencent.ModuleDocFragment.DOCUMENTATION, _transport.ModuleDocFragment.DOCUMENTATION),
    "dingtalk": (_dingtalk.ModuleDocFragment.DOCUMENTATION, _transport.ModuleDocFragment.DOCUMENTATION),
    "all": (_transport.ModuleDocFragment.DOCUMENTATION,),
}


class Captured(Exception):
    """Carries the argument specification out of a module's main()."""


def spec_of(module: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, t.Any]:
    def capture(self: object, argument_spec: dict[str, t.Any], **others: t.Any) -> t.NoReturn:
        raise Captured(argument_spec)

    monkeypatch.setattr(AnsibleModule, "__init__", capture)
    loaded = importlib.import_module(f"ansible_collections.cloudwait.conversion.plugins.modules.{module}")
    with pytest.raises(Captured) as caught:
        loaded.main()
    return t.cast("dict[str, t.Any]", caught.value.args[0])


def test_every_group_is_known() -> None:
    assert set(GROUPS) == set(FRAGMENTS)


@pytest.mark.parametrize(("group", "module"), [(group, module) for group in GROUPS for module in GROUPS[group]])
def test_a_module_takes_every_option_of_its_groups(group: str, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    options = {name: doc for text in FRAGMENTS[group] for name, doc in yaml.safe_load(text)["options"].items()}
    spec = spec_of(module, monkeypatch)
    assert [name for name in options if name not in spec] == []
    assert {name: spec[name].get("type", "str") for name in options} == {
        name: doc.get("type", "str") for name, doc in options.items()
    }


def test_the_region_is_one_of_them() -> None:
    assert "region" in yaml.safe_load(FRAGMENTS["tencent"][0])["options"]
