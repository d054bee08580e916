"""The stop button in the middle of a call: the call is done or not begun, the lock is free, and the next one works."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
import time_machine
from botocore.exceptions import ClientError
from moto import mock_aws

from simlib import Cloud
from simlib.cloud.gate import Gate
from simlib.cloud.interrupts import uninterrupted
from simlib.cloud.storage.store import Store

PLACES = {
    "before the call is understood": ("simlib.cloud.gate.place", "before"),
    "before it is decided": ("simlib.cloud.gate.permissions_of", "before"),
    "before it acts": (f"{Store.__module__}.Store.act", "before"),
    "when it has acted": (f"{Store.__module__}.Store.act", "after"),
    "before it is on record": (f"{Gate.__module__}.Gate._recorded", "before"),
    "when it is on record": (f"{Gate.__module__}.Gate._recorded", "after"),
}


@pytest.fixture
def aws() -> Iterator[Cloud]:
    with Cloud.start() as world:
        world.account("dev")
        yield world


def interrupting(monkeypatch: pytest.MonkeyPatch, target: str, when: str, times: int = 1) -> None:
    """Let the stop button be pressed before or after a function of the lab does its work."""
    import importlib

    module, _, name = target.rpartition(".")
    try:
        owner: Any = importlib.import_module(module)
    except ModuleNotFoundError:
        module, _, of = module.rpartition(".")
        owner = getattr(importlib.import_module(module), of)
    original = getattr(owner, name)

    presses = [times]  # once: what was cut short is done again

    def stopped(*arguments: Any, **named: Any) -> Any:
        if when == "before" and presses:
            press(presses.pop())
        answer = original(*arguments, **named)
        if when == "after" and presses:
            press(presses.pop())
        return answer

    monkeypatch.setattr(owner, name, stopped)


def press(times: int = 1) -> None:
    for _ in range(times):
        signal.raise_signal(signal.SIGINT)


def free(lock: Any) -> bool:
    """Whether another thread gets the lock at once."""
    found: list[bool] = []

    def attempt() -> None:
        if lock.acquire(blocking=False):
            lock.release()
            found.append(True)

    thread = threading.Thread(target=attempt)
    thread.start()
    thread.join()
    return bool(found)


@pytest.mark.parametrize("place", PLACES)
def test_a_call_that_is_stopped_is_done_and_on_record(place: str, aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    iam, calls = aws.account("dev").admin.client("iam"), aws.trail.total
    with monkeypatch.context() as patch:
        interrupting(patch, *PLACES[place])
        with pytest.raises(KeyboardInterrupt):
            iam.create_user(UserName="alice")
    assert free(aws._gate.lock)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert [(event.action, event.decision) for event in aws.trail.since(calls)] == [("iam:CreateUser", "ALLOW")]
    with pytest.raises(ClientError, match="EntityAlreadyExists"):
        iam.create_user(UserName="alice")


@pytest.mark.parametrize("place", PLACES)
def test_a_session_that_was_being_minted_is_known_or_was_never_born(
    place: str, aws: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        interrupting(patch, *PLACES[place])
        with pytest.raises(KeyboardInterrupt):
            aws.account("dev").admin.client("iam").create_access_key(UserName="lab-admin")
    stored = {key["AccessKeyId"] for key in keys(aws)}
    assert {each.access_key_id for each in aws.credentials()} == stored
    assert len(stored) == 2


def keys(aws: Cloud) -> list[Any]:
    found: list[Any] = aws.account("dev").admin.client("iam").list_access_keys()["AccessKeyMetadata"]
    return found


def test_who_presses_twice_does_not_wait(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    iam = aws.account("dev").admin.client("iam")
    with monkeypatch.context() as patch:
        interrupting(patch, f"{Store.__module__}.Store.act", "before", times=2)
        with pytest.raises(KeyboardInterrupt):
            iam.create_user(UserName="alice")
    assert free(aws._gate.lock)
    iam.create_user(UserName="alice")


def test_a_rehearsal_that_is_stopped_while_it_is_undone_is_undone(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    iam = aws.account("dev").admin.client("iam")
    iam.create_user(UserName="alice")

    def rehearse() -> None:
        with aws.rehearsal():
            iam.delete_user(UserName="alice")
            interrupting(monkeypatch, "simlib.cloud.storage.contents.take_out", "before")

    with pytest.raises(KeyboardInterrupt):
        rehearse()
    monkeypatch.undo()
    assert "alice" in {user["UserName"] for user in iam.list_users()["Users"]}


MOCK = {"aws_access_key_id": "mock", "aws_secret_access_key": "mock"}
START = [
    "simlib.cloud.ambient.Hidden.__init__",
    "simlib.cloud.clock.Clock.start",
    "simlib.cloud.storage.contents.forget",
]


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("place", START)
def test_after_a_start_that_was_stopped_the_next_one_works_and_leaves_all_as_it_was(
    place: str, when: str, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = dict(os.environ), len(threading.enumerate())
    with monkeypatch.context() as patch:
        interrupting(patch, place, when, times)
        with pytest.raises(KeyboardInterrupt):
            Cloud.start()
    with Cloud.start() as aws:
        assert aws.account("dev").admin.client("iam").list_users()["Users"]
    assert (dict(os.environ), len(threading.enumerate())) == before
    assert not time_machine.escape_hatch.is_travelling()
    with mock_aws():
        assert boto3.client("iam", "us-east-1", **MOCK).list_users()["Users"] == []


STOP = [f"{Store.__module__}.Store.close", "simlib.cloud.clock.Clock.stop", "simlib.cloud.ambient.Hidden.restore"]


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("place", STOP)
def test_after_a_stop_that_was_stopped_the_next_start_works_and_leaves_all_as_it_was(
    place: str, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = dict(os.environ), len(threading.enumerate())
    with monkeypatch.context() as patch:
        interrupting(patch, place, "before", times)
        aws = Cloud.start()
        aws.account("dev")
        with pytest.raises(KeyboardInterrupt):
            aws.stop()
    with Cloud.start() as again:
        assert [user["UserName"] for user in again.account("dev").admin.client("iam").list_users()["Users"]]
    assert (dict(os.environ), len(threading.enumerate())) == before
    assert not time_machine.escape_hatch.is_travelling()
    with mock_aws():  # moto is as it comes
        assert boto3.client("iam", "us-east-1", **MOCK).list_users()["Users"] == []


def test_a_thread_of_its_own_is_not_interrupted_and_changes_nothing() -> None:
    before = signal.getsignal(signal.SIGINT)
    seen: list[Any] = []

    def work() -> None:
        with uninterrupted():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before] == [signal.getsignal(signal.SIGINT)]


@pytest.mark.parametrize("raised", [None, ValueError])
def test_an_error_of_the_block_gives_way_to_the_interruption(raised: type[Exception] | None) -> None:
    def work() -> None:
        with uninterrupted():
            press()
            if raised:
                raise raised

    with pytest.raises(KeyboardInterrupt):
        work()


def test_blocks_within_blocks_wait_for_the_outermost() -> None:
    done: list[str] = []

    def work(inner: Callable[[], Any]) -> None:
        with uninterrupted():
            with uninterrupted():
                inner()
            done.append("outer")

    with pytest.raises(KeyboardInterrupt):
        work(press)
    assert done == ["outer"]
