"""Where the SDK looks: botocore's own list, the first place with credentials being the last that is asked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from simlib import Cloud, lab


@pytest.fixture
def aws() -> Iterator[Cloud]:
    with lab.begin("sessions") as world:
        yield world


def test_in_a_lab_the_process_finds_nothing_anywhere(aws: Cloud) -> None:
    places = lab.provider_chain().places
    assert [place.method for place in places][:2] == ["env", "assume-role"]
    assert places[-1].method == "iam-role"
    assert {place.access_key_id for place in places} == {""}


def test_the_first_place_with_credentials_is_the_last_that_is_asked(
    aws: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a secret that is never shown")
    chain = lab.provider_chain()
    assert [place.access_key_id for place in chain.places][:2] == ["AKIAIOSFODNN7EXAMPLE", None]
    shown = chain._repr_mimebundle_()
    assert "found AKIAIOSFODNN7EXAMPLE" in shown["text/plain"]
    assert "found AKIAIOSFODNN7EXAMPLE" in shown["text/html"]
    assert "a secret" not in str(shown)


def test_on_a_machine_the_role_comes_last(aws: Cloud) -> None:
    machine = aws.account("dev").admin.client("ec2").describe_instances()["Reservations"][0]["Instances"][0]
    *before, role = lab.provider_chain(aws.instance(machine["InstanceId"]).session).places
    assert (role.method, (role.access_key_id or "")[:4]) == ("iam-role", "ASIA")
    assert {place.access_key_id for place in before} == {""}


def test_every_place_botocore_looks_at_has_a_sentence(aws: Cloud) -> None:
    assert [place.method for place in lab.provider_chain().places if place.what == place.method] == []


def test_a_lesson_that_there_is_not_is_refused_with_a_sentence() -> None:
    with pytest.raises(LookupError, match="There is no lesson 99"):
        lab.begin(99)
