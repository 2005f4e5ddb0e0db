# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 4: the wait.
"""Makes the plan of a wait from the option ``tasks`` in any of its forms: one item for each cloud task."""

from __future__ import annotations

import json
import typing as t

from .._errors import CloudError, one_line, shown
from .._record import STATUSES, TERMINAL, expand
from .._secrecy import redact
from .._services.base import Environ, Options, Service
from .._services.registry import SERVICES
from .._services.task_options import TASK_OPTIONS
from .contract import SEVERAL, PlanItem

NAME = "name"
"""Key of an item with the name under which its cloud task appears in messages."""

REF = "ref"
"""The option of ``task_info`` that takes what an item takes."""

LONGEST_NAME = 80

KEYS = (*TASK_OPTIONS, NAME)
"""Keys that an item may have."""

KEYS_OF_ACCOUNT = ("secret_id", "secret_key", "token", "cvm_role")
"""Options with the credentials of one account."""

LISTS = ("parts", "outputs")
SHAPES: dict[str, type] = {
    **dict.fromkeys(("native_status", "created_at", "started_at", "finished_at", "request_id"), str),
    **dict.fromkeys(("counts", "error"), dict),
    **dict.fromkeys(LISTS, list),
    "progress": int,
}
"""Members that are kept of a record that came with an item, besides ``ref`` and ``status``, with their types."""


class ItemError(CloudError):
    """The refusal of an item.

    :param hide: texts of the item that must not appear in output, since they may be secrets.
    """

    def __init__(self, said: str, *, advice: str | None = None, hide: t.Iterable[str] = ()) -> None:
        super().__init__("config", said, advice=advice)
        self.hidden = list(hide)


def make_plan(options: Options, environ: Environ, *, check_mode: bool) -> list[PlanItem]:
    """Returns one item for each cloud task, in input order.

    :param options: options of the wait.
    :param check_mode: whether items without a task id are accepted, since their start was not carried out.
    :raises CloudError: ``config``, with the place of the item that is refused.
    """
    items = options.get("tasks")
    if items is None:
        return [_plan_item("the cloud task", {}, options, environ, check_mode=check_mode)]
    if options.get("task_id"):
        raise CloudError("config", "both tasks and task_id are given", advice="put that one into tasks, too")
    defaults = {name: options.get(name) for name in TASK_OPTIONS if name != "task_id"}
    defaults["secret_id"] = options.get("secret_id")
    plan = [
        _plan_item(where, one, defaults, environ, check_mode=check_mode)
        for number, item in enumerate(items)
        for where, one in _unfold(f"tasks[{number}]", item)
    ]
    _mark_twins(plan)
    return plan


def plan_one(options: Options, environ: Environ) -> PlanItem:
    """Returns the item for the cloud task that the options of ``task_info`` describe.

    :param options: options of ``task_info``. ``ref`` accepts the same values as an item of ``tasks``.
    :raises CloudError: ``config``, when the options do not describe exactly one cloud task.
    """
    if options["ref"] is None:
        return _plan_item("the cloud task", {}, options, environ, check_mode=False)
    given = [name for name in ("provider", "task_id") if options[name] is not None]
    if given:
        advice = "give ref alone, or provider and task_id without it"
        raise CloudError("config", f"both ref and {given[0]} are given", advice=advice)
    found = list(_unfold(REF, options["ref"]))
    if not found:
        raise CloudError("config", "ref holds no cloud task", advice="give the ref or the result of one")
    if len(found) > 1:
        said = f"ref holds {len(found)} cloud tasks"
        raise CloudError("config", said, advice="give one of them, or wait for all of them with wait_for_task")
    where, one = found[0]
    item = _plan_item(where, one, {**options, "task_id": None}, environ, check_mode=True)
    if item["ref"]["task_id"] is None:
        advice = "give the ref of a cloud task that was started; a start in check mode returns no id"
        raise CloudError("config", f"{where} has no task_id", advice=advice)
    return item


def options_of(item: PlanItem, options: Options) -> Options:
    """Returns the options for an item: its own and those of its account replace the common ones."""
    ref = item["ref"]
    own = {name: item.get("options", {}).get(name) for name in SERVICES[ref["provider"]].item_options}
    changed = {"site": ref.get("site"), "profile": ref.get("profile"), **own}
    if ref.get("profile") and (options["secret_id"] or ref["profile"] != options["profile"]):
        changed.update(dict.fromkeys(KEYS_OF_ACCOUNT))  # the profile of an item takes precedence over these
    return {**options, **changed}


def texts_to_hide(error: CloudError, msg: str) -> list[str]:
    """Returns the texts of a refused item that must not appear in output.

    :param msg: the message about the error. It holds no secret, so texts that it quotes need not be hidden.
    """
    return [text for text in error.hidden if text not in msg] if isinstance(error, ItemError) else []


def wants_poll(item: PlanItem) -> bool:
    """Returns whether an item must be polled."""
    return not {"record", "twin_of", "unstarted"} & set(item)


def _unfold(where: str, item: t.Any) -> t.Iterator[tuple[str, t.Any]]:
    """Yields place and value of the single items in an item: several, if it is a result with several cloud tasks.

    Such are the results of a wait, of a list module, and of an Ansible task with a loop.

    :param where: place of the item for messages, such as ``tasks[0]``.
    """
    several = [name for name in SEVERAL if isinstance(item, dict) and isinstance(item.get(name), list)]
    is_one = not several or isinstance(item.get("task"), dict) or "task_id" in item
    if is_one or (item.get("failed") and not item[several[0]]):  # a refused wait has no cloud tasks
        yield where, item
    elif several[0] == "results":
        for number, result in enumerate(item["results"]):
            yield from _unfold(f"{where}.results[{number}]", result)
    else:
        records = {_key(record.get("ref")): record for record in item.get("tasks") or [] if isinstance(record, dict)}
        for number, one in enumerate(item[several[0]]):
            yield f"{where}.{several[0]}[{number}]", records.get(_key(one), one)


def _key(ref: t.Any) -> str:
    return json.dumps(ref, sort_keys=True, default=str)


def _mark_twins(plan: list[PlanItem]) -> None:
    first: dict[str, int] = {}
    for number, item in enumerate(plan):
        if item["ref"]["task_id"] is None:
            continue
        earlier = first.setdefault(_key(item["ref"]), number)
        if earlier != number:
            item["twin_of"] = earlier
            plan[earlier]["twins"] = plan[earlier].get("twins", 0) + 1


def _plan_item(where: str, item: t.Any, defaults: Options, environ: Environ, *, check_mode: bool) -> PlanItem:
    given, record = _read_item(where, item)
    for name, value in given.items():
        _check_shape(where, name, value, TASK_OPTIONS.get(name, {}))
    shown_as = _name_of(where, given.pop(NAME, None))
    planned = _plan(where, given, record, defaults, environ, check_mode=check_mode)
    if shown_as is not None:
        planned["name"] = shown_as
    return planned


def _name_of(where: str, name: str | None) -> str | None:
    """Returns the name for messages; null if the user gave none.

    :raises ItemError: when it is empty.
    """
    text = None if name is None else one_line(name, LONGEST_NAME)
    if text == "":
        raise ItemError(f"{where} has an empty {NAME}", advice=f"give a text as {NAME}, or leave it out")
    return text


def _plan(
    where: str,
    given: dict[str, t.Any],
    record: dict[str, t.Any] | None,
    defaults: Options,
    environ: Environ,
    *,
    check_mode: bool,
) -> PlanItem:
    service = _service_class(where, given.get("provider") or defaults.get("provider"))
    own = {name: value for name, value in given.items() if value is not None}
    known = ("task_id", *service.ref_keys, *service.item_options)
    foreign = [name for name in own if name not in ("provider", *known)]
    if foreign:
        advice = f"leave it out: {service.word} has {', '.join(known)}"
        raise ItemError(f"{where} gives {', '.join(foreign)}, which {service.word} does not have", advice=advice)
    merged = service.merge(own, defaults)
    is_done = record is not None and record["status"] in TERMINAL
    if not merged.get("task_id") and (is_done or check_mode):
        ref = {"provider": service.word, **own, "task_id": None}
        return {"ref": ref, "record": expand(ref, record)} if record and is_done else {"ref": ref, "unstarted": True}
    try:
        item: PlanItem = {"ref": service.make_ref(merged, environ)}
    except CloudError as error:
        raise ItemError(f"for {where}, {error.said}", advice=error.advice) from None
    if record and is_done:
        item["record"] = expand(item["ref"], record)
    options = {name: merged[name] for name in service.item_options if merged.get(name)}
    return {**item, "options": options} if options else item


def _read_item(where: str, item: t.Any) -> tuple[dict[str, t.Any], dict[str, t.Any] | None]:
    """Returns the options that an item gives for its cloud task, and the record that came with it, or null.

    :raises ItemError: when it is neither an id nor a dict with the keys of an item or of a result.
    """
    if isinstance(item, str) or _is_number(item):
        return {"task_id": str(item).strip()}, None
    if not isinstance(item, dict):
        raise ItemError(f"{where} is {shown(item)}, which is neither a task id nor a dict")
    named = {NAME: _text(item[NAME])} if item.get(NAME) is not None else {}
    if isinstance(item.get("task"), dict):
        return _read_record(where, item["task"], named)
    if isinstance(item.get("ref"), dict) and "status" in item:
        return _read_record(where, item, named)
    unknown = [str(name) for name in item if name not in KEYS]
    if unknown:
        raise _unknown_keys(where, item, unknown)
    return {**item, **named, "task_id": _text(item.get("task_id"))}, None


def _text(value: t.Any) -> t.Any:
    """Returns a number as text, a text without surrounding whitespace, and any other value unchanged."""
    if _is_number(value):
        return str(value)
    return value.strip() if isinstance(value, str) else value


def _unknown_keys(where: str, item: dict[str, t.Any], unknown: list[str]) -> ItemError:
    """Returns the refusal of an item with unknown keys."""
    if item.get("failed") or item.get("skipped"):
        became = "failed" if item.get("failed") else "was skipped"
        said = f"{where} is the result of an Ansible task that {became}, so it holds no cloud task"
        return ItemError(said, advice="see why in that Ansible task, and run it again", hide=_texts(item))
    if "ansible_job_id" in unknown:
        said = f"{where} is the result of an Ansible task in the background, which holds no cloud task yet"
        return ItemError(said, advice="get its result with ansible.builtin.async_status first", hide=_texts(item))
    names = one_line(", ".join(unknown), 200)
    advice = (
        f"{REF if where.startswith(REF) else 'an item'} may have {', '.join(KEYS)}, or be the result of a module of "
        "this collection; credentials and endpoint are options of the module"
    )
    return ItemError(f"{where} has the key {names}", advice=advice, hide=_texts([item[name] for name in unknown]))


def _read_record(
    where: str, record: dict[str, t.Any], named: dict[str, t.Any]
) -> tuple[dict[str, t.Any], dict[str, t.Any]]:
    ref = record.get("ref")
    if not isinstance(ref, dict) or record.get("status") not in STATUSES:
        advice = "give a whole result of a module of this collection, its task, or its ref"
        raise ItemError(
            f"{where} holds a task that is no record of this collection", advice=advice, hide=_texts(record)
        )
    unknown = [str(name) for name in ref if name not in TASK_OPTIONS]
    if unknown:
        said = f"{where} has a ref with the key {one_line(', '.join(unknown), 200)}"
        raise ItemError(said, advice=f"a ref may have {', '.join(TASK_OPTIONS)}", hide=_texts(ref))
    known = {name: record[name] for name in SHAPES if record.get(name) is not None}
    wrong = [name for name, value in known.items() if not isinstance(value, SHAPES[name]) or isinstance(value, bool)]
    wrong += [name for name in LISTS if not all(isinstance(member, dict) for member in known.get(name, []))]
    if wrong:
        advice = "give the record as a module of this collection returned it"
        raise ItemError(f"{where}: {wrong[0]} has the wrong type", advice=advice, hide=_texts(record))
    name = record.get(NAME)
    kept = {NAME: name} if isinstance(name, str) and not named else {}
    return {**ref, **kept, **named}, {"status": record["status"], **redact(known)}


def _is_number(value: t.Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _check_shape(where: str, name: str, value: t.Any, option: t.Mapping[str, t.Any]) -> None:
    """Refuse a value of the wrong type: all must be texts, or dicts of texts. Ansible does not check items.

    :param option: argument specification of the option.
    :raises ItemError: when the type is wrong.
    """
    if value is None:
        return
    members = option.get("options")
    if members is None:
        if not isinstance(value, str):
            advice = f"give {name} as a text in quotes"
            raise ItemError(f"{where}: {name} has the wrong type", advice=advice, hide=_texts(value))
        return
    if not isinstance(value, dict):
        raise ItemError(f"{where}: {name} has the wrong type", advice=f"give {name} as a dict", hide=_texts(value))
    for key, member in value.items():
        if key not in members:
            said = f"{where}: {name} has the key {shown(str(key))}"
            raise ItemError(said, advice=f"{name} may have {', '.join(members)}", hide=_texts(value))
        _check_shape(where, f"{name}.{key}", member, members[key])


def _service_class(where: str, word: t.Any) -> type[Service]:
    if word not in SERVICES:
        said = f"has the provider {shown(word)}, which is not known" if word else "has no provider"
        raise ItemError(f"{where} {said}", advice=f"give provider as one of {', '.join(SERVICES)}")
    return SERVICES[word]


def _texts(value: t.Any) -> list[str]:
    """Returns every text in a value, however deep, so that it can be hidden."""
    if isinstance(value, dict):
        return [text for member in value.values() for text in _texts(member)]
    if isinstance(value, (list, tuple)):
        return [text for member in value for text in _texts(member)]
    return [value] if isinstance(value, str) and value else []


__all__ = ["ItemError", "make_plan", "options_of", "plan_one", "texts_to_hide", "wants_poll"]
