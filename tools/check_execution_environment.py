# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check that ansible-builder finds the requirements of the collection and accepts our examples.

The images themselves are not built, since that needs a container engine.
"""

from __future__ import annotations

import pathlib
import shutil
import subprocess
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
TREE = ROOT / ".cache" / "ee-tree"
LINK = TREE / "ansible_collections" / "cloudwait" / "conversion"
EXAMPLES = ("execution-environment.yml", "decision-environment.yml")
CONTEXT = ROOT / ".cache" / "ee-context"


def builder(*arguments: object) -> str:
    """Run ansible-builder, and return its output. End this program if it fails."""
    command = [sys.executable, "-m", "ansible_builder", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command[2:])} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def requirements(lines: list[str]) -> list[str]:
    """Returns the requirements in lines of a requirements file, sorted and without comments."""
    return sorted(filter(None, (line.partition("#")[0].strip() for line in lines)))


def main() -> str | None:
    """Returns what is wrong; null if nothing is."""
    LINK.parent.mkdir(parents=True, exist_ok=True)
    if not LINK.is_symlink():
        LINK.symlink_to(ROOT)
    wanted = requirements((ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines())
    found = requirements(yaml.safe_load(builder("introspect", TREE))["python"])
    if found != wanted:
        return f"ansible-builder introspect finds {found}, requirements.txt says {wanted}"
    for example in EXAMPLES:
        shutil.rmtree(CONTEXT, ignore_errors=True)
        builder("create", "--file", ROOT / example, "--context", CONTEXT)
        if not any((CONTEXT / name).exists() for name in ("Containerfile", "Dockerfile")):
            return f"ansible-builder create made no Containerfile of {example} in {CONTEXT}"
    return None


if __name__ == "__main__":
    sys.exit(main())
