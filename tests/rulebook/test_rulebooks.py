# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rulebooks of the collection with their playbooks, as a user would run them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .runs import SECRET, TOKEN, Rulebook, free_port

FILM = {"Bucket": "examplebucket-1250000000", "Region": "ap-beijing", "Object": "/in/film.mov"}
RUNNING = {"status": "running", "seconds": 1}
STARTS = [
    {"provider": "mps", "match": "film", "life": [RUNNING, {"status": "succeeded"}]},
    {"provider": "mps", "match": "broken", "life": [RUNNING, {"status": "failed", "message": "no picture"}]},
]
PLACE = {"bucket": "examplebucket-1250000000", "region": "ap-beijing"}


def play(book: Rulebook, name: str, variables: dict[str, Any]) -> None:
    """Run a playbook of the collection."""
    command = [sys.executable, "-m", "ansible", "playbook", name, "--extra-vars", json.dumps(variables)]
    done = subprocess.run(
        command, cwd=book.folder, env=book.environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert TOKEN not in done.stdout
    assert SECRET not in done.stdout


def variables_of(simulator: Any, folder: Path, published: Path) -> dict[str, Any]:
    """The variables of `convert_then_publish`."""
    return {
        "listen_port": free_port(),
        "events_token": TOKEN,
        "callback_secret": SECRET,
        "state_file": str(folder / "state.sqlite"),
        "publish_folder": str(published),
        "robot_url": f"{simulator.url}/robot/send?access_token=EXAMPLE-FAKE-ROBOT-TOKEN",
    }


def test_convert_then_publish(
    start_simulator: Callable[..., Any], start_rulebook: Callable[..., Rulebook], tmp_path: Path
) -> None:
    simulator = start_simulator({"starts": STARTS})
    published = tmp_path / "published"
    published.mkdir()
    variables = variables_of(simulator, tmp_path, published)
    name = "cloudwait.conversion.convert_then_publish"
    book = start_rulebook(simulator, {"listen": {"port": variables["listen_port"]}}, rulebook=name, variables=variables)
    book.until(book.listens)
    url = f"http://127.0.0.1:{variables['listen_port']}"
    given = {"events_url": url, "events_token": TOKEN, "callback_secret": SECRET}
    for film in (FILM, {**FILM, "Object": "/in/broken.mov"}):
        play(book, "cloudwait.conversion.events_convert", {**given, "film": film})

    def robot() -> list[str]:
        return [entry["verdict"] for entry in simulator.journal() if entry["provider"] == "dingtalk_robot"]

    book.until(lambda: list(published.iterdir()) and robot())
    (found,) = published.iterdir()
    outputs = json.loads(found.read_text(encoding="utf-8"))["outputs"]
    assert [output["value"] for output in outputs] == ["/out/film_transcode_100010.mp4"]
    assert robot() == ["ok"]
    assert simulator.stats()["callbacks"] == {"mps": 2}
    assert SECRET not in book.said()
    assert "EXAMPLE-FAKE-ROBOT-TOKEN" not in book.said()


def test_watch_queue(
    start_simulator: Callable[..., Any], start_rulebook: Callable[..., Rulebook], tmp_path: Path
) -> None:
    lives = {"good": {"status": "succeeded", "outputs": ["out/1.jpg"]}, "bad": {"status": "failed"}}
    tasks = [
        {"provider": "cos_doc", "task_id": name, "life": [{"status": "running", "looks": 1}, end], **PLACE}
        for name, end in lives.items()
    ]
    simulator = start_simulator({"tasks": tasks})
    variables = {**PLACE, "state_file": str(tmp_path / "state.sqlite")}
    book = start_rulebook(simulator, {}, rulebook="cloudwait.conversion.watch_queue", variables=variables)
    book.until(lambda: "good is ready: out/1.jpg" in book.said() and "bad is failed, outcome failed" in book.said())
