"""Running a lesson: in a kernel as a learner does, or in this process with a change to its code."""

from __future__ import annotations

import ast
import io
import json
import os
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat

from tests.planted import VARIABLES, Planted, shown

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "notebooks"


def read(name: str) -> Any:
    """The notebook of that file name."""
    return nbformat.read(NOTEBOOKS / name, as_version=4)


def code_cells(book: Any) -> list[Any]:
    return [cell for cell in book.cells if cell.cell_type == "code"]


@dataclass
class Run:
    """What a run showed: by cell, the text of its outputs; all of them in every form; the seconds each cell took."""

    text: dict[str, str] = field(default_factory=dict)
    everything: str = ""
    seconds: dict[str, float] = field(default_factory=dict)


@contextmanager
def kernel(book: Any) -> Iterator[Any]:
    """A fresh kernel for a notebook, importing this checkout, of a learner who has done nothing yet.

    The learner has an AWS of his own: the client's `learner`; the kernel's own words are in the file `said`.
    """
    import matplotlib
    from nbclient import NotebookClient

    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    resources = {"metadata": {"path": str(NOTEBOOKS)}}
    client = NotebookClient(book, timeout=120, kernel_name="python3", resources=resources)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        client.learner, client.said = Planted(Path(folder, "home")), Path(folder, "kernel.log")
        client.progress = Path(folder, "progress.json")
        variables = {
            **client.learner.variables(),
            "PYTHONPATH": path,
            "IAM_LAB_PROGRESS": str(client.progress),
            "MPLCONFIGDIR": matplotlib.get_cachedir(),  # else each kernel would look for the machine's fonts again
        }
        with (
            client.said.open("wb") as log,
            client.setup_kernel(env=variables, stdout=log, stderr=log),
        ):
            yield client
        client.learner.metadata.close()


@dataclass(frozen=True)
class Left:
    """What there is after a lesson: all its texts, and what of the learner's own AWS was read or is not as it was."""

    texts: Mapping[str, str]
    touched: list[str]


_LEAVE = """
import json, os, pathlib, tempfile
from simlib import Cloud
left = {"a saved world": "", "the trail": ""}
if Cloud.running:
    with tempfile.TemporaryDirectory() as folder:
        saved = Cloud.running.save(pathlib.Path(folder, "world.json"))
        left["a saved world"] = saved.path.read_text(encoding="utf-8")
    left["the trail"] = json.dumps([*map(repr, Cloud.running.trail), Cloud.running.trail.cloudtrail()], default=str)
    Cloud.running.stop()
left["variables"] = {name: value for name, value in os.environ.items() if name.startswith(("AWS_", "BOTO"))}
print(json.dumps(left))
"""


def leave(client: Any) -> Left:
    """Save the world of a lesson that has run, and end it."""
    page = nbformat.writes(client.nb)
    client.nb.cells.append(nbformat.v4.new_code_cell(_LEAVE))
    left = json.loads(client.execute_cell(client.nb.cells[-1], len(client.nb.cells) - 1).outputs[0].text)
    variables = {**VARIABLES, "AWS_EC2_METADATA_SERVICE_ENDPOINT": client.learner.metadata.url}
    changed = ["the variables"] if left.pop("variables") != variables else []
    progress = client.progress.read_text(encoding="utf-8") if client.progress.exists() else ""
    log = client.said.read_text(encoding="utf-8", errors="replace")
    texts = {**left, "the page": page, "the log": log, "the progress": progress}
    return Left(texts, client.learner.touched() + client.learner.opened() + changed)


def check_nothing_of_the_learners(left: Left) -> None:
    """Nothing of the learner's own AWS is touched, and none of it is in anything that stays."""
    assert left.touched == []
    assert "arn:aws" in left.texts["a saved world"] + left.texts["the page"], "there is something to look at"
    assert {what: found for what, text in left.texts.items() if (found := shown([text]))} == {}


def run_all(client: Any) -> Run:
    """Run every cell from top to bottom; a cell that raises ends the run with its traceback."""
    run = Run()
    for index, cell in enumerate(client.nb.cells):
        if cell.cell_type != "code":
            continue
        begin = time.perf_counter()
        client.execute_cell(cell, index)
        run.seconds[cell.id] = time.perf_counter() - begin
        run.text[cell.id] = "".join(_text(output) for output in cell.outputs)
    client.set_widgets_metadata()
    run.everything = nbformat.writes(client.nb)
    return run


def _text(output: Any) -> str:
    return str(output.get("text") or output.get("data", {}).get("text/plain", ""))


def play(book: Any, changes: Mapping[str, Sequence[tuple[str, str]]], until: str = "") -> dict[str, str]:
    """Run the code of a notebook in this process, changed, and return what each cell shows.

    `changes` are replacements in the code, by cell; what is to be replaced must be there. `until` is the last cell to
    run. Cells that only ask and explain are left out.
    """
    names: dict[str, Any] = {}
    shown: dict[str, str] = {}
    left = dict(changes)
    try:
        for cell in code_cells(book):
            source = cell.source
            for old, new in left.pop(cell.id, ()):
                assert old in source, f"{old!r} is no longer in the cell {cell.id}"
                source = source.replace(old, new)
            if not source.startswith(("lab.predict", "lab.explain")):
                shown[cell.id] = _execute(source, names)
            if cell.id == until:
                break
    finally:
        if "aws" in names:
            names["aws"].stop()
    assert not left, f"the cells {list(left)} were not met"
    return shown


def _execute(source: str, names: dict[str, Any]) -> str:
    """Run a cell; what it prints and the value of its last expression, unless that ends in a semicolon."""
    tree = ast.parse(source)
    if not tree.body:
        return ""
    last = tree.body[-1]
    printed = io.StringIO()
    value = None
    with redirect_stdout(printed):
        if isinstance(last, ast.Expr) and not source.rstrip().endswith(";"):
            exec(compile(ast.Module(tree.body[:-1], []), "lesson", "exec"), names)
            value = eval(compile(ast.Expression(last.value), "lesson", "eval"), names)
        else:
            exec(compile(tree, "lesson", "exec"), names)
    return printed.getvalue() + ("" if value is None else repr(value))
