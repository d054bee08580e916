"""Contributors' tasks: `nox -s TASK`; `nox -l` lists them. A learner needs none of this: see lab.py.

Each task has its own environment under .nox; the lab's is .venv, which lab.py makes.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import nox

nox.options.sessions = ["check-all"]
nox.options.default_venv_backend = "venv"
nox.options.reuse_existing_virtualenvs = True

LAB_PYTHON = Path(".venv", "Scripts/python.exe" if os.name == "nt" else "bin/python").absolute()
CODE = ("simlib", "tests", "tools", "benchmarks", "binder", "lite", "lab.py", "noxfile.py")
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
IN_PYODIDE = (  # packages that its distribution brings, compiled for the browser; time-machine is not to be had there
    *("cffi", "contourpy", "cryptography", "cycler", "fonttools", "kiwisolver", "markupsafe", "matplotlib", "numpy"),
    *("pillow", "pycparser", "pyparsing", "pyyaml", "time-machine", "widgetsnbextension"),
)
PLATFORMS = (
    "x86_64-manylinux_2_28",
    "aarch64-manylinux_2_28",
    "aarch64-apple-darwin",
    "x86_64-apple-darwin",
    "x86_64-pc-windows-msvc",
)


FORGE = {  # what a forge reads, and the schema that says how; GitHub's own editors use the same
    "vendor.github-workflows": ".github/workflows/*.yml",
    "custom.github-workflows-require-timeout": ".github/workflows/*.yml",
    "vendor.dependabot": ".github/dependabot.yml",
    "vendor.github-issue-forms": ".github/ISSUE_TEMPLATE/[!c]*.yml",
    "vendor.github-issue-config": ".github/ISSUE_TEMPLATE/config.yml",
    "vendor.citation-file-format": "CITATION.cff",
}


@nox.session(name="check-all")
def check_all(session: nox.Session) -> None:
    """Everything that has to be right before a change goes in: the checks, then the tests."""
    run_checks(session)
    session.run(sys.executable, "lab.py", "test", *session.posargs, external=True)


@nox.session
def checks(session: nox.Session) -> None:
    """What check-all does besides the tests: style, types, notebooks without outputs, workflows, Binder's image."""
    run_checks(session)


def run_checks(session: nox.Session) -> None:
    install_tools(session)
    code = [path for path in CODE if any(Path(path).rglob("*.py")) or Path(path).is_file()]
    session.run("ruff", "check", "--quiet", *code)
    session.run("ruff", "format", "--quiet", "--check", *code)
    session.run("mypy", "--no-error-summary")
    notebooks = sorted(map(str, Path("notebooks").glob("*.ipynb")))
    hook = re.findall(r"entry: (nbstripout .*)", Path(".pre-commit-config.yaml").read_text(encoding="utf-8"))[0]
    session.run(*shlex.split(hook), "--verify", *notebooks)
    for schema, files in FORGE.items():
        session.run("check-jsonschema", "--quiet", "--builtin-schema", schema, *sorted(map(str, Path().glob(files))))
    session.run("zizmor", "--offline", "--quiet", "--no-progress", ".github", success_codes=[0])
    need_tools = ("tests/repository/image_of_binder.py", "tests/iam/test_service_data.py")
    for checked in need_tools:  # without conftest.py: the tools are not what the tests need
        session.run("pytest", "--no-header", "--noconftest", "-p", "no:cacheprovider", checked, silent=True)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure, in the lab's own environment: `nox -s bench -- NAME …` for some, without a name for all."""
    session.run(sys.executable, "lab.py", "test", "--version", external=True, silent=True)  # sets up
    session.run(str(LAB_PYTHON), "-m", "benchmarks", *session.posargs, external=True)


@nox.session
def lock(session: nox.Session) -> None:
    """Write the pinned requirements files anew from pyproject.toml; `nox -s lock -- --upgrade` for newer releases."""
    install_tools(session)
    pin(session, Path(), *session.posargs)
    resolve_everywhere(session)


def pinned() -> dict[str, tuple[str, ...]]:
    """Each pinned file, and how it is resolved."""
    everywhere = ("--universal", "--python-version", PYTHONS[0])
    image = ("--python-version", Path("binder/runtime.txt").read_text(encoding="utf-8").strip().removeprefix("python-"))
    in_step = ("--constraints", "requirements.txt")
    browser = ("--python-version", "3.14", "--python-platform", "wasm32-pyodide2025")
    not_ours = [f"--no-emit-package={name}" for name in IN_PYODIDE]
    return {
        "requirements.txt": ("pyproject.toml", "--extra", "jupyter", *everywhere),
        "tests/requirements.txt": ("--group", "test", *everywhere, *in_step),
        ".ci/requirements.txt": ("--group", "tools", *everywhere, *in_step),
        "binder/hub/requirements.txt": ("--group", "hub", *everywhere, *in_step),
        "binder/requirements.txt": ("pyproject.toml", *image, "--python-platform", "linux", *in_step),
        "lite/requirements.txt": ("--group", "lite", *everywhere, *in_step),
        "lite/browser-requirements.txt": ("pyproject.toml", "--group", "lite-kernel", *browser, *not_ours, *in_step),
    }


def pin(session: nox.Session, folder: Path, *more: str) -> None:
    """Write the pinned files into a folder; releases that stand there already stay unless they do not fit."""
    form = ("--quiet", "--generate-hashes", "--no-annotate", "--custom-compile-command", "nox -s lock")
    for target, options in pinned().items():
        session.run("uv", "pip", "compile", *form, *options, *more, "--output-file", str(folder / target))


@nox.session(name="service-data")
def service_data(session: nox.Session) -> None:
    """Make the engine's file of AWS's actions, resources and condition keys anew, from the pinned sources."""
    install_tools(session)
    session.run("python", "-m", "tools.service_data", *session.posargs)


@nox.session
def number(session: nox.Session) -> None:
    """Bring notebooks, links and minutes into line with the table of lessons, then the translated notebooks."""
    session.run(str(LAB_PYTHON), "-m", "tools.number_lessons", external=True)
    translate(session)


@nox.session
def translate(session: nox.Session) -> None:
    """Make the notebooks in other languages anew, and list what is not translated."""
    session.run(str(LAB_PYTHON), "-m", "tools.translation", external=True)


@nox.session
def bundle(session: nox.Session) -> None:
    """Make the policy editor's JavaScript anew from editor/, with Node.js."""
    session.chdir("editor")
    session.run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", external=True)
    session.run("node", "build.mjs", external=True)


@nox.session
def platforms(session: nox.Session) -> None:
    """Resolve what a learner installs for every Python and platform: each package must have a wheel there."""
    install_tools(session)
    resolve_everywhere(session)


def resolve_everywhere(session: nox.Session) -> None:
    files = ("-r", "requirements.txt", "-r", "tests/requirements.txt")
    for python in PYTHONS:
        for platform in PLATFORMS:
            place = ("--python-version", python, "--python-platform", platform, "--target", session.create_tmp())
            session.run("uv", "pip", "install", "--dry-run", "--quiet", "--only-binary", ":all:", *place, *files)


@nox.session
def package(session: nox.Session) -> None:
    """Build what `pip install` takes into dist/, and check it."""
    install_tools(session)
    shutil.rmtree("dist", ignore_errors=True)
    session.run("python", "-m", "build", "--no-isolation", "--outdir", "dist", silent=True)
    session.run("twine", "check", "--strict", *map(str, Path("dist").iterdir()))


@nox.session
def audit(session: nox.Session) -> None:
    """Ask the index for published advisories about everything that is pinned; needs a network."""
    install_tools(session)
    quiet = ("--disable-pip", "--progress-spinner", "off")
    for name in pinned():  # strict: what the index cannot tell about is a failure, too
        session.run("pip-audit", "--strict", "--require-hashes", *quiet, "-r", name)


@nox.session
def links(session: nox.Session) -> None:
    """Say where the public copy is, everywhere: `nox -s links -- OWNER/NAME`."""
    session.run(sys.executable, "-m", "tools.links", *session.posargs, external=True)


@nox.session(name="release-check")
def release_check(session: nox.Session) -> None:
    """Say what stands against a release; then every check, and every test with nothing left out."""
    session.run(sys.executable, "-m", "tests.repository.ready_to_release", external=True)
    install_tools(session)
    place = Path(session.create_tmp())
    for name in pinned():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(name, place / name)
    pin(session, place)
    if stale := [name for name in pinned() if Path(name).read_bytes() != (place / name).read_bytes()]:
        session.error(f"{', '.join(stale)} do not follow from pyproject.toml: run `nox -s lock` and commit.")
    with session.chdir("editor"):
        session.run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", external=True, silent=True)
    run_checks(session)
    session.run(sys.executable, "lab.py", "test", env={"CI": "true"}, external=True)


@nox.session
def hub(session: nox.Session) -> None:
    """A JupyterHub on this machine, to try a workshop; `-- load 30` sends thirty learners through lesson 1."""
    quiet = ("--quiet", "--disable-pip-version-check")
    session.install(*quiet, "-r", "requirements.txt", "-r", "binder/hub/requirements.txt")
    npm = ("npm", "ci", "--prefix", "binder/hub", "--ignore-scripts", "--no-audit", "--no-fund")
    session.run(*npm, external=True, silent=True)
    session.run("python", "binder/hub/hub.py", *session.posargs)


@nox.session
def binder(session: nox.Session) -> None:
    """Do Binder's steps as a user without rights, and open a lesson there; `-- course` runs all in one kernel first."""
    install_tools(session)
    place = Path(tempfile.mkdtemp(prefix="binder-")).resolve()
    try:
        image = make_image(session, place)
        if "course" in session.posargs:
            session.run(*image, "python", "tests/notebooks/whole_course.py", "notebooks", external=True)
        session.run(sys.executable, "lab.py", "test", "--version", external=True, silent=True)  # sets up
        look = ("-m", "pytest", "-p", "no:cacheprovider", "tests/browser/binder_in_browser.py")
        session.run(str(LAB_PYTHON), *look, env={"SIMLIB_IMAGE": json.dumps(image)}, external=True)
    finally:
        subprocess.Popen(["rm", "-rf", str(place)])  # can take a minute, for which nobody has to wait


def make_image(session: nox.Session, place: Path) -> list[str]:
    """What the image's Dockerfile does; how a command begins that is run there. A venv stands in for conda's."""
    environment, home = place / "environment", place / "home"
    variables = {
        **{name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "HTTPS_PROXY"))},
        **{"HOME": str(home), "USER": "jovyan", "NB_USER": "jovyan", "LANG": "C.UTF-8"},
        **{"NB_PYTHON_PREFIX": str(environment), "PATH": f"{environment}/bin:/usr/bin:/bin"},
    }
    there = ["env", f"--chdir={home}", "-i", *(f"{name}={value}" for name, value in variables.items())]
    if os.geteuid() == 0:
        no_rights = ("--reuid=60000", "--regid=60000", "--clear-groups", "--no-new-privs", "--bounding-set=-all")
        there = ["setpriv", *no_rights, *there]
        place.chmod(0o755)
    for name in str(session.run("git", "ls-files", external=True, silent=True)).splitlines():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(name, home / name)
    python = ("--python", str(environment / "bin" / "python"), "--link-mode", "copy")
    session.run("uv", "venv", "--quiet", "--seed", "--python", binder_python(session, there), str(environment))
    session.run("uv", "pip", "install", "--quiet", *python, *binder_base(session))
    if os.geteuid() == 0:
        session.run("chown", "--recursive", "60000:60000", str(home), str(environment), external=True)
    pip = (*there, "pip", "--quiet", "--disable-pip-version-check")
    session.run(*pip, "install", "--no-cache-dir", "-r", "binder/requirements.txt", external=True)
    session.run(*there, "./binder/postBuild", external=True, silent=True)
    session.run(*pip, "check", external=True)
    return there


def binder_python(session: nox.Session, there: Sequence[str]) -> str:
    """The image's Python, from a place where its user may run it."""
    name = Path("binder/runtime.txt").read_text(encoding="utf-8").strip().replace("-", "")
    for folder in (*os.environ["PATH"].split(os.pathsep), "/usr/bin"):
        command = (*there, f"{folder}/{name}", "-c", "")
        if subprocess.run(command, stderr=subprocess.DEVNULL).returncode == 0:
            return f"{folder}/{name}"
    session.error(f"There is no {name} here that every user may run: install it where all can reach it")


def binder_base(session: nox.Session) -> list[str]:
    """The Jupyter packages that Binder's image brings along, at its releases (from repo2docker's own list)."""
    version = Path("binder/runtime.txt").read_text(encoding="utf-8").strip().removeprefix("python-")
    where = "import repo2docker.buildpacks.conda as home; print(*home.__path__)"
    folder = str(session.run("python", "-c", where, silent=True)).strip()
    listed = Path(folder, f"environment.py-{version}-linux-64.lock").read_text(encoding="utf-8")
    names = "jupyterlab|notebook|jupyter_server|jupyterhub|ipykernel|ipython|ipywidgets|jupyter-resource-usage"
    return [f"{name}=={release}" for name, release in re.findall(rf"/({names})(?:-base)?-(\d[\d.]*)-", listed)]


@nox.session
def lite(session: nox.Session) -> None:
    """Build the course as static files in lite/site, for the browser alone; SIMLIB_PYODIDE names its Pyodide."""
    build_site(session, Path("lite/site"), os.environ.get("SIMLIB_PYODIDE"))


@nox.session(name="lite-test")
def lite_test(session: nox.Session) -> None:
    """Build such a site from what npm and the package index have of Pyodide, and run its lessons in Chromium."""
    pieces, site = Path(session.create_tmp()) / "pieces", Path(session.create_tmp()) / "site"
    shutil.rmtree(pieces, ignore_errors=True)
    build_site(session, site, str(pieces))
    session.run(sys.executable, "lab.py", "test", "--version", external=True, silent=True)  # sets up
    found = {"SIMLIB_SITE": str(site.absolute()), "CI": "true"}  # without a browser it fails
    session.run(str(LAB_PYTHON), "-m", "pytest", "-s", "lite/tests", *session.posargs, env=found, external=True)


def build_site(session: nox.Session, site: Path, pyodide: str | None) -> None:
    """With the Pyodide in that folder or at that address; a folder that is not there is filled with the pieces."""
    pip = ("--quiet", "--disable-pip-version-check")
    chosen = ("--pyodide", pyodide) if pyodide else ()
    session.install(*pip, "-r", "lite/requirements.txt")
    if session.name == "lite-test":
        session.run("python", "-m", "lite.tests.pieces", str(pyodide))
    session.run("python", "-m", "lite.build", "--look", *chosen)  # before all that takes minutes
    wheels = Path(session.create_tmp()) / "wheels"
    shutil.rmtree(wheels, ignore_errors=True)
    anywhere = ("--only-binary=:all:", "--platform=any", "--implementation=py", "--abi=none", "--python-version=3.14")
    needed = ("--no-deps", "-r", "lite/browser-requirements.txt", "--dest", str(wheels))
    session.run("python", "-m", "pip", "download", *pip, *anywhere, *needed)
    ours = ("--no-deps", "--no-build-isolation", "--wheel-dir", str(wheels))
    session.run("python", "-m", "pip", "wheel", *pip, *ours, ".")
    session.run("python", "-m", "lite.build", str(site), "--wheels", str(wheels), *chosen)


def install_tools(session: nox.Session) -> None:
    if session.virtualenv.is_sandboxed:  # not under `nox --no-venv`: there they are installed already
        session.install("--quiet", "--disable-pip-version-check", "-r", ".ci/requirements.txt")
