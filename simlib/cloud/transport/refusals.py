"""What AWS says when it does not believe or does not permit: one table of codes, HTTP statuses and texts.

Rows are situations, columns the families of services that share their words: "query" (IAM, STS, SNS, CloudFront; SQS
and CloudWatch, which speak JSON, kept these codes), "json" (DynamoDB, KMS, Organizations), "rest-json" (Lambda),
"ec2", "s3". AWS documents codes in each API's "Common Errors" and hardly ever a text; the texts are those its services
are seen to send. Where none was to be found the row says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from simlib.cloud.transport.protocols import protocol_of
from simlib.cloud.transport.signer import SignatureError


class Refusal(Exception):
    """An answer that says no: `code` and `message` as AWS spells them, the HTTP `status`, and further members.

    `extra` becomes elements of an S3 error and members of a JSON one. What AWS keeps to itself is for the trail:
    `situation` names the kind of refusal, `detail` says more than AWS's text does, `authorization_id` finds the
    decision again.
    """

    def __init__(
        self,
        code: str,
        message: str,
        status: int = 400,
        extra: Mapping[str, str] | None = None,
        *,
        situation: str = "",
        detail: str = "",
        authorization_id: str = "",
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.extra = dict(extra or {})
        self.situation = situation
        self.detail = detail
        self.authorization_id = authorization_id


class Objection(Refusal):
    """What a service says about its own affairs to a caller who is allowed: there is no such user, or one too many."""

    def __init__(self, code: str, message: str, status: int) -> None:
        super().__init__(code, message, status, situation="service")


@dataclass(frozen=True, slots=True)
class _ErrorRow:
    """`text` None: the text comes with the situation (a date, the name of a missing part)."""

    code: str
    status: int
    text: str | None


_INVALID = "The security token included in the request is invalid."
_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. "
    "Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
)
_S3_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your key and signing method."
)
_EC2_FAILURE = _ErrorRow("AuthFailure", 401, "AWS was not able to validate the provided access credentials")
_EC2_EXPIRED = _ErrorRow("RequestExpired", 400, "Request has expired.")
_UNKNOWN_KEY = {
    "query": _ErrorRow("InvalidClientTokenId", 403, _INVALID),
    "json": _ErrorRow("UnrecognizedClientException", 400, _INVALID),
    "rest-json": _ErrorRow("UnrecognizedClientException", 403, _INVALID),
    "ec2": _EC2_FAILURE,
    "s3": _ErrorRow("InvalidAccessKeyId", 403, "The AWS Access Key Id you provided does not exist in our records."),
}
_SKEWED = {
    "query": _ErrorRow("SignatureDoesNotMatch", 403, None),
    "json": _ErrorRow("InvalidSignatureException", 400, None),
    "rest-json": _ErrorRow("InvalidSignatureException", 403, None),
    "ec2": _EC2_EXPIRED,
    "s3": _ErrorRow(
        "RequestTimeTooSkewed", 403, "The difference between the request time and the current time is too large."
    ),
}
_AUTHENTICATION: dict[str, dict[str, _ErrorRow]] = {
    "unknown-key": _UNKNOWN_KEY,
    "inactive-key": _UNKNOWN_KEY,
    "deleted-identity": _UNKNOWN_KEY,
    "missing-token": _UNKNOWN_KEY,
    "session-token-for-iam": _UNKNOWN_KEY,  # what GetSessionToken's credentials hear from IAM without MFA
    "session-token-for-sts": _UNKNOWN_KEY,  # a choice: AWS says only that they cannot call it
    "wrong-token": {
        **_UNKNOWN_KEY,
        "s3": _ErrorRow("InvalidToken", 400, "The provided token is malformed or otherwise invalid."),
    },
    "wrong-secret": {
        "query": _ErrorRow("SignatureDoesNotMatch", 403, _MISMATCH),
        "json": _ErrorRow("InvalidSignatureException", 400, _MISMATCH),
        "rest-json": _ErrorRow("InvalidSignatureException", 403, _MISMATCH),
        "ec2": _EC2_FAILURE,
        "s3": _ErrorRow("SignatureDoesNotMatch", 403, _S3_MISMATCH),
    },
    "expired-session": {
        "query": _ErrorRow("ExpiredToken", 403, "The security token included in the request is expired"),
        "json": _ErrorRow("ExpiredTokenException", 400, "The security token included in the request is expired"),
        "rest-json": _ErrorRow("ExpiredTokenException", 403, "The security token included in the request is expired"),
        "ec2": _EC2_EXPIRED,
        "s3": _ErrorRow("ExpiredToken", 400, "The provided token has expired."),
    },
    "no-credentials": {
        "query": _ErrorRow("MissingAuthenticationToken", 403, "Request is missing Authentication Token"),
        "json": _ErrorRow("MissingAuthenticationTokenException", 400, "Request is missing Authentication Token"),
        "rest-json": _ErrorRow("MissingAuthenticationTokenException", 403, "Missing Authentication Token"),
        "ec2": _ErrorRow("MissingParameter", 400, "The request must contain the parameter AWSAccessKeyId"),
        "s3": _ErrorRow("AccessDenied", 403, "Access Denied"),
    },
    "skewed": _SKEWED,
    "expired-url": {**_SKEWED, "s3": _ErrorRow("AccessDenied", 403, None)},
    "incomplete": {
        "query": _ErrorRow("IncompleteSignature", 400, None),
        "json": _ErrorRow("IncompleteSignatureException", 400, None),
        "rest-json": _ErrorRow("IncompleteSignatureException", 403, None),
        "ec2": _ErrorRow("IncompleteSignature", 400, None),  # a choice: EC2's page of codes has it, no text was found
        "s3": _ErrorRow("InvalidRequest", 400, None),
    },
}
_MALFORMED = "The authorization header is malformed; "
_HALF_A_QUERY = (
    "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, "
    "X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."
)
# S3 looks closer: by the `kind` of a SignatureError.
_S3_KINDS: dict[str, _ErrorRow] = {
    "header": _ErrorRow(
        "AuthorizationHeaderMalformed",
        400,
        f"{_MALFORMED}the authorization header requires three components: Credential, SignedHeaders, and Signature.",
    ),
    "credential": _ErrorRow(
        "AuthorizationHeaderMalformed",
        400,
        f'{_MALFORMED}the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".',
    ),
    "scope": _ErrorRow("AuthorizationHeaderMalformed", 400, None),
    "date": _ErrorRow("AccessDenied", 403, "AWS authentication requires a valid Date or x-amz-date header"),
    "algorithm": _ErrorRow("InvalidArgument", 400, "Unsupported Authorization Type"),
    "query-algorithm": _ErrorRow("AuthorizationQueryParametersError", 400, None),
    "query": _ErrorRow("AuthorizationQueryParametersError", 400, _HALF_A_QUERY),
    "expires": _ErrorRow("AuthorizationQueryParametersError", 400, None),
    "unsigned": _ErrorRow("AccessDenied", 403, "There were headers present in the request which were not signed"),
    "two-mechanisms": _ErrorRow(
        "InvalidArgument",
        400,
        "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter "
        "or the Authorization header should be specified",
    ),
    "v2-header": _ErrorRow("InvalidArgument", 400, None),
    "v2-query": _ErrorRow("AccessDenied", 403, None),
    "v2-expires": _ErrorRow("AccessDenied", 403, None),
    "no-payload-hash": _ErrorRow("InvalidRequest", 400, None),
    "payload-hash": _ErrorRow("InvalidArgument", 400, None),
    "payload": _ErrorRow("XAmzContentSHA256Mismatch", 400, None),
    "early": _ErrorRow("AccessDenied", 403, None),
}


def authentication_refusal(situation: str, service: str | None, detail: SignatureError | str = "") -> Refusal:
    """What `service` (botocore's name) answers to credentials it does not believe.

    `situation` is one of "unknown-key", "wrong-secret", "missing-token", "wrong-token", "expired-session",
    "inactive-key", "deleted-identity", "no-credentials", "skewed", "expired-url", "incomplete". `detail` is the
    `SignatureError` where there is one: S3 tells its kinds apart and adds what it calculated, query services show the
    strings they signed; of a bare text only the text is used. Raises KeyError for a situation that is not in the table.
    """
    family = protocol_of(service).family
    error = detail if isinstance(detail, SignatureError) else None
    row = _AUTHENTICATION[situation][family]
    if family == "s3" and error is not None:
        row = _S3_KINDS.get(error.kind, row)
    text = row.text if row.text is not None else str(detail) or row.code
    if text == _INVALID and service == "iam":
        text = _INVALID.rstrip(".")  # IAM alone leaves the full stop out
    if family == "query" and error is not None and "StringToSign" in error.details:
        text = _with_strings(text, error)
    extra = error.details if family == "s3" and error is not None else None
    return Refusal(row.code, text, row.status, extra, situation=situation)


def _with_strings(text: str, error: SignatureError) -> str:
    """What a learner compares with his own: the strings as the service calculated them."""
    canonical, to_sign = error.details.get("CanonicalRequest"), error.details["StringToSign"]
    expected = f"\n\nThe Canonical String for this request should have been\n'{canonical}'" if canonical else ""
    return f"{text}{expected}\n\nThe String-to-Sign should have been\n'{to_sign}'\n"


_DENIED = {
    "query": ("AccessDenied", 403),
    "json": ("AccessDeniedException", 400),
    "rest-json": ("AccessDeniedException", 403),
    "ec2": ("UnauthorizedOperation", 403),
    "s3": ("AccessDenied", 403),
}
_DENIED_BY_SERVICE = {"sns": ("AuthorizationError", 403)}


def access_denied(service: str | None, message: str) -> Refusal:
    """What `service` (botocore's name) answers to a caller it knows and does not permit; `message` is the engine's.

    EC2 puts a sentence of its own in front; what it puts behind is in `encoded_message`.
    """
    family = protocol_of(service).family
    code, status = _DENIED_BY_SERVICE.get(service or "", _DENIED[family])
    if family == "ec2":
        message = f"You are not authorized to perform this operation. {message}"
    return Refusal(code, message, status)
