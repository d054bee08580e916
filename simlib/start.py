"""The IAM lab, as the command `iam-lab`; `lab.py` starts the same, once it has set up.

    iam-lab [FOLDER]        open the course in JupyterLab, in a copy of your own in FOLDER (`iam-lab` if you name none)
    iam-lab app [FOLDER]    open the playground alone, as an app
    iam-lab test            run every lesson once, to see that the lab works on this machine

Options after that go to JupyterLab or Voilà: iam-lab lessons --port=9000
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

from .command_line import status_of
from .lessons import find

HERE = Path(__file__).resolve().parent
APP = HERE / "lab" / "app"  # Jupyter's and Voilà's settings: no news, no questions; Voilà's template
FIRST_PAGE = find(0).notebook
NOT_COPIED = shutil.ignore_patterns("instructor-guide.md", "progress*", ".*", "*.py", "__pycache__")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    return status_of(lambda: run(words))


def run(words: list[str]) -> int:
    command = words.pop(0) if words[:1] in (["app"], ["test"]) else ""
    if words[:1] in (["help"], ["--help"], ["-h"]):
        print((__doc__ or "").strip())
        return 0
    if command == "test" and words:
        print("iam-lab test runs every lesson, and has no options.", file=sys.stderr)
        return 2
    if words[:1] == ["--version"]:
        from . import __version__

        print(f"The IAM lab {__version__}")
        return 0
    folder = Path(words.pop(0) if words and not words[0].startswith("-") else "iam-lab").resolve()
    if missing := [name for name in ("jupyterlab", "voila") if not find_spec(name)]:
        print(f"{' and '.join(missing)} is not installed here: pip install 'iam-lab[jupyter]'", file=sys.stderr)
        return 1
    own_packages_first()
    if command == "test":
        return run_lessons()
    is_new = not (folder / FIRST_PAGE).exists()
    try:
        copy_lessons(folder)
    except OSError as error:
        print(f"The lessons cannot be copied to {folder}: {error.strerror}. Name another folder.", file=sys.stderr)
        return 1
    if is_new:
        print(f"The lessons are copied to {folder}. What you change there stays.", flush=True)
    open_playground(folder, words) if command else open_course(folder, words)
    return 0


def lessons() -> Path:
    """Where the lessons came: beside the package in the repository, within it where it was installed."""
    within = HERE / "notebooks"
    return within if within.exists() else HERE.parent / "notebooks"


def copy_lessons(folder: Path) -> None:
    """Put into a folder what is missing there; what a learner has changed is left alone."""
    folder.mkdir(parents=True, exist_ok=True)
    left_out = NOT_COPIED(str(lessons()), os.listdir(lessons()))
    for source in lessons().iterdir():
        if source.name not in left_out and not (folder / source.name).exists():
            shutil.copyfile(source, folder / source.name)


def own_packages_first() -> None:
    """Let nothing from outside come before the packages of this Python, here or in a kernel; `!aws` is the lab's."""
    foreign = {os.path.abspath(path) for path in os.environ.pop("PYTHONPATH", "").split(os.pathsep) if path}
    sys.path[:] = [path for path in sys.path if os.path.abspath(path) not in foreign - {str(HERE.parent)}]
    scripts = sysconfig.get_path("scripts")
    os.environ["PATH"] = os.pathsep.join(filter(None, (scripts, os.environ.get("PATH", ""))))
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"  # else a kernel of the same name in the home directory would win
    for name in ("JUPYTER_PATH", "JUPYTER_CONFIG_PATH"):
        os.environ[name] = os.pathsep.join(filter(None, (str(APP), os.environ.get(name, ""))))


def open_course(folder: Path, options: Sequence[str]) -> None:
    """JupyterLab on the first page, until it is ended."""
    from jupyterlab.labapp import LabApp

    root = ("--allow-root",) if os.name != "nt" and os.geteuid() == 0 else ()
    quiet = ("--ServerApp.log_level=ERROR", "--LabApp.log_level=ERROR", "--ServerApp.log_format=%(message)s")
    place = (f"--ServerApp.root_dir={folder}", f"--LabApp.default_url=/lab/tree/{FIRST_PAGE}")
    LabApp.launch_instance(
        ["--ip=127.0.0.1", *quiet, "--ServerApp.answer_yes=True", *place, *root, *without_screen(), *options]
    )


def open_playground(folder: Path, options: Sequence[str]) -> None:
    """Voilà on the playground, until it is ended; the page fetches nothing from elsewhere."""
    from voila.app import Voila

    class OnlyTheAddress(logging.Filter):
        def filter(self, record: logging.LogRecord) -> bool:
            return record.levelno >= logging.ERROR or "is running at" in record.getMessage()

    app = Voila.instance()
    app.log.addFilter(OnlyTheAddress())
    app.initialize([str(folder / "playground.ipynb"), *without_screen(), *options])
    app.start()


def without_screen() -> Iterator[str]:
    """Where there is no screen, no browser is started, and the address is to be opened by hand."""
    screen = os.name == "nt" or sys.platform == "darwin" or {"DISPLAY", "WAYLAND_DISPLAY"} & set(os.environ)
    if not screen or "SSH_CONNECTION" in os.environ:
        yield "--no-browser"
        print("Open the address below in a browser; Ctrl+C ends the lab.", flush=True)


def run_lessons() -> int:
    """Run each lesson in a kernel of its own, as a learner who has done nothing yet; 1 where one fails."""
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError
    from traitlets.config import Config

    quiet = Config({"KernelManager": {"transport_encryption": "auto"}})  # unencrypted, each would warn of it
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        copy_lessons(Path(place))
        os.environ["IAM_LAB_PROGRESS"] = str(Path(place, "progress.json"))
        for path in sorted(Path(place).glob("[0-9]*.ipynb")):
            book, begin = nbformat.read(path, as_version=4), time.perf_counter()
            try:
                NotebookClient(book, timeout=300, resources={"metadata": {"path": place}}, config=quiet).execute()
            except CellExecutionError as error:
                print(f"✘ {path.stem}", re.sub(r"\x1b\[[\d;]*m", "", str(error)), sep="\n", file=sys.stderr)
                return 1
            print(f"✔ {path.stem:30} {time.perf_counter() - begin:4.1f} s", flush=True)
    print("Every lesson runs here.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
