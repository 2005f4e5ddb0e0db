# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Event source for ansible-rulebook: an event for each cloud task that ends. The guide "Events" shows its use.

The code is in plugins/module_utils/_events: ansible-rulebook runs this file by its path, so it has to find the rest.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import logging
import os
import sys
import typing as t
from pathlib import Path

DOCUMENTATION = r"""
---
short_description: Tell when cloud tasks of document and media conversions end
description:
  - Watches cloud tasks of Tencent ESS, Tencent COS, Tencent MPS and DingTalk, and sends an event when one has ended.
  - It polls them like M(cloudwait.conversion.wait_for_task), within the same rate limits. Callbacks of the vendors are
    hints; they cause a poll, and its answer decides.
options:
  tasks:
    description: The cloud tasks to watch, each in a form that O(cloudwait.conversion.wait_for_task#module:tasks) takes.
    type: list
    elements: raw
    default: []
  lists:
    description:
      - What to watch as a whole. Cloud tasks are found when they are started by anybody.
    type: list
    elements: dict
    default: []
    suboptions:
      provider:
        description: The service; V(mps) for all media tasks of an account, V(cos_doc) for the document jobs of a bucket.
        type: str
        required: true
      bucket:
        description: The bucket. For V(cos_doc) only.
        type: str
      region:
        description: The region of the bucket. For V(cos_doc) only.
        type: str
      queue_id:
        description: Watch only this queue. For V(cos_doc) only.
        type: str
      site:
        description: The site of the account. For V(mps) only.
        type: str
        choices: [china, intl]
      profile:
        description: The profile with the credentials.
        type: str
  listen:
    description: Where to take refs from playbooks and callbacks from vendors. Without it, nothing listens.
    type: dict
    suboptions:
      host:
        description: The address to listen on.
        type: str
        default: 127.0.0.1
      port:
        description: The port to listen on; V(0) takes a free one and writes it to the log with C(-v).
        type: int
        required: true
      token:
        description: What C(POST /tasks) needs as a bearer token. Without it, no refs are taken.
        type: str
      callback_secret:
        description: A part of the path of callbacks, C(POST /callback/SECRET/PROVIDER). Without it, none are taken.
        type: str
      tls_cert:
        description: File with the certificate for HTTPS in PEM form, with its chain.
        type: path
      tls_key:
        description: File with the private key of the certificate.
        type: path
  state_file:
    description:
      - An SQLite database, made with mode 0600. What is watched and what was told survives a restart by it.
      - Without it, a restart begins with O(tasks) and O(lists).
    type: path
  changes:
    description: Whether to send an event for each change of a cloud task, too.
    type: bool
    default: false
  exit_when_done:
    description:
      - Whether to end when all of O(tasks) have ended. This ends all sources of the rulebook.
      - It cannot be used with O(lists) or O(listen).
    type: bool
    default: false
  feedback:
    description:
      - Whether ansible-rulebook tells which events its engine has taken. It needs C(--persistence-id).
    type: bool
    default: false
  timeout:
    description: Seconds after which a cloud task that has not ended is told as C(timed_out), or a text such as V(12h).
    type: raw
    default: 86400
  sleep:
    description: Seconds between the first two polls of a cloud task.
    type: raw
    default: 2
  backoff:
    description: Factor by which the seconds between two polls grow.
    type: float
    default: 1.5
  max_sleep:
    description: Most seconds between two polls, and seconds between two readings of a list.
    type: raw
    default: 30
  rate_limit:
    description: Calls per second by provider.
    type: dict
  not_found_grace:
    description: Seconds for which a new cloud task may be unknown to the vendor.
    type: raw
    default: 30
notes:
  - Options for credentials, hosts and certificates are those of M(cloudwait.conversion.wait_for_task); without them, the
    environment is used.
requirements:
  - aiohttp (comes with ansible-rulebook)
  - ansible-core, requests, and xmltodict for jobs of Tencent COS, in the Python of ansible-rulebook
"""

EXAMPLES = r"""
- cloudwait.conversion.cloud_tasks:
    listen:
      port: 5000
      token: "{{ events_token }}"
      callback_secret: "{{ callback_secret }}"
    lists:
      - {provider: cos_doc, bucket: examplebucket-1250000000, region: ap-beijing}
    state_file: /var/lib/events/cloud_tasks.sqlite
"""

CODE = "ansible_collections.cloudwait.conversion.plugins.module_utils._events.source"
ABOVE = 7  # folders between this file and the one that holds ansible_collections


def find_run() -> t.Callable[..., t.Awaitable[None]]:
    """Returns the function that does the work, from the collection that this file is part of.

    :raises ImportError: when it is not found, or when a Python package is missing.
    """
    settings = os.environ.get("ANSIBLE_COLLECTIONS_PATH", "~/.ansible/collections:/usr/share/ansible/collections")
    folders = [Path(folder).expanduser() for folder in settings.split(":") if folder]
    parents = Path(__file__).absolute().parents
    if len(parents) > ABOVE and parents[ABOVE - 1].name == "ansible_collections":
        folders.insert(0, parents[ABOVE])
    for folder in folders:
        if (folder / "ansible_collections" / "cloudwait" / "conversion").is_dir():
            sys.path.append(str(folder))
            collections = importlib.import_module("ansible_collections")
            place = str(folder / "ansible_collections")
            if place not in collections.__path__:  # the package that PyPI's "ansible" installs does not look elsewhere
                collections.__path__.append(place)
            break
    return t.cast("t.Callable[..., t.Awaitable[None]]", importlib.import_module(CODE).run)


async def main(queue: t.Any, args: dict[str, t.Any]) -> None:
    """Put events into the queue until cancelled. ansible-rulebook calls this function.

    :raises Exception: when an argument is wrong; its text is one sentence, for ansible-rulebook's log.
    """
    missing = None
    try:
        run = find_run()
    except ImportError as error:
        missing = str(error)
    if missing is not None:
        raise ImportError(
            f"The event source cloud_tasks failed: {missing}; install the collection, ansible-core and requests where "
            "ansible-rulebook runs."
        )
    await run(queue, args)


if __name__ == "__main__":  # to try it without ansible-rulebook: the arguments as JSON on the command line

    class Printer:
        """Prints events."""

        async def put(self, event: t.Any) -> None:
            """Print an event."""
            sys.stdout.write(json.dumps(event) + "\n")
            sys.stdout.flush()

    logging.basicConfig(level=logging.INFO)
    asyncio.run(main(Printer(), json.loads(sys.argv[1])))
