# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All services. A service is one file of this folder: there is no list to add it to.

Files whose names begin with an underscore hold what several services share, or a part of one service.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import GenericAlias, ModuleType

from keyring import Keyring
from messages import Reply, Request
from services import _api3, _ci
from services._base import Service

#: the families of services, each with its answer to a request that is signed in its way and that no service claims
_FAMILIES = (_ci, _api3)


def unclaimed(request: Request, keyring: Keyring, now: float) -> Reply | None:
    """Return the vendor's answer to a request that no service claims; None if it is signed in no known way."""
    answers = (family.unclaimed(request, keyring, now) for family in _FAMILIES)
    return next((answer for answer in answers if answer is not None), None)


def _modules() -> Iterator[ModuleType]:
    for found in pkgutil.iter_modules([str(Path(__file__).parent)]):
        name = f"{__package__}.{found.name}"
        if not found.name.startswith("_") and name != __name__:
            yield importlib.import_module(name)


def _services(module: ModuleType) -> Iterator[Service]:
    """Yield the services that a module defines: its classes with a provider word."""
    for value in vars(module).values():
        if (
            isinstance(value, type)
            and not isinstance(value, GenericAlias)  # before Python 3.11, dict[str, str] passes for a class
            and issubclass(value, Service)
            and value.__module__ == module.__name__
            and value.name
        ):
            yield value()


def _discovered() -> dict[str, Service]:
    """Find all services.

    :raises TypeError: when a class lacks a method, when a module defines no service, or two have the same word.
    """
    services: dict[str, Service] = {}
    for module in _modules():
        found = list(_services(module))
        if not found:
            raise TypeError(f"{module.__file__} defines no service: a class derived from Service, with a name")
        for service in found:
            if service.name in services:
                raise TypeError(f"{module.__file__} defines {service.name}, which another file defines, too")
            services[service.name] = service
    return dict(sorted(services.items()))


#: provider word: its service, sorted by the word
SERVICES: Mapping[str, Service] = _discovered()
