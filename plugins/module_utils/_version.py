# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 0: a value, nothing else.
"""The version of the collection, for the ``User-Agent`` header."""

from __future__ import annotations

__version__ = "0.1.0"

__all__ = ["__version__"]
