"""AssumeRoleWithWebIdentity: a token of an identity provider for the credentials of a role; the call is not signed.

https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html. The texts are those STS is seen
to send, except for a wrong signature and a rejected claim, whose texts are not documented (a choice).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from simlib.cloud.call_context import CallContext
from simlib.cloud.credentials import issuer
from simlib.cloud.credentials.issuer import GITHUB
from simlib.cloud.credentials.sessions import ANONYMOUS, Caller, Sessions
from simlib.cloud.services.session_requests import assume, session_options
from simlib.cloud.storage import iam_entities
from simlib.cloud.transport.answers import Refusal

# Claims that are condition keys of every provider, and stay with the session
_CLAIMS = ("sub", "aud", "amr", "email", "oaud")
# Claims that are condition keys of one provider, in the trust policy only
_OF_PROVIDER = {
    GITHUB.removeprefix("https://"): (
        "actor", "actor_id", "job_workflow_ref", "repository", "repository_id", "workflow", "ref", "environment",
        "enterprise_id",
    ),
}  # fmt: skip
_REQUIRED = ("iss", "sub", "aud", "iat", "exp")
_TAGS, _SOURCE_IDENTITY = "https://aws.amazon.com/tags", "https://aws.amazon.com/source_identity"

_NO_JWT = "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)"
_NO_KEY = (
    "Couldn't retrieve verification key from your identity provider,  "
    "please reference AssumeRoleWithWebIdentity documentation for requirements"
)


@dataclass(frozen=True, slots=True)
class Bearer:
    """Somebody whose token has been believed: the provider that says so, and what it says."""

    provider: str
    prefix: str
    claims: Mapping[str, Any]
    audience: str

    def keys(self, names: tuple[str, ...]) -> dict[str, str | list[str]]:
        claims = {**self.claims, "aud": self.audience}
        if "azp" in self.claims:  # the client a token was issued to counts, and the audience has a key of its own
            claims |= {"aud": self.claims["azp"], "oaud": self.audience}
        return {f"{self.prefix}:{name}": _text(claims[name]) for name in names if name in claims}

    def request_context(self) -> dict[str, str | list[str]]:
        """The condition keys that the trust policy is asked with."""
        return self.keys((*_CLAIMS, *_OF_PROVIDER.get(self.prefix, ())))

    def session_options(self) -> dict[str, Any]:
        """Session tags and a source identity, which come with the token and not with the request."""
        claim = self.claims.get(_TAGS, {})
        try:
            tags = [{"Key": key, "Value": _first(value)} for key, value in claim.get("principal_tags", {}).items()]
            transitive = [str(key) for key in claim.get("transitive_tag_keys", [])]
        except (AttributeError, TypeError) as error:
            raise _invalid(f"The claim {_TAGS} is malformed") from error
        return {"Tags": tags, "TransitiveTagKeys": transitive, "SourceIdentity": self.claims.get(_SOURCE_IDENTITY, "")}


def assume_role_with_web_identity(context: CallContext) -> Mapping[str, Any]:
    parameters, arn = context.parameters, str(context.parameters["RoleArn"])
    account = arn.split(":")[4]
    bearer = bearer_of(str(parameters["WebIdentityToken"]), account, context.sessions, context.now)
    policies = {name: parameters[name] for name in ("Policy", "PolicyArns") if name in parameters}
    options = session_options({**policies, **bearer.session_options()}, ANONYMOUS)
    answer = assume(
        replace(context, caller=Caller(bearer.provider)), "sts:AssumeRoleWithWebIdentity", options,
        bearer.request_context(), "Not authorized to perform {}".format,
        {**bearer.keys(_CLAIMS), "aws:FederatedProvider": bearer.provider}, kind="AssumeRoleWithWebIdentity",
        issued_to=bearer.provider, transitive=options.transitive,
    )  # fmt: skip
    subject = {"SubjectFromWebIdentityToken": str(bearer.claims["sub"]), "Provider": bearer.provider}
    return {**answer, **subject, "Audience": bearer.audience}


def bearer_of(token: str, account: str, sessions: Sessions, now: datetime) -> Bearer:
    """Who bears a token, if the role's account knows its issuer and the issuer's signature, time and audience fit."""
    token_parts = issuer.decode_unverified(token)
    if token_parts is None:
        raise _invalid(_NO_JWT)
    header, claims = token_parts
    missing = next((name for name in _REQUIRED if not claims.get(name)), None)
    if missing:
        raise _invalid(f"Missing a required claim: {missing}")
    url = str(claims["iss"])
    provider = iam_entities.oidc_provider(account, url)
    if provider is None:
        raise _invalid(f"No OpenIDConnect provider found in your account for {url}")
    signer = sessions.issuers.get(url.rstrip("/"))
    if signer is None or not signer.reachable:
        raise _invalid(_NO_KEY)
    if header.get("alg") != "RS256" or not signer.has_signed(token):
        raise _invalid("The signature of the web identity token does not match the provider's key")
    moment, expires = int(now.timestamp()), claims["exp"]
    if not isinstance(expires, int | float) or moment >= expires:
        text = f"Token expired: current date/time {moment} must be before the expiration date/time {expires}"
        raise Refusal("ExpiredTokenException", text, 400)
    audiences = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    audience = next((str(one) for one in audiences if one in provider.client_id_list), None)
    if audience is None:
        raise _invalid("Incorrect token audience")
    if signer.has_rejected(token):
        raise Refusal("IDPRejectedClaim", "The identity provider rejected the claim of the web identity token", 403)
    return Bearer(provider.arn, provider.url, claims, audience)


def _invalid(text: str) -> Refusal:
    return Refusal("InvalidIdentityToken", text, 400)


def _text(value: Any) -> str | list[str]:
    return [str(item) for item in value] if isinstance(value, list) else str(value)


def _first(value: Any) -> str:
    return str(value[0]) if isinstance(value, list) and value else str(value)
