"""The census: every route moto serves is gated, answered by the lab or refused – none slips by, in either transport."""

from __future__ import annotations

import http.client
import re
import re._parser as re_parser  # the standard library's own reading of a pattern
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from simlib import Cloud
from simlib.cloud.storage.dispatch import NotStored
from simlib.cloud.transport import calls, protocols
from simlib.cloud.transport.calls import Call
from simlib.cloud.transport.wire import RawAnswer, RawRequest

from .conftest import new_user

METHODS = ("GET", "PUT", "POST", "DELETE")


def sample(pattern: str) -> str:
    """An address that a route's pattern matches, from the shortest text each of its parts takes."""
    return _text(re_parser.parse(pattern.replace("https?", "https")))


def _text(parts: Any) -> str:
    return "".join(_piece(str(kind), value) for kind, value in parts)


def _piece(kind: str, value: Any) -> str:
    if kind == "LITERAL":
        return chr(value)
    if kind in ("ANY", "NOT_LITERAL"):
        return "." if kind == "ANY" else "1"
    if kind == "IN":
        return _member(value)
    if kind in ("MAX_REPEAT", "MIN_REPEAT"):
        least, most, inner = value
        if least and str(inner[0][0]) == "ANY":
            return "us-east-1"
        return _text(inner) * (least if least or most == 1 else 0)
    if kind == "SUBPATTERN":
        return _text(value[-1])
    if kind == "BRANCH":
        return _text(value[1][0])
    assert kind in ("AT", "ASSERT", "ASSERT_NOT"), kind
    return ""


def _member(choices: Any) -> str:
    """A character of a set: a digit where the set takes one, for ids, words and versions alike."""
    kind, value = choices[0]
    if str(kind) == "NEGATE":
        return "1"
    for kind, value in choices:
        if (str(kind), str(value)) == ("CATEGORY", "CATEGORY_DIGIT") or str(value) == "CATEGORY_WORD":
            return "1"
    return chr(value if str(kind) == "LITERAL" else value[0])


def routes() -> Iterator[str]:
    """The patterns of everything moto can be reached by."""
    import moto.backends
    from moto.core.base_backend import BackendDict

    for service in moto.backends.list_of_moto_modules():
        try:
            backends: Any = moto.backends.get_backend(service)
        except (AttributeError, ImportError):
            continue  # no service of its own, or one that needs more than bare moto and so cannot be reached
        if isinstance(backends, BackendDict):
            regions = backends["123456789012"]
            backend = regions["us-east-1"] if "us-east-1" in regions else regions["aws"]
        else:
            backend = backends["global"]
        yield from backend.urls


@pytest.fixture(scope="module")
def addresses() -> list[str]:
    found = {route: sample(route) for route in routes() if ".cn" not in route and route.startswith("http")}
    assert [route for route, address in found.items() if not re.match(route, address)] == []
    assert len(found) > 900
    return sorted(set(found.values()))


@contextmanager
def watched() -> Iterator[list[str]]:
    """What comes through to moto meanwhile."""
    reached: list[str] = []

    def carry_out(call: Call, account: str) -> None:
        reached.append(call.name)
        raise NotStored("only watched")

    with patch("simlib.cloud.storage.store.carry_out", carry_out):
        yield reached


def signed(method: str, url: str, identity: Any) -> RawRequest:
    services = calls._host_services(url.split("/")[2]) or ("s3",)
    request = AWSRequest(method, url, data=b"")
    name = protocols.signing_name(services[0])
    SigV4Auth(Credentials(identity.access_key_id, identity.secret_access_key), name, "us-east-1").add_auth(request)
    return RawRequest.from_botocore(request.prepare())


def through_loopback(raw: RawRequest, port: int) -> RawRequest:
    parts = raw.parts
    return RawRequest(raw.method, parts._replace(scheme="http", netloc=f"127.0.0.1:{port}").geturl(), raw.headers)


def is_refusal(answer: RawAnswer) -> bool:
    return 400 <= answer.status < 500 or answer.status == 501


def test_no_route_of_moto_answers_a_stranger(aws: Cloud, dev: Any, addresses: list[str]) -> None:
    with watched() as reached:
        for url in addresses:
            for method in METHODS:
                raw = RawRequest(method, url, {"host": url.split("/")[2]})
                for sent in (raw, through_loopback(raw, 5000)):
                    assert is_refusal(aws._gate.answer(sent)), (method, url)
    assert reached == []


def test_no_route_of_moto_answers_a_user_without_permissions(aws: Cloud, iam: Any, addresses: list[str]) -> None:
    alice = new_user(aws, iam, "alice")
    with watched() as reached:
        for url in addresses:
            for method in ("GET", "POST", "PUT"):
                assert is_refusal(aws._gate.answer(signed(method, url, alice))), (method, url)
    assert reached == []


def test_most_routes_let_an_administrator_through(aws: Cloud, dev: Any, addresses: list[str]) -> None:
    """The counterpart: what is refused above is refused for its caller's sake, not because nothing is ever placed."""
    with watched() as reached:
        for url in addresses:
            for method in ("GET", "POST", "PUT", "DELETE", "PATCH"):
                aws._gate.answer(signed(method, url, dev.admin))
    assert len(set(reached)) > 400


def test_no_route_over_http_answers_a_stranger(aws: Cloud, dev: Any, addresses: list[str]) -> None:
    host, port = aws.serve().url.partition("//")[2].split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=30)
    with watched() as reached:
        for url in addresses:
            _, _, named, *path = url.split("/", 3)
            connection.request("GET", f"/{''.join(path)}", headers={"host": named})
            response = connection.getresponse()
            response.read()
            assert 400 <= response.status < 500 or response.status == 501, url
    assert reached == []


@pytest.mark.parametrize("path", ["/moto-api/reset", "/moto-api/data.json", "/moto-api/state-manager/set-transition"])
def test_motos_own_control_routes_are_refused(aws: Cloud, iam: Any, path: str) -> None:
    iam.create_user(UserName="alice")
    for host in ("motoapi.amazonaws.com", "127.0.0.1:5000"):
        assert is_refusal(aws._gate.answer(RawRequest("POST", f"https://{host}{path}", {"host": host})))
    assert "alice" in {user["UserName"] for user in iam.list_users()["Users"]}


def test_nobody_becomes_another_account_by_a_header(aws: Cloud, dev: Any) -> None:
    def add_header(request: Any, **_: Any) -> None:
        request.headers["x-moto-account-id"] = "999999999999"

    client = dev.admin.client("iam")
    client.meta.events.register("before-sign", add_header)
    with pytest.raises(Exception, match="takes no orders"):
        client.list_users()


def test_a_service_the_lab_does_not_know_is_refused_with_a_sentence(aws: Cloud) -> None:
    answer = aws._gate.answer(RawRequest("GET", "https://example.amazonaws.com/x", {"host": "example.amazonaws.com"}))
    assert is_refusal(answer)
    assert aws.trail[-1].decision in ("INVALID", "IMPLICIT_DENY", "UNAUTHENTICATED")
