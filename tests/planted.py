"""A learner who has an AWS of his own: real-looking credentials wherever an SDK looks for them.

None of them may be used, changed, or shown anywhere.
"""

from __future__ import annotations

import ast
import json
import os
import socket
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tests import outward

KEYS = ("AKIAPLANTEDINVARIABLE", "AKIAPLANTEDINFILE000", "AKIAPLANTEDCACHED000", "AKIAPLANTEDATADDRESS")
SECRETS = ("planted/secret/in/a/variable", "planted/secret/in/a/file", "planted-token", "planted-sso-token")
VARIABLES = {
    "AWS_ACCESS_KEY_ID": "AKIAPLANTEDINVARIABLE",
    "AWS_SECRET_ACCESS_KEY": "planted/secret/in/a/variable",
    "AWS_SESSION_TOKEN": "planted-token",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_ENDPOINT_URL_STS": "https://sts.eu-central-1.amazonaws.com",
}
_PROFILE = "aws_access_key_id = AKIAPLANTEDINFILE000\naws_secret_access_key = planted/secret/in/a/file\n"
FILES = {
    "credentials": f"[default]\n{_PROFILE}[planted]\n{_PROFILE}",
    "config": "[default]\nregion = eu-central-1\n[profile planted]\nregion = eu-central-1\n",
    "cli/cache/0.json": json.dumps({"Credentials": {"AccessKeyId": "AKIAPLANTEDCACHED000"}}),
    "sso/cache/0.json": json.dumps({"accessToken": "planted-sso-token"}),
    "cli/alias": "[toplevel]\nwhoami = sts get-caller-identity\n",
}


class Metadata:
    """An address on loopback that hands out credentials, as on a real machine of EC2. Nobody must ask it."""

    def __init__(self) -> None:
        self.visits = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        answer = json.dumps({"Code": "Success", "AccessKeyId": KEYS[-1], "SecretAccessKey": SECRETS[0], "Token": ""})
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(answer)}\r\nConnection: close\r\n\r\n"
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.visits += 1
            with connection:
                connection.sendall((head + answer).encode())

    def close(self) -> None:
        self._listener.close()


@dataclass
class Planted:
    """A home folder with such files, and the variables with which a process lives there."""

    home: Path
    metadata: Metadata = field(default_factory=Metadata)

    def __post_init__(self) -> None:
        for path, text in FILES.items():
            file = self.home / ".aws" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        self._before, self._watch = self._state(), outward.Watch()

    def variables(self) -> dict[str, str]:
        """This process's variables, with what is planted in place of any AWS of whoever runs the tests."""
        kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(("AWS_", "BOTO"))}
        homes = {"HOME": str(self.home), "USERPROFILE": str(self.home)}
        return {**kept, **homes, **VARIABLES, "AWS_EC2_METADATA_SERVICE_ENDPOINT": self.metadata.url}

    def touched(self) -> list[str]:
        """The files that are not as they were, by content or by time; and whether the address was visited."""
        now = self._state()
        names = sorted(str(path) for path in {*now, *self._before} if now.get(path) != self._before.get(path))
        return names + ["the metadata address"] * bool(self.metadata.visits)

    def opened(self) -> list[str]:
        """The files of them that a Python, started by the tests, has opened since this was last asked."""
        opened = (ast.literal_eval(line.partition(" ")[2]) for line in self._watch.asked() if line.startswith("open "))
        return sorted({os.fsdecode(path) for path in opened if Path(os.fsdecode(path)).is_relative_to(self.home)})

    def _state(self) -> dict[Path, tuple[bytes, int]]:
        files = (path for path in self.home.joinpath(".aws").rglob("*") if path.is_file())
        return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def shown(texts: Iterable[str]) -> list[str]:
    """What of the planted is in any of the texts."""
    whole = "\n".join(texts)
    return [each for each in (*KEYS, *SECRETS) if each in whole]
