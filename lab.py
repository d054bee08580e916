"""The IAM lab, from nothing but Python.

    python3 lab.py          set up if needed, then open the first page of the course in JupyterLab
    python3 lab.py app      set up if needed, then open the playground alone, as an app
    python3 lab.py test     set up if needed, then run the tests

Options after the command go to JupyterLab, Voilà or pytest: python3 lab.py --port=9000, python3 lab.py test -k trust
Everything is installed into the folder .venv beside this file; delete that folder to start over.
"""
# Standard library only, and no syntax newer than Python 3.6, so that an old Python gets as far as being told so.

import errno
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path

COMMAND = ("py" if os.name == "nt" else "python3") + " lab.py"


def other_python():
    """The newest fitting Python that is installed here too, as a command; else None."""
    for minor in (14, 13, 12, 11):
        command = ["py", f"-3.{minor}"] if os.name == "nt" else [f"python3.{minor}"]
        try:
            subprocess.check_output([*command, "--version"], stderr=subprocess.STDOUT)
        except (OSError, subprocess.CalledProcessError):
            continue
        return " ".join(command)
    return None


if not (3, 11) <= sys.version_info[:2] <= (3, 14):
    found = other_python()
    remedy = "Run the one that is installed here" if found else "Install Python 3.13 (from python.org, say), then run"
    again = " ".join([found or "python3.13", "lab.py", *sys.argv[1:]])
    version = ".".join(map(str, sys.version_info[:2]))
    sys.exit(f"The IAM lab needs Python 3.11 to 3.14, and this is Python {version}. {remedy}: {again}")

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
SCRIPTS = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = SCRIPTS / ("python.exe" if os.name == "nt" else "python")
STAMP = VENV / "lab-stamp.txt"  # what is installed; "unfinished" while installing
LOG = VENV / "lab-install.txt"  # pip's own words
LESSONS = str(ROOT / "notebooks")
FETCHED = {"requirements.txt": 149, "tests/requirements.txt": 62}  # MB
SPACE = 1_200_000_000  # bytes: what is installed (0.7 GB, with the tests 0.9 GB) and what is fetched for it

AGAIN = "then run the same command again."
NO_SPACE = (
    f"The disk is full: free {SPACE / 1e9:.1f} GB here and 0.3 GB in {tempfile.gettempdir()}, "
    f"or let TMPDIR name another folder than that, {AGAIN}"
)
REMEDIES = {  # a sign in pip's words: what to do about it
    "No space left|Disk quota": NO_SPACE,
    "CERTIFICATE_VERIFY_FAILED|SSLError": "The package index's certificate is not trusted here: "
    f"set PIP_CERT to the file with your network's certificates, {AGAIN}",
    "(?i)connection|timeout|timed out|proxyerror|max retries": "The package index cannot be reached: "
    f"connect to the internet (behind a proxy set HTTPS_PROXY, for a mirror PIP_INDEX_URL), {AGAIN}",
    "DO NOT MATCH THE HASHES": "The package index delivered a file that is not the one the lab was tested with: "
    f"if PIP_INDEX_URL or pip's configuration names a mirror, take another, {AGAIN}",
}


def main(arguments):
    command = arguments[0] if arguments else ""
    if command in ("help", "--help", "-h"):
        print(__doc__.strip(), flush=True)
    elif command == "test":
        set_up("requirements.txt", "tests/requirements.txt")
        become("pytest", *arguments[1:])
    elif command == "app":
        set_up("requirements.txt")
        become("simlib.start", "app", LESSONS, *arguments[1:])
    elif command and not command.startswith("-"):
        sys.exit(
            f"lab.py has no command {command!r}: {COMMAND} opens the lab, {COMMAND} app the "
            f"playground, {COMMAND} test runs the tests."
        )
    else:
        set_up("requirements.txt")
        become("simlib.start", LESSONS, *arguments)


def set_up(*files):
    """Bring .venv to what the requirement files say; at once when it is there already."""
    folder = f"folder {ROOT}"
    wanted = [folder, *(f"{name} {hashlib.sha256((ROOT / name).read_bytes()).hexdigest()}" for name in files)]
    if is_there(wanted):
        return
    if not (importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip")):
        sys.exit(f"This Python cannot make virtual environments: {venv_remedy()}, {AGAIN}")
    with alone():
        if is_there(wanted):  # another run did it meanwhile
            return
        stamp = read_stamp()
        if os.path.lexists(VENV) and (not works() or (stamp and folder not in stamp)):
            place = os.path.realpath(VENV)
            if Path(place) != VENV:
                sys.exit(
                    f"{VENV} is a link to {place}, and no environment of this lab's is there. "
                    f"Nothing there is removed: remove the link, {AGAIN}"
                )
            shutil.rmtree(VENV)  # of another Python, unfinished, or moved: pip cannot mend that
        new = not VENV.exists()
        if new and shutil.disk_usage(ROOT).free < SPACE:
            sys.exit(NO_SPACE)
        fetched = sum(FETCHED[name] for name, line in zip(files, wanted[1:], strict=True) if new or line not in stamp)
        print(f"Setting up the lab in .venv: {fetched} MB to fetch, once. This takes a minute or two.", flush=True)
        VENV.mkdir(exist_ok=True)
        STAMP.write_text("unfinished\n", encoding="utf-8")
        if new:
            import venv  # not everywhere, see above

            venv.create(VENV, with_pip=True, symlinks=os.name != "nt")
        install(files)
        STAMP.write_text("\n".join(wanted) + "\n", encoding="utf-8")


def is_there(wanted):
    return set(wanted) <= set(read_stamp()) and works()


def read_stamp():
    return STAMP.read_text(encoding="utf-8").splitlines() if STAMP.exists() else []


def works():
    """Whether .venv has this version of Python, and pip; nothing there starts once the Python it came from has gone."""
    question = f"import sys, pip; sys.exit(sys.version_info[:2] != {sys.version_info[:2]})"
    try:
        return subprocess.call([PYTHON, "-c", question], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0
    except OSError:
        return False


def venv_remedy():
    if shutil.which("apt-get"):
        sudo = "sudo " if os.geteuid() else ""
        return f"{sudo}apt-get install python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    return "install a complete Python 3.13 (from python.org, say)"


@contextmanager
def alone():
    """Let one run at a time set up: a second one waits, instead of clearing away what the first is building."""
    with open(ROOT / ".venv.lock", "w", encoding="utf-8") as lock:
        if os.name == "nt":
            import msvcrt

            while True:
                with suppress(OSError):  # it gives up after ten seconds
                    msvcrt.locking(lock.fileno(), msvcrt.LK_LOCK, 1)
                    break
        else:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def install(files):
    """Install the pinned packages, and make the repository itself importable; pip's words go to LOG."""
    pip = [PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--progress-bar=off"]
    command = [*pip, *(f"--requirement={ROOT / name}" for name in files)]
    environment = {**os.environ, "PIP_USER": "0", "PYTHONUTF8": "1"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "encoding": "utf-8", "errors": "replace"}
    with LOG.open("w", encoding="utf-8") as log, subprocess.Popen(command, env=environment, **pipes) as running:
        packages = 0
        for line in running.stdout:
            log.write(line)
            step = re.match(r"(?:Collecting|Processing) (?:\S*[/\\])?([\w.]+)|(Installing) collected", line)
            packages += bool(step and step[1])
            if step and sys.stdout.isatty():
                print(f"\r  {step[1] or 'unpacking …':40}", end="", flush=True)
            elif step and (step[2] or packages % 20 == 1):
                print(f"  {step[1] or 'unpacking'} ({packages}) …", flush=True)
    if sys.stdout.isatty():
        print("\r" + " " * 42, end="\r")
    if running.returncode:
        said = LOG.read_text(encoding="utf-8")
        last = ([line for line in said.splitlines() if line.startswith("ERROR")] or ["pip failed"])[-1]
        default = f"{last.rstrip('.')}. All that pip said is in {LOG}; mend that, {AGAIN}"
        sys.exit(next((remedy for sign, remedy in REMEDIES.items() if re.search(sign, said)), default))
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = subprocess.check_output([PYTHON, "-c", where], encoding="utf-8").strip()
    Path(packages, "iam-lab.pth").write_text(os.path.relpath(ROOT, packages) + "\n", encoding="utf-8")


def become(module, *options):
    """Run the module with the Python of .venv in this process's place."""
    os.environ.update(PATH=f"{SCRIPTS}{os.pathsep}{os.environ.get('PATH', '')}", VIRTUAL_ENV=str(VENV))
    os.chdir(ROOT)
    command = [str(PYTHON), "-m", module, *options]
    if os.name != "nt":
        os.execv(PYTHON, command)
    with subprocess.Popen(command) as running:  # Windows has no exec worth the name
        while running.returncode is None:
            try:
                running.wait()
            except KeyboardInterrupt:  # it went to the module too, which decides
                continue
    sys.exit(running.returncode)


if __name__ == "__main__":
    for steering in ("PYTHONPATH", "PYTHONHOME"):  # another Python's packages, which .venv has its own of
        os.environ.pop(steering, None)
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit("\nStopped. Run the same command again to go on.")
    except subprocess.CalledProcessError as error:
        sys.exit(f"Python could not make {VENV}: delete that folder, then run {COMMAND} again. ({error})")
    except BrokenPipeError:  # whoever read it has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
            sys.exit(NO_SPACE)
        if isinstance(error, PermissionError):
            sys.exit(f"{error.filename} cannot be written: close what uses it, or move the lab to a folder of yours.")
        sys.exit(f"The lab could not be set up: {error}. Get the repository again if a file is missing.")
