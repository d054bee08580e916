"""`python -m simlib COMMAND`: what a command cannot use is answered in a line that names it, never in a traceback."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from simlib.__main__ import COMMANDS, main

from .conftest import ROOT

REFUSED = {  # what stands in the place of a file: how each command is called with it
    "a file that is not there": [
        ("decide", "{missing}"), ("decide", "-", "--world", "{missing}"), ("check", "{missing}"),
        ("explain", "{missing}"), ("explain", "{refusal}", "--account", "{missing}"), ("inspect", "{missing}"),
        ("inspect", "{world}", "--compare", "{missing}"), ("challenge", "check", "{missing}.toml"),
        ("progress", "{missing}"), ("serve", "--world", "{missing}"),
    ],
    "a folder": [("decide", "{folder}"), ("check", "{folder}"), ("explain", "{folder}"),
                 ("explain", "{refusal}", "--account", "{folder}"), ("inspect", "{folder}"),
                 ("handout", "{folder}"), ("serve", "--save", "{folder}")],
    "something else": [("explain", "{refusal}", "--account", "{policy}"), ("inspect", "{policy}"),
                       ("progress", "{policy}"), ("serve", "--world", "{policy}"), ("serve", "--save", "{policy}")],
    "a file in a folder that is not there": [
        ("handout", "{missing}/a.pdf"), ("serve", "--save", "{missing}/a.json"),
        ("progress", "{folder}", "--page", "{missing}/a.html"),
        ("challenge", "set", "old-key", "--notebook", "{missing}/a.ipynb"),
    ],
}  # fmt: skip


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "folder").mkdir()
    (tmp_path / "world").write_text('{"IamLabWorld": 1, "Clock": "2026-11-24T09:00:00Z", "Accounts": []}', "utf-8")
    (tmp_path / "policy").write_text('{"Version": "2012-10-17", "Statement": []}', "utf-8")
    (tmp_path / "refusal").write_text(
        "An error occurred (AccessDenied) when calling the ListUsers operation: User: arn:aws:iam::111111111111:user/a "
        "is not authorized to perform: iam:ListUsers on resource: * because no identity-based policy allows it", "utf-8"
    )  # fmt: skip
    return {name: str(tmp_path / name) for name in ("missing", "folder", "world", "policy", "refusal")}


@pytest.mark.parametrize(
    ("what", "call"),
    [pytest.param(what, call, id=" ".join([*call, what])) for what in REFUSED for call in REFUSED[what]],
)
def test_what_cannot_be_used_is_named_in_a_line(
    what: str,
    call: tuple[str, ...],
    files: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("simlib.cloud.serve._announce", lambda _: pytest.fail("it serves, without an end"))
    assert main([word.format(**files) for word in call]) == 2
    told = capsys.readouterr().err
    [wrong] = [name for word in call for name in ("missing", "folder", "policy") if name in word][-1:]
    assert told.count("\n") == 1
    assert wrong in told
    assert "Errno" not in told


class Keyboard(io.RawIOBase):
    """A terminal at which somebody presses Ctrl+C in place of an answer."""

    def readable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return True

    def readinto(self, _: object) -> int:
        raise KeyboardInterrupt


@pytest.mark.parametrize("command", [["explain"], ["decide"], ["check", "-"]], ids=" ".join)
def test_ctrl_c_ends_a_command_that_waits_for_input(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(Keyboard())))
    assert main(command) == 130
    assert capsys.readouterr().err.endswith("Stopped.\n")


def test_explain_asks_for_the_text_where_somebody_can_type_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(Keyboard())))
    main(["explain"])
    assert capsys.readouterr().err.startswith("Paste what AWS printed")


@pytest.mark.parametrize("command", [["check", "--list"], ["challenge", "list"], ["decide", "{many}"]], ids=" ".join)
def test_who_stops_reading_ends_a_command_quietly(command: list[str], tmp_path: Path) -> None:
    many = tmp_path / "many.jsonl"
    many.write_text("{}\n" * 2000, "utf-8")
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as nobody_reads:
        run = [sys.executable, "-m", "simlib", *(word.format(many=many) for word in command)]
        ended = subprocess.run(run, cwd=ROOT, stdout=nobody_reads, stderr=subprocess.PIPE, check=False)
    assert (ended.returncode, ended.stderr) == (0, b"")


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        status = main([command, "-h"])
    except SystemExit as ended:  # argparse ends so
        status = int(ended.code or 0)
    text = capsys.readouterr().out
    assert status == 0
    assert text.startswith(f"usage: python -m simlib {command}")
