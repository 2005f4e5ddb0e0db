# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make a release without publishing it: write the changelog, build the collection, have Galaxy's importer read it.

It works on a copy in .cache/release, so fragments of the checkout stay. A warning of the importer is an error here, since
people who look at the collection on Galaxy see the import log.
"""

from __future__ import annotations

import pathlib
import shutil
import subprocess
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
RELEASE = ROOT / ".cache" / "release"
COPY = RELEASE / "build"
DIST = RELEASE / "dist"
ALARMS = ("WARNING", "ERROR")


def run(folder: pathlib.Path, *command: str) -> str:
    """Run a program in a folder, and return its output. End this program if it fails."""
    done = subprocess.run(
        command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    output = done.stdout.decode("utf-8", errors="replace")
    if done.returncode:
        sys.exit(f"This command failed with status {done.returncode}: {' '.join(command)}\n{output}")
    return output


def copy_files() -> None:
    """Copy the files of the checkout that git does not ignore."""
    shutil.rmtree(RELEASE, ignore_errors=True)
    listed = run(ROOT, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in sorted({each for each in listed.split("\0") if each}):
        if (ROOT / name).is_file():
            (COPY / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, COPY / name)


def write_changelog(version: str) -> None:
    """Write the changelog of a version, unless it is written already."""
    known = yaml.safe_load((COPY / "changelogs" / "changelog.yaml").read_text(encoding="utf-8"))["releases"]
    if version not in known:
        run(COPY, "antsibull-changelog", "release")
    if f"v{version}" not in (COPY / "CHANGELOG.md").read_text(encoding="utf-8").replace("\\", ""):
        sys.exit(f"CHANGELOG.md does not contain v{version}: run antsibull-changelog generate.")


def main() -> str | None:
    """Returns what is wrong; null if nothing is."""
    copy_files()
    galaxy = yaml.safe_load((COPY / "galaxy.yml").read_text(encoding="utf-8"))
    write_changelog(str(galaxy["version"]))
    run(COPY, "ansible-galaxy", "collection", "build", "--output-path", str(DIST))
    (tarball,) = DIST.glob("*.tar.gz")
    log = run(DIST, sys.executable, "-m", "galaxy_importer.main", tarball.name)
    alarms = [line for line in log.splitlines() if line.startswith(ALARMS)]
    if alarms:
        return "\n".join([f"Galaxy's importer does not like {tarball.name}:", *alarms])
    print(f"{tarball.relative_to(ROOT)} can be released")
    return None


if __name__ == "__main__":
    sys.exit(main())
