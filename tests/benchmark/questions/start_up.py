# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Start-up: what importing a module costs, how large it is on the wire, and how fast signatures are made."""

from __future__ import annotations

import subprocess
import sys
import typing as t

from ..cloud import HERE, TREE, Cloud
from ..contenders import COLLECTION, program
from ..measure import ROOT, Bench, Cost, Environment, Figures, play, run, spread
from ..report import Target, number, paired, table, verdicts

TITLE = "Start-up and signatures"
REPETITIONS = 9
SDK = "module on the SDK"
NOTHING = "Python alone"
SIGNERS = {"ours_tc3": "TC3, ours", "sdk_tc3": "TC3, the SDK's", "ours_cos": "COS, ours", "sdk_cos": "COS, the SDK's"}


def modules(bench: Bench) -> list[str]:
    """Ours, by name."""
    names = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("[!_]*.py"))
    return bench.pick(names, ["wait_for_task"])


def imports(bench: Bench, environment: Environment) -> Figures:
    """CPU of a Python that imports a module and ends."""
    path = {**environment, "PYTHONPATH": f"{ROOT / '.cache' / 'tree'}:{HERE / 'library'}"}
    names = {name: f"ansible_collections.{COLLECTION}plugins.modules.{name}" for name in modules(bench)}
    names = {NOTHING: "sys", "AnsibleModule alone": "ansible.module_utils.basic", SDK: "sdk_mps_task", **names}

    def job(name: str) -> t.Callable[[], Cost]:
        return lambda: run([sys.executable, "-c", f"import {name}"], path)

    runs = bench.warmed({name: job(module) for name, module in names.items()}, REPETITIONS)
    return {name: spread([cost.cpu * 1000 for cost in some]) for name, some in runs.items()}


def sizes(bench: Bench, cloud: Cloud) -> dict[str, float]:
    """KiB of what Ansible sends to a host; each module is called without options, fails and is left there."""
    kept = cloud.folder / "kept"
    environment = {**cloud.environment(), "ANSIBLE_KEEP_REMOTE_FILES": "1", "ANSIBLE_REMOTE_TMP": str(kept)}
    tasks: list[Figures] = [{COLLECTION + name: {}, "ignore_errors": True} for name in modules(bench)]
    others: list[Figures] = [{name: {}, "ignore_errors": True} for name in ("sdk_mps_task", "ansible.builtin.uri")]
    play({"block": tasks + others}, environment)
    files = kept.glob("*/AnsiballZ_*.py")
    found = {path.stem.removeprefix("AnsiballZ_"): path.stat().st_size / 1024 for path in files}
    return {SDK if name == "sdk_mps_task" else name: size for name, size in found.items()}


def signatures(bench: Bench, environment: Environment) -> Figures:
    """Signatures in a second of CPU."""
    path = {**environment, **TREE}

    def job(name: str) -> t.Callable[[], float]:
        command = program("signatures.py", name, str(bench.pick(2, 0.1)))
        return lambda: float(subprocess.run(command, env=path, cwd=ROOT, capture_output=True, check=True).stdout)

    runs = bench.warmed({name: job(name) for name in SIGNERS}, REPETITIONS)
    return {name: spread(values) for name, values in runs.items()}


def measure(bench: Bench) -> Figures:
    """All three."""
    with Cloud() as cloud:
        environment = cloud.environment()
        return {
            "imports": imports(bench, environment),
            "sizes": sizes(bench, cloud),
            "signatures": signatures(bench, environment),
        }


def targets(figures: Figures) -> list[Target]:
    """What was wanted."""
    signed = figures["signatures"]
    tc3, cos = (paired(signed[f"ours_{name}"], signed[f"sdk_{name}"]) for name in ("tc3", "cos"))
    found = f"{tc3:.2f} times as fast for TC3, {cos:.2f} for COS"
    return [Target("signing not slower than the vendor's SDKs", found, min(tc3, cos) >= 1)]


def tell(figures: Figures) -> str:
    """The section."""
    names = list(dict.fromkeys([*figures["imports"], *figures["sizes"]]))
    rows = [
        [
            name,
            number(figures["imports"][name]["median"]) if name in figures["imports"] else "",
            number(figures["sizes"][name]) if name in figures["sizes"] else "",
        ]
        for name in names
    ]
    signed = figures["signatures"]
    rates = [[label, f"{signed[name]['median']:,.0f}"] for name, label in SIGNERS.items()]
    return f"""\
What each run of a module costs before it does anything: Python and its imports, and how much Ansible packs and sends
to the host. A module on the SDK is small on the wire, since the SDK must be installed on the host.

{table(["module", "import, CPU ms", "AnsiballZ, KiB"], rows)}

Signatures in a second of CPU, from the parameters of a call to its headers. How many times as fast one is, is the median of
that in each turn, so it differs a little from the ratio of the medians:

{table(["signature", "a second"], rates)}

{verdicts(targets(figures))}
"""
