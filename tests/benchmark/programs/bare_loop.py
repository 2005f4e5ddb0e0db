# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A loop with requests and nothing else: ``bare_loop.py URL TOKEN COUNT``."""

from __future__ import annotations

import sys

import requests

session = requests.Session()
for _dummy in range(int(sys.argv[3])):
    session.get(sys.argv[1], headers={"x-acs-dingtalk-access-token": sys.argv[2]}, timeout=10).json()
