"""An identity's AWS CLI: its credentials and nobody else's, the lab's clock, a home folder of its own."""

from __future__ import annotations

import json
from typing import Any

import pytest

from simlib import Cloud
from tests.cloud.conftest import new_user


def test_the_cli_acts_as_the_identity(aws: Cloud, iam: Any) -> None:
    alice = new_user(aws, iam, "alice")
    who = alice.run("aws sts get-caller-identity --query Arn --output text")
    assert (who.stdout.strip(), who.returncode) == ("arn:aws:iam::111111111111:user/alice", 0)
    refused = alice.run("aws iam list-users")
    assert refused.returncode == 255
    assert "user/alice is not authorized to perform: iam:ListUsers" in refused.stderr


def test_temporary_credentials_end_by_the_labs_clock(aws: Cloud, iam: Any) -> None:
    session = aws.sign_in(new_user(aws, iam, "alice").client("sts").get_session_token(DurationSeconds=900))
    assert session.run("aws sts get-caller-identity").returncode == 0
    aws.clock.advance(minutes=16)
    assert "ExpiredToken" in session.run("aws sts get-caller-identity").stderr


def test_the_learners_environment_and_another_identitys_profile_do_not_count(
    aws: Cloud, iam: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, bob = new_user(aws, iam, "alice"), new_user(aws, iam, "bob")
    monkeypatch.setenv("AWS_DEFAULT_OUTPUT", "text")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "stale")
    alice.run("aws configure set output text")
    assert json.loads(bob.run("aws sts get-caller-identity").stdout)["Arn"].endswith("user/bob")


def test_other_programs_are_refused_with_a_sentence(aws: Cloud, iam: Any) -> None:
    with pytest.raises(ValueError, match="The lab knows one program, the AWS CLI"):
        new_user(aws, iam, "alice").run("ls")
