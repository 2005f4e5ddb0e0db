# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 4: reports of waits, pure functions.
"""The formats of reports, and the format that follows from the name of a file."""

from __future__ import annotations

import typing as t

from .._errors import CloudError, quoted
from .data import make_json
from .junit import make_junit
from .markdown import make_markdown
from .model import Report
from .page import make_html
from .words import LANGUAGES, Words

FORMATS: dict[str, t.Callable[[Report, Words], str]] = {
    "html": make_html,
    "junit": make_junit,
    "json": make_json,
    "markdown": make_markdown,
}
ENDINGS = {
    ".html": "html",
    ".htm": "html",
    ".xml": "junit",
    ".json": "json",
    ".md": "markdown",
    ".markdown": "markdown",
}


def format_of(path: str) -> str:
    """Returns the format for a file, by the ending of its name.

    :raises CloudError: ``config``, if the ending tells no format.
    """
    lower = path.lower()
    for ending, word in ENDINGS.items():
        if lower.endswith(ending):
            return word
    raise CloudError(
        "config",
        f"dest is {quoted(path)}, and its ending names no format",
        advice=f"give format, or a name that ends with one of {', '.join(ENDINGS)}",
    )


def make_report(report: Report, word: str, language: str) -> str:
    """Returns the text of a report.

    :param word: the format, a key of ``FORMATS``.
    :param language: the language, a key of ``LANGUAGES``.
    """
    return FORMATS[word](report, LANGUAGES[language])


__all__ = ["ENDINGS", "FORMATS", "format_of", "make_report"]
