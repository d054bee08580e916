"""lab.refused: an error text explained, beside the world that is open."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from simlib import Cloud, lab


def test_a_refusal_of_the_lab_is_explained_with_what_decides_in_its_world() -> None:
    with Cloud.start() as aws:
        iam = aws.account("dev").admin.client("iam")
        iam.create_user(UserName="alice")
        alice = aws.sign_in(iam.create_access_key(UserName="alice"))
        with pytest.raises(ClientError) as refused:
            alice.client("iam").list_users()
        text = repr(lab.refused(str(refused.value)))
    assert "No identity-based policy of arn:aws:iam::111111111111:user/alice allows it" in text
    assert "In this world: Denied, because nothing allows it" in text


def test_without_a_world_the_text_alone_is_explained() -> None:
    text = repr(lab.refused("An error occurred (AccessDenied) when calling the X operation: Access Denied"))
    assert "In this world" not in text
    assert "S3 refused" in text


def test_what_is_no_error_of_aws_is_said_to_be_none() -> None:
    with pytest.raises(ValueError, match="no error text of AWS"):
        lab.refused("hello")
