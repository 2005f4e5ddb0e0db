# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module ``wait_report``, run with its options as JSON: the file is written whole, or nothing is touched."""

from __future__ import annotations

import json
import os
import pathlib
import stat
import typing as t

import pytest
from ansible.module_utils import basic
from ansible_collections.cloudwait.conversion.plugins.module_utils._errors import CloudError
from ansible_collections.cloudwait.conversion.plugins.module_utils._module.report import check_place
from ansible_collections.cloudwait.conversion.plugins.modules import wait_report
from ansible_collections.cloudwait.conversion.tests.unit.results import Result, evening, many, wait_result

Run = t.Callable[..., Result]
CONTROL = {"_ansible_tmpdir": None, "_ansible_remote_tmp": "/tmp", "_ansible_keep_remote_files": False}


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: pathlib.Path) -> Run:
    """Runs the module; names that begin with an underscore are settings of Ansible, such as ``_check_mode``."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()

    def run_module(**options: t.Any) -> Result:
        own = {name: value for name, value in options.items() if name[0] != "_"}
        control = {f"_ansible{name}": value for name, value in options.items() if name[0] == "_"}
        arguments = {"waits": evening(), **own, **CONTROL, "_ansible_tmpdir": str(scratch), **control}
        monkeypatch.setattr(basic, "_ANSIBLE_ARGS", json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode())
        monkeypatch.setattr(basic, "_ANSIBLE_PROFILE", "legacy", raising=False)  # ansible-core 2.19 and newer
        with pytest.raises(SystemExit):
            wait_report.main()
        result: Result = json.loads(capsys.readouterr().out)
        return result

    return run_module


def test_it_writes_a_file_and_says_where(run: Run, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "report.html"
    result = run(dest=str(path), mode="0640", title="Evening")
    assert {name: result[name] for name in ("changed", "dest", "format", "satisfied", "total", "not_satisfied")} == {
        "changed": True,
        "dest": str(path),
        "format": "html",
        "satisfied": False,
        "total": 5,
        "not_satisfied": 4,
    }
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert path.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert "the film is torn" not in json.dumps(result)  # the result must not hold the waits again


def test_the_same_report_changes_nothing(run: Run, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "report.md"
    assert run(dest=str(path), mode="0640")["changed"]
    before = path.stat()
    assert not run(dest=str(path), mode="0640")["changed"]
    assert path.stat().st_ino == before.st_ino
    assert run(dest=str(path), mode="0600")["changed"]  # the mode alone
    assert run(dest=str(path), language="zh")["changed"]


def test_check_mode_predicts_and_writes_nothing(run: Run, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "report.xml"
    result = run(dest=str(path), _check_mode=True, _diff=True)
    assert (result["changed"], path.exists()) == (True, False)
    assert (result["diff"]["before"], result["diff"]["after"][:5]) == ("", "<?xml")


def test_a_difference_shows_the_old_and_the_new(run: Run, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "report"
    path.write_text("old", encoding="utf-8")
    diff = run(dest=str(path), format="markdown", _diff=True)["diff"]
    assert (diff["before"], diff["after"]) == ("old", path.read_text(encoding="utf-8"))
    assert "src_larger" in run(dest=str(path), format="html", waits=many(500), _diff=True)["diff"]


WRONG: list[tuple[dict[str, t.Any], str]] = [
    ({"waits": []}, "waits holds no result of a wait; "),
    ({"waits": {"changed": False}}, "waits is no result of a wait: it has no outcome and no tasks; "),
    ({"dest": "{}/none/report.html"}, 'the folder "{}/none" of dest does not exist; make it first or correct dest.'),
    ({"dest": "{}/file/report.html"}, 'the folder "{}/file" of dest is no folder; '),
    ({"dest": "{}/folder"}, 'dest is "{}/folder", which is a folder; give the path of a file.'),
    ({"dest": "{}/pipe.html"}, 'dest is "{}/pipe.html", which is no ordinary file; give the path of a file.'),
    ({"dest": "/dev/full", "format": "html"}, 'dest is "/dev/full", which is no ordinary file; '),
    ({"dest": ""}, "dest is empty; give the path of a file."),
    ({"dest": "{}/report.txt"}, 'dest is "{}/report.txt", and its ending names no format; give format, or a name '),
    ({"dest": "{}/folder/report.xlsx"}, "and its ending names no format; "),
]


@pytest.mark.parametrize(("options", "said"), WRONG)
def test_wrong_input_is_one_sentence_and_touches_nothing(
    run: Run, tmp_path: pathlib.Path, options: dict[str, t.Any], said: str
) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe.html")
    before = sorted(tmp_path.rglob("*"))
    given = {"dest": "{}/report.html", **options}
    result = run(**{**given, "dest": given["dest"].format(tmp_path)})
    assert result["failed"]
    assert result["msg"].startswith("Writing the report failed: ")
    assert said.replace("{}", str(tmp_path)) in result["msg"]
    assert result["msg"].endswith(".")
    assert "\n" not in result["msg"]
    assert result["error"]["kind"] == "config"
    assert sorted(tmp_path.rglob("*")) == before


def test_a_file_survives_a_report_that_fails(run: Run, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("old", encoding="utf-8")
    assert run(dest=str(path), waits=[wait_result("satisfied"), {}])["failed"]
    assert path.read_text(encoding="utf-8") == "old"


@pytest.mark.parametrize("wrong", [{"mode": "u=zz"}, {"owner": "nobody-of-this-name"}])
def test_a_mode_or_owner_that_is_none_is_noticed_before_a_file_is_written(
    run: Run, tmp_path: pathlib.Path, wrong: dict[str, str]
) -> None:
    old, new = tmp_path / "old.html", tmp_path / "new.html"
    old.write_text("old", encoding="utf-8")
    assert [run(dest=str(path), **wrong)["failed"] for path in (old, new)] == [True, True]
    assert (old.read_text(encoding="utf-8"), new.exists()) == ("old", False)


def test_the_place_is_checked_for_its_rights(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.setattr(os, "access", lambda *dummy: False)
    with pytest.raises(CloudError, match="this user may not write to the folder"):
        check_place(str(tmp_path / "report.html"))
