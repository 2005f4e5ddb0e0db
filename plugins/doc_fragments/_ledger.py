# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.
"""Documentation of the options with which a start happens once."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of ``ledger()`` in ``_module/argspec.py``."""

    DOCUMENTATION = r"""
options:
  ledger:
    description:
      - Path of a file, on the host where the Ansible task runs, in which to remember what was started. With it, the
        module is idempotent. It starts a cloud task once, however often it is run, killed or repeated, and from however
        many processes at once.
      - The file is an SQLite database, which is made with mode C(0600) when it does not exist. Its folder must exist,
        except in check mode. Use an absolute path, or one that begins with C(~). The file contains no secrets. The
        module M(cloudwait.conversion.ledger_info) lists it, and so does the program C(sqlite3).
      - When the start is in the ledger already, only a poll is sent, and not even that when the cloud task is known to
        have succeeded.
      - When an earlier run ended before it knew the id, such as by a kill, the vendor is asked what there is, as far as
        it offers that. Tencent COS lists its jobs. Tencent MPS refuses a second cloud task with the same session id,
        and lists its cloud tasks. Tencent ESS and DingTalk offer nothing, so the module fails with
        RV(ignore:error.kind=uncertain) and says what to look for.
      - A file of another user, a symbolic link, a damaged file, one of a newer release of the collection, and one that
        cannot be written are refused before anything is sent.
      - Use a file on a local disk, since locks of network file systems cannot always be trusted.
    type: path
  idempotency_key:
    description:
      - Which start this is, in 1 to 200 characters. Each service has its own keys. Requires O(ledger).
      - Defaults to a digest of what is asked for, without credentials, passwords, and where notifications go. For a file
        that is uploaded, its content, its name and its type count, but not its folder.
      - Give another key to convert a document again whose name has not changed, such as the checksum or the date of its
        content.
      - A key of another request is refused.
    type: str
  input_version:
    description:
      - The version of the input, as returned in RV(cloudwait.conversion.cos_object_info#module:objects). It becomes part of
        the default of O(idempotency_key), so that an input that was overwritten under the same name is another start. It
        is not sent, and has no effect with O(idempotency_key).
      - Where it is given once and not at another time, the last start of the same request counts, so that nothing is
        started twice only because a version is not known.
    type: dict
    suboptions:
      etag:
        description:
          - A text that changes with the content, in 1 to 100 printable characters.
        type: str
        required: true
      last_modified:
        description:
          - When the content was last changed, in ISO 8601 such as V(2026-01-02T03:04:05Z). Other forms are refused.
          - It tells whether that was after an earlier start without a version. One that was at most 15 minutes after such
            a start does not count as a change, since clocks differ.
        type: str
  on_failed:
    description:
      - What to do when the cloud task in the ledger has failed, was canceled, or is not known to the vendor any more.
        V(leave) returns its record. V(start_again) starts another cloud task, unless the ledger knows that the first one
        has succeeded at least in part.
    type: str
    default: leave
    choices: [leave, start_again]
"""
