# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 0: values and exceptions, standard library only.
"""Advice for when it is uncertain whether a start or an abort was carried out, each as the end of a sentence.

Modules use it when the vendor's answer is lost, action plugins when the module's answer is lost.
"""

from __future__ import annotations

ESS = "the cloud task may exist and cost money; ESS has no list of them, and to start it again makes another one"
COS_DOC = "the cloud task may exist and cost money: look for it with cos_doc_job_list_info before you start it again"
DINGTALK_DOC = "the copy may exist or be in the making: look into the target folder before you start it again"
MPS_ABORT = "it may have been aborted: poll it with mps_task_detail"

LEDGER = "repeat it with the same ledger, which knows whether a start was sent, and never starts it twice"


def mps(*, repeatable: bool) -> str:
    """Returns the advice for the start of a media task.

    :param repeatable: whether a session id was given, with which MPS refuses a second start.
    """
    then = ", or start it again with the same session_id" if repeatable else " before you start it again"
    return f"the cloud task may exist and cost money: look for it with mps_task_list_info{then}"


__all__ = ["COS_DOC", "DINGTALK_DOC", "ESS", "LEDGER", "MPS_ABORT", "mps"]
