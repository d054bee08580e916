"""Who calls: the key, the token, the signature – believed, or refused in the service's own words."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from simlib.cloud.credentials.sessions import ANONYMOUS, Caller, Sessions, session_caller, user_caller
from simlib.cloud.storage import store
from simlib.cloud.transport import signature
from simlib.cloud.transport.answers import authentication_refusal
from simlib.cloud.transport.calls import Call
from simlib.cloud.transport.signer import ClaimedSignature, SignatureError

_UNSIGNED = ("sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML")

# What credentials of these operations may still ask of STS, be it to hear a refusal of its own
_LEFT_OF_STS = {
    "GetSessionToken": ("GetCallerIdentity", "GetSessionToken", "GetFederationToken", "AssumeRole"),
    "GetFederationToken": ("GetCallerIdentity", "GetSessionToken", "GetFederationToken"),
}


def authenticate(
    call: Call, signed: ClaimedSignature | None, now: datetime, signed_by: datetime, sessions: Sessions
) -> Caller:
    """The identity behind a request; raises the service's `Refusal` where it is not believed.

    `now` decides what has expired, `signed_by` is the time by the clock the signature follows.
    """
    if call.name in _UNSIGNED:
        return ANONYMOUS  # a token of an identity provider in the request says who it is
    if signed is None:
        if call.service != "s3":  # S3 asks the bucket's policy about strangers too
            raise authentication_refusal("no-credentials", call.service)
        return ANONYMOUS
    secret, find_caller = _credentials(call.service, signed, now, sessions)
    try:
        signature.verify(call.raw, signed, secret, signed_by, call.service)
    except SignatureError as error:
        raise authentication_refusal(error.situation, call.service, error) from error
    caller = find_caller()
    if caller is None:
        raise authentication_refusal("deleted-identity", call.service)
    check_kind_of_credentials(caller, call.service, call.operation)
    return caller


def _credentials(
    service: str, signed: ClaimedSignature, now: datetime, sessions: Sessions
) -> tuple[str, Callable[[], Caller | None]]:
    """The secret a key must have signed with, and whom it stands for."""
    session = sessions.find(signed.access_key_id)
    if session is not None:
        if not signed.session_token:
            raise authentication_refusal("missing-token", service)
        if signed.session_token != session.session_token:
            raise authentication_refusal("wrong-token", service)
        if now >= session.expires:
            raise authentication_refusal("expired-session", service)
        return session.secret_access_key, lambda: session_caller(session, now)
    key = store.find_key(signed.access_key_id)
    if key is None:
        raise authentication_refusal("unknown-key", service)
    if signed.session_token:
        raise authentication_refusal("wrong-token", service)
    if not key.active:
        raise authentication_refusal("inactive-key", service)
    return key.secret_access_key, lambda: user_caller(key)


def check_kind_of_credentials(caller: Caller, service: str, operation: str) -> None:
    """What credentials of GetSessionToken and GetFederationToken may not do, whatever the policies say.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_sts-comparison.html: no IAM without MFA, or none at
    all; little of STS.
    """
    session = caller.session
    if session is None or session.kind not in _LEFT_OF_STS:
        return
    federated = session.kind == "GetFederationToken"
    if service == "iam" and (federated or not session.mfa):
        raise authentication_refusal("session-token-for-iam", service)
    if service == "sts" and operation not in _LEFT_OF_STS[session.kind]:
        raise authentication_refusal("session-token-for-sts", service)


def claimed(signed: ClaimedSignature | None, sessions: Sessions) -> tuple[str, str]:
    """Whom the trail names for a request that was not believed, and the key that signed it, if it is of this world.

    Another key may be a learner's real one, and is shown nowhere.
    """
    if signed is None:
        return "anonymous", ""
    session = sessions.find(signed.access_key_id)
    key = signed.access_key_id if session or store.find_key(signed.access_key_id) else ""
    return session.arn if session else key or "an unknown access key", key
