"""A request as moto reads it: what moto's own way of building one makes of it, too."""

from __future__ import annotations

import pytest
from moto.core.request import Request

from simlib.cloud.transport.mock import as_request

PATHS = [
    "",
    "/",
    "/a%20b",
    "/a%2Fb",
    "/%C3%BC",
    "/ü",
    "/a+b",
    "/a?x=1&y=%20",
    "/b?list-type=2&prefix=a%2Fb",
    "/x?acl",
    "/%zz",
]
HOSTS = ["https://s3.amazonaws.com", "https://b.s3.us-east-1.amazonaws.com", "http://127.0.0.1:8080"]
HEADERS = {
    "content-type": "application/x-www-form-urlencoded; charset=utf-8",
    "x-amz-meta-my_key": "1",
    "authorization": "AWS4-HMAC-SHA256 …",
}


@pytest.mark.parametrize("body", [b"", b"Action=ListUsers&Version=2010-05-08"])
@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("path", PATHS)
def test_it_is_the_request_that_moto_would_build(path: str, host: str, body: bytes) -> None:
    url = host + path
    ours = as_request("POST", url, {**HEADERS, "host": "elsewhere"}, body)
    theirs = Request.from_primitives("POST", url, {**HEADERS, "host": url.split("/")[2]}, body)
    theirs.get_data()
    told = {name: value for name, value in theirs.environ.items() if not name.startswith(("wsgi.", "werkzeug."))}
    assert {name: ours.environ.get(name) for name in told} == told
    assert set(ours.headers) == set(theirs.headers)
    for part in ("method", "path", "raw_path", "raw_url", "data", "form", "values", "args"):
        assert getattr(ours, part) == getattr(theirs, part), part
