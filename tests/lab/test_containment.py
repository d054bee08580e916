"""The panel that cuts off: it lists without a call, and each button does what the console's does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from simlib import Cloud, lab
from simlib.lab.lesson_worlds import trust

UNKNOWN = {"AccessKeyId": "AKIAIOSFODNN7EXAMPLE", "SecretAccessKey": "x"}


@pytest.fixture
def world() -> Iterator[Cloud]:
    """dev and prod; in dev alice, a machine with the role web-app, and the role reports with a session of alice's."""
    with lab.begin("sessions") as world:
        world.account("prod")
        yield world


@pytest.fixture
def panel(world: Cloud) -> lab.Containment:
    return lab.Containment(world, accounts=["dev"])


def known(panel: lab.Containment, beginning: str) -> str:
    return next((row.known for row in panel.rows if row.what.startswith(beginning)), "gone")


@pytest.fixture
def alice(world: Cloud) -> Any:
    iam = world.account("dev").admin.client("iam")
    return world.sign_in(iam.create_access_key(UserName="alice"))


def test_it_lists_keys_machines_and_roles_of_its_accounts_without_a_call(
    world: Cloud, alice: Any, panel: lab.Containment
) -> None:
    world.account("prod").admin.client("iam").create_role(
        RoleName="elsewhere", AssumeRolePolicyDocument=trust("arn:aws:iam::222222222222:root")
    )
    alice.client("sts").get_caller_identity()
    calls = world.trail.total
    said = str(panel)
    assert world.trail.total == calls
    assert f"key {alice.access_key_id} of alice (dev)" in said
    assert "last used" in said
    assert "runs with the role web-app" in said
    assert "role reports (dev): no valid sessions" in said
    assert "elsewhere" not in said
    assert "lab-admin" not in said


def test_a_key_that_is_deleted_opens_nothing_and_is_listed_no_more(alice: Any, panel: lab.Containment) -> None:
    panel.delete_key(alice.access_key_id)
    assert panel.note.startswith("Done: ")
    assert not lab.attempt(alice.client("sts").get_caller_identity).allowed
    assert known(panel, f"key {alice.access_key_id}") == "gone"


def test_a_key_that_was_deactivated_by_mistake_is_there_to_be_activated_again(
    alice: Any, panel: lab.Containment
) -> None:
    panel.deactivate(alice.access_key_id)
    assert not lab.attempt(alice.client("sts").get_caller_identity).allowed
    assert known(panel, f"key {alice.access_key_id}").startswith("inactive, ")
    assert "Activate" in panel.page().html(live=True)
    panel.activate(alice.access_key_id)
    assert lab.attempt(alice.client("sts").get_caller_identity).allowed
    assert not known(panel, f"key {alice.access_key_id}").startswith("inactive")


def test_a_machine_is_terminated(world: Cloud, panel: lab.Containment) -> None:
    (machine,) = (row.value for row in panel.rows if row.what.startswith("machine"))
    panel.terminate(machine)
    assert not world.instance_facts(machine).running
    assert known(panel, "machine") == "gone"


def test_sessions_are_revoked_and_later_ones_are_not(world: Cloud, alice: Any, panel: lab.Containment) -> None:
    reports = "arn:aws:iam::111111111111:role/reports"

    def session() -> Any:
        return world.sign_in(alice.client("sts").assume_role(RoleArn=reports, RoleSessionName="lesson"))

    def reads(who: Any) -> bool:
        return bool(lab.attempt(who.client("s3").get_object, Bucket="my-secure-bucket", Key="report.csv").allowed)

    old = session()
    assert reads(old)
    assert known(panel, "role reports") == "1 valid session"
    world.clock.advance(seconds=2)
    panel.revoke(reports)
    assert not reads(old)
    assert known(panel, "role reports") == "no valid sessions"
    world.clock.advance(seconds=2)
    assert reads(session())


def test_a_role_is_deleted_with_its_policies_and_out_of_its_profile(world: Cloud, panel: lab.Containment) -> None:
    panel.delete_role("arn:aws:iam::111111111111:role/web-app")
    assert panel.note == "Done: delete the role web-app (dev)."
    iam = world.account("dev").admin.client("iam")
    assert iam.get_instance_profile(InstanceProfileName="web-app")["InstanceProfile"]["Roles"] == []
    assert known(panel, "role web-app") == "gone"


def test_what_aws_refuses_is_said(world: Cloud, panel: lab.Containment) -> None:
    panel.accounts["111111111111"] = SimpleNamespace(admin=world.sign_in(UNKNOWN))
    panel.delete_role("arn:aws:iam::111111111111:role/reports")
    assert panel.note.startswith("AWS refused to delete the role reports (dev): ")


@pytest.mark.parametrize("what", ["", "arn:aws:iam::111111111111:role/nobody", "AKIAIOSFODNN7EXAMPLE"])
def test_what_is_not_there_is_not_touched(panel: lab.Containment, what: str) -> None:
    for do in panel.commands.values():
        with pytest.raises(LookupError, match="to cut off in these accounts"):
            do(what)


def test_a_key_of_another_account_is_not_touched(world: Cloud, panel: lab.Containment) -> None:
    with pytest.raises(LookupError, match="to cut off in these accounts"):
        panel.delete_key(world.account("prod").admin.access_key_id)


def test_where_a_row_goes_its_focus_finds_another(world: Cloud, panel: lab.Containment) -> None:
    shown = panel.page().html(live=True)
    places = re.findall(r'data-at="(\d+) (\d+)" data-key="at-(\d+)-(\d+)"', shown)
    assert places
    assert all((row, column) == (at, of) for row, column, at, of in places)


def test_where_nothing_is_left_it_says_so_and_takes_the_focus() -> None:
    with lab.begin("users") as world:
        empty = lab.Containment(world, accounts=[world.account("empty").name])
        assert "There is nothing left to cut off." in str(empty)
        assert "data-home" in empty.page().html(live=True)
