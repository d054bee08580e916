"""The one gate in front of moto: authenticate, see what is asked, decide, let act or refuse, record.

Requests come from botocore's `before-send` event in this process and from the loopback endpoint, as the same
`RawRequest`. It is read by whoever brings it; everything between the first look at the world and the entry in the trail
happens under one lock, and is finished before an interruption counts.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from simlib.cloud.authentication import authenticate, claimed
from simlib.cloud.call_context import CallContext, DeferredAnswer
from simlib.cloud.cloudtrail import request_parameters
from simlib.cloud.credentials.lifetimes import CHANGING, History
from simlib.cloud.credentials.sessions import Sessions
from simlib.cloud.event import Event
from simlib.cloud.interrupts import uninterrupted
from simlib.cloud.permissions.authorization import circumstances
from simlib.cloud.permissions.call_permissions import action_name, permissions_of
from simlib.cloud.permissions.service_table import prefix_of
from simlib.cloud.services import additions, documents, rules
from simlib.cloud.services.iam_calls import note_use, on_behalf_of
from simlib.cloud.storage.dispatch import ACCOUNT_HEADER, NotStored
from simlib.cloud.storage.store import Store
from simlib.cloud.trail import Trail
from simlib.cloud.transport import answers, browser_form, constraints, mock, signer
from simlib.cloud.transport.answers import Refusal, authentication_refusal
from simlib.cloud.transport.calls import Call, Unplaceable, place
from simlib.cloud.transport.signer import ClaimedSignature, SignatureError
from simlib.cloud.transport.wire import RawAnswer, RawRequest
from simlib.iam import RequestError

logger = logging.getLogger(__name__)

Step = TypeVar("Step")
SenderTime = Callable[[ClaimedSignature | None], datetime]  # the time by the clock that a sender's signature follows

# refusals that neither the credentials nor the policies are the reason of
_INVALID = {"", "control", "unplaceable", "not-stored", "malformed-document", "no-such-role"}


@dataclass(slots=True)
class _InFlightCall:
    """One request on its way through the gate; what is known of it by the end goes into the trail."""

    raw: RawRequest
    now: datetime
    signed: ClaimedSignature | None = None
    call: Call | None = None
    context: CallContext | None = None
    service: str | None = None  # in whose words to refuse what is no call
    form: browser_form.Form | None = None
    show_parameters: Callable[[], Mapping[str, Any] | None] = lambda: None  # as the trail shows them
    refusal: Refusal | None = None


class Gate:
    """Decides every request made to one world."""

    def __init__(
        self,
        store: Store,
        sessions: Sessions,
        trail: Trail,
        now: Callable[[], datetime],
        source_ip: Callable[[], str],
        show_authorization_ids: Callable[[], bool],
    ) -> None:
        self._store, self.sessions, self.trail = store, sessions, trail
        self.now, self.source_ip, self._show_ids = now, source_ip, show_authorization_ids
        self.history = History()
        self.lock = threading.RLock()

    def answer(
        self,
        raw: RawRequest,
        service: str | None = None,
        *,
        signed_by: SenderTime | None = None,
    ) -> RawAnswer:
        """What AWS would answer to a raw request; nothing a client sends makes it raise.

        `service` is the service id of botocore's event where there is one; `signed_by` is the clock the sender's
        signature follows, where it is not the world's (other processes keep real time).
        """
        in_flight = _InFlightCall(raw, self.now())
        with uninterrupted():
            # a large body keeps nobody else waiting while it is read
            placed = self._attempt(in_flight, lambda: self._place(in_flight, service))
            with self.lock:
                in_flight.now = self.now()
                answer = (
                    placed
                    if isinstance(placed, RawAnswer)
                    else self._attempt(in_flight, partial(self._enter, in_flight, placed, signed_by))
                )
                if isinstance(answer, RawAnswer):
                    return self._recorded(in_flight, answer)
        outcome = self._attempt(in_flight, answer.work)  # a function of Lambda makes calls of its own: nobody waits
        with self.lock, uninterrupted():
            finished = outcome if in_flight.refusal else self._attempt(in_flight, partial(answer.finish, outcome))
            return self._recorded(in_flight, finished)

    def _enter(self, in_flight: _InFlightCall, call: Call, signed_by: SenderTime | None) -> RawAnswer | DeferredAnswer:
        in_flight.context = self._admit(in_flight, call, signed_by)
        answer = self._carry_out(in_flight.context)
        return in_flight.form.form_answer(answer) if in_flight.form and isinstance(answer, RawAnswer) else answer

    def _attempt(self, in_flight: _InFlightCall, work: Callable[[], Step]) -> Step | RawAnswer:
        """What the work comes to, or the refusal, which is noted.

        A mistake of the lab's own becomes a refusal too, for no SDK expects anything else.
        """
        try:
            return work()
        except Refusal as refused:
            in_flight.refusal = refused
        except RequestError as error:
            in_flight.refusal = Refusal("ValidationError", f"This request cannot be decided: {error}", 400)
        except Exception as error:
            logger.exception("The lab could not answer a call")
            text = f"The lab cannot carry out this call: {type(error).__name__}: {error}"
            in_flight.refusal = Refusal("NotImplemented", text, 501, situation="not-stored")
        service = in_flight.call.service if in_flight.call else in_flight.service
        return answers.refusal(in_flight.refusal, service, in_flight.raw.method, in_flight.raw.headers)

    def _place(self, in_flight: _InFlightCall, hint: str | None) -> Call:
        """The operation a request asks for, and what it says about its signer."""
        if ACCOUNT_HEADER in in_flight.raw.headers:
            text = "The lab's AWS takes no orders meant for the mock behind it."
            raise Refusal("InvalidRequest", text, 400, situation="control")
        incomplete = None
        try:
            if browser_form.is_form(in_flight.raw):
                in_flight.service = "s3"
                in_flight.form = browser_form.parse(in_flight.raw, in_flight.now)
                in_flight.raw, in_flight.signed = in_flight.form.put_request, in_flight.form.signed
            else:
                in_flight.signed = signer.parse(in_flight.raw)
        except SignatureError as error:
            incomplete = error
        try:
            call = place(in_flight.raw, in_flight.signed, hint)
        except Unplaceable as error:
            in_flight.service = error.service
            raise
        in_flight.show_parameters = request_parameters(call)
        in_flight.call = call  # its service's words are those of the refusal below
        if incomplete:
            raise authentication_refusal(incomplete.situation, call.service, incomplete)
        return call

    def _admit(self, in_flight: _InFlightCall, call: Call, signed_by: SenderTime | None) -> CallContext:
        """The context at which the call is worked on, once its caller is believed."""
        by = signed_by(in_flight.signed) if signed_by else self.now()
        caller = authenticate(call, in_flight.signed, in_flight.now, by, self.sessions)
        note_use(caller, call, in_flight.now)
        call = on_behalf_of(call, caller)
        around = circumstances(
            in_flight.now, self.source_ip(), in_flight.raw.headers.get("user-agent", ""), call.region
        )
        return CallContext(call, caller, in_flight.now, self.sessions, around, self.trail, self._show_ids())

    def _carry_out(self, context: CallContext) -> RawAnswer | DeferredAnswer:
        """Validate, authorise, and let the lab or moto act."""
        call = context.call
        constraints.check(call.service, call.operation, call.parameters)
        account = context.caller.account
        if call.service != "sts":  # STS decides by trust policies, as part of its answers
            permissions = permissions_of(call, context.caller)
            for permission in permissions:
                context.require(permission)
            owners = {p.account for p in permissions if p.action.startswith(f"{prefix_of(call.service)}:")}
            if len(owners) > 1 and call.service != "s3":  # moto acts in one account, and takes every name for its own
                raise _not_offered(call, NotStored("it is about resources of several accounts", missing=False))
            account = (permissions[0].account if permissions else "") or account
        documents.check_written(call)
        for name in (f"{call.service}:*", call.name):
            if name in additions.BEFORE:
                additions.BEFORE[name](context)
        if call.name in additions.ANSWERS:
            result = additions.ANSWERS[call.name](context)
            if isinstance(result, DeferredAnswer):
                return DeferredAnswer(result.work, lambda outcome: answers.success(call, result.finish(outcome)))
            return answers.success(call, result)
        if call.service == "sts":
            raise _not_offered(call)
        return self._let_moto_act(context, account)

    def _let_moto_act(self, context: CallContext, account: str) -> RawAnswer:
        call = context.call
        try:
            answer = self._store.act(call, account)
        except NotStored as error:
            if error.missing and call.service == "iam" and call.operation.startswith("List"):
                return answers.success(call, answers.empty(call))  # nothing of a kind that cannot be made
            raise _not_offered(call, error) from error
        if call.name in CHANGING:
            self.history.observe(self.sessions, context.now)
        completions = additions.AFTER if answer.status < 300 else additions.FAILED
        if call.name in completions:
            answer = completions[call.name](context, answer)
        return answers.translate(call, answer)

    def _recorded(self, in_flight: _InFlightCall, answer: RawAnswer) -> RawAnswer:
        """The answer, once it is in the trail; the lock is held, so that the trail is in the order of what was done."""
        self.trail.record(self._event(in_flight, answer))
        return answer

    def _event(self, in_flight: _InFlightCall, answer: RawAnswer) -> Event:
        call, context, refusal = in_flight.call, in_flight.context, in_flight.refusal
        caller = context.caller if context else None
        who, key = (caller.arn, caller.access_key_id) if caller else claimed(in_flight.signed, self.sessions)
        evaluations = tuple(context.evaluations) if context else ()
        denied = next((evaluation for evaluation in evaluations if not evaluation.allowed), None)
        decisive = denied or (evaluations[0] if evaluations else None)
        code, message = (refusal.code, refusal.message) if refusal else _error_of(call, answer) if call else ("", "")
        return Event(
            number=self.trail.next_number(),
            when=in_flight.now,
            who=decisive.principal if decisive else who,  # for a token of an identity provider that is the provider
            action=decisive.action if decisive else action_name(call) if call else "unknown",
            resource=decisive.resource if decisive else "*",
            decision=denied.effect if denied else _decision(refusal),
            error_code=code,
            error_message=message,
            request_id=request_id(answer.headers),
            account=caller.account if caller else "",
            access_key_id=key,
            service=call.service if call else "",
            operation=call.operation if call else "",
            region=call.region if call else "",
            user_id=caller.user_id if caller else "",
            user_agent=in_flight.raw.headers.get("user-agent", ""),
            source_ip=self.source_ip(),
            session=caller.session if caller else None,
            situation=refusal.situation if refusal else "",
            detail=refusal.detail if refusal else "",
            evaluations=evaluations,
            authorization_id=refusal.authorization_id if refusal else "",
            show_parameters=in_flight.show_parameters,
        )


def _not_offered(call: Call, error: NotStored | None = None) -> Refusal:
    """What AWS can do and the lab cannot; why that is so is for the trail."""
    if error is None or error.missing:
        text = f"The lab's AWS does not offer {call.name}; nothing was done.{rules.INSTEAD.get(call.name, '')}"
    else:
        text = f"The lab's AWS cannot carry out {call.name} with these parameters."
    return Refusal("NotImplemented", text, 501, situation="not-stored", detail=str(error or ""))


def _decision(refusal: Refusal | None) -> str:
    if refusal is None or refusal.situation == "service":
        return "ALLOW"
    return "INVALID" if refusal.situation in _INVALID else "UNAUTHENTICATED"


def request_id(headers: Mapping[str, Any]) -> str:
    """The request id of an answer, as botocore reports it."""
    lowered = {name.lower(): str(value) for name, value in headers.items()}
    return lowered.get("x-amzn-requestid") or lowered.get("x-amz-request-id") or ""


def _error_of(call: Call, answer: RawAnswer) -> tuple[str, str]:
    """Code and message of an error that moto answered, as boto3 would tell them; empty for a success."""
    if answer.status < 400:
        return "", ""
    error = mock.parse_answer(call.model, call.moto_protocol, answer)["Error"]
    return error["Code"], error["Message"]
