# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 4: the wait.
"""The accounts of a wait: a service for each, with its credentials, and the warnings that they give rise to."""

from __future__ import annotations

import hashlib
import typing as t

from .._errors import CloudError
from .._record import UNKNOWN
from .._secrecy import redact
from .._services.base import PAGE_SIZE, Environ, Lists, Options, Page, Service, time_left
from .._services.connect import clock_warning, make_clock, make_service, make_transport, unknown_warning
from .._services.registry import SERVICES
from .contract import Handover, PlanItem, Record, Report
from .judge import CloudTask
from .plan import options_of
from .sources import ReadPage


class Notes:
    """Warnings, each given once in a whole wait.

    :param marks: of warnings that earlier rounds have given.
    """

    def __init__(self, marks: t.Iterable[str]) -> None:
        self.texts: list[str] = []
        self._marks = set(marks)

    @property
    def marks(self) -> list[str]:
        """Those of earlier rounds and of this one."""
        return sorted(self._marks)

    def add(self, mark: str, text: str) -> None:
        """Give a warning, unless one with this mark was given."""
        if mark not in self._marks:
            self._marks.add(mark)
            self.texts.append(text)


class Accounts:
    """The services that a wait asks, one for each account.

    :param options: those of the wait, checked.
    :param before: what the round before has handed over.
    """

    def __init__(self, options: Options, environ: Environ, notes: Notes, before: Handover) -> None:
        self.clock = make_clock(options, offset=before.get("clock_offset", 0.0))
        self._options = options
        self._environ = environ
        self._notes = notes
        self._carried = before.get("carried", {})
        self._services: dict[str, Service] = {}

    def service_of(self, item: PlanItem) -> Service:
        """Returns the service of an item, made when it is first asked for.

        :raises CloudError: ``config``, when options and environment give no credentials for it.
        """
        account = account_of(item)
        if account not in self._services:
            if not self._services:
                self._transport = make_transport(self._options)
            service = make_service(
                SERVICES[item["ref"]["provider"]],
                options_of(item, self._options),
                self._environ,
                self._transport,
                self.clock,
            )
            service.recall(self._carried.get(account))
            self._services[account] = service
        return self._services[account]

    def secrets(self) -> list[str]:
        """Every secret that was used."""
        return [secret for service in self._services.values() for secret in service.secrets()]

    def carried(self) -> dict[str, str]:
        """What the services want to know in the next round, by account."""
        memories = {account: service.memory() for account, service in self._services.items()}
        return {account: memory for account, memory in memories.items() if memory}

    def about(self, asked: t.Iterable[PlanItem]) -> dict[str, str]:
        """Names the hosts that are asked and are not the vendors', for the result."""
        hosts = {self.service_of(item).about(item["ref"]).get("endpoint_host") for item in asked}
        named = ", ".join(sorted(filter(None, hosts)))
        return {"endpoint_host": named} if named else {}

    def note_unknown(self, report: Report, plan: t.Mapping[int, PlanItem]) -> None:
        """Give a warning for each native status in a report that the vendor does not document."""
        for number, changes in report["history"].items():
            ref = plan[int(number)]["ref"]
            for native in [change["native_status"] for change in changes if change["status"] == UNKNOWN]:
                text = f"{ref['provider']} {native}"
                mark = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:8]
                self._notes.add(mark, unknown_warning({**ref, "native_status": native}))

    def note_clock(self) -> None:
        """Give a warning when the clock had to be corrected."""
        if self.clock.offset:
            self._notes.add("clock", clock_warning(self.clock.offset))

    def page_reader(self, account: str, service: Lists) -> ReadPage:
        """Returns what asks for a page of a list of open cloud tasks. A refusal is noted: each is polled then."""

        def read(name: str, token: str | None, seconds: float) -> tuple[Page, int]:
            filters = service.open_lists[name]
            try:
                return service.exchange(
                    lambda: service.list_request({}, filters, token=token, size=PAGE_SIZE),
                    service.read_page,
                    left=time_left(seconds),
                )
            except CloudError as error:
                if not error.retryable:
                    refused = f"The list of cloud tasks was refused, so each is polled: {error}."
                    self._notes.add(f"sweep {account}", refused)
                raise

        return read


def listed_record(service: Lists, task: CloudTask, name: str, entry: dict[str, t.Any]) -> Record:
    """Returns what an entry of a list of open cloud tasks says."""
    return t.cast(Record, redact(service.listed(task.item["ref"], name, entry).record))


def account_of(item: PlanItem) -> str:
    """Returns the same text for cloud tasks that are asked for at one host with the same credentials."""
    ref = item["ref"]
    own = (value for dummy, value in sorted(item.get("options", {}).items()))
    return " ".join([ref["provider"], *(str(ref.get(name) or "") for name in ("site", "profile")), *map(str, own)])


__all__ = ["Accounts", "Notes", "account_of", "listed_record"]
