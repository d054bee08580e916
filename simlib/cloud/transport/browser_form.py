"""Uploads from a browser's form: the form becomes the PutObject it stands for, once its policy allows the fields.

https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html,
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from urllib.parse import quote

from simlib.cloud.transport.refusals import Refusal
from simlib.cloud.transport.signer import ClaimedSignature
from simlib.cloud.transport.wire import RawAnswer, RawRequest

_HEADERS = ("cache-control", "content-", "expires", "x-amz-meta-", "x-amz-server-side-encryption", "x-amz-checksum-",
            "x-amz-storage-class", "x-amz-website-redirect-location")  # fmt: skip
_NEVER_IN_A_CONDITION = ("policy", "x-amz-signature", "signature", "awsaccesskeyid", "file", "bucket")
_DATE = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True)
class Form:
    """An upload as a PUT, and who has signed the form's policy; None for a stranger's form."""

    put_request: RawRequest
    signed: ClaimedSignature | None
    fields: Mapping[str, str]

    def form_answer(self, answer: RawAnswer) -> RawAnswer:
        """The answer to the PUT as a form gets it."""
        if answer.status != 200:
            return answer
        if target := self.fields.get("success_action_redirect"):
            return RawAnswer(303, {**answer.headers, "Location": target}, b"")
        status = self.fields.get("success_action_status", "")
        return RawAnswer(int(status) if status in ("200", "201") else 204, answer.headers, b"")


def is_form(raw: RawRequest) -> bool:
    return raw.method == "POST" and raw.headers.get("content-type", "").startswith("multipart/form-data")


def parse(raw: RawRequest, now: datetime) -> Form:
    """The form in a request's body; raises S3's refusals of what its policy does not allow at `now`."""
    from werkzeug.formparser import parse_form_data  # late: no lesson sends a form

    environ = {"wsgi.input": BytesIO(raw.body), "CONTENT_LENGTH": str(len(raw.body)), "REQUEST_METHOD": "POST"}
    _, form, files = parse_form_data({**environ, "CONTENT_TYPE": raw.headers["content-type"]})
    fields, file = {name.lower(): str(value) for name, value in form.items()}, files.get("file")
    content = file.read() if file is not None else fields.get("file", "").encode("utf-8")
    if "key" not in fields:
        text = (
            "Bucket POST must contain a field named 'key'.  If it is specified, please check the order of the fields."
        )
        raise Refusal("InvalidArgument", text, 400)
    key = fields["key"].replace("${filename}", (file.filename if file is not None else None) or "")
    signed = _signed(fields, now, len(content), raw) if "policy" in fields else None
    headers = {name: value for name, value in fields.items() if name.startswith(_HEADERS)}
    headers |= {"x-amz-acl": fields["acl"]} if "acl" in fields else {}
    url = f"{raw.url.partition('?')[0].rstrip('/')}/{quote(key, safe='/~')}"
    return Form(RawRequest("PUT", url, {"host": raw.parts.netloc, **headers}, content), signed, fields)


def _signed(fields: Mapping[str, str], now: datetime, size: int, raw: RawRequest) -> ClaimedSignature:
    token, signed_at = fields.get("x-amz-security-token"), None
    try:
        policy = json.loads(base64.b64decode(fields["policy"]))
        expires = datetime.fromisoformat(policy["expiration"])
        conditions = list(_conditions(policy["conditions"]))
        key, region, scheme = fields.get("awsaccesskeyid", ""), None, "s3-post"
        if not key:
            key, _, region, _, _ = fields["x-amz-credential"].split("/")
            scheme, signed_at = "v4-post", datetime.strptime(fields["x-amz-date"], _DATE).replace(tzinfo=UTC)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refusal("InvalidPolicyDocument", "Invalid Policy: Invalid JSON.", 400) from error
    if now >= expires:
        raise _against("Policy expired.")
    bucket = raw.parts.path.strip("/") or raw.parts.netloc.partition(".s3")[0]
    _check(conditions, {"bucket": bucket, **fields}, size)
    return ClaimedSignature(
        key, token, scheme, "s3", region, fields.get("x-amz-signature") or fields.get("signature", ""), signed_at,
        expires, timestamp=fields.get("x-amz-date", ""), policy=fields["policy"],
    )  # fmt: skip


def _conditions(conditions: Any) -> Iterator[tuple[str, str, Any]]:
    """Operator, field and value of each condition; a range has its ends for the two."""
    for condition in conditions:
        if isinstance(condition, Mapping):
            yield from (("eq", str(name), value) for name, value in condition.items())
        else:
            operator, first, second = condition
            yield operator.lower(), str(first).removeprefix("$"), second


def _check(conditions: list[tuple[str, str, Any]], fields: Mapping[str, str], size: int) -> None:
    for operator, name, value in conditions:
        if operator == "content-length-range":
            if size > int(value):
                raise Refusal("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size", 400)
            if size < int(name):
                raise Refusal("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size", 400)
            continue
        field = fields.get(name.lower(), "")
        if not (field == value if operator == "eq" else operator == "starts-with" and field.startswith(value)):
            raise _against(f'Policy Condition failed: ["{operator}", "${name}", "{value}"]')
    in_conditions = {name.lower() for _, name, _ in conditions}
    extra = [name for name in fields if name not in (*in_conditions, *_NEVER_IN_A_CONDITION)]
    if extra := [name for name in extra if not name.startswith("x-ignore-")]:
        raise _against(f"Extra input fields: {', '.join(extra)}")


def _against(text: str) -> Refusal:
    return Refusal("AccessDenied", f"Invalid according to Policy: {text}", 403)
