# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 5: modules.
"""Runs the module ``wait_report``: makes the text of a report, and writes it whole or not at all."""

from __future__ import annotations

import os
import tempfile
import typing as t

from .._errors import CloudError, quoted
from .._report.formats import format_of, make_report
from .._report.model import Report, read_report
from .run import QuietModule

TRIED = "Writing the report"
MOST_DIFF = 104448
"""Largest file, in bytes, whose text is part of a diff, as for Ansible's own modules."""

Result = dict[str, t.Any]


def run_report(module: QuietModule) -> None:
    """Write the report, unless the file holds it already. Ends with ``exit_json`` or ``fail_json``."""
    failure = None
    result: Result = {}
    try:
        result = _write(module)
    except CloudError as error:
        failure = error
    # Without this, Ansible would add all options, and so the waits again
    result["invocation"] = {"module_args": {name: value for name, value in module.params.items() if name != "waits"}}
    if failure is not None:
        module.fail_json(msg=failure.sentence(TRIED), error=failure.as_dict(), **result)
    module.exit_json(**result)


def _write(module: QuietModule) -> Result:
    """Write the file and set its attributes. Returns the result.

    :raises CloudError: ``config``, before anything is written, if an option is wrong or the file cannot be written.
    """
    options = module.params
    report = read_report(options["waits"], options["title"] or "")
    if not options["dest"]:
        raise CloudError("config", "dest is empty", advice="give the path of a file")
    path = os.path.abspath(options["dest"])
    check_place(path)
    word = options["format"] or format_of(path)
    text = make_report(report, word, options["language"]).encode("utf-8", "replace")
    before = _read(path)
    changed = before != text
    if changed and not module.check_mode:
        _replace(module, path, text)
    attributes = module.load_file_common_arguments({**options, "path": path})
    if os.path.exists(path):  # in check mode, it may not
        changed = module.set_fs_attributes_if_different(attributes, changed)
    return {"changed": changed, "dest": path, "format": word, **_about(report), **_diff(module, path, before, text)}


def _about(report: Report) -> Result:
    tasks = report.tasks
    bad = sum(not task.is_good for task in tasks)
    return {"satisfied": report.is_good, "total": report.total, "not_satisfied": bad}


def check_place(path: str) -> None:
    """Check that a file can be written at a path.

    :raises CloudError: ``config``, if it cannot.
    """
    folder = os.path.dirname(path)
    if os.path.exists(path) and not os.path.isfile(path):  # a device or a pipe could be read without end
        what = "a folder" if os.path.isdir(path) else "no ordinary file"
        raise CloudError("config", f"dest is {quoted(path)}, which is {what}", advice="give the path of a file")
    if not os.path.isdir(folder):
        what = "is no folder" if os.path.exists(folder) else "does not exist"
        raise CloudError(
            "config", f"the folder {quoted(folder)} of dest {what}", advice="make it first or correct dest"
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        said = f"this user may not write to the folder {quoted(folder)} of dest"
        raise CloudError("config", said, advice="give this user the right or name another folder")


def _read(path: str) -> bytes | None:
    """Returns what the file holds; null if there is none.

    :raises CloudError: ``config``, if it cannot be read.
    """
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        said = f"dest is {quoted(path)}, which cannot be read ({error.strerror})"
        raise CloudError("config", said, advice="give the path of an ordinary file") from error


def _replace(module: QuietModule, path: str, text: bytes) -> None:
    """Replace the file in one step, so that nobody ever reads half a report.

    A temporary file is given its mode and owner before. So a mode that is none fails before anything is replaced.
    """
    number, name = tempfile.mkstemp(dir=module.tmpdir)
    with open(number, "wb") as stream:
        stream.write(text)
    module.add_cleanup_file(name)
    attributes = module.load_file_common_arguments({**module.params, "path": name, "attributes": None})
    module.set_fs_attributes_if_different(attributes, changed=False)
    module.atomic_move(name, path, unsafe_writes=module.params["unsafe_writes"])


def _diff(module: QuietModule, path: str, before: bytes | None, after: bytes) -> Result:
    """Returns the difference for ``--diff``; only its size where a text is very long."""
    if not module._diff:
        return {}
    diff: Result = {"before_header": path, "after_header": path}
    if before is not None and len(before) > MOST_DIFF:
        diff["dst_larger"] = MOST_DIFF
    else:
        diff["before"] = (before or b"").decode("utf-8", "replace")
    if len(after) > MOST_DIFF:
        diff["src_larger"] = MOST_DIFF
    else:
        diff["after"] = after.decode("utf-8", "replace")
    return {"diff": diff}


__all__ = ["check_place", "run_report"]
