# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 0: values and exceptions, standard library only.
"""An error message, in place of a traceback, where the Python of the host is too old.

ansible-core 2.17 to 2.19 run modules on Python versions that this collection does not support. This file must compile
and run on those: use no syntax and no library that is newer than Python 3.7.
"""

from __future__ import annotations

import json
import sys

OLDEST = (3, 9)


def refuse_older_python() -> None:
    """End the module with a failure that Ansible understands, if this Python is too old for the collection.

    :raises SystemExit: after the failure has been written to standard output.
    """
    if sys.version_info[:2] >= OLDEST:
        return
    needed = ".".join(str(number) for number in OLDEST)
    found = ".".join(str(number) for number in sys.version_info[:3])
    said = f"This module needs Python {needed} or newer, but the interpreter {sys.executable} is Python {found}"
    error = {
        "kind": "config",
        "code": None,
        "message": said,
        "http_status": None,
        "request_id": None,
        "retryable": False,
    }
    msg = said + "; set ansible_python_interpreter to a newer one."
    sys.stdout.write(json.dumps({"failed": True, "changed": False, "msg": msg, "error": error}) + "\n")
    sys.stdout.flush()
    raise SystemExit(1)


__all__ = ["refuse_older_python"]
