"""The loopback endpoint: the lab's AWS for other processes on this machine.

A terminal's AWS CLI, another SDK, `!aws` in a cell: whoever has `Endpoint.environment` talks HTTP to this. Each request
is handed, exactly as it was sent, to the same gate that in-process clients meet.
"""

from __future__ import annotations

import os
import shlex
import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from simlib.cloud import ambient
from simlib.cloud.browser import in_browser, not_in_browser
from simlib.cloud.transport.listener import HOST, LARGEST_BODY, Listener
from simlib.cloud.transport.wire import RawAnswer, RawRequest

INSTANCES = "/_instances/"  # no bucket can have this name


class Endpoint:
    """The address of the lab's AWS on this machine, from the moment it is made until `stop()`.

    `answer` is the gate. `metadata(instance_id, method, path, headers)` answers for an instance's metadata service.
    `folder` holds the empty files `config` and `credentials` that other processes are told to use instead of the
    learner's own (a temporary one, if none is given). `now` is the time that answers are dated with: real time.
    """

    def __init__(
        self,
        answer: Callable[[RawRequest], RawAnswer],
        metadata: Callable[[str, str, str, Mapping[str, str]], RawAnswer] | None = None,
        *,
        folder: Path | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        largest_body: int = LARGEST_BODY,
    ) -> None:
        if in_browser():
            raise not_in_browser("A browser opens no sockets.")
        self.answer, self.metadata = answer, metadata
        self._own_folder = None if folder else tempfile.TemporaryDirectory(prefix="iam-lab-endpoint-")
        self._folder = folder or Path(self._own_folder.name)  # type: ignore[union-attr]
        for name in ("config", "credentials"):
            (self._folder / name).touch()
        self._programs = ambient.write_aws(self._folder)
        self._listener = Listener(lambda raw, _: self.reply(raw), now, largest_body)
        self._stopped = False

    @property
    def port(self) -> int:
        return self._listener.port

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def metadata_url(self, instance_id: str) -> str:
        """What AWS_EC2_METADATA_SERVICE_ENDPOINT must be for a process that plays this instance."""
        return f"{self.url}{INSTANCES}{instance_id}"

    @property
    def environment(self) -> dict[str, str]:
        """The variables to export, so that another process finds the lab and nothing of the learner's own AWS."""
        return ambient.environment(self._folder, self.url)

    def exports(self, more: Mapping[str, str] | None = None) -> list[str]:
        """Lines that set these variables, and `more`, in this platform's shell: sh, or PowerShell on Windows.

        They put the lab's own `aws` first, because an older one, or version 1 with SQS and some other services,
        would go to the real AWS in spite of AWS_ENDPOINT_URL.
        """
        variables = {**self.environment, **(more or {})}
        if os.name == "nt":
            lines = [f"$env:{name} = '{value.replace(chr(39), chr(39) * 2)}'" for name, value in variables.items()]
            return [*lines, f"$env:PATH = '{self._programs};' + $env:PATH"]
        lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
        return [*lines, f'export PATH={shlex.quote(str(self._programs))}:"$PATH"']

    def stop(self) -> None:
        """Stop listening and hang up; doing so twice changes nothing."""
        self._stopped = True
        self._listener.stop()
        if self._own_folder:
            self._own_folder.cleanup()

    def reply(self, raw: RawRequest) -> RawAnswer:
        """The lab's answer to a request."""
        path = raw.parts.path
        if self.metadata and path.startswith(INSTANCES):
            instance_id, _, path = path.removeprefix(INSTANCES).partition("/")
            return self.metadata(instance_id, raw.method, path, raw.headers)
        return self.answer(raw)

    def __repr__(self) -> str:
        if self._stopped:
            return "<Endpoint, stopped>"
        return (
            f"The lab answers at {self.url}, for this machine only. In a terminal, say:\n\n"
            + "".join(f"    {line}\n" for line in self.exports())
            + "\nand the access key of an identity of this world. Other processes keep real time: sessions end on the "
            "lab's clock,\nbut a request must be signed at the present moment."
        )
