# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 3: services.
"""Functions that make a service, its transport and its clock from options; and warnings that follow from polls."""

from __future__ import annotations

import typing as t

from .._duration import SHORTEST_REQUEST, check_duration
from .._errors import one_line, quoted
from .._transport import Clock, Transport
from .base import Environ, Options, Service, Settings

S = t.TypeVar("S", bound=Service)


def make_transport(options: Options) -> Transport:
    """Returns the transport that the options ask for.

    :raises CloudError: ``config``, when ``request_timeout`` is invalid or too short, or the CA bundle cannot be read.
    """
    timeout = check_duration("request_timeout", options["request_timeout"], least=SHORTEST_REQUEST)
    verify = (options["ca_path"] or True) if options["validate_certs"] else False
    return Transport(timeout=timeout, verify=verify)


def make_clock(options: Options, *, offset: float = 0.0) -> Clock:
    """Returns the clock for signatures. The vendor's time can correct it only where certificates are validated.

    :param offset: seconds to add to this host's clock, as an earlier round found out.
    """
    return Clock(offset=offset, correctable=options["validate_certs"])


def make_service(service_class: type[S], options: Options, environ: Environ, transport: Transport, clock: Clock) -> S:
    """Returns a service with the endpoint and credentials that options and environment give.

    :raises CloudError: ``config``, when something is missing, invalid or contradictory.
    """
    settings = Settings(
        transport=transport,
        clock=clock,
        endpoint=options.get("endpoint") or environ.get(service_class.endpoint_variable()) or None,
        site=service_class.site_of(options, environ),
    )
    return t.cast(S, service_class.create(settings, options, environ))


def unknown_warning(record: Options, documented: t.Container[str]) -> str:
    """Returns the warning about a cloud task of unknown status.

    :param documented: the native statuses that the vendor documents. The status of a cloud task can be unknown
        nevertheless, such as when its parts have a status that is not documented.
    """
    native = one_line(str(record["native_status"]), 80)
    name = f"of the {record['provider']} cloud task {quoted(record['task_id'])}"
    is_documented = record["native_status"] in documented
    said = (
        f"The result {name}, whose status is {quoted(native)},"
        if is_documented
        else f"The status {quoted(native)} {name}"
    )
    return f"{said} is not one that the vendor documents; it counts neither as done nor as a success."


def clock_warning(offset: float) -> str:
    """Returns the warning about a clock that had to be corrected.

    :param offset: seconds that are added to this host's clock.
    """
    side = "behind" if offset > 0 else "ahead of"
    seconds = f"{abs(offset):.0f} s"
    return f"This host's clock is {seconds} {side} the vendor's; signatures were corrected, set the clock right."


__all__ = ["clock_warning", "make_clock", "make_service", "make_transport", "unknown_warning"]
