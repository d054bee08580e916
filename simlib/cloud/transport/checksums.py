"""Digests with which a sender vouches for a body, by S3's names for them.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Callable, Mapping
from functools import cache, reduce
from operator import xor
from typing import Any


def _crc(bits: int, polynomial: int) -> Callable[[bytes], bytes]:
    """A cyclic redundancy check that reads low bits first and is inverted at both ends; `polynomial` is reflected.

    A body is cut into parts of equal length, whose registers move on side by side, eight bytes at a time; at the end
    each pair of neighbours becomes one, the left of which has moved on by the length of the right.
    """
    inverted = (1 << bits) - 1

    @cache
    def after_eight_bytes() -> Any:
        """By its place, and by value: what each byte of a register adds to it eight bytes later."""
        import numpy  # late: hardly anybody sends these digests

        value, tables = numpy.arange(256, dtype="<u8"), []
        for _ in range(8):
            for _ in range(8):
                value = value >> 1 ^ (value & 1) * numpy.uint64(polynomial)
            tables.append(value)
        return numpy.stack(tables[::-1])

    def moved(tables: Any, registers: Any) -> Any:
        places = registers.reshape(*registers.shape, 1).view("u1")
        return reduce(xor, (tables[place][places[..., place]] for place in range(8)))

    def digest(body: bytes) -> bytes:
        import numpy

        words = len(body) // 8 + 1
        length = 1 << words.bit_length() // 2  # of a part, in words
        parts = 1 << ((words - 1) // length).bit_length()
        data = numpy.zeros(parts * length * 8, "u1")  # zeros in front leave a register of zeros as it is
        start = data.size - len(body)
        data[start:] = numpy.frombuffer(body, "u1")
        data[start : start + bits // 8] ^= 0xFF  # as if the register were inverted
        tables, registers = after_eight_bytes(), numpy.zeros(parts, "<u8")
        for word in numpy.ascontiguousarray(data.view("<u8").reshape(parts, length).T):
            registers = moved(tables, registers ^ word)
        while length > 1:
            tables, length = moved(tables, tables), length // 2
        while len(registers) > 1:
            registers = moved(tables, numpy.ascontiguousarray(registers[::2])) ^ registers[1::2]
            tables = moved(tables, tables)
        left = inverted >> 8 * len(body)  # what a body shorter than the register does not reach
        return (int(registers[0]) ^ left ^ inverted).to_bytes(bits // 8, "big")

    return digest


_DIGESTS: Mapping[str, Callable[[bytes], bytes]] = {
    "ContentMD5": lambda body: hashlib.md5(body, usedforsecurity=False).digest(),
    "ChecksumCRC32": lambda body: zlib.crc32(body).to_bytes(4, "big"),
    "ChecksumCRC32C": _crc(32, 0x82F63B78),
    "ChecksumCRC64NVME": _crc(64, 0x9A6C9329AC4BC9B5),
    "ChecksumSHA1": lambda body: hashlib.sha1(body, usedforsecurity=False).digest(),
    "ChecksumSHA256": lambda body: hashlib.sha256(body).digest(),
}


def calculate(parameters: Mapping[str, Any]) -> Mapping[str, str]:
    """The digests that a call of S3 promises for its body as they really are, in base64, by the members' names."""
    body = parameters.get("Body")
    if not isinstance(body, bytes):
        return {}
    return {
        name: base64.b64encode(digest(body)).decode("ascii")
        for name, digest in _DIGESTS.items()
        if parameters.get(name)
    }
