# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The machine and the versions in words: nothing that names a host, a user or a path."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import os
import pathlib
import platform
import re
import subprocess

from .measure import Bench, Figures

PACKAGES = (
    "ansible-core",
    "requests",
    "urllib3",
    "xmltodict",
    "tencentcloud-sdk-python-common",
    "tencentcloud-sdk-python-mps",
    "cos-python-sdk-v5",
)


def versions(bench: Bench) -> dict[str, str]:
    """Of all that takes part."""
    found = {"Python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    found["tccli"] = "not installed"
    if bench.tccli:
        said = subprocess.run([bench.tccli, "--version"], capture_output=True, text=True, check=False).stdout
        found["tccli"] = said.strip() or "unknown"
    found["aiohttp"] = "not installed"
    if bench.aiohttp:
        tell = "import aiohttp; print(aiohttp.__version__)"
        said = subprocess.run([bench.aiohttp, "-c", tell], capture_output=True, text=True, check=True).stdout
        found["aiohttp"] = said.strip()
    return found


def words() -> str:
    """Cores, kind, memory, kernel."""
    about = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    model = re.search(r"^model name\s*: (.*)$", about, re.MULTILINE)
    kind = "virtual machine" if "hypervisor" in about else "machine"
    cores = len(os.sched_getaffinity(0))
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1024**3
    kernel = ".".join(re.findall(r"\d+", platform.release())[:2])
    cpu = f" ({re.sub(r'[^ -~]|[(].*?[)]', '', model[1]).strip()})" if model else ""
    return f"a {kind} with {cores} cores{cpu}, {memory:.0f} GiB of memory and {platform.system()} {kernel}"


def describe(bench: Bench) -> Figures:
    """All of it, as of now."""
    today = dt.datetime.now(tz=dt.timezone.utc).date().isoformat()
    return {"date": today, "words": words(), "load": os.getloadavg()[0], "versions": versions(bench)}
