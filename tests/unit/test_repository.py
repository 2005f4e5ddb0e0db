# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the files of the collection: layers, versions, action groups, headers, and habits that no linter knows.

Each check is a function that gets text and yields what is wrong with it, so that a planted mistake shows that it can fail.
"""

from __future__ import annotations

import ast
import itertools
import pathlib
import re
import typing as t

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
UTILS = "plugins/module_utils/"
HERE = "ansible_collections.cloudwait.conversion."

LEVELS = {  # the layers of module_utils; a file may import from its own level and from lower ones
    "_duration.py": 0,
    "_errors.py": 0,
    "_oldest_python.py": 0,
    "_pacing.py": 0,
    "_record.py": 0,
    "_signals.py": 0,
    "_uncertain.py": 0,
    "_version.py": 0,
    "signing/": 1,
    "_credentials.py": 2,
    "_ledger.py": 2,
    "_reader.py": 2,
    "_secrecy.py": 2,
    "_transport.py": 2,
    "_services/": 3,
    "_wait/": 4,
    "_report/": 4,
    "_module/": 5,
    "_events/": 6,
}
PURE_WAIT = {  # what of level 4 the controller may use: nothing in it leads to a service
    UTILS + "_wait/book.py",
    UTILS + "_wait/result.py",
    UTILS + "_wait/contract.py",
    UTILS + "_wait/options.py",
    UTILS + "_wait/verdict.py",
}
PURE_REPORT = UTILS + "_report/"  # all of it: results in, text out
PURE = {0, 1}  # levels whose files know no input, output or clock
MAY_IMPORT = {  # levels of module_utils that other files may import
    "plugins/modules/": {3, 4, 5},
    "plugins/action/": {0, 1},
    "plugins/plugin_utils/": {0, 1},
    "plugins/filter/": {0, 3},
    "plugins/doc_fragments/": set[int](),
}
IMPURE = {
    "http",
    "io",
    "os",
    "pathlib",
    "requests",
    "socket",
    "ssl",
    "subprocess",
    "tempfile",
    "time",
    "urllib.request",
}
WALL_CLOCK = {  # who may ask for the time of day; all others get it as an argument, or take the monotonic clock
    "plugins/action/wait_for_task.py": "a state file outlives this host's monotonic clock, and a history shows times of day",
    "plugins/module_utils/_events/engine.py": "a watch goes on after a restart, which no monotonic clock survives",
    "plugins/module_utils/_events/source.py": "the same",
    "plugins/module_utils/_wait/round.py": "the history of a wait in the background shows times of day",
    "plugins/module_utils/_credentials.py": "temporary keys end at a time of day",
    "plugins/module_utils/_ledger.py": "a ledger outlives this host's monotonic clock, and is compared with the vendor's times",
    "plugins/module_utils/_services/ess.py": "the vendor retires an action on a day",
    "plugins/module_utils/_transport.py": "signatures carry the time of day",
}
CLOCKS = {"time.time", "time.time_ns", "datetime.now", "datetime.utcnow", "date.today", "datetime.today"}
LICENCE = "see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt"
# REUSE-IgnoreStart
HEADER = (
    "# Copyright (c) Contributors to the cloudwait.conversion project",
    f"# GNU General Public License v3.0+ ({LICENCE})",
    "# SPDX-License-Identifier: GPL-3.0-or-later",
)
# REUSE-IgnoreEnd
HEADED = {".py", ".yml", ".yaml", ".toml", ".cfg", ".ini", ".sh", ".j2"}
HEADED_NAMES = {
    "Makefile",
    "run",
    ".gitignore",
    ".yamllint",
    "requirements.txt",
    "requirements-bench.txt",
    "requirements-dev.txt",
    "requirements-docs.txt",
    "requirements-rulebook.txt",
}
MADE_BY_TOOLS = {  # antsibull-changelog writes or removes them
    "changelogs/.plugin-cache.yaml",
    "changelogs/changelog.yaml",
    "changelogs/fragments",
}
SKIPPED = {".git", ".venv", ".cache", ".nox", ".ansible", "__pycache__", "output", "collections"}
FRAGMENT_OF_GROUP = {"tencent": "_tencent", "dingtalk": "_dingtalk", "all": "_transport"}
FUNCTION_LINES = 40
CLASS_LINES = 200
CLASS_METHODS = 15
MAIN_LINES = 15
MODULE_LINES = 100

Finder = t.Callable[[str, ast.Module], t.Iterator[str]]


def files_below(*folders: str) -> list[str]:
    """The files of the collection below these folders, as paths from its root."""
    found = []
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            name = path.relative_to(ROOT)
            if path.is_file() and not SKIPPED & set(name.parts):
                found.append(name.as_posix())
    return found


def python_below(*folders: str) -> list[str]:
    return [name for name in files_below(*folders) if name.endswith(".py")]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def load_yaml(name: str) -> t.Any:
    return yaml.safe_load(read(name))


# Layers


def level_of(name: str) -> int | None:
    """The level of a file of module_utils."""
    inner = name[len(UTILS) :]
    return next(
        (level for key, level in LEVELS.items() if inner == key or (key[-1] == "/" and inner.startswith(key))), None
    )


def imported_names(name: str, tree: ast.Module) -> t.Iterator[str]:
    """Each imported name in full; those of the collection as a path with dots from its root."""
    folder = name.split("/")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = folder[: len(folder) - node.level + 1] if node.level else []
            prefix = [HERE[:-1], *base] if node.level else []
            module = [node.module] if node.module else []
            yield from (".".join([*prefix, *module, alias.name]) for alias in node.names)


def own_files(name: str, tree: ast.Module, files: t.Container[str]) -> t.Iterator[str]:
    """The files of the collection that a file imports; a name that is none of them comes back as it is."""
    for imported in imported_names(name, tree):
        if imported.startswith(HERE):
            path = imported[len(HERE) :].replace(".", "/")
            parent = path.rpartition("/")[0]
            tries = (path + ".py", path + "/__init__.py", parent + ".py", parent + "/__init__.py")
            yield next((attempt for attempt in tries if attempt in files), imported)


def forbidden_edges(name: str, tree: ast.Module, files: t.Container[str]) -> t.Iterator[str]:
    """Imports that the layers forbid."""
    own = level_of(name)
    if name.startswith(UTILS) and own is None:
        yield f"{name} has no level: enter it in LEVELS"
    for target in own_files(name, tree, files):
        if on_controller(name) and target.startswith("plugins/plugin_utils/"):
            continue  # what runs on the controller only
        level = level_of(target) if target.startswith(UTILS) else None
        if level is None:
            yield f"{name} imports {target}, which is no file of module_utils with a level"
        elif own is not None and level > own:
            yield f"{name} (level {own}) imports {target} (level {level})"
        elif own == 4 and is_pure(name) and level > 1 and not is_pure(target):
            yield f"{name} is pure and imports {target}, which is not"
        elif own is None and level not in allowed_levels(name) and not (on_controller(name) and target in PURE_WAIT):
            yield f"{name} imports {target} (level {level})"
    for imported in imported_names(name, tree):
        yield from forbidden_library(name, own, imported)


def is_pure(name: str) -> bool:
    """Whether a file of level 4 has no input, output or clock."""
    return name in PURE_WAIT or name.startswith(PURE_REPORT)


def on_controller(name: str) -> bool:
    """Whether a file runs on the controller."""
    return name.startswith(("plugins/action/", "plugins/plugin_utils/"))


def allowed_levels(name: str) -> set[int]:
    return next((levels for folder, levels in MAY_IMPORT.items() if name.startswith(folder)), set())


def forbidden_library(name: str, own: int | None, imported: str) -> t.Iterator[str]:
    """What of others' a file of this level must not import."""
    pure = own in PURE or is_pure(name)
    if pure and (imported in IMPURE or any(imported.startswith(each + ".") for each in IMPURE)):
        yield f"{name} (level {own}) is pure and imports {imported}"
    if pure and imported.partition(".")[0] == "ansible":
        yield f"{name} (level {own}) imports {imported}: the standard library only"
    if own is not None and own < 5 and imported.startswith("ansible.module_utils.basic"):
        yield f"{name} (level {own}) imports {imported}: only level 5 and the modules know AnsibleModule"
    if imported.partition(".")[0] in {"tests", "extensions"} or imported.startswith(
        (HERE + "tests", HERE + "extensions")
    ):
        yield f"{name} imports {imported}: plugins stand on their own"


def find_cycle(edges: t.Mapping[str, t.Iterable[str]]) -> list[str]:
    """A cycle of imports, or nothing."""
    done: set[str] = set()

    def walk(name: str, trail: list[str]) -> list[str]:
        if name in trail:
            return [*trail[trail.index(name) :], name]
        if name in done:
            return []
        for target in edges.get(name, ()):
            if target != name and (cycle := walk(target, [*trail, name])):
                return cycle
        done.add(name)
        return []

    return next(filter(None, (walk(name, []) for name in edges)), [])


@pytest.mark.parametrize("name", python_below("plugins"))
def test_imports_keep_to_the_layers(name: str) -> None:
    assert list(forbidden_edges(name, ast.parse(read(name)), python_below("plugins"))) == []


def test_imports_have_no_cycle() -> None:
    files = python_below("plugins")
    assert find_cycle({name: list(own_files(name, ast.parse(read(name)), files)) for name in files}) == []


LAYER_MISTAKES = [
    ("plugins/module_utils/_errors.py", "from ._transport import Transport"),
    ("plugins/module_utils/_errors.py", "import requests"),
    ("plugins/module_utils/_brandnew.py", ""),
    ("plugins/module_utils/_transport.py", "from ._module import run"),
    ("plugins/module_utils/_transport.py", "from ansible.module_utils.basic import AnsibleModule"),
    ("plugins/module_utils/signing/tc3.py", "from .._transport import Transport"),
    ("plugins/module_utils/signing/tc3.py", "from urllib.request import urlopen"),
    ("plugins/module_utils/_services/ess.py", "def f():\n    from .._module.run import run_info"),
    ("plugins/modules/x_info.py", f"from {HERE}plugins.module_utils._transport import Transport"),
    ("plugins/modules/x_info.py", f"from {HERE}plugins.module_utils._absent import Thing"),
    ("plugins/modules/x_info.py", f"import {HERE}tests.unit.conftest"),
    ("plugins/action/x.py", "from ..module_utils._services.ess import Ess"),
    ("plugins/action/x.py", "from ..module_utils._wait.loop import Loop"),
    ("plugins/module_utils/_wait/book.py", "from .loop import Loop"),
    ("plugins/module_utils/_wait/verdict.py", "import time"),
    ("plugins/module_utils/_report/page.py", "import os"),
    ("plugins/module_utils/_report/page.py", "from .._wait.loop import Loop"),
    ("plugins/action/x.py", "from ..module_utils._report.page import make_html"),
    ("plugins/doc_fragments/_x.py", "from ..module_utils._version import __version__"),
]


@pytest.mark.parametrize(("name", "text"), LAYER_MISTAKES)
def test_a_forbidden_import_is_found(name: str, text: str) -> None:
    inner = ["_errors.py", "_version.py", "_transport.py", "_module/run.py", "_services/ess.py", "_wait/loop.py"]
    inner += ["_report/page.py"]
    files = [UTILS + each for each in inner]
    assert list(forbidden_edges(name, ast.parse(text), files))


def test_a_cycle_is_found() -> None:
    assert find_cycle({"a": ["b"], "b": ["c"], "c": ["b"]}) == ["b", "c", "b"]


# Habits


def find_asserts(name: str, tree: ast.Module) -> t.Iterator[str]:
    """Statements that vanish with python -O."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert) and name.startswith("plugins/"):
            yield f"{name}:{node.lineno}: assert in a plugin: raise instead"


def find_fail_json_in_except(name: str, tree: ast.Module) -> t.Iterator[str]:
    """fail_json as part of handling an exception adds a traceback to what the user reads."""
    for handler in ast.walk(tree):
        for node in ast.walk(handler) if isinstance(handler, ast.ExceptHandler) else ():
            if isinstance(node, ast.Attribute) and node.attr == "fail_json":
                yield f"{name}:{node.lineno}: fail_json inside an except block: call it after the block"


def find_long_functions(name: str, tree: ast.Module) -> t.Iterator[str]:
    """Functions that are too long to be read at a glance; a docstring does not count."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            doc = node.body[0] if ast.get_docstring(node) is not None else None
            doc_lines = (doc.end_lineno or doc.lineno) - doc.lineno + 1 if doc else 0
            lines = (node.end_lineno or node.lineno) - node.lineno + 1 - doc_lines
            most = MAIN_LINES if node.name == "main" and name.startswith("plugins/") else FUNCTION_LINES
            if lines > most:
                yield f"{name}:{node.lineno}: {node.name} has {lines} lines, at most {most} are wanted"


def find_large_classes(name: str, tree: ast.Module) -> t.Iterator[str]:
    """Classes with more than one reason to be read."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and name.startswith(("plugins/", "extensions/")):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            methods = sum(isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef)) for each in node.body)
            if lines > CLASS_LINES or methods > CLASS_METHODS:
                yield f"{name}:{node.lineno}: {node.name} has {methods} methods and {lines} lines"


def find_wall_clock(name: str, tree: ast.Module) -> t.Iterator[str]:
    """Uses of the time of day; waits are measured with the monotonic clock."""
    if not name.startswith("plugins/") or name in WALL_CLOCK:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ".".join(ast.unparse(node).split(".")[-2:]) in CLOCKS:
            yield f"{name}:{node.lineno}: asks for the time of day: enter it in WALL_CLOCK with the reason, or do not"
        if isinstance(node, ast.ImportFrom) and node.module == "time" and "time" in [each.name for each in node.names]:
            yield f"{name}:{node.lineno}: import the module time, so that its uses can be seen"


def find_long_module(name: str, tree: ast.Module) -> t.Iterator[str]:
    """Modules that do more than connect options with the library; their documentation does not count."""
    if not name.startswith("plugins/modules/"):
        return
    code = [node for node in tree.body if not (isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant))]
    lines = sum((node.end_lineno or node.lineno) - node.lineno + 1 for node in code)
    if lines > MODULE_LINES:
        yield f"{name}: {lines} lines of code, at most {MODULE_LINES} are wanted"


HABITS: list[Finder] = [
    find_asserts,
    find_fail_json_in_except,
    find_large_classes,
    find_long_functions,
    find_long_module,
    find_wall_clock,
]
HABIT_MISTAKES = [
    (find_asserts, "assert x"),
    (find_fail_json_in_except, "try:\n    pass\nexcept ValueError:\n    if x:\n        module.fail_json(msg='')"),
    (find_long_functions, "def f():\n" + "    pass\n" * FUNCTION_LINES),
    (find_long_functions, "def main():\n" + "    pass\n" * MAIN_LINES),
    (find_long_module, "def f():\n    pass\n" * MODULE_LINES),
    (find_large_classes, "class C:\n" + "    x = 0\n" * CLASS_LINES),
    (find_large_classes, "class C:\n" + "".join(f"    def f{n}(self): pass\n" for n in range(CLASS_METHODS + 1))),
    (find_wall_clock, "import time\nstart = time.time()"),
    (find_wall_clock, "from time import time"),
    (find_wall_clock, "import datetime\nnow = datetime.datetime.now()"),
    (find_wall_clock, "from datetime import date\nnow = date.today()"),
]


@pytest.mark.parametrize("finder", HABITS)
@pytest.mark.parametrize("name", python_below("plugins", "extensions", "tools", "tests"))
def test_python_files_keep_the_habits(name: str, finder: Finder) -> None:
    assert list(finder(name, ast.parse(read(name)))) == []


@pytest.mark.parametrize(("finder", "text"), HABIT_MISTAKES)
def test_a_broken_habit_is_found(finder: Finder, text: str) -> None:
    assert list(finder("plugins/modules/x.py", ast.parse(text)))


@pytest.mark.parametrize("name", sorted(WALL_CLOCK))
def test_the_list_of_clock_users_is_not_stale(name: str) -> None:
    tree = ast.parse(read(name))
    assert list(find_wall_clock("plugins/another.py", tree)), f"{name} needs no entry in WALL_CLOCK any more"


# The oldest Python

GUARD = UTILS + "_oldest_python.py"
GUARDED = UTILS + "_module/argspec.py"


def module_mistakes(name: str, tree: ast.Module) -> t.Iterator[str]:
    """A module must import first what refuses a Python that is too old; else a user of one reads a traceback."""
    first = next((each for each in imported_names(name, tree) if each.startswith(HERE)), None)
    if first != HERE + "plugins.module_utils._module.argspec":
        yield f"{name} imports {first} before argspec, which refuses a Python that is too old"


def guarded_mistakes(name: str, tree: ast.Module) -> t.Iterator[str]:
    """Before the refusal, nothing of the collection is imported and nothing is evaluated."""
    code = [node for node in tree.body if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))]
    before = list(itertools.takewhile(lambda node: ast.unparse(node) != "refuse_older_python()", code))
    if len(before) == len(code):
        yield f"{name} does not call refuse_older_python() at its top level"
    for node in before:
        own = set(own_files(name, ast.Module([node], []), [GUARD]))
        if not isinstance(node, (ast.Import, ast.ImportFrom)) or own - {GUARD}:
            yield f"{name}:{node.lineno}: runs before refuse_older_python()"


@pytest.mark.parametrize("name", python_below("plugins/modules"))
def test_a_module_refuses_an_old_python_first(name: str) -> None:
    assert list(module_mistakes(name, ast.parse(read(name)))) == []


def test_nothing_comes_before_the_refusal_of_an_old_python() -> None:
    assert list(guarded_mistakes(GUARDED, ast.parse(read(GUARDED)))) == []


def test_the_refusal_runs_on_an_old_python() -> None:
    tree = ast.parse(read(GUARD), feature_version=(3, 7))
    assert set(imported_names(GUARD, tree)) == {"__future__.annotations", "json", "sys"}


@pytest.mark.parametrize(
    ("finder", "name", "text"),
    [
        (module_mistakes, "plugins/modules/x.py", "import json"),
        (module_mistakes, "plugins/modules/x.py", f"from {HERE}plugins.module_utils._module.run import run_info"),
        (guarded_mistakes, GUARDED, "from .._oldest_python import refuse_older_python"),
        (guarded_mistakes, GUARDED, "Spec = dict[str, str]\nrefuse_older_python()"),
        (guarded_mistakes, GUARDED, "from .._wait import options\nrefuse_older_python()"),
    ],
)
def test_a_late_refusal_of_an_old_python_is_found(finder: Finder, name: str, text: str) -> None:
    assert list(finder(name, ast.parse(text)))


# Exceptions from rules

BARE_EXCEPTION = re.compile(r"#\s*(noqa|type:\s*ignore|mypy:|pragma:|pylint:|ruff:|yamllint)[^#]*$")


def bare_exceptions(name: str, text: str) -> t.Iterator[str]:
    """Exceptions from a linter's rule that do not say why in another comment on the same line."""
    for number, line in enumerate(text.splitlines(), 1):
        if BARE_EXCEPTION.search(line):
            yield f"{name}:{number}: an exception from a rule without its reason on the same line"


@pytest.mark.parametrize("name", [name for name in files_below(".") if pathlib.PurePosixPath(name).suffix in HEADED])
def test_exceptions_from_rules_have_reasons(name: str) -> None:
    assert list(bare_exceptions(name, read(name))) == []


@pytest.mark.parametrize(
    "exception", ["noqa", "noqa: E501", "type: ignore[misc]", "pragma: no cover", "yamllint disable"]
)
def test_an_exception_without_reason_is_found(exception: str) -> None:
    assert list(bare_exceptions("x.py", f"x = 1  # {exception}"))
    assert not list(bare_exceptions("x.py", f"x = 1  # {exception} # a reason"))


# Headers


def wants_header(name: str) -> bool:
    path = pathlib.PurePosixPath(name)
    made = name in MADE_BY_TOOLS or path.parent.as_posix() in MADE_BY_TOOLS
    return not made and (path.suffix in HEADED or path.name in HEADED_NAMES)


def has_header(text: str) -> bool:
    """The three lines, at the top but for a shebang, the start of a YAML document or an encoding."""
    lines = text.splitlines()
    at = next((number for number, line in enumerate(lines) if line == HEADER[0]), None)
    return at is not None and at <= 2 and tuple(lines[at : at + 3]) == HEADER


@pytest.mark.parametrize("name", [name for name in files_below(".") if wants_header(name)])
def test_files_have_the_licence_header(name: str) -> None:
    text = read(name)
    headed = has_header(text) or not text.strip()
    assert headed


def test_a_missing_header_is_found() -> None:
    assert has_header("\n".join(HEADER))
    assert has_header("#!/usr/bin/python\n" + "\n".join(HEADER))
    assert not has_header("import this")
    assert not has_header("\n".join(HEADER[:2]))


# Versions


def assigned_text(text: str, variable: str) -> str | None:
    """The text that a Python file assigns to a name at its top level."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign) and any(ast.unparse(target) == variable for target in node.targets):
            return str(ast.literal_eval(node.value))
    return None


def version_key(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version))


def test_versions_are_equal_everywhere() -> None:
    version = load_yaml("galaxy.yml")["version"]
    assert assigned_text(read(UTILS + "_version.py"), "__version__") == version
    releases = (load_yaml("changelogs/changelog.yaml") or {}).get("releases") or {version: {}}
    assert max(releases, key=version_key) == version


def test_another_version_is_found() -> None:
    assert assigned_text('__version__ = "0.1.0"', "__version__") == "0.1.0"
    assert assigned_text('version = "0.1.0"', "__version__") is None
    assert max(["0.9.0", "0.10.0"], key=version_key) == "0.10.0"


# meta/runtime.yml


def fragments_of(text: str) -> list[str]:
    """The names of the doc fragments of ours that a module's documentation extends."""
    extended = (yaml.safe_load(assigned_text(text, "DOCUMENTATION") or "") or {}).get(
        "extends_documentation_fragment", []
    )
    names = [extended] if isinstance(extended, str) else extended
    return [name.split(".")[2] for name in names if name.startswith("cloudwait.conversion.")]


def expected_groups(modules: t.Mapping[str, str]) -> dict[str, list[str]]:
    """The action groups as the documentation of the modules says them."""
    return {
        group: sorted(name for name, text in modules.items() if fragment in fragments_of(text))
        for group, fragment in FRAGMENT_OF_GROUP.items()
    }


def module_texts() -> dict[str, str]:
    return {
        pathlib.PurePosixPath(name).stem: read(name)
        for name in python_below("plugins/modules")
        if "__init__" not in name
    }


def test_action_groups_are_the_modules_with_the_fragments() -> None:
    groups = {group: sorted(names) for group, names in load_yaml("meta/runtime.yml")["action_groups"].items()}
    assert groups == expected_groups(module_texts())


def test_a_module_missing_in_a_group_is_found() -> None:
    text = "DOCUMENTATION = 'extends_documentation_fragment: [cloudwait.conversion._tencent, a.b._transport]'"
    assert expected_groups({"x": text}) == {"tencent": ["x"], "dingtalk": [], "all": []}


def test_redirects_lead_to_modules() -> None:
    routing = load_yaml("meta/runtime.yml")["plugin_routing"]["modules"]
    wanted = {entry["redirect"] for entry in routing.values() if "redirect" in entry}
    assert wanted <= {"cloudwait.conversion." + name for name in module_texts()}
