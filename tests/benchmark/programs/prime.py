# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Gives each cloud task of MPS its first poll, with which its life begins: ``prime.py HOST:PORT FILE_OF_IDS``."""

from __future__ import annotations

import concurrent.futures
import http.client
import pathlib
import sys
import threading

from ansible_collections.cloudwait.conversion.tests.benchmark.programs.mps_call import call

host = sys.argv[1]
local = threading.local()


def connect() -> None:
    local.connection = http.client.HTTPConnection(host)


def poll(task_id: str) -> None:
    local.connection.request("POST", "/", *call(host, task_id))
    local.connection.getresponse().read()


with concurrent.futures.ThreadPoolExecutor(4, initializer=connect) as pool:
    list(pool.map(poll, pathlib.Path(sys.argv[2]).read_text(encoding="utf-8").split()))
