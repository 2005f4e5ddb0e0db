# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 0: values and exceptions, standard library only.
"""What to do when a start or an abort may have happened, each text as the end of a sentence.

The modules say it when the vendor's answer is lost, and the action plugins when the module itself is lost.
"""

from __future__ import annotations

ESS = "the cloud task may exist and cost money; ESS has no list of them, and to start it again makes another one"
COS_DOC = "the cloud task may exist and cost money: look for it with cos_doc_job_list_info before you start it again"
DINGTALK_DOC = "the copy may exist or be in the making: look into the target folder before you start it again"
MPS_ABORT = "it may have been aborted: poll it with mps_task_detail"


def mps(*, repeatable: bool) -> str:
    """The text for a media task.

    :param repeatable: whether a session id was given, by which MPS refuses to start the same twice.
    """
    then = ", or start it again with the same session_id" if repeatable else " before you start it again"
    return f"the cloud task may exist and cost money: look for it with mps_task_list_info{then}"


__all__ = ["COS_DOC", "DINGTALK_DOC", "ESS", "MPS_ABORT", "mps"]
