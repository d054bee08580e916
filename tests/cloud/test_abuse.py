"""Ten thousand requests that nobody signed rightly: each is refused in AWS's words, and none changes anything."""

from __future__ import annotations

import http.client
import logging
import random
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from simlib import Cloud

SEED, REQUESTS = 20_261_124, 10_000
SERVICES = {
    "sts": (b"Action=GetCallerIdentity&Version=2011-06-15", {"Content-Type": "application/x-www-form-urlencoded"}),
    "iam": (
        b"Action=CreateUser&UserName=eve&Version=2010-05-08",
        {"Content-Type": "application/x-www-form-urlencoded"},
    ),
    "ec2": (b"Action=DescribeInstances&Version=2016-11-15", {"Content-Type": "application/x-www-form-urlencoded"}),
    "s3": (b"", {}),
    "dynamodb": (b"{}", {"X-Amz-Target": "DynamoDB_20120810.ListTables", "Content-Type": "application/x-amz-json-1.0"}),
    "kms": (b"{}", {"X-Amz-Target": "TrentService.CreateKey", "Content-Type": "application/x-amz-json-1.1"}),
    "lambda": (b"", {}),
}
PATHS = {"lambda": "/2015-03-31/functions/", "s3": "/measured/key%2F1?list-type=2"}
Sent = tuple[str, str, dict[str, str], bytes]


def signed(chance: random.Random, url: str, keys: list[Credentials]) -> Sent:
    """A request as an SDK signs it, with somebody's good keys."""
    service = chance.choice(list(SERVICES))
    body, headers = SERVICES[service]
    path = PATHS.get(service, "/")
    method = "POST" if body else chance.choice(["GET", "PUT", "DELETE", "HEAD"])
    request = AWSRequest(method, url + path, headers=dict(headers), data=body)
    SigV4Auth(chance.choice(keys), service, "us-east-1").add_auth(request)
    return method, path, dict(request.headers.items()), body


def spoiled(chance: random.Random, sent: Sent, tokens: list[str]) -> Sent:
    """The same, no longer what was signed."""
    method, path, headers, body = sent
    signature = headers["Authorization"]
    how = chance.randrange(9)
    if how == 0:
        headers["Authorization"] = signature[: chance.randrange(len(signature))]
    elif how == 1:
        place = signature.index("Signature=") + 10 + chance.randrange(64)
        other = "0" if signature[place] != "0" else "1"
        headers["Authorization"] = signature[:place] + other + signature[place + 1 :]
    elif how == 2:
        headers["X-Amz-Security-Token"] = chance.choice(
            [*(t for t in tokens if t != headers.get("X-Amz-Security-Token")), "x"]
        )
    elif how == 3:
        headers["X-Amz-Date"] = f"20{chance.randrange(10, 26)}0101T000000Z"
    elif how == 4:
        body += bytes(chance.randrange(256) for _ in range(chance.randrange(1, 40)))
        method, headers["X-Amz-Content-SHA256"] = "POST", "0" * 64
    elif how == 5:
        path += chance.choice(["?x=1", "&acl", "/..", "%00", "?Action=ListUsers&Version=2010-05-08"])
        path = path.replace("?x=1", "&x=1") if path.count("?") > 1 else path
        headers["Authorization"] = signature[:-1]
    elif how == 6:
        headers = {name: value for name, value in headers.items() if name != "Authorization"}
        headers[chance.choice(["x-moto-account-id", "X-Amz-Target", "Content-Type", "Host"])] = chance.choice(
            ["222222222222", "Evil.Do", "multipart/form-data; boundary=x", "s3.amazonaws.com", "application/cbor"]
        )
    elif how == 7:
        headers["Authorization"] = "".join(chr(chance.randrange(32, 127)) for _ in range(chance.randrange(200)))
    else:
        method = chance.choice(["GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS"])
        path = "/" + "".join(chance.choice("abc/%2F.?&=~{}") for _ in range(chance.randrange(30)))
        headers = {"Authorization": signature} if chance.random() < 0.5 else {}
    return method, path, headers, body


@pytest.fixture
def world() -> Iterator[Cloud]:
    with Cloud.start(trail_bound=1_000) as aws:
        yield aws


def test_nothing_that_is_wrongly_signed_is_done_and_nothing_breaks(
    world: Cloud, caplog: pytest.LogCaptureFixture
) -> None:
    chance, url = random.Random(SEED), world.serve().url
    held: list[Any] = [world.account("dev").admin, world.account("mallory").admin]
    held += [world.sign_in(admin.client("sts").get_session_token()) for admin in list(held)]
    keys = [Credentials(one.access_key_id, one.secret_access_key, one.session_token) for one in held]
    tokens = [one.session_token for one in held if one.session_token]
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    caplog.set_level(logging.ERROR)
    statuses: dict[int, int] = {}
    for _ in range(REQUESTS):
        sent = spoiled(chance, signed(chance, url, keys), tokens)
        method, path, headers, body = sent
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        said = answer.read()
        statuses[answer.status] = statuses.get(answer.status, 0) + 1
        assert 400 <= answer.status < 500, (sent, answer.status, said)
        assert b"Traceback" not in said
        assert b"cannot carry out this call" not in said
        assert said or method == "HEAD", sent
    connection.close()
    assert not caplog.records
    assert len(statuses) >= 3
    iam = world.account("dev").admin.client("iam")
    assert [user["UserName"] for user in iam.list_users()["Users"]] == ["lab-admin"]
    assert iam.list_roles()["Roles"] == []
