# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Build the documentation site, in English and Chinese, in .cache/docs/build/html. Warnings are errors.

Run it with a Python that has the packages of requirements-docs.txt. It downloads nothing.
"""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess
import sys
import sysconfig

import yaml

import docs_inventory

ROOT = pathlib.Path(__file__).resolve().parent.parent
TREE = ROOT / ".cache" / "tree"
SITE = ROOT / ".cache" / "docs"
ENGLISH = SITE / "en"
CHINESE = SITE / "zh"
HTML = SITE / "build" / "html"
DOCSITE = ROOT / "docs" / "docsite"
CONFIG = ROOT / "docs" / "site"
SCRIPTS = sysconfig.get_path("scripts")
COLLECTION = "cloudwait.conversion"
FIRST = ("wait_for_task", "task_info")  # what most people need; all others follow by name
PLUGIN = re.compile(
    r"^\* :ansplugin:`[^`]+ <cloudwait\.conversion\.(?P<name>[a-z0-9_]+)#(?P<kind>[a-z]+)>` -- .*$", re.MULTILINE
)
PLUGINS = """\
.. _plugins_in_cloudwait.conversion:

Plugins
=======

Each page describes all options and results of a plugin, with examples. ``ansible-doc`` shows the same.

{items}

.. toctree::
   :hidden:

{entries}
"""


def link_collection() -> None:
    """Make the link, as in the Makefile, by which Ansible finds the checkout under its full collection name."""
    link = TREE.joinpath("ansible_collections", *COLLECTION.split("."))
    link.parent.mkdir(parents=True, exist_ok=True)
    if not link.is_symlink():
        link.symlink_to(pathlib.Path(*[".."] * 4), target_is_directory=True)


def run(*command: object) -> None:
    """Run a program of this environment in the checkout. End this program if it fails."""
    env = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(TREE),
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "PATH": os.pathsep.join([SCRIPTS, os.environ.get("PATH", os.defpath)]),  # antsibull-docs calls ansible-doc
    }
    words = [str(part) for part in command]
    status = subprocess.run(words, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, check=False).returncode
    if status:
        sys.exit(f"This command failed with status {status}: {' '.join(words)}")


def plugins_page(index: str) -> str:
    """Returns the page that lists all plugins, those that most people need first, from the first page of antsibull-docs."""
    plugins = {match["name"]: match for match in PLUGIN.finditer(index)}
    if not plugins.keys() >= set(FIRST):
        sys.exit("The first page that antsibull-docs wrote does not list the plugins as expected.")
    ordered = [plugins[name] for name in [*FIRST, *(name for name in plugins if name not in FIRST)]]
    items = "\n".join(match[0] for match in ordered)
    entries = "\n".join(f"   {match['name']} <{match['name']}_{match['kind']}>" for match in ordered)
    return PLUGINS.format(items=items, entries=entries)


def write_menu(pages: pathlib.Path, caption: str) -> None:
    """Write the menu of the guides, in the order of extra-docs.yml, to a file that the first page includes."""
    sections = yaml.safe_load((DOCSITE / "extra-docs.yml").read_text(encoding="utf-8"))["sections"]
    names = [f"docsite/{name}" for section in sections for name in section["toctree"]]
    entries = "\n".join(f"   {name}" for name in names if (pages / f"{name}.rst").exists())
    text = f".. toctree::\n   :caption: {caption}\n   :hidden:\n\n{entries}\n"
    (pages / "guides.inc").write_text(text, encoding="utf-8")


def collect_english() -> None:
    """Collect the English pages: the plugins, the guides, and our first page in place of that of antsibull-docs."""
    antsibull_docs = pathlib.Path(SCRIPTS) / "antsibull-docs"
    options = ("--use-current", "--squash-hierarchy", "--fail-on-error", "--dest-dir", ENGLISH)
    run(antsibull_docs, "--config-file", CONFIG / "antsibull-docs.cfg", "collection", *options, COLLECTION)
    index = ENGLISH / "index.rst"
    (ENGLISH / "plugins.rst").write_text(plugins_page(index.read_text(encoding="utf-8")), encoding="utf-8")
    shutil.copyfile(CONFIG / "index.rst", index)
    shutil.copytree(DOCSITE / "diagrams", ENGLISH / "diagrams")  # antsibull-docs copies only *.rst
    write_menu(ENGLISH, "Guides")


def collect_chinese() -> None:
    """Collect the Chinese pages."""
    shutil.copytree(DOCSITE / "zh", CHINESE / "docsite")
    shutil.copyfile(CONFIG / "index.zh.rst", CHINESE / "index.rst")
    shutil.copytree(DOCSITE / "diagrams", CHINESE / "diagrams")
    write_menu(CHINESE, "指南")


def build(pages: pathlib.Path, dest: pathlib.Path, *options: str) -> None:
    """Run Sphinx."""
    settings = ("-c", CONFIG, "-d", SITE / "build" / f"doctrees-{pages.name}", *options)
    run(sys.executable, "-m", "sphinx", "-b", "html", *settings, "-W", "--keep-going", "-q", pages, dest)


def main() -> None:
    """Collect the pages, and build the site from them, first in English, to which the Chinese pages refer."""
    link_collection()
    shutil.rmtree(SITE, ignore_errors=True)
    ENGLISH.mkdir(parents=True, mode=0o700)  # antsibull-docs requires a folder that others cannot write to
    collect_english()
    collect_chinese()
    docs_inventory.write(SITE / "ansible_devel.inv")
    build(ENGLISH, HTML)
    build(CHINESE, HTML / "zh", "-t", "zh")
    print(f"built {(HTML / 'index.html').relative_to(ROOT)}")


if __name__ == "__main__":
    main()
