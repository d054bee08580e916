"""The real AWS CLI, driven inside this process.

A child process keeps real time and would need a server. Here the CLI's own driver runs with the learner's clock,
talks to the lab as any botocore client does, and prints into a `Result` what it would have printed to a terminal.
"""

from __future__ import annotations

import builtins
import contextlib
import importlib
import io
import logging
import os
import re
import shlex
import sys
import tempfile
import threading
from collections import UserDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from simlib.cloud.browser import in_browser
from simlib.cloud.storage.tables import service_models

# One command at a time: it owns the environment, the working folder and the standard streams while it runs.
_ONE_AT_A_TIME = threading.RLock()

_QUOTED = re.compile(r"'[^']*'|\"(?:\\.|[^\"\\])*\"|\\.")
_LOGGERS = ("awscli", "botocore", "s3transfer", "urllib3")


@dataclass(frozen=True, slots=True)
class Result:
    """What a command printed, and its exit code (0: success; the AWS CLI gives 255 for a refusal)."""

    stdout: str
    stderr: str
    returncode: int

    def __repr__(self) -> str:
        """As a terminal would show it."""
        text = _on_screen(self.stdout) + _on_screen(self.stderr)
        return text.strip("\n") + (f"\n[exit code {self.returncode}]" if self.returncode else "")


def _on_screen(text: str) -> str:
    """Progress lines overwrite themselves with a carriage return; only what is left at the end is read."""
    return "\n".join(line.rstrip().rpartition("\r")[2] for line in text.replace("\r\n", "\n").split("\n"))


def split(command: str | Sequence[str]) -> list[str]:
    """The arguments after `aws`. Raises `ValueError`, with a sentence, for what only a shell could do."""
    tokens = _tokens(command) if isinstance(command, str) else [str(token) for token in command]
    if not tokens or tokens[0] != "aws":
        raise ValueError(
            f"The lab knows one program, the AWS CLI: a command begins with aws, not with "
            f"{tokens[0] if tokens else 'nothing'!r}. For the metadata service there is curl()."
        )
    return tokens[1:]


def _tokens(command: str) -> list[str]:
    command = command.replace("\\\r\n", " ").replace("\\\n", " ").strip()
    if "\n" in command:
        raise ValueError("One command at a time: this is more than one line (a long line may be continued with \\).")
    if operator := re.search(r"[();<>|&]+", _QUOTED.sub("", command)):
        raise ValueError(
            f"{operator.group()} is for a shell, and there is none here: one command at a time. What it prints is in "
            ".stdout; text with this sign goes in quotes."
        )
    # A shell looks for variables between double quotes, too.
    bare = _QUOTED.sub(lambda quoted: quoted[0][1:-1] if quoted[0].startswith('"') else "", command)
    if variable := re.search(r"\$[\w({]+|`", bare):
        raise ValueError(
            f"{variable.group()} is for a shell to replace, and there is none here: write the value itself. Text with "
            "this sign goes in single quotes."
        )
    try:
        return shlex.split(command)
    except ValueError as error:
        raise ValueError(f"This command cannot be read ({error}): {command}") from None


def run(
    command: str | Sequence[str],
    environment: Mapping[str, str],
    *,
    folder: Path,
    stdin: str | bytes = "",
    on_session: Callable[[Any], None] | None = None,
) -> Result:
    """Run one `aws …` command as if in a process of its own, and return what it printed.

    `environment` is all the command sees of the environment; its home and working folder is `folder`; `stdin` is what
    it can read (`aws s3 cp - s3://…`, `file:///dev/stdin`), and what it writes to `/dev/stdout` is printed.
    `on_session` is called with the CLI's botocore session once its profile is known, before any credentials are looked
    for. Raises `ValueError` for what is not a command of the AWS CLI.
    """
    arguments = split(command)
    content = stdin.encode("utf-8") if isinstance(stdin, str) else stdin
    with _ONE_AT_A_TIME, ExitStack() as undo:
        undo.enter_context(patch.object(os, "environ", _Environment(environment)))
        undo.enter_context(contextlib.chdir(folder))
        awscli = _load()
        undo.enter_context(_own_loggers())
        streams = {name: undo.enter_context(_stream()) for name in ("stdin", "stdout", "stderr")}
        streams["stdin"].buffer.write(content)
        streams["stdin"].seek(0)
        for name, stream in streams.items():
            undo.enter_context(patch.object(sys, name, stream))
        undo.enter_context(patch.object(builtins, "open", _opening(streams)))
        undo.enter_context(patch.object(sys, "argv", ["aws", *arguments]))
        for module, name, stand_in in (
            ("customizations.assumerole", "CACHE_DIR", str(folder / ".aws" / "cli" / "cache")),
            ("compat", "raw_input", _ask),
            ("help", "get_renderer", _PlainHelp),
        ):
            undo.enter_context(patch.object(importlib.import_module(f"awscli.{module}"), name, stand_in))
        if in_browser():
            undo.enter_context(_results_at_the_end())
        returncode = _drive(awscli, arguments, folder, on_session)
        return Result(_text(streams["stdout"]), _text(streams["stderr"]), returncode)


def _drive(awscli: Any, arguments: list[str], folder: Path, on_session: Callable[[Any], None] | None) -> int:
    try:
        driver = awscli.create_clidriver()
        driver.session.register_component("data_loader", service_models())
        driver.alias_loader = awscli.AliasLoader(str(folder / ".aws" / "cli" / "alias"))
        if on_session:
            driver.session.register("session-initialized", lambda session, **_: on_session(session))
        return int(driver.main(arguments) or 0)
    except SystemExit as end:
        if isinstance(end.code, str):
            sys.stderr.write(end.code + "\n")
        return end.code if isinstance(end.code, int) else int(bool(end.code))


@contextmanager
def _results_at_the_end() -> Iterator[None]:
    """Without a thread to report how transfers go, `aws s3` reports when they are done."""
    processor = importlib.import_module("awscli.customizations.s3.results").ResultProcessor
    with patch.object(processor, "start", lambda self: None), patch.object(processor, "join", processor.run):
        yield


def _load() -> Any:
    """The CLI's driver, sharing the botocore that the rest of the lab uses.

    The `awscli` package brings a botocore and an s3transfer of its own and slips them in before the installed ones.
    Those in use are imported first, and what it adds to Python's import system is taken away again.
    """
    if "awscli.clidriver" not in sys.modules:
        for name in ("botocore.session", "s3transfer.manager"):
            importlib.import_module(name)
        try:
            importlib.import_module("awscli.clidriver")
        except ModuleNotFoundError as missing:
            raise RuntimeError(
                f"The AWS CLI is not installed ({missing}). Install it with: pip install awscli"
            ) from None
        finally:
            sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__module__ != "awscli"]
    texts = str(Path(str(sys.modules["awscli"].__file__)).parent / "data")
    os.environ["AWS_DATA_PATH"] = texts  # by this variable it tells botocore where its own texts lie
    if texts not in service_models().search_paths:
        service_models().search_paths.append(texts)
    return sys.modules["awscli.clidriver"]


class _Environment(UserDict[str, str]):
    """Stands for `os.environ` while a command runs: its own variables for its thread, the process's for all others.

    What the system knows of the environment stays, so that children which other threads start find the lab.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._own, self._process, self._thread = dict(variables), os.environ, threading.get_ident()

    @property
    def data(self) -> Any:  # type: ignore[override]
        return self._own if threading.get_ident() == self._thread else self._process

    def copy(self) -> Any:
        return dict(self.data)


@contextmanager
def _own_loggers() -> Iterator[None]:
    """The CLI sets up logging for its process; take away what it added, or it would pile up."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    before = [(logger, logger.level, list(logger.handlers)) for logger in loggers]
    try:
        yield
    finally:
        for logger, level, handlers in before:
            logger.setLevel(level)
            logger.handlers[:] = handlers


def _stream() -> io.TextIOWrapper:
    """A standard stream: a file, so that it can be opened by its descriptor; what is written goes to its end."""
    return io.TextIOWrapper(tempfile.TemporaryFile("a+b"), encoding="utf-8", newline="", write_through=True)


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    content: Any = stream.buffer
    content.seek(0)
    return str(content.read(), "utf-8", "replace")


def _opening(streams: Mapping[str, io.TextIOWrapper]) -> Callable[..., Any]:
    """`open` while a command runs: for the command's threads `/dev/stdout` and the like are its own streams."""
    process, others = builtins.open, {each.ident for each in threading.enumerate()} - {threading.get_ident()}
    files = {f"/dev/{name}": stream for name, stream in streams.items()}
    files |= {f"/dev/fd/{number}": stream for number, stream in enumerate(streams.values())}

    def opened(file: Any, *arguments: Any, **named: Any) -> Any:
        if isinstance(file, str) and file in files and threading.get_ident() not in others:
            files[file].flush()
            file = os.dup(files[file].fileno())
        return process(file, *arguments, **named)

    return opened


def _ask(prompt: str = "") -> str:
    """Instead of `input()`, which in a notebook would wait for the learner."""
    line = sys.stdin.readline()
    if not line:
        raise EOFError("This command asks a question that nobody can answer here; give the answers as stdin.")
    return line.rstrip("\r\n")


class _PlainHelp:
    """Prints help as plain text; the CLI's own way leads through groff into a pager."""

    def render(self, contents: bytes) -> None:
        docutils = importlib.import_module("docutils.core")
        writer = importlib.import_module("awscli.bcdoc.textwriter").TextWriter()
        settings = {"line_length_limit": 50_000, "report_level": 5}
        text = docutils.publish_string(contents, writer=writer, settings_overrides=settings)
        sys.stdout.write(text.decode("utf-8"))
