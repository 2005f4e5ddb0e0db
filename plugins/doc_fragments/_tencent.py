# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.
"""Documentation of the options that find Tencent credentials."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of ``tencent()`` in ``_module/argspec.py``."""

    DOCUMENTATION = r"""
options:
  secret_id:
    description:
      - Identifier of a Tencent Cloud API key.
      - All credentials come from one source, the first that is given. An incomplete set is an error; it is never
        completed from another source.
      - "The order is: O(secret_id) with O(secret_key) and O(token); O(profile); O(cvm_role); the environment variables
        E(TENCENTCLOUD_SECRET_ID), E(TENCENTCLOUD_SECRET_KEY) and E(TENCENTCLOUD_TOKEN); a profile named by
        E(TENCENTCLOUD_PROFILE) or E(TCCLI_PROFILE); a role named by E(TENCENTCLOUD_CVM_ROLE); the profile
        V(default)."
      - The environment and the files are those of the host and user that the Ansible task runs as.
    type: str
  secret_key:
    description:
      - Key that belongs to O(secret_id).
    type: str
  token:
    description:
      - Token of temporary keys, in addition to O(secret_id) and O(secret_key).
    type: str
  profile:
    description:
      - Name of a profile on the host where the Ansible task runs.
      - The file C(~/.tccli/<profile>.credential) of tccli is read; without it, the section of that name in
        C(~/.tencentcloud/credentials) or C(/etc/tencentcloud/credentials).
      - For a tccli profile of the type C(oauth) or C(sso), the temporary keys in the file are used until they expire.
        tccli renews them, this collection does not; run tccli once before a long wait.
      - Profiles that assume a role are refused.
    type: str
  cvm_role:
    description:
      - Name of the CVM role whose temporary keys are fetched from the metadata service of the instance.
      - They are fetched again before they expire.
    type: str
  region:
    description:
      - Region of the bucket of a job of Tencent COS. Without it, the environment variable E(TENCENTCLOUD_REGION) is
        used.
      - Every module of the action group C(cloudwait.conversion.tencent) accepts it, so that it can be set once in
        C(module_defaults). Services without regions, such as Tencent MPS, ignore it.
    type: str
"""
