"""An attempt turns AWS's refusal into a line, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, NoCredentialsError

from simlib import lab
from simlib.lab import attempts
from simlib.lab.answer_summary import summary


def list_things(**_: Any) -> dict[str, Any]:
    return {"Things": ["one"]}


def refuse(**_: Any) -> None:
    raise ClientError({"Error": {"Code": "AccessDenied", "Message": "User: <b>eve</b> may not"}}, "ListThings")


def no_key(**_: Any) -> None:
    raise NoCredentialsError()


def test_what_aws_allows_carries_its_answer() -> None:
    done = lab.attempt(list_things)
    assert (done.allowed, done["Things"], "Things" in done) == (True, ["one"], True)
    assert str(done) == "✔ Allowed  list_things\n  things: one"


def test_what_aws_refuses_carries_its_words_and_raises_when_its_answer_is_used() -> None:
    done = lab.attempt(refuse)
    assert (done.allowed, done.code, done.message) == (False, "AccessDenied", "User: <b>eve</b> may not")
    assert str(done) == "✘ Refused  refuse\n  AccessDenied: User: <b>eve</b> may not"
    html = done._repr_mimebundle_()["text/html"]
    assert "&lt;b&gt;eve&lt;/b&gt;" in html
    assert "<b>eve" not in html
    with pytest.raises(ClientError):
        done["Things"]


def test_what_the_sdk_itself_cannot_do_is_told_apart() -> None:
    done = lab.attempt(no_key)
    assert (done.allowed, done.code, done.message) == (False, "NoCredentialsError", "Unable to locate credentials")


def test_a_mistake_in_the_code_is_not_a_refusal() -> None:
    with pytest.raises(ZeroDivisionError):
        lab.attempt(lambda: 1 / 0)
    with pytest.raises(TypeError, match="write attempt"):
        lab.attempt(list_things())


def test_several_attempts_stand_under_each_other_with_their_names() -> None:
    both = lab.compare({"<one>": lab.attempt(list_things), "two": lab.attempt(refuse)})
    assert str(both).splitlines()[0] == "<one>  ✔ Allowed  list_things"
    html = both._repr_mimebundle_()["text/html"]
    assert "&lt;one&gt;" in html
    assert "<one>" not in html
    assert both["two"].code == "AccessDenied"


def test_an_encoded_message_is_shown_by_its_beginning_and_kept_whole() -> None:
    encoded = "gAAAAABrBVLmy2" + "x" * 2000
    words = f"You are not authorized. Encoded authorization failure message: {encoded}"
    error = ClientError({"Error": {"Code": "UnauthorizedOperation", "Message": words}}, "RunInstances")
    refused = attempts.Attempt("run_instances", error=error)
    assert refused.message.endswith(encoded)
    assert str(refused).endswith("failure message: gAAAAABrBVLm…")
    assert "x" * 100 not in refused._repr_mimebundle_()["text/html"]


@pytest.fixture(scope="module")
def world() -> Iterator[Any]:
    with lab.begin("sessions") as world:
        yield world


ROLE = "arn:aws:iam::111111111111:role/reports"
FILE = {"Bucket": "my-secure-bucket", "Key": "report.csv"}
TOLD = {  # service, call, its parameters: the outcome, and the line about the answer
    "an object": (
        "s3",
        "get_object",
        FILE,
        "✔ Allowed  lab-admin (dev)  s3:GetObject",
        "24 bytes: month,profit and 1 more",
    ),
    "a listing": ("s3", "list_objects_v2", {"Bucket": "my-secure-bucket"}, "✔ Allowed", "objects: report.csv"),
    "people": ("iam", "list_users", {}, "✔ Allowed", "users: lab-admin, alice"),
    "nobody": ("iam", "list_groups", {}, "✔ Allowed", "no groups"),
    "a role": ("iam", "get_role", {"RoleName": "reports"}, "iam:GetRole  role/reports", "\n  reports"),
    "who I am": ("sts", "get_caller_identity", {}, "✔ Allowed", "user/lab-admin"),
    "a missing file": ("s3", "get_object", {**FILE, "Key": "none"}, "– Not there", "NoSuchKey"),
    "a missing role": ("iam", "get_role", {"RoleName": "none"}, "– Not there", "NoSuchEntity"),
    "a second alice": ("iam", "create_user", {"UserName": "alice"}, "– Conflict", "EntityAlreadyExists"),
    "a wrong name": ("iam", "create_user", {"UserName": "a b"}, "– Invalid request", "ValidationError"),
    "what the SDK does not send": ("iam", "create_user", {}, "– Not sent  create_user", "ParamValidationError"),
}


@pytest.mark.parametrize("case", TOLD)
def test_an_attempt_says_who_what_on_what_and_the_gist_of_the_answer(world: Any, case: str) -> None:
    service, call, parameters, *parts = TOLD[case]
    done = lab.attempt(getattr(world.account("dev").admin.client(service), call), **parameters)
    assert [part for part in parts if part not in str(done)] == []
    if done.outcome != "Refused":
        assert "Refused" not in done._repr_mimebundle_()["text/html"]


def test_an_answer_that_describes_one_thing_is_that_thing_whatever_lists_it_has() -> None:
    answer = {"FunctionName": "who", "FunctionArn": "arn:of:who", "Role": "arn:of:web-app", "Architectures": ["x86_64"]}
    assert summary(answer) == "arn:of:who"


def test_the_body_that_was_looked_at_can_still_be_read(world: Any) -> None:
    done = lab.attempt(world.account("dev").admin.client("s3").get_object, **FILE)
    assert done["Body"].read() == b"month,profit\nOctober,42\n"


def test_a_session_is_told_by_its_name_and_end_and_its_secret_is_not(world: Any) -> None:
    alice = world.sign_in(world.account("dev").admin.client("iam").create_access_key(UserName="alice"))
    done = lab.attempt(alice.client("sts").assume_role, RoleArn=ROLE, RoleSessionName="lesson")
    assert "alice (dev)  sts:AssumeRole  role/reports" in str(done)
    assert re.search(r"assumed-role/reports/lesson, until 2\d{3}-\d\d-\d\d \d\d:\d\d UTC", str(done))
    assert done["Credentials"]["SecretAccessKey"] not in str(done._repr_mimebundle_())


def test_a_refusal_opens_its_reason_in_place(world: Any) -> None:
    alice = world.sign_in(world.account("dev").admin.client("iam").create_access_key(UserName="alice"))
    shown = lab.attempt(alice.client("iam").list_users)._repr_mimebundle_()["text/html"]
    assert "Why?" in shown
    assert "an Allow is needed here" in shown


def test_awss_answer_stands_once_in_an_attempt_and_its_reason(world: Any) -> None:
    gone = world.sign_in({"AccessKeyId": "AKIAIOSFODNN7EXAMPLE", "SecretAccessKey": "x"})
    shown = lab.attempt(gone.client("sts").get_caller_identity)._repr_mimebundle_()["text/html"]
    assert shown.count("The security token included in the request is invalid.") == 1
    assert "AWS does not know this access key." in shown
    assert str(world.why()).endswith("InvalidClientTokenId: The security token included in the request is invalid.")


def test_a_machines_call_breaks_after_its_role_and_not_within_its_id() -> None:
    machine = attempts.Attempt("list_buckets", who="web-app/i-0abc1234def567890 (dev)", what="s3:ListAllMyBuckets")
    who = '<span class="sl-who"><span><span class="sl-nb">web-app</span>/<wbr>'
    assert f'{who}<span class="sl-nb">i-0abc1234def567890</span> (dev)</span></span>' in machine.page().html()
