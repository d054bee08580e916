"""Build the course as a site of static files: JupyterLite, and beside it everything that its kernel imports.

python -m lite.build SITE --wheels FOLDER [--pyodide FOLDER_OR_URL]
python -m lite.build --look [--pyodide FOLDER_OR_URL]                   only see whether that distribution is there

`--wheels` holds the lab's own wheel and those of lite/browser-requirements.txt. `--pyodide` is a distribution of
Pyodide, which brings Python itself and the packages that have to be compiled: a folder, or an address, by default the
distribution's own. Of an address Python itself is taken from npm, as package-lock.json beside this file knows it by its
hash, and each package must be the one whose SHA-256 stands in the list that comes with it. What is needed is copied
into the site: a reader's browser asks nobody else.

Nothing is left to the browser that can be done once: the packages' files are one archive, and Python's memory is kept
as it is when the lab has been imported. That is freeze.mjs, which Node.js runs; kernel.mjs puts both in their places.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
import zipfile
from collections import defaultdict
from collections.abc import Iterable
from hashlib import sha256
from importlib.metadata import PathDistribution
from io import BytesIO
from pathlib import Path
from typing import Any

from jupyterlite_pyodide_kernel.constants import PYODIDE_CDN_URL, PYODIDE_KERNEL_PLUGIN_ID, PYODIDE_VERSION
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

HERE = Path(__file__).parent
NOTEBOOKS = HERE.parent / "notebooks"
FIRST = "00-start-here.ipynb"
CORE = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip")
KERNEL = (
    "piplite",
    "pyodide_kernel",
    "ipykernel",
    "widgetsnbextension-4",
)  # wheels that JupyterLite's kernel comes with
LOADED = ("micropip", "comm", "jedi", "ipython", "piplite", "pyodide-kernel", "ipykernel", "iam-lab")  # with the kernel
PURE_TOO = {"pyyaml", "markupsafe"}  # they do without their compiled parts
PYODIDE, LOCK, FILES = "static/pyodide", "pyodide-lock.json", "files.bin"

# What a browser need not fetch: the AWS CLI's own copies of botocore and s3transfer, which the lab does without, and
# its examples (148 of its 155 MB); botocore's examples; the tests of networkx; Jedi's types of packages that
# are not here (4,800 of all 12,200 files); parts that were compiled; scripts, and JupyterLab's extensions.
LEFT_OUT = re.compile(
    r"simlib/notebooks/|awscli/(botocore|s3transfer|examples)/|botocore/data/.+/examples-1\.json|networkx/(.+/)?tests/"
    r"|jedi/third_party/(django-stubs|typeshed/stubs)/|.+\.so$|[^/]+\.data/"
)

Package = dict[str, Any]


def build(target: Path, wheels: Path, pyodide: str) -> None:
    """Make the site anew in that folder; what was there stays until the new one is whole."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=target.parent) as place:
        core = core_from_npm(Path(place)) if is_address(pyodide) else pyodide
        lock = json.loads(read(core, LOCK))
        fill(site := Path(place, target.name), wheels, (core, pyodide), lock)
        shutil.rmtree(target, ignore_errors=True)
        site.rename(target)


def fill(site: Path, wheels: Path, pyodide: tuple[str, str], lock: dict[str, Any]) -> None:
    """Make the site of these wheels and of Pyodide: where its core is, where its packages are, and their list."""
    jupyterlite(site, extensions=[next(wheels.glob(f"{name}-*")) for name in ("anywidget", "jupyterlab_widgets")])
    ours = bundled(wheels, site)
    packages = needed(lock["packages"] | described(ours, python=lock["info"]["python"]))
    theirs = {name: each for name, each in packages.items() if each["file_name"] not in {wheel.name for wheel in ours}}
    late = theirs.keys() - PURE_TOO
    lock["packages"] = {
        name: theirs[name] | {"depends": [need for need in theirs[name]["depends"] if need in late]} for name in late
    }
    (site / PYODIDE).mkdir(parents=True)
    for name in CORE:
        (site / PYODIDE / name).write_bytes(read(pyodide[0], name))
    pure = []
    for name, each in theirs.items():
        content = read(pyodide[1], file := each["file_name"])
        if sha256(content).hexdigest() != each["sha256"]:
            sys.exit(f"{file} of {pyodide[1]} is not the file that Pyodide's list of packages names.")
        if name in late:
            (site / PYODIDE / file).write_bytes(content)
        else:
            pure.append(BytesIO(content))
    (site / PYODIDE / LOCK).write_text(json.dumps(lock, indent=1, sort_keys=True), encoding="utf-8")
    (site / PYODIDE / FILES).write_bytes(archive([*ours, *pure]))
    freeze(site / PYODIDE, lock["info"])
    configure(site)


def archive(wheels: Iterable[Path | BytesIO]) -> bytes:
    """The files of these wheels without what is left out, in the form that files.mjs reads."""
    folders: dict[str, dict[str, bytes]] = defaultdict(dict)
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as whole:
            for path in whole.namelist():
                folder, _, name = path.rpartition("/")
                if name and not LEFT_OUT.match(path):
                    folders[folder][name] = whole.read(path)
    sizes = {folder: [(name, len(content)) for name, content in files.items()] for folder, files in folders.items()}
    contents = (content for files in folders.values() for content in files.values())
    text = json.dumps(sizes).encode()
    return gzip.compress(b"".join([len(text).to_bytes(4, "big"), text, *contents]), mtime=0)


def freeze(pyodide: Path, info: dict[str, Any]) -> None:
    """Keep the memory of the Python in that folder as it is when frozen.py has run."""
    for name in ("kernel.mjs", "files.mjs"):
        shutil.copy2(HERE / name, pyodide)
    command = [node(), str(HERE / "freeze.mjs"), str(pyodide), json.dumps(info)]
    done = subprocess.run(command, input=(HERE / "frozen.py").read_bytes(), capture_output=True, check=False)
    if done.returncode:
        sys.exit(done.stderr.decode()[-2000:])


def node() -> str:
    """The program, which starts the Python of the browser once."""
    program = shutil.which("node")
    if program is None:
        sys.exit("There is no Node.js here, in which the build starts Python once: install it.")
    return program


def core_from_npm(scratch: Path) -> str:
    """Pyodide's core, and the list of its packages, from npm; the folder."""
    for name in ("package.json", "package-lock.json"):
        shutil.copy2(HERE / name, scratch)
    command = [npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(command, cwd=scratch, check=True)
    return str(scratch / "node_modules" / "pyodide")


def npm() -> str:
    """The program, if it is there and has to bring the Pyodide that JupyterLite's kernel is made for."""
    pinned = json.loads((HERE / "package.json").read_text(encoding="utf-8"))["dependencies"]["pyodide"]
    if pinned != PYODIDE_VERSION:
        sys.exit(
            f"lite/package.json names Pyodide {pinned}, but JupyterLite's kernel is made for {PYODIDE_VERSION}. "
            f"In lite/: npm install --package-lock-only --save-exact pyodide@{PYODIDE_VERSION}"
        )
    program = shutil.which("npm")
    if program is None:
        sys.exit(
            "There is no npm here, from which Python for the browser comes: install Node.js, or name a folder with "
            "Pyodide's full distribution in SIMLIB_PYODIDE."
        )
    return program


def is_address(place: str) -> bool:
    return place.startswith(("https://", "http://"))


def jupyterlite(site: Path, extensions: Iterable[Path]) -> None:
    """JupyterLab's files with these extensions, and the notebooks."""
    settings = {
        "apps": ["lab"],
        "contents": [str(NOTEBOOKS)],
        "extra_ignore_contents": [r"progress.*\.json$", r"instructor-guide\.md$"],
        "federated_extensions": [str(each) for each in extensions],
        "no_sourcemaps": True,
        "no_unused_shared_packages": True,
        "output_dir": str(site),
    }
    with tempfile.TemporaryDirectory() as scratch:
        for name in ("jupyter-lite.json", "overrides.json"):
            shutil.copy2(HERE / name, scratch)
        text = json.dumps({"LiteBuildConfig": settings})
        Path(scratch, "jupyter_lite_config.json").write_text(text, encoding="utf-8")
        command = [sys.executable, "-m", "jupyterlite_core", "build"]
        done = subprocess.run(command, cwd=scratch, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)


def read(place: str, name: str) -> bytes:
    """A file of a distribution."""
    try:
        if not is_address(place):
            return Path(place, name).read_bytes()
        with urllib.request.urlopen(f"{place.rstrip('/')}/{name}") as answer:
            return bytes(answer.read())
    except OSError as error:
        sys.exit(
            f"There is no distribution of Pyodide at {place} ({error}). The build asks for it, readers' browsers do "
            "not. SIMLIB_PYODIDE names another address, or a folder with the full distribution, unpacked."
        )


def bundled(wheels: Path, site: Path) -> list[Path]:
    """The wheels: the lab's, its dependencies', the kernel's."""
    kernels = [found for name in KERNEL for found in site.glob(f"extensions/**/pypi/{name}*.whl")]
    return sorted([*wheels.glob("*.whl"), *kernels])


def described(wheels: Iterable[Path], python: str) -> dict[str, Package]:
    """Wheels as Pyodide's lock file has them, https://pyodide.org/en/stable/development/lockfile.html"""
    place = {"sys_platform": "emscripten", "platform_system": "Emscripten", "platform_machine": "wasm32"}
    version = {"python_full_version": python, "python_version": ".".join(python.split(".")[:2])}
    found = {}
    for wheel in wheels:
        top = {path.name: path for path in zipfile.Path(wheel).iterdir()}
        about = PathDistribution(next(path for name, path in top.items() if name.endswith(".dist-info")))
        wanted = [Requirement(line) for line in about.requires or ()]
        found[canonicalize_name(about.name)] = {
            "name": about.name,
            "version": about.version,
            "file_name": wheel.name,
            "install_dir": "site",
            "sha256": sha256(wheel.read_bytes()).hexdigest(),
            "package_type": "package",
            "imports": [name.removesuffix(".py") for name in top if name.isidentifier() or name.endswith(".py")],
            "depends": [
                canonicalize_name(each.name)
                for each in wanted
                if each.marker is None or each.marker.evaluate({**place, **version, "extra": ""})
            ],
            "unvendored_tests": False,
        }
    return found


def needed(packages: dict[str, Package]) -> dict[str, Package]:
    """Those that the kernel loads, with what they depend on, as far as it is there; what is not is said."""
    chosen: dict[str, Package] = {}
    missing = set()
    ahead = list(LOADED)
    while ahead:
        name = ahead.pop()
        if name not in packages:
            missing.add(name)
        elif name not in chosen:
            chosen[name] = packages[name]
            ahead += packages[name]["depends"]
    for each in chosen.values():
        each["depends"] = [name for name in each["depends"] if name in chosen]
    if missing:
        print("Not in this site, for want of a build for the browser:", ", ".join(sorted(missing)))
    return chosen


def configure(site: Path) -> None:
    """Tell the kernel where its Python lies and let it wake early; the first page; what works without a network."""
    path = site / "jupyter-lite.json"
    settings = json.loads(path.read_text(encoding="utf-8"))
    settings["jupyter-config-data"].setdefault("litePluginSettings", {})[PYODIDE_KERNEL_PLUGIN_ID] = {
        "pyodideUrl": f"./{PYODIDE}/kernel.mjs",
        "disablePyPIFallback": True,
        "loadPyodideOptions": {"packages": list(LOADED)},
    }
    path.write_text(json.dumps(settings, indent=2), encoding="utf-8")
    shutil.copy2(site / "lab" / "favicon.ico", site)
    kernels = next(site.glob("extensions/**/comlink.worker.*.js")).relative_to(site).as_posix()
    (site / PYODIDE / "worker.mjs").write_text(f'import "./kernel.mjs";\nimport "../../{kernels}";\n', encoding="utf-8")
    lab = site / "lab" / "index.html"
    early = (HERE / "early.js").read_text(encoding="utf-8")
    early = early.replace('VERSION = ""', f'VERSION = "{settings["jupyter-config-data"]["appVersion"]}"')
    page = lab.read_text(encoding="utf-8").replace("<head>", f"<head>\n<script>\n{early}</script>", 1)
    lab.write_text(page, encoding="utf-8")
    files = sorted(path for path in site.rglob("*") if path.is_file() and path.name != "service-worker.js")
    size = round(sum(path.stat().st_size for path in files) / 1e6)
    first = f"lab/index.html?path={FIRST}"
    page = (HERE / "index.html").read_text(encoding="utf-8").replace("{size}", str(size)).replace("{first}", first)
    (site / "index.html").write_text(page, encoding="utf-8")
    worker = site / "service-worker.js"
    names = json.dumps([path.relative_to(site).as_posix() for path in files])
    version = sha256(b"".join(sha256(path.read_bytes()).digest() for path in files)).hexdigest()[:12]
    ours = (HERE / "offline.js").read_text(encoding="utf-8")
    ours = ours.replace("FILES = []", f"FILES = {names}").replace('KEPT = "iam-lab"', f'KEPT = "iam-lab-{version}"')
    worker.write_text(ours + worker.read_text(encoding="utf-8"), encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("site", type=Path, nargs="?", default=Path("lite/site"))
    parser.add_argument("--wheels", type=Path, metavar="FOLDER")
    parser.add_argument("--pyodide", default=PYODIDE_CDN_URL, metavar="FOLDER_OR_URL")
    parser.add_argument("--look", action="store_true")
    options = parser.parse_args()
    if options.look:
        node()
        if is_address(options.pyodide):
            npm()
        read(options.pyodide, LOCK)
    else:
        build(options.site.absolute(), options.wheels.absolute(), options.pyodide)
