# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 4: the wait.
"""The accounts of a wait: one service object per set of credentials, and the warnings that polls give rise to."""

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
from .items import options_of
from .judge import CloudTask
from .sources import ReadPage


class Notes:
    """Collects warnings, each given once in a whole wait.

    :param marks: identifiers of the warnings that earlier rounds have given.
    """

    def __init__(self, marks: t.Iterable[str]) -> None:
        self._texts: list[str] = []
        self._marks = set(marks)

    @property
    def marks(self) -> list[str]:
        """Identifiers of the warnings given so far, in earlier rounds and in this one."""
        return sorted(self._marks)

    def add(self, mark: str, text: str) -> None:
        """Add a warning, unless one with this identifier has been given."""
        if mark not in self._marks:
            self._marks.add(mark)
            self._texts.append(text)

    def take(self) -> list[str]:
        """Returns the warnings that were added since the last call."""
        texts, self._texts = self._texts, []
        return texts


class Accounts:
    """The services that a wait polls, one for each account.

    :param options: options of the wait, already checked.
    :param before: what the previous round has handed over.
    """

    def __init__(self, options: Options, environ: Environ, notes: Notes, before: Handover) -> None:
        self.clock = make_clock(options, offset=before.get("clock_offset", 0.0))
        self._options = options
        self._environ = environ
        self._notes = notes
        self._carried = before.get("carried", {})
        self._services: dict[str, Service] = {}

    def service_of(self, item: PlanItem) -> Service:
        """Returns the service that polls an item. It is made at its first use.

        :raises CloudError: ``config``, when options and environment give no valid credentials or settings for it.
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
        """Returns every secret used so far."""
        return [secret for service in self._services.values() for secret in service.secrets()]

    def carried(self) -> dict[str, str]:
        """Returns what the services need to know in the next round, by account."""
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
                self._notes.add(
                    mark, unknown_warning({**ref, "native_status": native}, SERVICES[ref["provider"]].statuses)
                )

    def note_clock(self) -> None:
        """Add a warning if the clock had to be corrected."""
        if self.clock.offset:
            self._notes.add("clock", clock_warning(self.clock.offset))

    def page_reader(self, account: str, service: Lists) -> ReadPage:
        """Returns a function that reads one page of a list of open cloud tasks.

        It adds a warning when the vendor refuses the list, since each cloud task is polled by itself then.
        """

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
    """Returns the record of a cloud task, without secrets, from its entry in a list of open cloud tasks."""
    return t.cast(Record, redact(service.listed(task.item["ref"], name, entry).record))


def account_of(item: PlanItem) -> str:
    """Returns a text that identifies the account: equal for cloud tasks with the same host and credentials."""
    ref = item["ref"]
    own = (value for dummy, value in sorted(item.get("options", {}).items()))
    return " ".join([ref["provider"], *(str(ref.get(name) or "") for name in ("site", "profile")), *map(str, own)])


__all__ = ["Accounts", "Notes", "account_of", "listed_record"]
