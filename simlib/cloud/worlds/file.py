"""Where worlds lie: a file, or a link that somebody names. Reading is bounded in size and time, writing is atomic."""

from __future__ import annotations

import json
import os
import secrets
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, build_opener

from simlib.cloud import ambient
from simlib.cloud.browser import in_browser
from simlib.cloud.worlds.shape import WorldFileError

LARGEST = 64 * 1024 * 1024
SECONDS = 30
_PIECE = 256 * 1024
_LONGEST_SAVE = 60  # seconds


@dataclass(frozen=True, slots=True)
class Saved:
    """What has been written, and what of the world the file does not hold."""

    path: Path
    accounts: int
    size: int
    left_out: tuple[str, ...]

    def __repr__(self) -> str:
        accounts = f"{self.accounts} account{'' if self.accounts == 1 else 's'}"
        missing = f" Not in it: what was made in {', '.join(self.left_out)}." if self.left_out else ""
        return f"Saved {accounts} to {self.path} ({max(1, self.size // 1000)} kB).{missing}"


class _SameKind(HTTPRedirectHandler):
    """Follows a redirect only to where the link itself might have led."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        _check_address(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def content(source: str | os.PathLike[str]) -> bytes:
    """What lies in a file, or behind a link that begins with http:// or https://. Raises `WorldFileError`."""
    text = str(source)
    return _fetched(text) if text.lower().startswith(("http://", "https://")) else _content(Path(source))


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return _bounded(file.read(LARGEST + 1), path)
    except OSError as error:
        raise WorldFileError(f"{path} cannot be read: {error.strerror or error}.") from error


def _bounded(content: bytes, source: Any) -> bytes:
    if len(content) > LARGEST:
        raise WorldFileError(f"{source} is larger than {LARGEST // 1024 // 1024} MB; no world of the lab is.")
    return content


def _check_address(url: str) -> None:
    host = urlsplit(url).hostname or ""
    if ambient.is_aws(host) or ambient.is_metadata_address(host) or not url.lower().startswith(("http://", "https://")):
        raise WorldFileError(f"A world is not fetched from {url}: the lab never goes to the real AWS.")


def _fetched(url: str) -> bytes:
    """What a link leads to; a server that sends its answer drop by drop is not waited for."""
    _check_address(url)
    if in_browser():
        return _download(url)
    outcome: Future[bytes] = Future()

    def work() -> None:
        try:
            outcome.set_result(_download(url))
        except WorldFileError as error:
            outcome.set_exception(error)

    threading.Thread(target=work, daemon=True).start()
    try:
        return outcome.result(SECONDS)
    except TimeoutError:
        raise WorldFileError(f"{url} took longer than {SECONDS} seconds. Ask for the file instead.") from None


def _download(url: str) -> bytes:
    content = b""
    try:
        with build_opener(_SameKind).open(url, timeout=SECONDS / 3) as answer:
            while piece := answer.read1(_PIECE):
                content = _bounded(content + piece, url)
    except WorldFileError:
        raise
    except (OSError, ValueError, HTTPException) as error:
        raise WorldFileError(f"{url} cannot be fetched: {getattr(error, 'reason', error)}.") from error
    return content


def is_world(path: Path) -> bool:
    """Whether a world's file lies there, by its first bytes."""
    try:
        with path.open("rb") as file:
            return b'"IamLabWorld"' in file.read(200)
    except OSError:
        return False


def place(path: str | os.PathLike[str]) -> Path:
    """Where a world may be written. Raises `WorldFileError` where no folder is, or a file lies that is none."""
    target = Path(path).expanduser().resolve()
    if not target.parent.is_dir():
        raise WorldFileError(f"{target} cannot be written: there is no folder {target.parent}.")
    if target.is_dir():
        raise WorldFileError(f"{target} is a folder: name a file in it.")
    with suppress(OSError):
        if target.is_file() and target.stat().st_size and not is_world(target):
            raise WorldFileError(f"{target} is there already and is no world, so it is left alone. Take another name.")
    return target


def write(path: str | os.PathLike[str], document: Mapping[str, Any]) -> tuple[Path, int]:
    """Write a document whole or not at all; the path and its size in bytes. Raises `WorldFileError`, also where a file
    lies that is no world."""
    target = place(path)
    content = (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")
    if len(content) > LARGEST:
        raise WorldFileError(
            f"This world is too large for a file: {len(content) // 1024 // 1024} MB, where {LARGEST // 1024 // 1024} "
            "are the most. Delete the largest objects in its buckets and save again; nothing was written."
        )
    beside = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        with beside.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        _sweep(target, beside.stat().st_mtime)
        beside.replace(target)
    except OSError as error:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise WorldFileError(f"{target} cannot be written: {error.strerror or error}.") from error
    return target, len(content)


def _sweep(target: Path, now: float) -> None:
    """Remove what a save that was killed has left beside the file; one that is going on is younger."""
    for rest in target.parent.glob(f".{target.name}.{'[0-9a-f]' * 8}"):
        with suppress(OSError):
            if now - rest.stat().st_mtime > _LONGEST_SAVE:
                rest.unlink()
