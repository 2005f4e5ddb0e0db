# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make a home for ansible-test, so that it needs nothing but a package registry.

Every environment that ansible-test makes gets pip from a script that is downloaded from a host of its own, which
need not be reachable, and ansible-test drops the environment variables that tell pip of a registry. So the home holds
a script of that name that unpacks pip's wheel, and pip's settings as a file.
"""

from __future__ import annotations

import ast
import configparser
import os
import pathlib
import subprocess
import sys

PIPS = {"2.17": "23.1.2", "2.18": "24.2", "2.19": "24.2"}  # which pip an ansible-core wants
NEWER_PIP = "25.2"
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")
SCRIPT = """\
import glob, os, subprocess, sys, sysconfig, zipfile
here = os.path.dirname(os.path.abspath(os.environ["GET_PIP"]))
version = [arg for arg in sys.argv if arg.startswith("pip==")][0][5:]
with zipfile.ZipFile(glob.glob(os.path.join(glob.escape(here), "pip-%s-*.whl" % version))[0]) as wheel:
    wheel.extractall(sysconfig.get_path("purelib"))
more = [arg for arg in sys.argv[1:] if arg[:1] != "-" and arg[:5] != "pip=="]  # setuptools and wheel, for 2.17
if more:
    subprocess.check_call([sys.executable, "-m", "pip", "install", "-qq"] + more)
"""


def write_pip_script(cache: pathlib.Path, version: str) -> None:
    """Put pip's wheel into the cache, and beside it what ansible-test takes for its own script."""
    script = cache / f"get_pip_{version.replace('.', '_')}.py"
    if not script.exists():
        cache.mkdir(parents=True, exist_ok=True)
        subprocess.run([*PIP, "download", "-qq", "--no-deps", "-d", str(cache), f"pip=={version}"], check=True)
        script.write_text(SCRIPT, encoding="utf-8")


def write_pip_settings(path: pathlib.Path) -> None:
    """Write pip's settings of here, wherever they come from, to a file."""
    lines = subprocess.run([*PIP, "config", "list"], check=True, capture_output=True, text=True).stdout.splitlines()
    settings = configparser.RawConfigParser()
    settings["global"] = {"cache-dir": subprocess.check_output([*PIP, "cache", "dir"], text=True).strip()}
    if proxy := os.environ.get("https_proxy") or os.environ.get("HTTPS_PROXY"):
        settings["global"]["proxy"] = proxy
    for line in lines:
        key, equals, value = line.partition("=")
        scope, dummy, name = key.rpartition(".")
        if equals and scope in ("global", "install", ":env:"):
            settings["global"][name] = ast.literal_eval(value).replace("\n", "\n\t")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as stream:
        settings.write(stream)


def make(home: pathlib.Path, core: str) -> None:
    """Make the home for an ansible-core."""
    write_pip_script(home / ".ansible" / "test" / "cache", PIPS.get(core, NEWER_PIP))
    write_pip_settings(home / ".config" / "pip" / "pip.conf")
