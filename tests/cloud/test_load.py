"""Under load: many threads call at once while sessions end and policies change, and some serial order explains it all.

Every version of the one policy allows one marked object; only the administrator changes it, version by version. A
reader's call that begins after version `low` was acknowledged and ends before version `high + 1` was asked for must be
answered as some version between them says. And all readers at once attach a policy each to one user, of which ten fit:
whatever the order, ten are attached and the others are refused.
"""

from __future__ import annotations

import random
import threading
import time
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from simlib import Cloud
from simlib.cloud.storage.store import Store

from .conftest import allow, document, trust

THREADS, CALLS, OBJECTS, SEED = 16, 500, 4, 20_261_124
QUOTA = 10  # managed policies of a user
NO_RETRIES = Config(retries={"total_max_attempts": 1}, parameter_validation=False)
ROLE = "arn:aws:iam::111111111111:role/reader"


class Tally:
    """What threads have seen that no serial order allows."""

    def __init__(self) -> None:
        self.asked = self.acknowledged = self.ended = self.attached = 0
        self.wrong: list[str] = []
        self.calls = 0
        self._lock = threading.Lock()

    def count(self, calls: int, ended: int, attached: bool) -> None:
        with self._lock:
            self.calls += calls
            self.ended += ended
            self.attached += attached


def policy(version: int) -> str:
    return document(allow("s3:GetObject", f"arn:aws:s3:::load/{version % OBJECTS}"))


def run(aws: Cloud, threads: int, calls: int) -> Tally:
    """`threads` readers of `calls` calls each, beside one administrator and a clock."""
    admin = aws.account("dev").admin
    iam, s3, sts = (admin.client(service, config=NO_RETRIES) for service in ("iam", "s3", "sts"))
    s3.create_bucket(Bucket="load")
    for number in range(OBJECTS):
        s3.put_object(Bucket="load", Key=str(number), Body=str(number).encode())
    iam.create_role(RoleName="reader", AssumeRolePolicyDocument=trust({"AWS": "111111111111"}))
    iam.put_role_policy(RoleName="reader", PolicyName="p", PolicyDocument=policy(0))
    iam.create_user(UserName="crowded")
    extra = [
        iam.create_policy(PolicyName=f"p{number}", PolicyDocument=policy(0))["Policy"]["Arn"]
        for number in range(threads)
    ]
    tally, busy, together = Tally(), threading.Event(), threading.Barrier(threads)
    busy.set()
    clients = [sign_in(aws, sts) for _ in range(threads)]

    def change() -> None:
        while busy.is_set():
            tally.asked += 1
            iam.put_role_policy(RoleName="reader", PolicyName="p", PolicyDocument=policy(tally.asked))
            tally.acknowledged = tally.asked
            if tally.asked % 40 == 0:
                aws.clock.advance(seconds=450)
            time.sleep(0.001)

    def read(index: int) -> None:
        chance, client, ended, attached = random.Random(SEED + index), clients[index], 0, True
        together.wait(timeout=60)
        try:
            iam.attach_user_policy(UserName="crowded", PolicyArn=extra[index])
        except ClientError as error:
            attached = False
            if error.response["Error"]["Code"] != "LimitExceeded":
                tally.wrong.append(str(error))
        for _ in range(calls):
            key = chance.randrange(OBJECTS)
            low = tally.acknowledged
            try:
                got = client.get_object(Bucket="load", Key=str(key))["Body"].read() == str(key).encode()
                outcome = "allowed" if got else "another object"
            except ClientError as error:
                outcome = error.response["Error"]["Code"]
            except Exception as error:
                outcome = repr(error)
            high = tally.asked
            said = {"allowed" if version % OBJECTS == key else "AccessDenied" for version in range(low, high + 1)}
            if outcome == "ExpiredToken":
                ended += 1
                client = sign_in(aws, sts)
            elif outcome not in said:
                tally.wrong.append(f"{key} between {low} and {high}: {outcome}")
        tally.count(calls, ended, attached)

    readers = [threading.Thread(target=read, args=(index,), daemon=True) for index in range(threads)]
    changer = threading.Thread(target=change, daemon=True)
    for thread in (changer, *readers):
        thread.start()
    for thread in readers:
        thread.join(timeout=240)
    busy.clear()
    changer.join(timeout=30)
    assert not any(thread.is_alive() for thread in (changer, *readers)), "a deadlock"
    return tally


def sign_in(aws: Cloud, sts: Any) -> Any:
    session = sts.assume_role(RoleArn=ROLE, RoleSessionName="load", DurationSeconds=900)
    return aws.sign_in(session).client("s3", config=NO_RETRIES)


def test_some_serial_order_explains_every_answer_and_nothing_is_lost() -> None:
    with Cloud.start(trail_bound=50_000) as aws:
        tally = run(aws, THREADS, CALLS)
        read = [event for event in aws.trail if event.operation == "GetObject"]
        changed = [event for event in aws.trail if event.operation == "PutRolePolicy"]
        numbers = [event.number for event in aws.trail]
    assert tally.wrong == []
    assert tally.attached == min(QUOTA, THREADS)
    assert tally.calls == len(read) == THREADS * CALLS
    assert len(changed) == tally.acknowledged + 1 > 20
    assert tally.ended > 0
    assert numbers == list(range(1, len(numbers) + 1))


class NoLock:
    def __enter__(self) -> None: ...
    def __exit__(self, *_: object) -> None: ...


def test_the_check_fails_when_the_lock_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    act = Store.act

    def slowly(store: Store, call: Any, account: str) -> Any:
        if call.operation == "AttachUserPolicy":
            time.sleep(0.2)  # it has been seen that one more fits; without a lock others see it too
        return act(store, call, account)

    monkeypatch.setattr(Store, "act", slowly)
    with Cloud.start() as aws:
        assert run(aws, THREADS, 1).attached == QUOTA
    with Cloud.start() as aws:
        aws.account("dev")
        aws._gate.lock = NoLock()  # type: ignore[assignment]
        assert run(aws, THREADS, 1).attached > QUOTA
