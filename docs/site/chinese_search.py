# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An extension of Sphinx: the search finds Chinese words.

Chinese has no blanks between words. Sphinx leaves the splitting to the package jieba, and without it indexes no Chinese
at all. Here, a text and what people search for are both split into pairs of neighboring characters, which needs no
dictionary.
"""

from __future__ import annotations

import re
import typing as t

from sphinx.search import SearchLanguage

WORDS = re.compile(r"[\u4e00-\u9fff]+|[a-zA-Z0-9_]+")
SPLITTER = r"""
function splitQuery(query) {
  const words = query.match(/[\u4e00-\u9fff]+|[a-zA-Z0-9_]+/g) || [];
  return words.flatMap((word) =>
    /^[\u4e00-\u9fff]{3,}$/.test(word)
      ? Array.from(word.slice(1), (second, index) => word[index] + second)
      : [word]);
}
"""


class ChinesePairs(SearchLanguage):  # type: ignore[misc] # Sphinx is not installed where types are checked
    """Splits Chinese text into pairs of neighboring characters, and other text into words."""

    lang = "zh"
    language_name = "Chinese"
    js_splitter_code = SPLITTER

    def split(self, input: str) -> list[str]:  # noqa: A002 # Sphinx names it
        """Returns the pairs and words of a text."""
        found = []
        for word in WORDS.findall(input):
            if "\u4e00" <= word[0] <= "\u9fff":
                found += [word[place : place + 2] for place in range(max(1, len(word) - 1))]
            else:
                found.append(word)
        return found

    def stem(self, word: str) -> str:
        """Returns the word as the page of the search looks it up."""
        return word.lower()


def setup(app: t.Any) -> dict[str, bool]:
    """Called by Sphinx."""
    app.add_search_language(ChinesePairs)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
