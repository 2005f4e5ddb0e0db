# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Holds the documentation against the code: options equal the argument spec, and every example would be accepted.

Each check is a function that gets data and yields what is wrong with it, so that a planted mistake shows that it can fail.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import json
import pathlib
import re
import typing as t

import pytest
import yaml
from ansible.module_utils.basic import FILE_COMMON_ARGUMENTS, AnsibleModule
from ansible.playbook.block import Block
from ansible.playbook.play import Play
from ansible.playbook.task import Task
from ansible.plugins.loader import fragment_loader
from ansible.utils.plugin_docs import get_docstring
from ansible_collections.cloudwait.conversion.tests.cases import STARTS

ROOT = pathlib.Path(__file__).resolve().parents[2]
COLLECTION = "cloudwait.conversion"
MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("*.py") if path.stem != "__init__")
PLAYBOOKS = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "playbooks").rglob("*.yml"))
TEXTS = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("*.md", "docs/**/*.md", "docs/**/*.rst", "extensions/simulator/**/*.md")
    for path in ROOT.glob(pattern)
)
SECRET_LIKE = re.compile(r"pass(?!ive)|secret|token|key", re.IGNORECASE)
SAYING = {"cloudwait_say": ("lines", "waits")}  # playbooks/action_plugins, which has no documentation
ANY_ARGUMENT = {
    "ansible.builtin.set_fact",
    "ansible.builtin.add_host",
}  # their arguments are names of the user's choice
PLAY_LISTS = ("pre_tasks", "tasks", "post_tasks", "handlers")
BLOCK_LISTS = ("block", "rescue", "always")

Options = t.Mapping[str, t.Any]
Defaults = t.Mapping[str, t.Any]


class Catalogue(t.NamedTuple):
    """What a task may use: options by module, modules by action group."""

    options: t.Callable[[str], Options | None]
    groups: t.Mapping[str, t.Collection[str]]


class Use(t.NamedTuple):
    """A task of an example: the module, its arguments, and the defaults that are in force there."""

    action: str
    arguments: t.Any
    defaults: Defaults


# Options and argument spec


class Captured(Exception):
    """Carries the arguments of AnsibleModule out of main()."""


def module_arguments(name: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, t.Any]:
    """What a module's main() hands to AnsibleModule."""

    def capture(self: object, argument_spec: Options, **others: t.Any) -> t.NoReturn:
        raise Captured({"argument_spec": argument_spec, **others})

    monkeypatch.setattr(AnsibleModule, "__init__", capture)
    module = importlib.import_module(f"ansible_collections.{COLLECTION}.plugins.modules.{name}")
    with pytest.raises(Captured) as caught:
        module.main()
    return t.cast("dict[str, t.Any]", caught.value.args[0])


@functools.cache
def documented(path: str, collection: str) -> dict[str, t.Any]:
    """The documentation of a module, with its fragments merged in; its examples as EXAMPLES."""
    doc, examples = get_docstring(path, fragment_loader, collection_name=collection, is_module=True)[:2]
    return {"options": doc.get("options") or {}, "EXAMPLES": examples or ""}


def own_documentation(name: str) -> dict[str, t.Any]:
    return documented(str(ROOT / "plugins" / "modules" / f"{name}.py"), COLLECTION)


def facts(option: Options) -> dict[str, t.Any]:
    """What documentation and spec must say alike; no difference between an absent key and its default."""
    kind = option.get("type", "str")
    choices = option.get("choices")
    return {
        "type": kind,
        "elements": option.get("elements"),
        "required": bool(option.get("required", False)),
        "default": option.get("default"),
        "choices": None if choices is None else sorted(choices, key=str),
        "aliases": sorted(option.get("aliases") or []),
    }


def differences(doc: Options, spec: Options, where: str = "") -> t.Iterator[str]:
    """Where documented options and an argument spec differ."""
    for name in sorted({*doc, *spec}):
        path = where + name
        if name not in doc:
            yield f"{path} is not documented"
        elif name not in spec:
            yield f"{path} is documented, but no option"
        else:
            said, done = facts(doc[name]), facts(spec[name])
            for key in said:
                in_doc, in_spec = json.dumps(said[key]), json.dumps(done[key])  # tells true, 1 and "1" apart
                if in_doc != in_spec:
                    yield f"{path}: documentation says {key} {in_doc}, the spec {in_spec}"
            yield from differences(doc[name].get("suboptions") or {}, spec[name].get("options") or {}, path + ".")


def unmarked_secrets(spec: Options, where: str = "") -> t.Iterator[str]:
    """Options whose name or alias looks like a secret, with nothing said about no_log."""
    for name, option in spec.items():
        names = [name, *option.get("aliases", [])]
        if any(SECRET_LIKE.search(each) for each in names) and not isinstance(option.get("no_log"), bool):
            yield f"{where}{name} looks like a secret: say no_log: true or false"
        yield from unmarked_secrets(option.get("options") or {}, f"{where}{name}.")


@pytest.mark.parametrize("name", MODULES)
def test_documented_options_are_those_of_the_spec(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = module_arguments(name, monkeypatch)
    of_files = FILE_COMMON_ARGUMENTS if arguments.get("add_file_common_args") else {}
    spec = {**arguments["argument_spec"], **of_files}
    assert list(differences(own_documentation(name)["options"], spec)) == []


@pytest.mark.parametrize("name", MODULES)
def test_secrets_are_marked(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(unmarked_secrets(module_arguments(name, monkeypatch)["argument_spec"])) == []


@pytest.mark.parametrize("name", MODULES)
def test_values_are_marked_as_values_only(name: str) -> None:
    text = (ROOT / "plugins" / "modules" / f"{name}.py").read_text(encoding="utf-8")
    assert not re.findall(r"(?<!R)V\(ignore:", text), "ansible-doc shows the mark, which has a meaning in O and RV only"


@pytest.mark.parametrize("name", MODULES)
def test_modules_know_check_mode(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert module_arguments(name, monkeypatch)["supports_check_mode"] is True


SPEC_MISTAKES = [
    ({"a": {}}, {}),
    ({}, {"a": {}}),
    ({"a": {"type": "int"}}, {"a": {"type": "float"}}),
    ({"a": {"type": "list", "elements": "str"}}, {"a": {"type": "list", "elements": "dict"}}),
    ({"a": {"required": True}}, {"a": {}}),
    ({"a": {"default": 3}}, {"a": {"default": 4}}),
    ({"a": {"default": "3"}}, {"a": {"default": 3}}),
    ({"a": {"default": False}}, {"a": {}}),
    ({"a": {"choices": ["x"]}}, {"a": {"choices": ["x", "y"]}}),
    ({"a": {"aliases": ["b"]}}, {"a": {}}),
    ({"a": {"type": "dict", "suboptions": {"b": {}}}}, {"a": {"type": "dict", "options": {"c": {}}}}),
]


@pytest.mark.parametrize(("doc", "spec"), SPEC_MISTAKES)
def test_a_difference_is_found(doc: Options, spec: Options) -> None:
    assert list(differences(doc, spec))


def test_equal_options_are_no_difference() -> None:
    doc = {"a": {"type": "dict", "required": False, "suboptions": {"b": {"choices": {"x": "why", "w": "how"}}}}}
    spec = {"a": {"type": "dict", "options": {"b": {"type": "str", "choices": ["w", "x"]}}}}
    assert list(differences(doc, spec)) == []


def test_an_unmarked_secret_is_found() -> None:
    assert list(unmarked_secrets({"a": {"options": {"app_secret": {}}}}))
    assert list(unmarked_secrets({"app": {"aliases": ["app_key"]}}))
    assert not list(unmarked_secrets({"secret": {"no_log": True}, "agent": {}}))


# Examples, playbooks, and the code blocks of texts


def load_all(text: str) -> list[t.Any]:
    """The documents of a YAML text; a tag such as !unsafe is taken for what it stands before."""

    class Loader(yaml.SafeLoader):
        pass

    Loader.add_multi_constructor("!", lambda loader, suffix, node: loader.construct_scalar(node))
    return list(yaml.load_all(text, Loader))


def uses(items: t.Any, defaults: Defaults) -> t.Iterator[Use | str]:
    """The tasks in a list of plays, blocks or tasks; text for what is none of them."""
    for item in items if isinstance(items, list) else [items]:
        if not isinstance(item, dict):
            yield f"no task: {item!r}"
            continue
        inner = {**defaults, **merged_defaults(item)}
        lists = PLAY_LISTS if "hosts" in item else BLOCK_LISTS if "block" in item else ()
        for key in lists:
            yield from uses(item.get(key, []), inner)
        if "import_playbook" not in item and "ansible.builtin.import_playbook" not in item and not lists:
            yield from task_use(item, inner)


def merged_defaults(item: Options) -> Defaults:
    """The module_defaults of a play, block or task; they are a list where they come from several places."""
    given = item.get("module_defaults") or {}
    return {key: value for part in (given if isinstance(given, list) else [given]) for key, value in part.items()}


def task_use(task: Options, defaults: Defaults) -> t.Iterator[Use | str]:
    """The one action of a task."""
    keywords = {*Task.fattributes, *Block.fattributes, "local_action"}
    actions = [key for key in task if key not in keywords and not key.startswith("with_")]
    if len(actions) != 1 or "local_action" in task or task.get("action"):
        yield f"{task.get('name', task)}: wants exactly one action under its full name, has {actions}"
    else:
        given = task[actions[0]] or {}
        more = task.get("args") or {}
        yield Use(actions[0], {**given, **more} if isinstance(given, dict) else given, defaults)


def wrong_uses(items: t.Any, catalogue: Catalogue, defaults: Defaults | None = None) -> t.Iterator[str]:
    """What is wrong with the tasks in a list of plays, blocks or tasks."""
    for use in uses(items, defaults or {}):
        if isinstance(use, str):
            yield use
            continue
        options = catalogue.options(use.action)
        if options is None:
            yield f"{use.action} is no module of ansible.builtin or {COLLECTION} under its full name"
            continue
        yield from wrong_groups(use.defaults, catalogue)
        if isinstance(use.arguments, dict) and use.action not in ANY_ARGUMENT:
            defaults_in_force = list(defaults_for(use, catalogue))
            known = {key: value for part in defaults_in_force if isinstance(part, dict) for key, value in part.items()}
            whole = len(defaults_in_force) == sum(isinstance(part, dict) for part in defaults_in_force)
            yield from wrong_arguments({**known, **use.arguments}, options, use.action, whole=whole)
        elif use.action.startswith(COLLECTION):
            yield f"{use.action}: arguments are not a dict"


def wrong_groups(defaults: Defaults, catalogue: Catalogue) -> t.Iterator[str]:
    """Keys of module_defaults that name nothing."""
    for key in defaults:
        if key.startswith("group/") and key[6:] not in catalogue.groups:
            yield f"module_defaults: there is no action group {key[6:]}"
        elif not key.startswith("group/") and catalogue.options(key) is None:
            yield f"module_defaults: there is no module {key}"


def defaults_for(use: Use, catalogue: Catalogue) -> t.Iterator[t.Any]:
    """The module_defaults that Ansible would add to the arguments of this task: dicts, or templates that give a dict."""
    for key, arguments in use.defaults.items():
        if key == use.action or (key.startswith("group/") and use.action in catalogue.groups.get(key[6:], ())):
            yield arguments


def wrong_arguments(arguments: Options, options: Options, where: str, *, whole: bool = True) -> t.Iterator[str]:
    """Arguments that do not exist, lack, or are not among the choices.

    :param whole: whether these are all arguments; else nothing is said to lack.
    """
    names = {alias: name for name, option in options.items() for alias in [name, *(option.get("aliases") or [])]}
    given = {names.get(key, key): value for key, value in arguments.items()}
    for name, option in options.items():
        if whole and option.get("required") and name not in given:
            yield f"{where}: {name} is required"
    for name, value in given.items():
        if name not in options:
            yield f"{where}: there is no option {name}"
        else:
            yield from wrong_value(value, options[name], f"{where}: {name}")


def wrong_value(value: t.Any, option: Options, where: str) -> t.Iterator[str]:
    """A value, or one in it, that the option does not take; what holds a template is not known before it runs."""
    for each in value if isinstance(value, list) else [value]:
        choices = option.get("choices")
        if choices and isinstance(each, (str, int)) and "{{" not in str(each) and each not in choices:
            yield f"{where} takes {list(choices)}, not {each!r}"
        if option.get("suboptions") and isinstance(each, dict):
            yield from wrong_arguments(each, option["suboptions"], where)


def find_options(action: str) -> Options | None:
    """The documented options of a module under its full name; None if there is no such module."""
    namespace, dummy, name = action.rpartition(".")
    if name in SAYING and not namespace:
        return {argument: {} for argument in SAYING[name]}
    if namespace == COLLECTION:
        name = redirects().get(name, name)
        return t.cast(Options, own_documentation(name)["options"]) if name in MODULES else None
    spec = importlib.util.find_spec(f"ansible.modules.{name}") if namespace == "ansible.builtin" else None
    return t.cast(Options, documented(spec.origin, namespace)["options"]) if spec and spec.origin else None


@functools.cache
def runtime() -> dict[str, t.Any]:
    return t.cast("dict[str, t.Any]", yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8")))


def redirects() -> dict[str, str]:
    return {
        name: entry["redirect"].rpartition(".")[2] for name, entry in runtime()["plugin_routing"]["modules"].items()
    }


def own_catalogue() -> Catalogue:
    groups = {
        f"{COLLECTION}.{group}": {f"{COLLECTION}.{name}" for name in [*names, *redirects()]}
        for group, names in runtime()["action_groups"].items()
    }
    return Catalogue(find_options, groups)


def code_blocks(text: str) -> list[str]:
    """The YAML blocks of a Markdown or reStructuredText file, without their indentation."""
    fenced = re.findall(r"^([ \t]*)```ya?ml[^\n]*\n(.*?)^\1```", text, re.DOTALL | re.MULTILINE)
    directive = r"^([ \t]*)\.\. code-block:: ya?ml[^\n]*\n((?:\1[ \t]+[^\n]*\n|[ \t]*\n)+)"
    blocks = [body for dummy, body in fenced + re.findall(directive, text + "\n", re.MULTILINE)]
    return [re.sub(rf"(?m)^{indent(block)}", "", block) for block in blocks]


def indent(block: str) -> str:
    first = next((line for line in block.splitlines() if line.strip()), "")
    return first[: len(first) - len(first.lstrip())]


def is_playbook(document: t.Any) -> bool:
    """Whether a block of a text is a list of plays or tasks; other YAML (requirements, say) is not ours to judge."""
    keys = {key for item in document if isinstance(item, dict) for key in item} if isinstance(document, list) else set()
    return bool(keys & {*Play.fattributes, "block"} - {"name"}) or any("." in str(key) for key in keys)


@pytest.mark.parametrize("name", MODULES)
def test_examples_are_accepted(name: str) -> None:
    documents = load_all(own_documentation(name)["EXAMPLES"])
    wrong = [line for document in documents for line in wrong_uses(document, own_catalogue())]
    assert documents
    assert wrong == []


@pytest.mark.parametrize("name", PLAYBOOKS)
def test_playbooks_are_accepted(name: str) -> None:
    documents = load_all((ROOT / name).read_text(encoding="utf-8"))
    assert [line for document in documents for line in wrong_uses(document, own_catalogue())] == []


@pytest.mark.parametrize("name", TEXTS)
def test_code_blocks_are_accepted(name: str) -> None:
    blocks = code_blocks((ROOT / name).read_text(encoding="utf-8"))
    documents = [document for block in blocks for document in load_all(block) if is_playbook(document)]
    assert [line for document in documents for line in wrong_uses(document, own_catalogue())] == []


PIPELINE = yaml.safe_load((ROOT / "playbooks" / "convert_documents.yml").read_text(encoding="utf-8"))[1]["vars"]


@pytest.mark.parametrize("provider", PIPELINE["start_options"])
def test_the_playbook_for_pipelines_takes_options_that_exist(provider: str) -> None:
    variables = PIPELINE
    start, wait = (own_documentation(name)["options"] for name in (STARTS[provider].module, "wait_for_task"))
    known = {alias for name, option in start.items() for alias in (name, *(option.get("aliases") or []))}
    credentials = variables["credential_options"][provider]
    keys = set(credentials if isinstance(credentials, list) else variables["tencent_credentials"])
    assert set(variables["start_options"][provider]) - {"key", "name"} <= known
    assert keys <= known
    assert keys - {"user_access_token"} <= set(wait)
    assert {name for name, option in start.items() if option.get("required")} <= set(
        variables["start_options"][provider]
    )


ONE_MODULE: dict[str, Options] = {
    "n.c.look": {
        "id": {"required": True, "aliases": ["task_id"]},
        "site": {"choices": ["china", "intl"]},
        "agent": {"suboptions": {"app_id": {"required": True}}},
    },
    "ansible.builtin.debug": {"msg": {}},
}
ONE_CATALOGUE = Catalogue(ONE_MODULE.get, {"n.c.all": ["n.c.look"]})
GOOD_USES = [
    "- n.c.look: {id: x, site: china}",
    "- n.c.look: {task_id: x, site: '{{ site }}', agent: {app_id: y}}\n  with_items: []\n  register: z",
    "- n.c.look:\n  args: {id: x}",
    "- hosts: a\n  module_defaults: {group/n.c.all: {id: x}}\n  tasks: [n.c.look: {}]",
    "- n.c.look:\n  module_defaults: {n.c.look: '{{ given }}'}",
    "- module_defaults: {n.c.look: {id: x}}\n  block: [n.c.look: ]\n  always: [ansible.builtin.debug: {msg: !unsafe x}]",
]
USE_MISTAKES = [
    ("- n.c.look: {id: x, other: y}", "n.c.look: there is no option other"),
    ("- n.c.look: {site: china}", "n.c.look: id is required"),
    ("- n.c.look: {id: x, site: europe}", "n.c.look: site takes ['china', 'intl'], not 'europe'"),
    ("- n.c.look: {id: x, agent: {}}", "n.c.look: agent: app_id is required"),
    ("- n.c.look: {id: x, agent: {app_id: y, other: z}}", "n.c.look: agent: there is no option other"),
    ("- look: {id: x}", "look is no module of"),
    ("- debug: {msg: x}", "debug is no module of"),
    ("- name: nothing", "nothing: wants exactly one action"),
    ("- action: n.c.look", "wants exactly one action"),
    ("- hosts: a\n  tasks: [block: [n.c.look: ]]", "n.c.look: id is required"),
    ("- hosts: a\n  handlers: [n.c.gone: ]", "n.c.gone is no module of"),
    (
        "- n.c.look: {id: x}\n  module_defaults: {group/n.c.some: {}}",
        "module_defaults: there is no action group n.c.some",
    ),
    ("- n.c.look: {id: x}\n  module_defaults: {group/n.c.all: {o: 1}}", "n.c.look: there is no option o"),
    ("- n.c.look: {id: x}\n  module_defaults: {n.c.gone: {}}", "module_defaults: there is no module n.c.gone"),
    ("- text", "no task: 'text'"),
]


@pytest.mark.parametrize("text", GOOD_USES)
def test_a_good_use_is_accepted(text: str) -> None:
    assert [line for document in load_all(text) for line in wrong_uses(document, ONE_CATALOGUE)] == []


@pytest.mark.parametrize(("text", "message"), USE_MISTAKES)
def test_a_wrong_use_is_found(text: str, message: str) -> None:
    (found,) = [line for document in load_all(text) for line in wrong_uses(document, ONE_CATALOGUE)]
    assert message in found


def test_code_blocks_are_found() -> None:
    markdown = "a\n```yaml\n- a: 1\n```\n1. b\n   ```yaml\n   b:\n     c: 2\n   ```\n```text\nd\n```\n"
    assert code_blocks(markdown) == ["- a: 1\n", "b:\n  c: 2\n"]
    assert code_blocks(".. code-block:: yaml\n\n   a:\n     b\n\nText") == ["\na:\n  b\n\n"]
    assert [is_playbook(each) for each in ([{"hosts": 1}], [{"a.b.c": 1}], {"a": 1}, [{"name": "a"}])] == [
        True,
        True,
        False,
        False,
    ]
