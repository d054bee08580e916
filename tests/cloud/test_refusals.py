"""The table of refusals: each service's own codes, statuses and texts."""

from __future__ import annotations

import json

import pytest

from simlib.cloud.transport import answers, refusals
from simlib.cloud.transport.signer import SignatureError

INVALID = "The security token included in the request is invalid."
EXPIRED = "The security token included in the request is expired"
MISMATCH = "The request signature we calculated does not match the signature you provided. Check your "
VALIDATE = "AWS was not able to validate the provided access credentials"
UNKNOWN = "The AWS Access Key Id you provided does not exist in our records."
# situation, services, code, status, how the text begins
TABLE = [
    ("unknown-key", "sts sns sqs", "InvalidClientTokenId", 403, INVALID),
    ("unknown-key inactive-key session-token-for-iam", "iam", "InvalidClientTokenId", 403, INVALID[:-1]),
    ("unknown-key wrong-token", "dynamodb kms", "UnrecognizedClientException", 400, INVALID),
    ("unknown-key", "lambda", "UnrecognizedClientException", 403, INVALID),
    ("unknown-key wrong-secret", "ec2", "AuthFailure", 401, VALIDATE),
    ("unknown-key inactive-key missing-token", "s3", "InvalidAccessKeyId", 403, UNKNOWN),
    ("missing-token wrong-token", "sts", "InvalidClientTokenId", 403, INVALID),
    ("wrong-token", "s3", "InvalidToken", 400, "The provided token is malformed or otherwise invalid."),
    ("wrong-secret", "sts", "SignatureDoesNotMatch", 403, MISMATCH + "AWS Secret Access Key"),
    ("wrong-secret", "secretsmanager", "InvalidSignatureException", 400, MISMATCH + "AWS Secret Access Key"),
    ("wrong-secret", "lambda", "InvalidSignatureException", 403, MISMATCH + "AWS Secret Access Key"),
    ("wrong-secret", "s3", "SignatureDoesNotMatch", 403, MISMATCH + "key and signing method."),
    ("expired-session", "sts iam", "ExpiredToken", 403, EXPIRED),
    ("expired-session", "dynamodb", "ExpiredTokenException", 400, EXPIRED),
    ("expired-session", "lambda", "ExpiredTokenException", 403, EXPIRED),
    ("expired-session", "ec2", "RequestExpired", 400, "Request has expired."),
    ("expired-session", "s3", "ExpiredToken", 400, "The provided token has expired."),
    ("no-credentials", "sts", "MissingAuthenticationToken", 403, "Request is missing Authentication Token"),
    ("no-credentials", "kms", "MissingAuthenticationTokenException", 400, "Request is missing Authentication Token"),
    ("no-credentials", "lambda", "MissingAuthenticationTokenException", 403, "Missing Authentication Token"),
    ("no-credentials", "ec2", "MissingParameter", 400, "The request must contain the parameter AWSAccessKeyId"),
    ("no-credentials", "s3", "AccessDenied", 403, "Access Denied"),
]
CASES = [(one, service, *row) for each, services, *row in TABLE for one in each.split() for service in services.split()]


@pytest.mark.parametrize(("situation", "service", "code", "status", "text"), CASES)
def test_authentication_has_each_services_code_and_text(
    situation: str, service: str, code: str, status: int, text: str
) -> None:
    refusal = answers.authentication_refusal(situation, service)
    assert (refusal.code, refusal.status) == (code, status)
    assert refusal.message.startswith(text)
    assert refusal.message == text or text.startswith(MISMATCH)


@pytest.mark.parametrize(
    ("services", "code", "status"),
    [
        ("iam sts s3 s3control cloudfront sqs", "AccessDenied", 403),
        ("sns", "AuthorizationError", 403),
        ("ec2", "UnauthorizedOperation", 403),
        ("dynamodb kms organizations", "AccessDeniedException", 400),
        ("lambda iam-toolbox", "AccessDeniedException", 403),
    ],
)
def test_access_denied_has_each_services_code(services: str, code: str, status: int) -> None:
    for service in services.split():
        refusal = answers.access_denied(service, "why")
        before = "You are not authorized to perform this operation. " if service == "ec2" else ""
        assert (refusal.code, refusal.status, refusal.message) == (code, status, f"{before}why")


def test_a_wrong_secret_shows_the_strings_that_should_have_been_signed() -> None:
    error = SignatureError(
        "wrong-secret", "", "x", {"CanonicalRequest": "GET\n/\n", "StringToSign": "AWS4-HMAC-SHA256\nx"}
    )
    told = answers.authentication_refusal("wrong-secret", "iam", error).message
    assert told.endswith(
        "Consult the service documentation for details.\n\nThe Canonical String for this request should have been\n"
        "'GET\n/\n'\n\nThe String-to-Sign should have been\n'AWS4-HMAC-SHA256\nx'\n"
    )
    s3 = answers.authentication_refusal("wrong-secret", "s3", error)
    assert s3.message.endswith("Check your key and signing method.")
    assert s3.extra == error.details
    assert "Canonical" not in answers.authentication_refusal("wrong-secret", "ec2", error).message


def test_skew_and_expiry_say_when() -> None:
    skewed = SignatureError("skewed", "", "Signature expired: …", {"MaxAllowedSkewMilliseconds": "900000"})
    for service, code in (("sts", "SignatureDoesNotMatch"), ("kms", "InvalidSignatureException")):
        told = answers.authentication_refusal("skewed", service, skewed)
        assert (told.code, told.message) == (code, "Signature expired: …")
        assert answers.authentication_refusal("skewed", service, str(skewed)).message == "Signature expired: …"
    told = answers.authentication_refusal("skewed", "s3", skewed)
    assert (told.code, told.extra) == ("RequestTimeTooSkewed", {"MaxAllowedSkewMilliseconds": "900000"})
    gone = answers.authentication_refusal("expired-url", "s3", SignatureError("expired-url", "", "Request has expired"))
    assert (gone.code, gone.status, gone.message) == ("AccessDenied", 403, "Request has expired")


@pytest.mark.parametrize("kind", refusals.TABLE["signature"])
def test_s3_has_its_own_words_for_half_a_signature(kind: str) -> None:
    refusal = answers.authentication_refusal("incomplete", "s3", SignatureError("incomplete", kind, "what is missing"))
    assert refusal.code != "InvalidRequest" or kind in ("no-payload-hash", "version-2")
    assert refusal.message
    assert (
        answers.authentication_refusal("incomplete", "iam", SignatureError("incomplete", kind, "what")).message
        == "what"
    )


def test_every_situation_is_answered_by_every_family() -> None:
    situations = [name for name, table in refusals.TABLE.items() if "words" in table and {"query", "as"} & table.keys()]
    assert len(situations) == 13
    for situation in situations:
        for service in ("iam", "kms", "lambda", "ec2", "s3"):
            assert answers.authentication_refusal(situation, service).code
    with pytest.raises(KeyError):
        answers.authentication_refusal("nonsense", "iam")


def test_json_bodies_carry_the_type_as_their_version_writes_it() -> None:
    for service, kind in (
        ("kms", "AccessDeniedException"),
        ("dynamodb", "com.amazon.coral.service#AccessDeniedException"),
    ):
        answer = answers.refusal(answers.access_denied(service, "why"), service)
        assert json.loads(answer.body)["__type"] == kind
