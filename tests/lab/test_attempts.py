"""An attempt turns AWS's refusal into a line, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, NoCredentialsError

from simlib import lab
from simlib.lab import attempts


def list_things(**_: Any) -> dict[str, Any]:
    return {"Things": ["one"]}


def refuse(**_: Any) -> None:
    raise ClientError({"Error": {"Code": "AccessDenied", "Message": "User: <b>eve</b> may not"}}, "ListThings")


def no_key(**_: Any) -> None:
    raise NoCredentialsError()


def test_what_aws_allows_carries_its_answer() -> None:
    done = lab.attempt(list_things)
    assert (done.allowed, done["Things"], "Things" in done) == (True, ["one"], True)
    assert str(done) == "✔ Allowed  list_things"


def test_what_aws_refuses_carries_its_words() -> None:
    done = lab.attempt(refuse)
    assert (done.allowed, done.code, done.message) == (False, "AccessDenied", "User: <b>eve</b> may not")
    assert str(done) == "✘ Refused  refuse\n  AccessDenied: User: <b>eve</b> may not"
    html = done._repr_mimebundle_()["text/html"]
    assert "&lt;b&gt;eve&lt;/b&gt;" in html
    assert "<b>eve" not in html


def test_to_use_the_answer_of_a_refused_call_raises_the_refusal() -> None:
    with pytest.raises(ClientError):
        lab.attempt(refuse)["Things"]


def test_what_the_sdk_itself_cannot_do_is_told_apart() -> None:
    done = lab.attempt(no_key)
    assert (done.allowed, done.code, done.message) == (
        False,
        "NoCredentialsError",
        "Unable to locate credentials",
    )


def test_a_mistake_in_the_code_is_not_a_refusal() -> None:
    with pytest.raises(ZeroDivisionError):
        lab.attempt(lambda: 1 / 0)


def test_several_attempts_stand_under_each_other_with_their_names() -> None:
    both = lab.compare({"<one>": lab.attempt(list_things), "two": lab.attempt(refuse)})
    assert str(both).splitlines()[0] == "<one>  ✔ Allowed  list_things"
    html = both._repr_mimebundle_()["text/html"]
    assert '<th scope="row">&lt;one&gt;</th>' in html
    assert both["two"].code == "AccessDenied"


def test_documents_stand_side_by_side_and_are_only_read() -> None:
    shown = lab.side_by_side({"A & B": '{"Sid": "<script>"}\n', "C": "{}"})
    assert str(shown) == 'A & B\n-----\n{"Sid": "<script>"}\n\nC\n-\n{}'
    html = shown._repr_mimebundle_()["text/html"]
    assert "A &amp; B" in html
    assert "<script>" not in html


def test_an_encoded_message_is_shown_by_its_beginning_and_kept_whole() -> None:
    encoded = "gAAAAABrBVLmy2" + "x" * 2000
    words = f"You are not authorized. Encoded authorization failure message: {encoded}"
    error = ClientError({"Error": {"Code": "UnauthorizedOperation", "Message": words}}, "RunInstances")
    refused = attempts.Attempt("run_instances", error=error)
    assert refused.message.endswith(encoded)
    assert str(refused).endswith("failure message: gAAAAABrBVLm…")
    assert "x" * 100 not in refused._repr_mimebundle_()["text/html"]


def test_a_call_that_has_been_made_already_gets_a_sentence() -> None:
    with pytest.raises(TypeError, match="write attempt"):
        lab.attempt(list_things())
