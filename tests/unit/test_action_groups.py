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
from ansible.plugins.loader import fragment_loader
from ansible.utils.plugin_docs import get_docstring
from ansible_collections.cloudwait.conversion.plugins.doc_fragments import _dingtalk, _tencent, _transport

ROOT = pathlib.Path(__file__).resolve().parents[2]
GROUPS: dict[str, list[str]] = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))[
    "action_groups"
]
MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("*.py") if path.stem != "__init__")
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


def options_of(group: str) -> dict[str, t.Any]:
    """The documentation of the options that people set for a group."""
    return {name: doc for text in FRAGMENTS[group] for name, doc in yaml.safe_load(text)["options"].items()}


def test_every_group_is_known() -> None:
    assert set(GROUPS) == set(FRAGMENTS)


@pytest.mark.parametrize(("group", "module"), [(group, module) for group in GROUPS for module in GROUPS[group]])
def test_a_module_takes_every_option_of_its_groups(group: str, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    options = options_of(group)
    spec = spec_of(module, monkeypatch)
    assert [name for name in options if name not in spec] == []
    assert {name: spec[name].get("type", "str") for name in options} == {
        name: doc.get("type", "str") for name, doc in options.items()
    }


@pytest.mark.parametrize("module", MODULES)
def test_a_module_is_a_member_of_every_group_whose_options_it_takes(
    module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = spec_of(module, monkeypatch)
    takes = [group for group in GROUPS if set(options_of(group)) <= set(spec)]
    assert takes == [group for group in GROUPS if module in GROUPS[group]]


@pytest.mark.parametrize("module", MODULES)
def test_the_documentation_names_the_groups_of_a_module(module: str) -> None:
    path = str(ROOT / "plugins" / "modules" / f"{module}.py")
    doc = get_docstring(path, fragment_loader, collection_name="cloudwait.conversion", is_module=True)[0]
    attribute = doc["attributes"]["action_group"]
    groups = [group for group in GROUPS if module in GROUPS[group]]
    assert attribute["membership"] == [f"cloudwait.conversion.{group}" for group in groups]
    for group in groups:
        assert f"C(group/cloudwait.conversion.{group})" in str(attribute["description"])


def test_the_region_is_one_of_them() -> None:
    assert "region" in yaml.safe_load(FRAGMENTS["tencent"][0])["options"]
