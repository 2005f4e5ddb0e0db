# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in cloud itself: takes a request, finds the service that it is for, and returns the answer."""

from __future__ import annotations

import threading
import time

import control
import faults
import metadata
import objects
import robot
from faults import Fault
from journal import Entry
from messages import TEXT, Reply, Request, VendorError
from permits import Bucket
from services._base import Call, Manageable, Order, Service, Startable, StartableAtOnce, WithOpenCalls
from services.registry import SERVICES, unclaimed
from starts import Taken, new_task
from state import State

_NOBODY = Call("", "", None)


class Limiter:
    """Lets as many calls through as `rate_limit` of the scenario says."""

    def __init__(self, bucket: Bucket) -> None:
        self._lock = threading.Lock()
        self._bucket = bucket
        self._left = bucket.burst
        self._at = time.monotonic()

    def takes(self) -> bool:
        """Return whether one more call is let through now, and count it if so."""
        with self._lock:
            now = time.monotonic()
            self._left = min(self._bucket.burst, self._left + (now - self._at) * self._bucket.per_second)
            self._at = now
            if self._left < 1:
                return False
            self._left -= 1
            return True


class Cloud:
    """Answers requests, as the state says. Safe for several threads."""

    def __init__(self, state: State) -> None:
        self.state = state
        self._limiters = {provider: Limiter(bucket) for provider, bucket in state.rate_limit.items()}

    def handle(self, request: Request) -> Reply:
        """Return the answer to a request. All but control calls are written to the journal."""
        if request.path.startswith(control.PREFIX):
            return control.handle(self.state, request)
        if metadata.claims(request):
            return self._note(
                metadata.PROVIDER, request, Call(metadata.action(request), "", {}), self._metadata(request)
            )
        if robot.claims(request):
            return self._note(robot.PROVIDER, request, Call(robot.ACTION, "", {}), robot.answer(request))
        if objects.claims(request):
            return self._note("cos_doc", request, Call(objects.ACTION, "", {}), self._objects(request))
        service = next((service for service in SERVICES.values() if service.claims(request)), None)
        if service is None:
            return self._note("unknown", request, _NOBODY, self._unclaimed(request))
        call = service.read(request)
        if isinstance(service, Startable) and call.action in service.starting:
            self.state.journal.started(service.name, made=False)
        call, reply = self._serve(service, call, request)
        return self._note(service.name, request, call, reply)

    def _note(self, provider: str, request: Request, call: Call, reply: Reply) -> Reply:
        self.state.journal.write(
            Entry(
                provider,
                request.method,
                request.raw_path,
                call.action,
                call.task_id,
                reply.verdict,
                request.connection,
            )
        )
        return reply

    def _unclaimed(self, request: Request) -> Reply:
        reply = unclaimed(request, self.state.keyring, self.state.clock())
        text = b"No service of the simulator knows this request.\n"
        return reply or Reply(404, text, TEXT, verdict="404")

    def _metadata(self, request: Request) -> Reply:
        reply = metadata.answer(request, self.state.keyring, self.state.clock)
        fault = self.state.rules.strike(metadata.PROVIDER, metadata.action(request), "")
        return reply if fault is None else self._strike(fault, reply, request, None)

    def _objects(self, request: Request) -> Reply:
        reply = objects.answer(request, self.state.objects, self.state.keyring, self.state.clock)
        fault = self.state.rules.strike("cos_doc", objects.ACTION, "")
        return reply if fault is None else self._strike(fault, reply, request, SERVICES["cos_doc"])

    def _serve(self, service: Service, call: Call, request: Request) -> tuple[Call, Reply]:
        try:
            if isinstance(service, WithOpenCalls) and call.action in service.open_actions:
                reply = service.open_call(call, request, self.state.keyring)
                fault = self.state.rules.strike(service.name, call.action, "")
                return call, reply if fault is None else self._strike(fault, reply, request, service)
            service.authenticate(request, self.state.keyring, self.state.clock())
            limiter = self._limiters.get(service.name)
            if limiter is not None and not limiter.takes():
                self.state.journal.throttled(service.name)
                raise service.problem("throttle")
            service.check(call, request, self.state.retired_actions)
            if isinstance(service, Startable) and call.action in service.starting:
                return self._start(service, call, request)
            if isinstance(service, Manageable) and call.action in service.managing:
                return call, self._manage(service, call, request)
            return call, self._poll(service, call, request)
        except VendorError as problem:
            return call, service.error_reply(problem)

    def _start(self, service: Startable, call: Call, request: Request) -> tuple[Call, Reply]:
        order = service.order(call, request)
        starts = self.state.starts
        with starts.lock:
            fault = self.state.rules.strike(service.name, call.action, "")
            taken = starts.take(service.name, order.name, spare_faults=fault is not None)
            fault = fault or taken.fault
            if self._carries_out(fault, service):
                service.conflict(order, self.state.lives)
                call, reply = self._make(service, call, order, taken)
            else:
                reply = service.error_reply(service.problem("internal_error"))
        return call, reply if fault is None else self._strike(fault, reply, request, service)

    def _make(self, service: Startable, call: Call, order: Order, taken: Taken) -> tuple[Call, Reply]:
        taken.used.times += 1
        self.state.journal.started(service.name, made=True)
        if taken.entry.at_once is not None and isinstance(service, StartableAtOnce):
            return call, service.at_once(order, taken.entry.at_once)
        poll = self.state.lives.make(new_task(taken, order, service, self.state.lives))
        return call._replace(task_id=poll.task.task_id), service.started(poll)

    def _manage(self, service: Manageable, call: Call, request: Request) -> Reply:
        fault = self.state.rules.strike(service.name, call.action, call.task_id)
        if self._carries_out(fault, service):
            reply = service.manage(call, request, self.state.lives, self.state.clock())
        else:
            reply = service.error_reply(service.problem("internal_error"))
        return reply if fault is None else self._strike(fault, reply, request, service)

    def _carries_out(self, fault: Fault | None, service: Service) -> bool:
        if fault is None or (fault.name in faults.VENDOR_FAULTS and fault.name not in service.problems):
            return True
        return fault.is_after

    def _poll(self, service: Service, call: Call, request: Request) -> Reply:
        fault = self.state.rules.strike(service.name, call.action, call.task_id, poll=True)
        poll = self.state.lives.poll(service.name, call.task_id, count=fault is None)
        if poll is None or not service.sees(poll, request):
            reply = service.missing(call.task_id)
            if reply.verdict == "ok":
                reply.verdict = "missing"
        else:
            if fault is None and poll.step.kind == "fault":
                fault = poll.step.value
            reply = service.reply(poll, poll.base)
            if poll.base.kind == "missing" and reply.verdict == "ok":
                reply.verdict = "missing"
        return reply if fault is None else self._strike(fault, reply, request, service)

    def _strike(self, fault: Fault, reply: Reply, request: Request, service: Service | None) -> Reply:
        if fault.name in faults.VENDOR_FAULTS and (service is None or fault.name not in service.problems):
            return reply  # a rule without a provider also fits services that have no such error
        if fault.name == "throttle" and service is not None:
            self.state.journal.throttled(service.name)
        case = faults.Case(
            base=reply,
            request=request,
            now=self.state.clock(),
            vendor=service,
            parameters=fault.parameters,
        )
        return faults.apply(fault, case)
