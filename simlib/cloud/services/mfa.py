"""Virtual MFA devices: six digits that follow the simulated clock, and the calls that ask for them.

The codes are TOTP, https://www.rfc-editor.org/rfc/rfc6238, as every authenticator app makes them. Knows where moto
keeps devices.
"""

from __future__ import annotations

import base64
import hmac
import struct
from collections.abc import Callable
from datetime import datetime
from typing import Any

from simlib.cloud.call_context import CallContext
from simlib.cloud.storage.iam_entities import backend
from simlib.cloud.transport import answers
from simlib.cloud.transport.answers import Refusal
from simlib.cloud.transport.refusals import Objection
from simlib.cloud.transport.wire import RawAnswer

STEP = 30  # seconds a code lasts
_DRIFT = 1  # steps by which the device's clock may be off, one into the past and one into the future

_INVALID_CODE = "MultiFactorAuthentication failed with invalid MFA one time pass code."
_HALF = "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code."
_NOT_YOURS = (
    "MultiFactorAuthentication failed, unable to validate MFA code. Please verify your MFA serial number is valid "
    "and associated with this user."
)


class Authenticator:
    """An authenticator app that has scanned a virtual MFA device's seed: `code` is what it shows now.

    `next_code` is what it will show after `code`; enabling a device takes two in a row.
    """

    def __init__(self, seed: bytes | str, now: Callable[[], datetime]) -> None:
        self._seed, self._now = seed, now

    @property
    def code(self) -> str:
        return code_at(self._seed, _step(self._now()))

    @property
    def next_code(self) -> str:
        return code_at(self._seed, _step(self._now()) + 1)

    def __repr__(self) -> str:
        return f"<Authenticator showing {self.code}>"


def code_at(seed: bytes | str, step: int) -> str:
    """The six digits of a Base32 seed in the `step`-th half minute since 1970."""
    text = seed.decode("ascii") if isinstance(seed, bytes) else seed
    secret = base64.b32decode(text + "=" * (-len(text) % 8), casefold=True)
    digest = hmac.digest(secret, struct.pack(">Q", step), "sha1")
    start = digest[-1] & 15
    number = struct.unpack(">I", digest[start : start + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"


def _step(now: datetime) -> int:
    return int(now.timestamp()) // STEP


def was_given(context: CallContext) -> bool:
    """Whether a request proves its caller by a code of a device of its own; a wrong proof is refused."""
    serial, code = context.parameters.get("SerialNumber"), context.parameters.get("TokenCode")
    if serial is None and code is None:
        return False
    if serial is None or code is None:
        raise Refusal("AccessDenied", _HALF, 403)
    device = backend(context.caller.account).virtual_mfa_devices.get(str(serial))
    if device is None or device.user is None or device.user.name != context.caller.user_name:
        raise Refusal("AccessDenied", _NOT_YOURS, 403)
    step = _matching_step(device, str(code), context.now)
    if step is None or step <= getattr(device, "last_step", 0):  # every code works once
        raise Refusal("AccessDenied", _INVALID_CODE, 403)
    device.last_step = step
    return True


def _matching_step(device: Any, code: str, now: datetime) -> int | None:
    steps = range(_step(now) - _DRIFT, _step(now) + _DRIFT + 1)
    return next((step for step in steps if hmac.compare_digest(code_at(device.base32_string_seed, step), code)), None)


def check_enabling(context: CallContext) -> None:
    """A device is enabled by two codes in a row, the first of them current.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_EnableMFADevice.html
    """
    device = backend(context.caller.account).virtual_mfa_devices[str(context.parameters["SerialNumber"])]
    first = _matching_step(device, str(context.parameters["AuthenticationCode1"]), context.now)
    second = str(context.parameters["AuthenticationCode2"])
    if first is None or code_at(device.base32_string_seed, first + 1) != second:
        raise Objection("InvalidAuthenticationCode", "Authentication code for device is not valid.", 403)
    device.last_step = first + 1 if first < _step(context.now) else first


def complete_new_device(context: CallContext, _: RawAnswer) -> RawAnswer:
    """The seed as AWS hands it out, and a device that belongs to nobody yet."""
    device = list(backend(context.caller.account).virtual_mfa_devices.values())[-1]
    created = {"SerialNumber": device.serial_number, "Base32StringSeed": device.base32_string_seed.encode("ascii")}
    return answers.success(context.call, {"VirtualMFADevice": {**created, "QRCodePNG": b""}})


BEFORE = {"iam:EnableMFADevice": check_enabling}
AFTER = {"iam:CreateVirtualMFADevice": complete_new_device}
