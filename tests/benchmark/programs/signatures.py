# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many signatures a second: ``signatures.py WHOSE SECONDS``; prints the number."""

from __future__ import annotations

import json
import sys
import time
import typing as t

URL = "https://examplebucket-1250000000.ci.ap-beijing.myqcloud.com/doc_jobs/d0123456789"
HOST = URL.split("/")[2]
KEYS = ("AKIDEXAMPLE-FAKE-ID", "EXAMPLE-FAKE-SECRET-KEY")
PARAMETERS = {"TaskId": "2600000001-WorkflowTask-0123456789abcdef0123456789abcdeftt1"}


def ours_tc3() -> t.Callable[[], object]:
    from ansible_collections.cloudwait.conversion.plugins.module_utils.signing import tc3

    keys: dict[str, t.Any] = {"secret_id": KEYS[0], "secret_key": KEYS[1]}
    what: dict[str, t.Any] = {"method": "POST", "service": "mps", "content_type": "application/json"}

    def sign() -> object:
        payload = json.dumps(PARAMETERS).encode("ascii")
        return tc3.sign(**keys, **what, host="mps.tencentcloudapi.com", payload=payload, timestamp=int(time.time()))

    return sign


def sdk_tc3() -> t.Callable[[], object]:
    from tencentcloud.common.credential import Credential
    from tencentcloud.common.http.request import RequestInternal
    from tencentcloud.mps.v20190612 import mps_client

    client = mps_client.MpsClient(Credential(*KEYS), "")

    def sign() -> object:
        request = RequestInternal("mps.tencentcloudapi.com", "POST", "/")
        client._build_req_with_tc3_signature("DescribeTaskDetail", PARAMETERS, request)
        return request

    return sign


def ours_cos() -> t.Callable[[], object]:
    from ansible_collections.cloudwait.conversion.plugins.module_utils.signing import cos

    path = "/doc_jobs/d0123456789"
    options: dict[str, t.Any] = {"secret_id": KEYS[0], "secret_key": KEYS[1]}

    def sign() -> object:
        now = int(time.time())
        times = cos.key_time(now - 60, now + 600)
        return cos.sign(method="GET", path=path, headers={"Host": HOST}, times=times, **options)

    return sign


def sdk_cos() -> t.Callable[[], object]:
    import requests
    from qcloud_cos import CosConfig
    from qcloud_cos.cos_auth import CosS3Auth

    auth = CosS3Auth(CosConfig(Region="ap-beijing", SecretId=KEYS[0], SecretKey=KEYS[1]), "/doc_jobs/d0123456789")
    prepared = requests.Request("GET", URL).prepare()
    return lambda: auth(prepared)


def main(whose: str, seconds: str) -> None:
    """Sign for so many seconds."""
    sign = {"ours_tc3": ours_tc3, "sdk_tc3": sdk_tc3, "ours_cos": ours_cos, "sdk_cos": sdk_cos}[whose]()
    count, began = 0, time.process_time()
    while time.process_time() - began < float(seconds):
        sign()
        count += 1
    print(count / (time.process_time() - began))


if __name__ == "__main__":
    main(*sys.argv[1:])
