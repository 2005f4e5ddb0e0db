# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A loop with the vendor's SDK: ``sdk_loop.py TASK_ID COUNT``."""

from __future__ import annotations

import os
import sys

from tencentcloud.common.credential import EnvironmentVariableCredential
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.mps.v20190612 import models, mps_client

profile = ClientProfile(httpProfile=HttpProfile(protocol="http", endpoint=os.environ["BENCH_CLOUD"]))
client = mps_client.MpsClient(EnvironmentVariableCredential().get_credential(), "", profile)
request = models.DescribeTaskDetailRequest()
request.TaskId = sys.argv[1]
for _dummy in range(int(sys.argv[2])):
    client.DescribeTaskDetail(request)
