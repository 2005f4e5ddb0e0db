# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tencent COS / Cloud Infinite media jobs: polled."""

from __future__ import annotations

from typing import Any

from lives import Poll
from messages import Reply
from services._ci import CiService, response, results
from services._ci_xml import Fields


class CosMediaService(CiService):
    """Media jobs, at /jobs. A job that is partial has an ErrorCount above 0."""

    name = "cos_media"
    path = "/jobs"
    poll_action = "DescribeMediaJob"
    tag = "Transcode"
    has_progress = True
    kinds = ("Transcode", "Animation", "Concat", "Snapshot", "PicProcess")

    def native(self, poll: Poll, word: Any) -> Reply:
        return response([*self.job(poll, word), ("NonExistJobIds", "")])

    def operation(self, poll: Poll, word: Any) -> Fields:
        place = [("Bucket", poll.task.bucket), ("Region", poll.task.region)]
        outputs = list(poll.base.details.get("outputs", ["out/film.mp4"]))
        good, bad, dummy = results(poll, outputs)
        result: Fields = []
        if word == "Success" and poll.task.kind == "PicProcess":
            objects = [("Object", [("Key", key), ("Format", "jpg")]) for key in outputs[:good]]
            result = [("PicProcessResult", [("UploadResult", [("ProcessResults", objects)]), ("ErrorCount", bad)])]
        elif word == "Success":
            names = [("ObjectName", name) for name in outputs[:good]]
            file = [place[0], *names, ("ObjectPrefix", ""), place[1]]
            result = [("MediaResult", [("OutputFile", file), ("ErrorCount", bad)])]
        template = [("TemplateId", "t00000000000000000000000000000000")]
        return [*result, ("Output", [place[0], ("Object", "out/film.${ext}"), place[1]]), *template]
