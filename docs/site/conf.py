# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Settings of Sphinx; tools/build_docs.py builds with them."""

from __future__ import annotations

project = "cloudwait.conversion"
project_copyright = "Contributors to the cloudwait.conversion project"
html_title = "cloudwait.conversion"
html_short_title = "cloudwait.conversion"

extensions = ["sphinx.ext.intersphinx", "sphinx_antsibull_ext"]
intersphinx_mapping = {  # tools/docs_inventory.py makes the file, so that no network is needed
    "ansible_devel": ("https://docs.ansible.com/projects/ansible/devel/", "../ansible_devel.inv"),
}
default_role = "any"
nitpicky = True

html_theme = "sphinx_ansible_theme"
html_theme_options = {
    "documentation_home_url": "index.html",
    "show_extranav": False,  # advertisements
    "show_rtd_ethical_ads": False,  # the same
    "topbar_links": {"Repository": "https://github.com/cloudwait/cloudwait.conversion"},
}
pygments_style = "ansible"
highlight_language = "YAML+Jinja"
html_copy_source = False
html_css_files = ["names.css"]
html_show_sphinx = False
html_static_path = ["static"]
html_use_index = False
