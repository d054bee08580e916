"""A distribution of Pyodide in miniature, from the pieces that npm and the Python package index carry.

python -m lite.tests.pieces FOLDER

Pyodide's core – Python itself – is the real one, from npm. The packages that have to be compiled for the browser are in
neither place: PyYAML and MarkupSafe are those of the environment that builds, without their compiled part, which they
do without; `cryptography` is a stand-in of ours; matplotlib is missing.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
import tempfile
import zipfile
from importlib import metadata
from pathlib import Path

from lite.build import CORE, LOCK, core_from_npm, described

PURE_TOO = ("pyyaml", "markupsafe")
COMPILED = re.compile(r".*\.(so|pyd|dylib|pyc)$")
ANYWHERE = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def distribution(folder: Path) -> None:
    """Put it together in that folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        core = Path(core_from_npm(Path(scratch)))
        for name in (*CORE, LOCK):
            shutil.copy2(core / name, folder)
    for package in PURE_TOO:
        without_compiled_part(metadata.distribution(package), folder)
    with zipfile.ZipFile(folder / "cryptography-0-py3-none-any.whl", "w") as wheel:
        wheel.write(Path(__file__).with_name("cryptography_stand_in.py"), "cryptography/__init__.py")
        wheel.writestr("cryptography-0.dist-info/METADATA", "Metadata-Version: 2.1\nName: cryptography\nVersion: 0\n")
        wheel.writestr("cryptography-0.dist-info/WHEEL", ANYWHERE)
    lock = json.loads((folder / LOCK).read_text(encoding="utf-8"))
    lock["packages"] = described(sorted(folder.glob("*.whl")), python=lock["info"]["python"])
    (folder / LOCK).write_text(json.dumps(lock), encoding="utf-8")


def without_compiled_part(package: metadata.Distribution, folder: Path) -> None:
    name = f"{package.name.lower()}-{package.version}-py3-none-any.whl"
    with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as wheel:
        for file in package.files or ():
            if not COMPILED.match(file.name):
                wheel.write(str(file.locate()), str(file))


if __name__ == "__main__":
    distribution(Path(sys.argv[1]))
