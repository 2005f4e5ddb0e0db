# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A module on the vendor's SDK, written as most collections write theirs; a contender of the benchmarks."""

from __future__ import annotations

import json
import os
import time
import traceback

from ansible.module_utils.basic import AnsibleModule, env_fallback, missing_required_lib

try:
    from tencentcloud.common.credential import Credential
    from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
    from tencentcloud.common.profile.client_profile import ClientProfile
    from tencentcloud.common.profile.http_profile import HttpProfile
    from tencentcloud.mps.v20190612 import models, mps_client
except ImportError:
    MISSING = traceback.format_exc()
else:
    MISSING = ""


def make_client(module: AnsibleModule) -> mps_client.MpsClient:
    """The SDK's client."""
    keys = (module.params["secret_id"], module.params["secret_key"])
    profile = ClientProfile(httpProfile=HttpProfile(protocol="http", endpoint=os.environ["BENCH_CLOUD"]))
    return mps_client.MpsClient(Credential(*keys), module.params["region"], profile)


def poll(client: mps_client.MpsClient, task_id: str) -> dict[str, object]:
    """Ask once."""
    request = models.DescribeTaskDetailRequest()
    request.TaskId = task_id
    answer: dict[str, object] = json.loads(client.DescribeTaskDetail(request).to_json_string())
    return answer


def wait(module: AnsibleModule) -> dict[str, object]:
    """Ask until it is over, or just once."""
    client = make_client(module)
    answer = poll(client, module.params["task_id"])
    while module.params["wait"] and answer["Status"] != "FINISH":
        time.sleep(module.params["delay"])
        answer = poll(client, module.params["task_id"])
    return answer


def main() -> None:
    """Poll once, or wait."""
    spec = {
        "task_id": {"type": "str", "required": True},
        "secret_id": {"type": "str", "no_log": True, "fallback": (env_fallback, ["TENCENTCLOUD_SECRET_ID"])},
        "secret_key": {"type": "str", "no_log": True, "fallback": (env_fallback, ["TENCENTCLOUD_SECRET_KEY"])},
        "region": {"type": "str", "fallback": (env_fallback, ["TENCENTCLOUD_REGION"])},
        "wait": {"type": "bool", "default": False},
        "delay": {"type": "float", "default": 5},
    }
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    if MISSING:
        module.fail_json(msg=missing_required_lib("tencentcloud-sdk-python-mps"), exception=MISSING)
    problem = ""
    answer: dict[str, object] = {}
    try:
        answer = wait(module)
    except TencentCloudSDKException as error:
        problem = str(error)
    if problem:
        module.fail_json(msg=problem)
    module.exit_json(changed=False, task=answer)


if __name__ == "__main__":
    main()
