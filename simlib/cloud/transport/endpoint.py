"""The loopback endpoint: the lab's AWS for other processes on this machine.

A terminal's AWS CLI, another SDK, `!aws` in a cell: whoever has `Endpoint.environment` talks HTTP to this. Each request
is handed, exactly as it was sent, to the same gate that in-process clients meet.
"""

from __future__ import annotations

import hmac
import os
import secrets
import shlex
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path

from simlib.cloud import ambient
from simlib.cloud.transport.listener import HOST, Listener, plain
from simlib.cloud.transport.wire import LARGEST_BODY, RawAnswer, RawRequest


class Endpoint:
    """The address of the lab's AWS on this machine, from the moment it is made until `stop()`.

    `answer` is the gate. `metadata(instance_id, method, path, headers)` answers for an instance's metadata service.
    `folder` is that of `ambient.Hidden`: other processes are told to use its files and its `aws` instead of the
    learner's own. `now` is the time that answers are dated with: real time.
    """

    def __init__(
        self,
        answer: Callable[[RawRequest], RawAnswer],
        metadata: Callable[[str, str, str, Mapping[str, str]], RawAnswer],
        folder: Path,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        largest_body: int = LARGEST_BODY,
    ) -> None:
        self.answer, self.metadata, self._folder, self._now = answer, metadata, folder, now
        self._listener = Listener(lambda raw, _: self.answer(raw), now, largest_body)
        self._instances: dict[str, tuple[Listener, str]] = {}
        self._stopped = False

    @property
    def port(self) -> int:
        return self._listener.port

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def metadata_url(self, instance_id: str) -> str:
        """What AWS_EC2_METADATA_SERVICE_ENDPOINT must be for a process that plays this instance.

        An address of the instance's own, with a secret in its path: who knows the instance's ID alone gets nothing.
        Some SDKs drop the path; where the system tells whose process asks, this user's are answered all the same.
        """
        if instance_id not in self._instances:
            secret = secrets.token_urlsafe(16)

            def reply(raw: RawRequest, peer_port: int) -> RawAnswer:
                path = raw.parts.path.lstrip("/")
                first, _, rest = path.partition("/")
                if hmac.compare_digest(first.encode(), secret.encode()):
                    path = rest
                elif not listener.is_same_user(peer_port):
                    return plain(HTTPStatus.FORBIDDEN, "This metadata service is for its instance's own processes.")
                return self.metadata(instance_id, raw.method, path, raw.headers)

            listener = Listener(reply, self._now)
            self._instances[instance_id] = listener, secret
        listener, secret = self._instances[instance_id]
        return f"http://{HOST}:{listener.port}/{secret}"

    @property
    def environment(self) -> dict[str, str]:
        """The variables to export, so that another process finds the lab and nothing of the learner's own AWS."""
        return ambient.environment(self._folder, self.url)

    def instructions(self, more: Mapping[str, str] | None = None) -> str:
        """Lines that set these variables, and `more`, in this platform's shell: sh, or PowerShell on Windows.

        They put the lab's own `aws` first, because an older one, or version 1 with SQS and some other services,
        would go to the real AWS in spite of AWS_ENDPOINT_URL.
        """
        variables, programs = {**self.environment, **(more or {})}, str(self._folder / "bin")
        if os.name == "nt":
            lines = [f"$env:{name} = '{value.replace(chr(39), chr(39) * 2)}'" for name, value in variables.items()]
            lines.append(f"$env:PATH = '{programs};' + $env:PATH")
        else:
            lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
            lines.append(f'export PATH={shlex.quote(programs)}:"$PATH"')
        head = f"# The lab answers at {self.url}, for this machine only. In another terminal, say:"
        clock = "# Other processes keep real time and sign by it; sessions end on the lab's clock."
        return "\n".join((head, *lines, clock))

    def stop(self) -> None:
        """Stop listening and hang up; doing so twice changes nothing."""
        self._stopped = True
        for listener in (self._listener, *(listener for listener, _ in self._instances.values())):
            listener.stop()

    def __repr__(self) -> str:
        if self._stopped:
            return "<Endpoint, stopped>"
        return f"{self.instructions()}\n# … and the access key of an identity of this world."
