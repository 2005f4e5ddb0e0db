# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.cloudwait.conversion.plugins.module_utils._secrecy import HIDDEN, redact, secrets_of


def test_secrets_of_options_are_also_in_urls() -> None:
    options = {
        "callback_url": "https://hooks.example.com/EXAMPLE-FAKE-SECRET",
        "input_url": "https://files.example.com/plan.docx?sign=EXAMPLE-FAKE-SIGNATURE",
        "callback_mq": {"mode": "Queue"},
        "output": "out/plan.pdf",
    }
    assert secrets_of(options) == [options["callback_url"], "sign=EXAMPLE-FAKE-SIGNATURE"]
    assert secrets_of({"input_url": None, "callback_url": None}) == []


def test_the_key_that_encrypts_a_film_is_a_secret() -> None:
    drm = {"Type": "simpleaes", "SimpleAesDrm": {"Uri": "https://keys.example.com", "Key": "EXAMPLE-FAKE-KEY"}}
    assert redact({"DrmInfo": drm}) == {"DrmInfo": {"Type": "simpleaes", "SimpleAesDrm": HIDDEN}}
