"""Digests of bodies: right for every length, and worked out while others are served."""

from __future__ import annotations

import random
import threading
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

import pytest

from simlib import Cloud
from simlib.cloud.transport import checksums, mock, signer

CRCS = {"ChecksumCRC32C": (32, 0x82F63B78), "ChecksumCRC64NVME": (64, 0x9A6C9329AC4BC9B5)}


def bit_by_bit(body: bytes, bits: int, polynomial: int) -> str:
    register = (1 << bits) - 1
    for byte in body:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (polynomial if register & 1 else 0)
    return b64encode((register ^ ((1 << bits) - 1)).to_bytes(bits // 8, "big")).decode()


@pytest.mark.parametrize("name", CRCS)
def test_a_crc_of_any_length_is_that_of_its_definition(name: str) -> None:
    chance = random.Random(8)
    for length in (*range(34), 63, 64, 65, 255, 256, 257, 1000, 4095, 4096, 4097, 30_001):
        body = chance.randbytes(length)
        assert checksums.calculate({"Body": body, name: "?"}) == {name: bit_by_bit(body, *CRCS[name])}, length


def test_only_promised_digests_are_calculated() -> None:
    assert checksums.calculate({"Body": b"x"}) == checksums.calculate({"ChecksumSHA1": "?"}) == {}


READING: list[tuple[Any, str, Mapping[str, Any]]] = [
    (checksums, "calculate", {"ChecksumAlgorithm": "SHA256"}),
    (signer, "payload", {}),
    (mock, "parse_request", {}),
]


@pytest.mark.parametrize(("module", "name", "more"), READING, ids=[name for _, name, _ in READING])
def test_while_a_body_is_read_the_gate_is_open_to_others(
    aws: Cloud, monkeypatch: pytest.MonkeyPatch, module: Any, name: str, more: Mapping[str, Any]
) -> None:
    s3 = aws.account("dev").admin.client("s3")
    s3.create_bucket(Bucket="first")
    real, free = getattr(module, name), []

    def somebody_else() -> None:
        if aws._gate.lock.acquire(blocking=False):
            free.append(True)
            aws._gate.lock.release()
        else:
            free.append(False)

    def watched(*arguments: Any) -> Any:
        other = threading.Thread(target=somebody_else)
        other.start()
        other.join()
        return real(*arguments)

    monkeypatch.setattr(module, name, watched)
    s3.put_object(Bucket="first", Key="k", Body=b"x" * 1000, **more)
    assert free
    assert all(free)
