"""Digests with which a sender vouches for a body, by S3's names for them; each is given as the bytes it consists of.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Mapping


def _crc(bits: int, polynomial: int) -> Callable[[bytes], bytes]:
    """A cyclic redundancy check that reads low bits first and is inverted at both ends; `polynomial` is reflected."""
    table = list(range(256))
    for _ in range(8):
        table = [value >> 1 ^ (polynomial if value & 1 else 0) for value in table]
    inverted = (1 << bits) - 1

    def digest(body: bytes) -> bytes:
        value = inverted
        for byte in body:
            value = table[(value ^ byte) & 0xFF] ^ value >> 8
        return (value ^ inverted).to_bytes(bits // 8, "big")

    return digest


DIGESTS: Mapping[str, Callable[[bytes], bytes]] = {
    "MD5": lambda body: hashlib.md5(body, usedforsecurity=False).digest(),
    "CRC32": lambda body: zlib.crc32(body).to_bytes(4, "big"),
    "CRC32C": _crc(32, 0x82F63B78),
    "CRC64NVME": _crc(64, 0x9A6C9329AC4BC9B5),
    "SHA1": lambda body: hashlib.sha1(body, usedforsecurity=False).digest(),
    "SHA256": lambda body: hashlib.sha256(body).digest(),
}
