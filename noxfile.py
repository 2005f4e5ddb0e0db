# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every gate as a session: "nox" runs the quick ones, "nox -t matrix" those over all ansible-core, "nox -l" lists them.

What is checked how stands in antsibull-nox.toml; here is what that cannot say.
"""

from __future__ import annotations

import os
import sys

import antsibull_nox
import nox

sys.path.insert(0, "tools")
import bootstrap

CORES = {
    "2.17": "3.12",
    "2.18": "3.13",
    "2.19": "3.13",
    "2.20": "3.13",
    "2.21": "3.13",
}  # and a Python that each runs on
NEWEST = "2.21"

os.environ.update(bootstrap.nox_environment())
nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.envdir = ".cache/nox"
nox.options.error_on_missing_interpreters = True  # a session that is skipped would look green
nox.options.reuse_venv = "yes"
antsibull_nox.load_antsibull_nox_toml()


def install_unbound(session: nox.Session, *packages: str) -> None:
    """Install without the bounds of constraints.txt, which are about one ansible-core."""
    session.install(*packages, env={"UV_CONSTRAINT": ""})


@nox.session
def changelog(session: nox.Session) -> None:
    """Check the changelog and its fragments."""
    session.install("antsibull-changelog")
    session.run("antsibull-changelog", "lint")


@nox.session(name="execution-environment")
def execution_environment(session: nox.Session) -> None:
    """Let ansible-builder find what an execution environment needs, and write all but the image."""
    session.install("ansible-builder", "ansible-core")
    session.run("python", "tools/check_execution_environment.py")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation site; a warning is an error."""
    session.install("-r", "requirements-docs.txt")
    session.run("python", "tools/build_docs.py")


def add_core_sessions(core: str, python: str) -> None:
    """Add the sessions of one ansible-core."""

    def ansible_test(session: nox.Session, what: str, *arguments: str) -> None:
        install_unbound(session, f"ansible-core=={core}.*", "pip")
        session.run("python", "tools/ansible_test.py", what, *arguments, *session.posargs)

    def sanity(session: nox.Session) -> None:
        ansible_test(session, "sanity", "--local")

    def units(session: nox.Session) -> None:
        ansible_test(session, "units", "--venv")

    def integration(session: nox.Session) -> None:
        ansible_test(session, "integration", "--venv", "--python", python)

    def unit(session: nox.Session) -> None:
        needs = ("-r", "requirements.txt", "pytest", "pytest-xdist")
        install_unbound(session, f"ansible-core=={core}.*", *needs)
        session.run("python", "-m", "pytest", "--no-header", "-n", "2", *(session.posargs or ["tests/unit"]))

    sessions = {
        "sanity": (sanity, "ansible-test sanity, no ignore file, all Pythons found"),
        "units": (units, "ansible-test units, all Pythons found"),
        "integration": (integration, "ansible-test integration"),
        "pytest": (unit, "plain pytest on tests/unit"),
    }
    for what, (run, text) in sessions.items():
        run.__doc__ = f"{text}; ansible-core {core}."
        in_matrix = what in ("sanity", "pytest") or core == NEWEST or (core, what) == (next(iter(CORES)), "integration")
        tags = ["matrix"] if in_matrix else []
        nox.session(name=f"{what}-{core}", python=python, default=False, tags=tags)(run)


for core, python in CORES.items():
    add_core_sessions(core, python)
