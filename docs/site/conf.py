# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Settings of Sphinx; tools/build_docs.py builds with them, once for English and once, with the tag zh, for Chinese."""

from __future__ import annotations

import pathlib
import sys
import typing as t

HERE = pathlib.Path(__file__).resolve().parent
CHINESE = globals()["tags"].has("zh")  # Sphinx defines it
TRANSLATED = {f"docsite/{path.stem}" for path in HERE.parent.joinpath("docsite", "zh").glob("*.rst")} | {"index"}

sys.path.insert(0, str(HERE))

project = "cloudwait.conversion"
project_copyright = "Contributors to the cloudwait.conversion project"
html_title = "cloudwait.conversion"
html_short_title = "cloudwait.conversion"
language = "zh_CN" if CHINESE else "en"

extensions = ["sphinx.ext.intersphinx", "sphinx_antsibull_ext", "chinese_search"]
intersphinx_mapping = {  # tools/docs_inventory.py makes the file, so that no network is needed
    "ansible_devel": ("https://docs.ansible.com/projects/ansible/devel/", "../ansible_devel.inv"),
}
if CHINESE:  # pages that are not translated are linked in English
    intersphinx_mapping["english"] = ("..", "../build/html/objects.inv")
default_role = "any"
nitpicky = True

html_theme = "sphinx_ansible_theme"
html_theme_options = {
    "show_extranav": False,  # advertisements
    "show_rtd_ethical_ads": False,  # the same
}
pygments_style = "ansible"
highlight_language = "YAML+Jinja"
html_copy_source = False
html_css_files = ["site.css"]
html_show_sphinx = False
html_static_path = ["static"]
html_use_index = False
templates_path = ["templates"]


def add_other_language(app: t.Any, pagename: str, templatename: str, context: dict[str, t.Any], doctree: t.Any) -> None:
    """Tell the templates where the page is in the other language: the page itself, or the first page."""
    twin = pagename if CHINESE or pagename in TRANSLATED else "index"
    context["other_language"] = {
        "code": "en" if CHINESE else "zh-CN",
        "name": "English" if CHINESE else "简体中文",
        "path": f"../{twin}.html" if CHINESE else f"zh/{twin}.html",
        "same_page": twin == pagename,
    }


def setup(app: t.Any) -> None:
    """Called by Sphinx."""
    app.connect("html-page-context", add_other_language)
