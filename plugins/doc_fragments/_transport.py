# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.
"""Documentation of the options that say how requests travel."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of ``transport()`` and ``one_poll()`` in ``_module/argspec.py``."""

    DOCUMENTATION = r"""
options:
  site:
    description:
      - Which site of the vendor to ask.
      - Without it, the host is the one on the vendor's own page of the API call.
      - "B(Mind the difference): for Tencent that is the Chinese site, for DingTalk it is C(api.dingtalk.io), which is
        the B(international) one. A Chinese DingTalk organization needs O(site=china)."
      - For DingTalk, the environment variable E(DINGTALK_SITE), V(china) or V(intl), is used when the option is not
        given. It is read on the host and as the user that the Ansible task runs as.
      - Tencent COS has the same hosts for both sites, so O(site) has no effect there. Tencent ESS has no international
        site. Its own modules refuse V(intl), and modules for all services ignore it.
    type: str
    choices: [china, intl]
  request_timeout:
    description:
      - Time limit of one request, from the resolution of the host's name to the last byte of the answer, as a number of
        seconds or a text such as V(90s) or V(1m30s).
    type: raw
    default: 10
  validate_certs:
    description:
      - Whether to verify TLS certificates. Disable it for tests only. A wrong clock of the host is not corrected then.
    type: bool
    default: true
  ca_path:
    description:
      - Path of a bundle of CA certificates to verify with, in place of the system's.
    type: path
requirements:
  - requests
"""

    POLL = r"""
options:
  endpoint:
    description:
      - Base URL in place of the vendor's host, such as C(https://gateway.example.com).
      - Plain HTTP is accepted for loopback addresses only. The result names the host as RV(ignore:endpoint_host).
      - Without it, the environment variable C(CLOUDWAIT_<PROVIDER>_ENDPOINT) of the service is used, such as
        E(CLOUDWAIT_MPS_ENDPOINT) for V(mps).
    type: str
  request_retries:
    description:
      - Number of times to repeat a request after an error that may pass, such as a lost connection, throttling or an
        error on the vendor's side. The pauses between requests are 1 second, then 2, 4 and so on up to 10, or what
        C(Retry-After) asks for, up to 60.
      - A start or an abort is repeated only when it certainly did not happen.
    type: int
    default: 3
"""
