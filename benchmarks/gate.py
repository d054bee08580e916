"""What the gate costs: a boto3 call through it, against the same call to bare moto in the same run; and memory.

Both are measured in one process, turn by turn, so that noise falls on both alike. The bare client is like the other,
but moto's own handler stands in the gate's place: it serves the call from the same backends, as `mock_aws` does.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from statistics import median
from time import perf_counter
from typing import Any
from unittest.mock import patch

from botocore.config import Config
from moto.core.botocore_stubber import BotocoreStubber

from benchmarks.row import Row
from simlib import Cloud
from simlib.cloud.storage.changes import REMEMBERED
from simlib.cloud.world import _meet_the_gate

TURNS, CALLS, WARM_UP = 200, 4, 5
LIMIT = 1.15
# neither knows the loopback endpoint: moto serves AWS's own addresses
NO_RETRIES = Config(retries={"total_max_attempts": 1}, ignore_configured_endpoint_urls=True)
TRUST = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"111111111111"},'
    '"Action":"sts:AssumeRole"}]}'
)
Call = Callable[[], Any]
ORIGINALS = tuple((owner, name, getattr(owner, name)) for owner, name, _ in REMEMBERED)


@contextmanager
def forgetful() -> Iterator[None]:
    """moto as it comes, while a world is open: what its own speed is measured by."""
    with ExitStack() as stack:
        for owner, name, original in ORIGINALS:
            stack.enter_context(patch.object(owner, name, original))
        yield


def measure() -> Iterator[Row]:
    with Cloud.start() as aws:
        admin = aws.account("dev").admin

        def gated(service: str) -> Any:
            return admin.client(service, config=NO_RETRIES)

        def bare(service: str) -> Any:
            client, moto = gated(service), BotocoreStubber()
            moto.enabled = True

            def untouched(**event: Any) -> Any:
                with forgetful():
                    return moto(**event)

            client.meta.events.unregister("before-send", _meet_the_gate)
            client.meta.events.register_first("before-send", untouched)
            return client

        furnish(gated)
        ours, floor = calls(gated), calls(bare)
        for name in ours:
            seen = aws.trail.total
            floor[name]()
            if aws.trail.total != seen:
                raise RuntimeError(f"The floor of {name} has met the gate.")
            through_gate, to_moto = timed(ours[name], floor[name])
            yield Row(f"{name}, against bare moto", through_gate * 1e3, "ms", to_moto * 1e3, limit=LIMIT)
    yield Row("memory of 1,000 sessions", memory_of_sessions(1_000) / 1e6, "MB")
    yield Row("memory of 100,000 events of the trail", memory_of_events(2_000) * 50 / 1e6, "MB")


def furnish(client: Callable[[str], Any]) -> None:
    client("s3").create_bucket(Bucket="measured")
    client("s3").put_object(Bucket="measured", Key="k", Body=b"x" * 100)
    client("dynamodb").create_table(
        TableName="measured",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    )
    client("dynamodb").put_item(TableName="measured", Item={"id": {"S": "1"}})


def calls(client: Callable[[str], Any]) -> dict[str, Call]:
    """One call of each service."""
    s3, dynamodb, ec2, sts = (client(service) for service in ("s3", "dynamodb", "ec2", "sts"))
    return {
        "STS GetCallerIdentity": sts.get_caller_identity,
        "S3 GetObject": lambda: s3.get_object(Bucket="measured", Key="k")["Body"].read(),
        "DynamoDB GetItem": lambda: dynamodb.get_item(TableName="measured", Key={"id": {"S": "1"}}),
        "EC2 DescribeInstances": ec2.describe_instances,
    }


def timed(*rivals: Call) -> list[float]:
    """Seconds that a call of each takes: the medians of short turns, taken one after the other."""
    taken: list[list[float]] = [[] for _ in rivals]
    for _ in range(TURNS + WARM_UP):
        for call, times in zip(rivals, taken, strict=True):
            start = perf_counter()
            for _ in range(CALLS):
                call()
            times.append((perf_counter() - start) / CALLS)
    return [median(times[WARM_UP:]) for times in taken]


def memory_of_sessions(count: int) -> float:
    """Bytes that so many sessions of one role keep."""
    with Cloud.start(trail_bound=1) as aws:
        admin = aws.account("dev").admin
        admin.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)
        sts = admin.client("sts", config=NO_RETRIES)
        role = "arn:aws:iam::111111111111:role/r"
        return kept_by(lambda: sts.assume_role(RoleArn=role, RoleSessionName="me"), count)


def memory_of_events(count: int) -> float:
    """Bytes that so many events keep."""
    with Cloud.start() as aws:
        s3 = aws.account("dev").admin.client("s3", config=NO_RETRIES)
        return kept_by(s3.list_buckets, count)


def kept_by(call: Call, count: int) -> float:
    """Bytes of memory that `count` calls leave behind."""
    for _ in range(20):
        call()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(count):
        call()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    return float(grown)
