# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lets plain pytest import the collection wherever the checkout lies, and keeps unit tests on this machine."""

from __future__ import annotations

import importlib.util
import ipaddress
import pathlib
import socket
import sys
import tempfile
import typing as t

import pytest

_HOLDER: tempfile.TemporaryDirectory[str] | None = None  # kept, since the folder goes with it


def _base_of(root: pathlib.Path) -> pathlib.Path:
    """The folder that holds ansible_collections/cloudwait/conversion: a real one, or one made with a symlink."""
    global _HOLDER  # noqa: PLW0603  # its life is that of the process
    if root.parts[-3:] == ("ansible_collections", "cloudwait", "conversion"):
        return root.parents[2]
    _HOLDER = tempfile.TemporaryDirectory(prefix="collections-")
    base = pathlib.Path(_HOLDER.name)
    link = base / "ansible_collections" / "cloudwait" / "conversion"
    link.parent.mkdir(parents=True)
    link.symlink_to(root)
    return base


def _make_importable() -> None:
    """Install the finder that Ansible itself uses for collections; under ansible-test there is nothing to do."""
    try:
        if importlib.util.find_spec("ansible_collections.cloudwait.conversion"):
            return  # ansible-test has seen to it
    except ImportError:
        pass
    from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder

    for name in [name for name in sys.modules if name.split(".")[0] == "ansible_collections"]:
        del sys.modules[name]
    _AnsibleCollectionFinder(paths=[str(_base_of(pathlib.Path(__file__).resolve().parents[2]))])._install()


_make_importable()


def _is_here(address: t.Any) -> bool:
    """Whether an address is one of this machine: a path, localhost, or a loopback address."""
    if not isinstance(address, tuple):
        return True
    try:
        return ipaddress.ip_address(address[0]).is_loopback
    except ValueError:
        return bool(address[0] == "localhost")


def _guarded(connect: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
    def guarded(self: socket.socket, address: t.Any) -> t.Any:
        if not _is_here(address):
            pytest.fail(f"a unit test connects to {address}, which is another machine")
        return connect(self, address)

    return guarded


@pytest.fixture(autouse=True)
def _stay_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test fail that connects to another machine, such as a vendor's."""
    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, _guarded(getattr(socket.socket, name)))
