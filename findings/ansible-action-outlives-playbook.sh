#!/bin/sh
# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Seen on Linux: what becomes of the process that runs an action plugin when ansible-playbook is ended by a signal.
#
#   ansible-core        SIGTERM                       SIGKILL
#   2.17.14             the action goes on            the action goes on
#   2.19.14, 2.21.5     the action is ended, too      the action goes on
#
# Where it goes on, nothing tells it; only its parent has become another process. So an action that waits must watch its
# parent by itself, or it outlives a canceled pipeline.
#
# Needs Python 3.11 or 3.12 as "python3", for which all three releases have a version of Jinja and PyYAML; it installs
# them from the package registry into a temporary folder. Prints what it saw, and fails if that has changed.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

mkdir "$folder/action_plugins"
cat > "$folder/action_plugins/lasts.py" <<'END'
import os, pathlib, time
from ansible.plugins.action import ActionBase

class ActionModule(ActionBase):
    def run(self, tmp=None, task_vars=None):
        beats = pathlib.Path(os.environ["BEATS"])
        parent = os.getppid()
        for number in range(30):  # 6 s
            beats.write_text(f"{number} {os.getppid() == parent}")
            time.sleep(0.2)
        return {"changed": False}
END
printf '%s\n' '[{"hosts": "localhost", "connection": "local", "gather_facts": false, "tasks": [{"lasts": {}}]}]' \
  > "$folder/play.yml"

status=0
for version in 2.17.14 2.19.14 2.21.5; do
  case "$version" in 2.21.5) python=${PYTHON_NEWEST:-python3.12} ;; *) python=python3 ;; esac
  "$python" -m venv "$folder/$version"
  "$folder/$version/bin/python" -m pip install --quiet --disable-pip-version-check "ansible-core==$version"
  for signal in SIGTERM SIGKILL; do
    seen=$(BEATS="$folder/beats-$version-$signal" "$folder/$version/bin/python" - "$folder" "$version" "$signal" <<'END'
import os, pathlib, signal, subprocess, sys, time
folder, version, name = sys.argv[1:]
beats = pathlib.Path(os.environ["BEATS"])
program = [f"{folder}/{version}/bin/ansible-playbook", f"{folder}/play.yml"]
running = subprocess.Popen(program, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
while not beats.exists() or not beats.read_text().strip():
    time.sleep(0.1)
time.sleep(0.5)
running.send_signal(getattr(signal, name))
running.wait(timeout=10)
time.sleep(0.5)
first = beats.read_text()
time.sleep(1.5)
second = beats.read_text()
print("goes on with another parent" if second != first and second.endswith("False") else "is ended" if second == first else "?")
END
    )
    echo "ansible-core $version, $signal: the action $seen"
    case "$version $signal" in
      "2.19.14 SIGTERM" | "2.21.5 SIGTERM") expected="is ended" ;;
      *) expected="goes on with another parent" ;;
    esac
    if [ "$seen" != "$expected" ]; then
      echo "changed: expected that the action $expected" >&2
      status=1
    fi
  done
done
sleep 6 # the last action ends by itself, and writes until then
exit "$status"
