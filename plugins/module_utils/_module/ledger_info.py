# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 5: modules.
"""The module ``ledger_info``, which lists a ledger and, when asked, removes entries or notes ends."""

from __future__ import annotations

import typing as t

from .._duration import check_duration
from .._errors import CloudError, shown
from .._ledger import SENT, Entry, Ledger
from .._record import STATUSES, Record

if t.TYPE_CHECKING:  # pragma: no cover # read by mypy alone
    from ansible.module_utils.basic import AnsibleModule


def run_ledger_info(module: AnsibleModule) -> None:
    """Run the module. A ledger that does not exist is an empty one, and is not made."""
    failure, result = None, {}
    try:
        result = _work(module.params, check_mode=module.check_mode)
    except CloudError as error:
        failure = error
    if failure is not None:
        module.fail_json(msg=failure.sentence("Reading the ledger"), error=failure.as_dict())
    module.exit_json(**result)


def _work(options: t.Mapping[str, t.Any], *, check_mode: bool) -> dict[str, t.Any]:
    ended = [record for number, value in enumerate(options["ended"]) for record in _records(value, f"ended[{number}]")]
    with Ledger(options["ledger"], read_only=True) as ledger:
        entries = ledger.entries()
        removed = [entry for entry in entries if _is_wanted(entry, options) and _is_to_go(entry, options, ledger)]
    ids = {(entry.provider, entry.task_id): entry.status for entry in entries if entry.task_id}
    news = [each for each in ended if ids.get((each["provider"], each["task_id"]), each["status"]) != each["status"]]
    if (removed or news) and not check_mode:
        with Ledger(options["ledger"]) as ledger:
            ledger.remove(*removed, unless_changed=True)
            ledger.note_ends(news)
            entries = ledger.entries()
        kept = {(entry.provider, entry.key) for entry in entries}
        removed = [entry for entry in removed if (entry.provider, entry.key) not in kept]
    left = [entry for entry in entries if _is_wanted(entry, options) and entry not in removed]
    return {
        "changed": bool(removed or news),
        "entries": [entry.as_dict() for entry in left],
        "removed": [entry.as_dict() for entry in removed],
        "noted": len(news),
    }


def _is_wanted(entry: Entry, options: t.Mapping[str, t.Any]) -> bool:
    return options["provider"] in (None, entry.provider) and options["idempotency_key"] in (None, entry.key)


def _is_to_go(entry: Entry, options: t.Mapping[str, t.Any], ledger: Ledger) -> bool:
    """Returns whether an entry is to be removed. Age alone does not remove one whose cloud task is not known."""
    if entry.key in options["forget"]:
        return True
    if options["prune_older_than"] is None or entry.state == SENT:
        return False
    limit = check_duration("prune_older_than", options["prune_older_than"])
    return ledger.age(entry.started_at or entry.intended_at) > limit


def _records(value: t.Any, place: str) -> t.Iterator[Record]:
    """Yields the records in a value that are those of cloud tasks which have ended.

    :param value: a record, or a result that has one or several.
    :param place: the name of the value, for the message.
    :raises CloudError: ``config``, when it is neither.
    """
    if isinstance(value, dict) and isinstance(value.get("tasks"), list):
        for number, record in enumerate(value["tasks"]):
            yield from _records(record, f"{place}.tasks[{number}]")
    elif isinstance(value, dict) and isinstance(value.get("task"), dict):
        yield from _records(value["task"], f"{place}.task")
    elif not _is_record(value):
        said = f"{place} is {shown(value)}, which is no record and no result that has one"
        raise CloudError("config", said, advice="give the result of wait_for_task")
    elif value.get("done") and value.get("task_id"):
        yield {"outputs": [], "ref": value, **value}


def _is_record(value: t.Any) -> bool:
    """Returns whether a value has the members of a record that are used here, in their types."""
    if not isinstance(value, dict):
        return False
    status, outputs, ref = value.get("status"), value.get("outputs", []), value.get("ref", value)
    return (
        isinstance(status, str)
        and status in STATUSES
        and all(_names_a_task(names) for names in (value, ref))
        and isinstance(outputs, list)
        and all(isinstance(output, dict) for output in outputs)
    )


def _names_a_task(value: t.Any) -> bool:
    """Returns whether a value is a dict with a service and an id, which is null where a start was not sent."""
    if not isinstance(value, dict) or not isinstance(value.get("provider"), str):
        return False
    return isinstance(value.get("task_id"), (str, type(None)))


__all__ = ["run_ledger_info"]
