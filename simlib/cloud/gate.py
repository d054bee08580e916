"""The one gate in front of moto: authenticate, see what is asked, decide, let act or refuse, record.

Requests come from botocore's `before-send` event in this process and from the loopback endpoint, as the same
`RawRequest`; everything between the first look and the entry in the trail happens under one lock.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..iam import Evaluation, Policy
from . import answers, constraints, documents, iam_calls, signature, sts
from .answers import Refusal
from .authorization import circumstances, decide
from .calls import Call, Unplaceable, place
from .dispatch import ACCOUNT_HEADER, NotStored
from .requested import Requested, action_name, requested
from .sessions import ANONYMOUS, Caller, Sessions, session_caller, user_caller
from .store import Store
from .trail import Event, Trail
from .wire import RawAnswer, RawRequest

_ERROR_CODE = re.compile(rb"<Code>([^<]*)</Code>")
_ERROR_MESSAGE = re.compile(rb"<Message>([^<]*)</Message>")
_INVALID = {"", "control", "unplaceable", "not-stored", "malformed-document"}
_OBJECT_READS = {"GetObject", "HeadObject", "GetObjectTagging", "GetObjectAcl", "GetObjectAttributes"}


@dataclass(slots=True)
class _Visit:
    """One request on its way through the gate; what is known so far ends up in the trail."""

    raw: RawRequest
    now: datetime
    call: Call | None = None
    caller: Caller = ANONYMOUS
    claimed_key: str = ""
    asked: list[Requested] = field(default_factory=list)
    evaluations: list[Evaluation] = field(default_factory=list)
    situation: str = ""
    detail: str = ""


class Gate:
    """Decides every request made to one world."""

    def __init__(
        self, store: Store, sessions: Sessions, trail: Trail, now: Callable[[], datetime], source_ip: Callable[[], str]
    ) -> None:
        self._store, self._sessions, self._trail = store, sessions, trail
        self._now, self._source_ip = now, source_ip
        self.lock = threading.RLock()

    def answer(
        self,
        raw: RawRequest,
        service: str | None = None,
        operation: str | None = None,
        *,
        signed_by: Callable[[], datetime] | None = None,
    ) -> RawAnswer:
        """What AWS would answer to a raw request; nothing a client sends makes it raise.

        `service` is the service id of botocore's event where there is one; `signed_by` is the clock the sender's
        signature follows, where it is not the world's (other processes keep real time).
        """
        with self.lock:
            visit = _Visit(raw, self._now())
            try:
                answer = self._admit(visit, service, signed_by or self._now)
            except Refusal as refusal:
                if isinstance(refusal, sts.NoSuchRole):
                    visit.situation = "no-such-role"
                if isinstance(refusal, documents.MalformedDocument):
                    visit.situation, visit.detail = "malformed-document", str(refusal.problem)
                name = visit.call.service if visit.call else None
                asked = visit.call.operation if visit.call else operation
                answer = answers.refusal(refusal, name, asked, raw.method, raw.headers)
                self._record(visit, answer, refusal)
            else:
                self._record(visit, answer, None)
            return answer

    # -- the way through ---------------------------------------------------------------------------------------------

    def _admit(self, visit: _Visit, hint: str | None, signed_by: Callable[[], datetime]) -> RawAnswer:
        raw = visit.raw
        if ACCOUNT_HEADER in raw.headers:
            visit.situation = "control"
            raise Refusal("InvalidRequest", "The lab's AWS takes no orders meant for the mock behind it.", 400)
        signed, incomplete = None, None
        try:
            signed = signature.read(raw)
        except signature.Incomplete as error:
            incomplete = error
        try:
            scope = (signed.service, signed.region) if signed else (None, None)
            visit.call = place(raw, scope=scope[0], region=scope[1], hint=hint)
        except Unplaceable as error:
            visit.situation = "unplaceable"
            raise Refusal("InvalidRequest", str(error), 400) from error
        if incomplete:
            raise self._unauthenticated(visit, incomplete.situation, incomplete)
        visit.caller = self._authenticate(visit, signed, signed_by())
        self._limits_of_credentials(visit)
        if visit.call.service == "iam":
            constraints.check("iam", visit.call.operation, visit.call.parameters)
        if visit.call.service == "sts":
            return self._answer_sts(visit)
        self._authorise(visit)
        return self._act(visit)

    def _authenticate(self, visit: _Visit, signed: signature.Signed | None, now: datetime) -> Caller:
        call = visit.call
        assert call is not None
        if signed is None:
            if call.service != "s3":
                raise self._unauthenticated(visit, "no-credentials")
            return ANONYMOUS
        visit.claimed_key = signed.access_key_id
        secret, find_caller = self._credentials(visit, signed)
        try:
            signature.verify(visit.raw, signed, secret, now)
        except signature.SignatureError as error:
            raise self._unauthenticated(visit, error.situation, error) from error
        caller = find_caller()
        if caller is None:
            raise self._unauthenticated(visit, "deleted-identity")
        return caller

    def _credentials(self, visit: _Visit, signed: signature.Signed) -> tuple[str, Callable[[], Caller | None]]:
        """The secret a key must have signed with, and whom it stands for."""
        session = self._sessions.find(signed.access_key_id)
        if session is not None:
            if not signed.session_token:
                raise self._unauthenticated(visit, "missing-token")
            if signed.session_token != session.session_token:
                raise self._unauthenticated(visit, "wrong-token")
            if visit.now >= session.expires:
                visit.caller = session_caller(session, self._store) or ANONYMOUS
                raise self._unauthenticated(visit, "expired-session")
            return session.secret_access_key, lambda: session_caller(session, self._store)
        key = self._store.find_key(signed.access_key_id)
        if key is None:
            raise self._unauthenticated(visit, "unknown-key")
        if signed.session_token:
            raise self._unauthenticated(visit, "wrong-token")
        if not key.active:
            raise self._unauthenticated(visit, "inactive-key")
        return key.secret_access_key, lambda: user_caller(key, self._store)

    def _unauthenticated(self, visit: _Visit, situation: str, detail: signature.SignatureError | str = "") -> Refusal:
        visit.situation = situation
        assert visit.call is not None
        shown = "unknown-key" if situation == "deleted-identity" else situation
        return answers.authentication_refusal(shown, visit.call.service, detail)

    def _limits_of_credentials(self, visit: _Visit) -> None:
        """What credentials of GetSessionToken may not do, whatever the policies say.

        https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
        """
        session, call = visit.caller.session, visit.call
        assert call is not None
        if session is None or session.kind != "GetSessionToken":
            return
        with_mfa = session.context.get("aws:MultiFactorAuthPresent") == "true"
        if call.service == "iam" and not with_mfa:
            raise self._unauthenticated(visit, "session-token-for-iam")
        if call.service == "sts" and call.operation not in ("AssumeRole", "GetCallerIdentity", "GetSessionToken"):
            raise self._unauthenticated(visit, "session-token-for-sts")

    def _answer_sts(self, visit: _Visit) -> RawAnswer:
        call = visit.call
        assert call is not None
        desk = sts.Desk(call, visit.caller, visit.now, self._store, self._sessions, self._decide_for(visit))
        return answers.success("sts", call.operation, sts.answer(desk))

    def _authorise(self, visit: _Visit) -> None:
        assert visit.call is not None
        visit.asked = requested(visit.call, visit.caller, self._store)
        ask = self._decide_for(visit)
        for asked in visit.asked:
            evaluation = ask(asked)
            if not evaluation.allowed:
                raise self._denied(visit, asked, evaluation)

    def _decide_for(self, visit: _Visit) -> sts.Decide:
        call = visit.call
        assert call is not None
        around = circumstances(visit.now, self._source_ip(), visit.raw.headers.get("user-agent", ""), call.region)

        def ask(asked: Requested, *, resource_policy: Policy | None = None) -> Evaluation:
            evaluation = decide(asked, visit.caller, self._store, around, resource_policy=resource_policy)
            visit.evaluations.append(evaluation)
            return evaluation

        return ask

    def _denied(self, visit: _Visit, asked: Requested, evaluation: Evaluation) -> Refusal:
        call = visit.call
        assert call is not None
        if call.service == "s3" and self._missing_bucket(call):
            return Refusal("NoSuchBucket", "The specified bucket does not exist", 404)
        if call.service == "s3" and asked.account != visit.caller.account:
            return answers.access_denied("s3", "Access Denied")  # S3 gives its reasons only inside an account
        text = answers.denial_text(call.service, evaluation.message, asked.action, asked.resource)
        return answers.access_denied(call.service, text)

    def _missing_bucket(self, call: Call) -> bool:
        bucket = call.parameters.get("Bucket")
        return bool(bucket) and call.operation != "CreateBucket" and self._store.bucket_owner(str(bucket)) is None

    def _act(self, visit: _Visit) -> RawAnswer:
        call = visit.call
        assert call is not None
        documents.check_written(call)
        account = visit.asked[0].account if visit.asked else visit.caller.account
        if call.service == "iam":
            iam_calls.check(call, self._store)
            own = iam_calls.answer(call, account, self._store)
            if own is not None:
                return answers.success("iam", call.operation, own)
        try:
            answer = self._store.act(call, account or visit.caller.account)
        except NotStored as error:
            visit.situation = "not-stored"
            raise Refusal("NotImplemented", f"The mocked AWS cannot carry out {call.name}: {error}", 501) from error
        if call.service == "iam" and answer.status == 200:
            iam_calls.complete(call, account, self._store)
        if answer.status == 404 and call.service == "s3" and call.operation in _OBJECT_READS:
            self._hide_missing_object(visit)
        return answer

    def _hide_missing_object(self, visit: _Visit) -> None:
        """Whether an object exists is told only to those who may list the bucket.

        https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html (Permissions)
        """
        assert visit.call is not None
        bucket = visit.call.parameters.get("Bucket")
        owner = self._store.bucket_owner(str(bucket))
        if owner is None:
            return
        listing = Requested("s3:ListBucket", f"arn:aws:s3:::{bucket}", owner)
        evaluation = self._decide_for(visit)(listing)
        if not evaluation.allowed:
            raise self._denied(visit, listing, evaluation)

    # -- the trail ---------------------------------------------------------------------------------------------------

    def _record(self, visit: _Visit, answer: RawAnswer, refusal: Refusal | None) -> None:
        call = visit.call
        decision, code, message = "ALLOW", "", ""
        denied = next((evaluation for evaluation in visit.evaluations if not evaluation.allowed), None)
        if denied is not None:
            decision = denied.effect
        elif refusal is not None:
            decision = "INVALID" if visit.situation in _INVALID else "UNAUTHENTICATED"
        if refusal is not None:
            code, message = refusal.code, refusal.message
        elif answer.status >= 400:
            code, message = _error_of(answer)
        decisive = denied or (visit.evaluations[0] if visit.evaluations else None)
        action = decisive.action if decisive else action_name(call) if call else "unknown"
        self._trail.record(
            Event(
                number=self._trail.next_number(),
                when=visit.now,
                who=visit.caller.arn if visit.caller is not ANONYMOUS else visit.claimed_key or "anonymous",
                action=action,
                resource=decisive.resource if decisive else "*",
                decision=decision,
                error_code=code,
                error_message=message,
                request_id=request_id(answer.headers),
                account=visit.caller.account,
                access_key_id=visit.claimed_key,
                service=call.service if call else "",
                operation=call.operation if call else "",
                situation=visit.situation,
                detail=visit.detail,
                evaluations=tuple(visit.evaluations),
            )
        )


def request_id(headers: Mapping[str, Any]) -> str:
    """The request id of an answer, as botocore reports it."""
    lowered = {name.lower(): str(value) for name, value in headers.items()}
    return lowered.get("x-amzn-requestid") or lowered.get("x-amz-request-id") or ""


def _error_of(answer: RawAnswer) -> tuple[str, str]:
    code, message = _ERROR_CODE.search(answer.body), _ERROR_MESSAGE.search(answer.body)
    if code:
        return code[1].decode("utf-8", "replace"), message[1].decode("utf-8", "replace") if message else ""
    kind = next((v for name, v in answer.headers.items() if name.lower() == "x-amzn-errortype"), "")
    return str(kind).partition(":")[0] or str(answer.status), ""
