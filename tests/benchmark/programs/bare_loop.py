# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A loop with requests and nothing else: ``bare_loop.py URL TOKEN COUNT PAUSE``, with a pause in seconds."""

from __future__ import annotations

import sys
import time

import requests

url, token, pause = sys.argv[1], sys.argv[2], float(sys.argv[4])
session = requests.Session()
for _dummy in range(int(sys.argv[3])):
    session.get(url, headers={"x-acs-dingtalk-access-token": token}, timeout=10).json()
    if pause:
        time.sleep(pause)
