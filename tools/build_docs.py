# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Build the documentation site in .cache/docs/build/html. Warnings are errors.

Run it with a Python that has the packages of requirements-docs.txt. It downloads nothing.
"""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys
import sysconfig

import docs_inventory

ROOT = pathlib.Path(__file__).resolve().parent.parent
TREE = ROOT / ".cache" / "tree"
SITE = ROOT / ".cache" / "docs"
PAGES = SITE / "rst"
SCRIPTS = sysconfig.get_path("scripts")
COLLECTION = "cloudwait.conversion"


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


def main() -> None:
    """Collect the pages, and build the site from them."""
    link_collection()
    shutil.rmtree(SITE, ignore_errors=True)
    PAGES.mkdir(parents=True, mode=0o700)  # antsibull-docs requires a folder that others cannot write to
    config = ROOT / "docs" / "site"
    antsibull_docs = pathlib.Path(SCRIPTS) / "antsibull-docs"
    options = ("--use-current", "--squash-hierarchy", "--fail-on-error", "--dest-dir", PAGES)
    run(antsibull_docs, "--config-file", config / "antsibull-docs.cfg", "collection", *options, COLLECTION)
    shutil.copytree(ROOT / "docs" / "docsite" / "diagrams", PAGES / "diagrams")  # antsibull-docs copies only *.rst
    docs_inventory.write(SITE / "ansible_devel.inv")
    run(sys.executable, "-m", "sphinx", "-M", "html", PAGES, SITE / "build", "-c", config, "-W", "--keep-going", "-q")
    print(f"built {(SITE / 'build' / 'html' / 'index.html').relative_to(ROOT)}")


if __name__ == "__main__":
    main()
