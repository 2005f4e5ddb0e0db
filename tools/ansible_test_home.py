# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make a home folder for ansible-test, so that it needs no host besides a package registry.

For every environment that it makes, ansible-test downloads a script that installs pip. The host of that script may not
be reachable, and ansible-test removes the environment variables that configure pip's registry. So the home folder has a
script of the same name, which unpacks pip's wheel, and pip's settings in a file.
"""

from __future__ import annotations

import ast
import configparser
import os
import pathlib
import subprocess
import sys

PIPS = {"2.17": "23.1.2", "2.18": "24.2", "2.19": "24.2"}  # version of pip that each ansible-core requires
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
    """Download pip's wheel, and write the script that ansible-test runs in place of the one it would download.

    :param cache: folder in which ansible-test keeps such scripts.
    :param version: version of pip.
    """
    script = cache / f"get_pip_{version.replace('.', '_')}.py"
    if not script.exists():
        cache.mkdir(parents=True, exist_ok=True)
        subprocess.run([*PIP, "download", "-qq", "--no-deps", "-d", str(cache), f"pip=={version}"], check=True)
        script.write_text(SCRIPT, encoding="utf-8")


def write_pip_settings(path: pathlib.Path) -> None:
    """Write the present settings of pip, from all sources, to a file."""
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
    """Make the home folder for a release of ansible-core, such as ``2.21``."""
    write_pip_script(home / ".ansible" / "test" / "cache", PIPS.get(core, NEWER_PIP))
    write_pip_settings(home / ".config" / "pip" / "pip.conf")
