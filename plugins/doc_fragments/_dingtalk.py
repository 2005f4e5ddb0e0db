# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.
"""Documentation of the options that find DingTalk credentials."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of ``dingtalk()`` in ``_module/argspec.py``."""

    DOCUMENTATION = r"""
options:
  app_key:
    description:
      - Key of a DingTalk internal app, also called client id.
      - An access token is fetched with it, and fetched again when DingTalk refuses the token.
      - "All credentials come from one source, the first of these that is given: O(app_key) with O(app_secret);
        O(access_token); the environment variables E(DINGTALK_APP_KEY) and E(DINGTALK_APP_SECRET); the environment
        variable E(DINGTALK_ACCESS_TOKEN)."
      - The environment is that of the host and user that the Ansible task runs as.
      - "B(Mind the site): without O(site=china) or the environment variable E(DINGTALK_SITE) set to V(china), the
        international host is asked."
    type: str
    aliases: [client_id]
  app_secret:
    description:
      - Secret that belongs to O(app_key).
    type: str
    aliases: [client_secret]
  access_token:
    description:
      - Access token of an internal app that was fetched elsewhere. It expires after two hours.
      - It is not renewed, so use O(app_key) and O(app_secret) for long waits.
    type: str
"""
