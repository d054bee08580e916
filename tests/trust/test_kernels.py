"""Kernels interrupted, killed and started again; cells in any order; two lessons, on one kernel or on two."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
import pytest
from jupyter_client.manager import start_new_kernel

from simlib import Cloud
from simlib.lab import course, lesson_cells, missing_names
from tests.planted import VARIABLES, Planted

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = course.find("sessions").notebook
SECONDS = 60  # before a kernel that says nothing is given up


class Kernel:
    """A kernel as a notebook has it: a cell is run, and its text and its error are what one sees."""

    def __init__(self, folder: Path, learner: Planted, notebook: str) -> None:
        path = os.pathsep.join([str(ROOT), os.environ["PYTHONPATH"]])
        variables = {
            **learner.variables(),
            "PYTHONPATH": path,
            "IAM_LAB_PROGRESS": str(folder / "progress.json"),
            "JPY_SESSION_NAME": str(folder / notebook),  # as Jupyter's server tells a kernel
            "MPLCONFIGDIR": matplotlib.get_cachedir(),
        }
        self.manager, self.client = start_new_kernel(env=variables, cwd=str(ROOT / "notebooks"))

    def run(self, source: str) -> str:
        """What the cell shows, with its error at the end."""
        return self.shown(self.client.execute(source))

    def begin(self, source: str, until: str) -> str:
        """Start a cell and come back while it runs, once it has shown `until`."""
        request = self.client.execute(source)
        text = ""
        while until not in text:
            text += self._next(request)[0]
        return request

    def shown(self, request: str) -> str:
        text, done = "", False
        while not done:
            more, done = self._next(request)
            text += more
        return text

    def _next(self, request: str) -> tuple[str, bool]:
        message = self.client.get_iopub_msg(timeout=SECONDS)
        if message["parent_header"].get("msg_id") != request:
            return "", False
        content = message["content"]
        match message["msg_type"]:
            case "stream":
                return content["text"], False
            case "execute_result" | "display_data":
                return content["data"].get("text/plain", ""), False
            case "error":
                return f"{content['ename']}\n" + "\n".join(content["traceback"]), False
            case "status":
                return "", content["execution_state"] == "idle"
        return "", False

    def end(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@contextmanager
def started(folder: Path, learner: Planted, notebook: str = NOTEBOOK) -> Iterator[Kernel]:
    kernel = Kernel(folder, learner, notebook)
    try:
        yield kernel
    finally:
        kernel.end()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kernels")


@pytest.fixture(scope="module")
def learner(folder: Path) -> Planted:
    return Planted(folder / "home")


@pytest.fixture(scope="module")
def one(folder: Path, learner: Planted) -> Iterator[Kernel]:
    with started(folder, learner) as kernel:
        yield kernel


@pytest.fixture(scope="module")
def other(folder: Path, learner: Planted) -> Iterator[Kernel]:
    with started(folder, learner, course.find("trust").notebook) as kernel:
        yield kernel


BEGIN = "from simlib import Cloud, lab\naws = lab.begin('sessions')\n"
BEGIN += "dev = aws.account('dev')\niam = dev.admin.client('iam')"


def test_a_cell_that_is_stopped_between_calls_or_within_one_leaves_a_world_to_go_on_with(one: Kernel) -> None:
    one.run(BEGIN)
    endless = one.begin(
        "made = 0\nprint('going', flush=True)\nwhile True:\n    iam.create_user(UserName=f'u{made}')\n    made += 1",
        until="going",
    )
    one.manager.interrupt_kernel()
    assert "KeyboardInterrupt" in one.shown(endless)
    users = "[user['UserName'] for page in iam.get_paginator('list_users').paginate() for user in page['Users']]"
    asked = f"there = sum(name.startswith('u') for name in {users})\n"
    asked += "told = sum(event.action == 'iam:CreateUser' and not event.error_code for event in aws.trail)\n"
    asked += "print(there - made in (0, 1), told - there, dev.admin.run('aws sts get-caller-identity').returncode)"
    assert one.run(asked).strip() == "True 1 0", "alice was made by the beginning"


def test_a_kernel_that_was_killed_begins_anew_and_catches_up(one: Kernel, learner: Planted) -> None:
    one.run(BEGIN)
    one.run("aws.clock.advance(days=3650)")
    one.manager.restart_kernel(now=True)
    one.client.wait_for_ready(timeout=SECONDS)
    variables = "import os; print({name: os.environ[name] for name in os.environ if name.startswith('AWS_')})"
    assert VARIABLES.items() <= dict(eval(one.run(variables))).items()
    one.run("from simlib import Cloud, lab")
    said = one.run("lab.attempt(alice.client('s3').list_buckets)")
    assert "Choose Run ▸ Run All Above Selected Cell" in said
    assert "Traceback" not in said
    heading = [text for _, text in lesson_cells.headings(lesson_cells.read_lesson("sessions"))][2]
    assert f"Lesson 6 stands at “{heading}”" in one.run(f"print(lab.catch_up('sessions', {heading!r}))")
    assert "user/alice" in one.run("print(alice.client('sts').get_caller_identity()['Arn'])")
    assert learner.touched() == []


def test_an_error_of_the_learners_own_keeps_its_traceback(one: Kernel) -> None:
    one.run("from simlib import Cloud, lab")
    assert "Traceback" in one.run("my_own_name_with_a_slip")
    assert "ZeroDivisionError" in one.run("1 / 0")


def test_two_lessons_on_one_kernel_share_a_world_and_are_told_when_it_was_another(one: Kernel) -> None:
    one.run(f"{BEGIN}\nfirst = aws")
    one.run("aws = lab.begin('trust')")
    assert "InvalidClientTokenId" in one.run("print(lab.attempt(iam.list_users))")
    assert "belongs to a world that is gone" in one.run("print(aws.why())")
    said = one.run("first.account('late')")
    assert "This world has been stopped, or another was started after it. Use the one that runs." in said


def test_two_lessons_on_two_kernels_have_a_world_each_and_one_progress(
    one: Kernel, other: Kernel, folder: Path, learner: Planted
) -> None:
    progress = folder / "progress.json"
    progress.unlink(missing_ok=True)
    for kernel, lesson in ((one, "sessions"), (other, "trust")):
        kernel.run(
            f"from simlib import Cloud, lab\naws = lab.begin({lesson!r})\niam = aws.account('dev').admin.client('iam')"
        )
        kernel.run(f"iam.create_user(UserName='of-lesson-{lesson}'); aws.clock.advance(days={len(lesson)})")
    for kernel, lesson in ((one, "sessions"), (other, "trust")) * 2:
        for name in course.lesson(lesson).predictions:
            kernel.run(f"lab.answer({name!r}, 1)")
    kept = json.loads(progress.read_text(encoding="utf-8"))["lessons"]
    assert {slug: len(kinds["predictions"]) for slug, kinds in kept.items()} == {
        slug: len(course.lesson(slug).predictions) for slug in ("sessions", "trust")
    }
    world = folder / "world.json"
    one.run(f"aws.save({str(world)!r})")
    seen = "print([user['UserName'] for user in iam.list_users()['Users'] if 'of-lesson' in user['UserName']])"
    assert (one.run(seen), other.run(seen)) == ("['of-lesson-sessions']\n", "['of-lesson-trust']\n")
    other.run(f"aws = Cloud.load({str(world)!r})\niam = aws.account('dev').admin.client('iam')")
    assert other.run(seen) == "['of-lesson-sessions']\n"
    assert learner.touched() == []


# -- cells in any order ------------------------------------------------------------------------------------------------


def sources(slug: str) -> list[str]:
    cells = lesson_cells.read_lesson(slug)
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


@pytest.mark.parametrize("slug", course.LESSONS)
def test_a_cell_that_is_run_too_early_says_which_cell_is_missing(slug: str) -> None:
    """Each cell of the lesson by itself, after the import alone; the one that begins a world needs nothing."""
    first, *rest = [source for source in sources(slug) if "lab.begin(" not in source or "import" in source]
    names: dict[str, Any] = {}
    exec(first, names)
    headings = {text for _, text in lesson_cells.headings(lesson_cells.read_lesson(slug))}
    missing = [name for source in rest if (name := missing_name(source, names))]
    for name in missing:
        said = missing_names.sentence(name, f"/home/ann/notebooks/{course.find(slug).notebook}")
        place = re.match(f"“{name}” does not exist yet. The cell under “(.+)” that creates it", said)
        assert place, name
        assert place[1] in headings
    assert missing or slug == "start-here"


def missing_name(source: str, names: dict[str, Any]) -> str:
    """The name for want of which a cell ends; nothing else may go wrong."""
    try:
        exec(compile(source, "cell", "exec"), dict(names))
    except NameError as error:
        return str(error.name)
    finally:
        if Cloud.running:
            Cloud.running.stop()
    return ""


@pytest.mark.parametrize(
    ("name", "notebook", "expected"),
    [
        ("alice", NOTEBOOK, "The cell under “"),
        ("alice", "", "The cell further up that creates it"),
        ("alice", "my-own.ipynb", ""),
        ("no_such_name_anywhere", NOTEBOOK, ""),
        ("", "", ""),
    ],
)
def test_only_names_of_the_open_lesson_are_told_of(name: str, notebook: str, expected: str) -> None:
    said = missing_names.sentence(name, notebook)
    assert expected in said
    assert bool(said) == bool(expected)
