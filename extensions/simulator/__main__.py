# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start the stand-in cloud: `python3 extensions/simulator --help`."""

from __future__ import annotations

import argparse
import os
import secrets
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from types import FrameType

import ready
from cloud import Cloud
from scenario import STDIN, folder_of, load
from server import NotLoopback, Server, loopback
from state import Ending, State
from tls import NoTls, server_context
from values import ScenarioError
from variables import environment

KEY_VARIABLE = "CLOUDWAIT_SIMULATOR_KEY"
BACKGROUND = "--background"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="cloudwait-simulator", description="A stand-in for the clouds that convert.", allow_abbrev=False
    )
    demo = Path(__file__).resolve().parent / "scenarios" / "demo.json"
    parser.add_argument(
        "--scenario", type=Path, default=demo, help="scenario file, - is standard input (default: scenarios/demo.json)"
    )
    parser.add_argument("--host", default="127.0.0.1", help="loopback address to listen on (default: 127.0.0.1)")
    parser.add_argument("--port", type=int, default=0, help="port to listen on (default: 0, any free one)")
    parser.add_argument("--ready-file", type=Path, help="file to write the address and the control key to")
    parser.add_argument("--tls-cert", type=Path, help="serve HTTPS with this certificate (PEM, with its chain)")
    parser.add_argument("--tls-key", type=Path, help="the private key of that certificate (PEM, no password)")
    parser.add_argument(
        "--max-seconds", type=float, default=3600, help="end after this time (default: 3600; 0 = never)"
    )
    parser.add_argument("--check", action="store_true", help="check the scenario and exit")
    parser.add_argument(
        BACKGROUND, action="store_true", help="return as soon as it listens, and go on without a terminal"
    )
    parser.add_argument("--stop", action="store_true", help="stop the simulator that wrote --ready-file, and exit")
    arguments = parser.parse_args()
    if arguments.stop and not arguments.ready_file:
        parser.error("--stop needs --ready-file")
    return arguments


def _start_in_background(scenario: Path) -> int:
    """Start this program in a session of its own: what ends the caller's processes must not end it."""
    arguments = [argument for argument in sys.argv[1:] if argument != BACKGROUND]
    command = [sys.executable, *(["-B"] if sys.dont_write_bytecode else []), sys.argv[0], *arguments]
    stdin = None if scenario == STDIN else subprocess.DEVNULL
    with tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen(
            command, stdin=stdin, stdout=subprocess.PIPE, stderr=complaints, start_new_session=True
        )
        line = process.stdout.readline() if process.stdout else b""
        if line:
            print(line.decode("utf-8"), end="")
            return 0
        status = process.wait()
        complaints.seek(0)
        print(complaints.read().decode("utf-8", "replace"), end="", file=sys.stderr)
        return status


def main() -> int:
    """Serve until told to stop; the exit status is 2 for wrong arguments or a wrong scenario."""
    arguments = _arguments()
    if arguments.background and not (arguments.check or arguments.stop):
        return _start_in_background(arguments.scenario)
    try:
        if arguments.stop:
            return _stop(arguments.ready_file)
        return _serve(arguments)
    except (ScenarioError, NotLoopback, NoTls, ready.NotStopped, ready.NotWritten, OSError, OverflowError) as problem:
        print(f"cloudwait-simulator: {problem}", file=sys.stderr)
        return 2


def _stop(ready_file: Path) -> int:
    stopped = ready.stop(ready_file)
    print(f"cloudwait-simulator: {'stopped' if stopped else 'there is none to stop'}")
    return 0


def _serve(arguments: argparse.Namespace) -> int:
    context = server_context(arguments.tls_cert, arguments.tls_key)
    scenario = load(arguments.scenario)
    key = os.environ.get(KEY_VARIABLE) or secrets.token_urlsafe(24)
    state = State(scenario, folder_of(arguments.scenario), key, tls=context is not None)
    if arguments.check:
        print(f"cloudwait-simulator: {arguments.scenario} is a good scenario of {len(scenario.tasks)} tasks")
        return 0
    _stop_at_signals(state.ending)
    server = Server(Cloud(state), loopback(arguments.host), arguments.port, context)
    if arguments.ready_file:
        about = {"url": server.url, "port": server.port, "pid": os.getpid(), "control_key": key}
        ready.write(arguments.ready_file, {**about, "environment": environment(server.url, scenario.credentials)})
    print(f"cloudwait-simulator: listening on {server.url}", flush=True)
    if not server.run(arguments.max_seconds or None):
        print(f"cloudwait-simulator: ended after {arguments.max_seconds:g} seconds", file=sys.stderr)
    if arguments.ready_file:
        ready.remove(arguments.ready_file)
    return 0


def _stop_at_signals(ending: Ending) -> None:
    def stop(number: int, frame: FrameType | None) -> None:
        ending.ask()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    signal.set_wakeup_fd(
        ending.descriptor()
    )  # the kernel may give a signal to any thread, and the one that waits must wake


if __name__ == "__main__":
    sys.exit(main())
