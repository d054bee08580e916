"""The house has floors, and imports only go down: notebooks, lab, challenges, audit, cloud, iam."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from IPython.core.inputtransformer2 import TransformerManager

from .conftest import ROOT

SCREEN = {"IPython", "ipywidgets", "anywidget", "matplotlib", "networkx", "jupyterlab", "ipykernel", "traitlets"}
BROUGHT_ALONG = {  # imported under its own name, pinned by the dependency that brings it
    "botocore": "boto3",
    "cryptography": "moto",
    "docutils": "awscli",
    "jmespath": "boto3",
    "requests": "moto",
    "s3transfer": "boto3",
    "werkzeug": "moto",
    "IPython": "ipywidgets",
    "traitlets": "ipywidgets",
    "yaml": "awscli",
}


def modules(floor: str) -> list[Path]:
    """Its modules; a contributors' generator of a data file (`_generate_…`) runs alone and is imported by none."""
    return [path for path in sorted((ROOT / "simlib" / floor).rglob("*.py")) if not path.stem.startswith("_generate")]


def imported(source: str, package: str = "", *, top_level_only: bool = False) -> Iterator[str]:
    """Full names of what a module imports; `package` is what its relative imports start from."""
    tree = ast.parse(source)
    for node in tree.body if top_level_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            of_packages = module in ("simlib", "simlib.iam")
            yield from ([f"{module}.{alias.name}" for alias in node.names] if of_packages else [module])
        elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ("import_module", "__import__"):
            yield from (word.value for word in node.args[:1] if isinstance(word, ast.Constant))


def imports_of(path: Path, **options: bool) -> set[str]:
    package = ".".join(path.relative_to(ROOT).parent.parts)
    return set(imported(path.read_text(encoding="utf-8"), package, **options))


def within(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


def test_the_reader_of_imports_sees_every_form() -> None:
    source = (
        "import a.b\nfrom . import c\nfrom .d import e\nfrom ..f import g\nfrom simlib import lab\nimport_module('h')"
    )
    assert set(imported(source, "simlib.cloud")) == {
        "a.b", "simlib.cloud", "simlib.cloud.d", "simlib.f", "simlib.lab", "h"
    }  # fmt: skip


@pytest.mark.parametrize("path", modules("iam"), ids=lambda path: path.stem)
def test_the_engine_imports_the_standard_library_and_itself_only(path: Path) -> None:
    foreign = {name for name in imports_of(path) if name.split(".")[0] not in sys.stdlib_module_names}
    assert {name for name in foreign if not within(name, "simlib.iam")} == set()


def circles(graph: dict[str, set[str]]) -> set[frozenset[str]]:
    """The modules that come back to themselves, those of one circle together."""

    def behind(module: str, seen: set[str]) -> set[str]:
        for name in graph.get(module, ()):
            if name not in seen:
                seen.add(name)
                behind(name, seen)
        return seen

    reached = {module: behind(module, set()) for module in graph}
    own = [module for module in graph if module in reached[module]]
    return {frozenset(each for each in own if each in reached[module] and module in reached[each]) for module in own}


def test_no_module_of_the_engine_imports_one_that_imports_it() -> None:
    """Whatever the form: at the top, late in a function, or for types alone. Models do not know their views."""
    assert circles({"a": {"b"}, "b": {"c", "d"}, "c": {"a"}, "d": {"e"}, "e": set()}) == {frozenset("abc")}
    graph = {f"simlib.iam.{path.stem}": imports_of(path) for path in modules("iam")}
    assert circles(graph) == set()


@pytest.mark.parametrize("path", modules("cloud"), ids=lambda path: path.stem)
def test_moto_is_known_by_the_list_of_its_names_alone(path: Path) -> None:
    if path.name != "moto_names.py":
        assert {name for name in imports_of(path) if within(name, "moto")} == set()


def test_the_folders_of_the_cloud_import_one_way() -> None:
    """A module beside the folders counts as one of its own; the front door names what it opens when it is asked."""
    folders = {path.name for path in (ROOT / "simlib" / "cloud").iterdir() if path.is_dir()}

    def place(name: str) -> str:
        part = name.removeprefix("simlib.cloud.").partition(".")[0]
        return f"{part}/" if part in folders else part

    graph: dict[str, set[str]] = {}
    for path in modules("cloud"):
        here = place(".".join(path.with_suffix("").relative_to(ROOT).parts))
        names = {place(name) for name in imports_of(path) if name.startswith("simlib.cloud.")}
        graph.setdefault(here, set()).update(names - {here} if here != "__init__" else ())
    assert {"storage/", "services/", "gate", "world"} <= set(graph)
    assert circles(graph) == set()


@pytest.mark.parametrize(
    "path", [*modules("cloud"), *modules("audit"), *modules("challenges")], ids=lambda path: path.stem
)
def test_what_the_lab_stands_on_knows_no_widgets_and_no_lab(path: Path) -> None:
    graphs = {"networkx"} if path.parent.name == "audit" else set()  # who leads to whom is one
    assert {name for name in imports_of(path) if within(name, "simlib.lab", *(SCREEN - graphs))} == set()


@pytest.mark.parametrize("path", modules("cloud"), ids=lambda path: path.stem)
def test_the_cloud_knows_no_audit_and_no_challenges(path: Path) -> None:
    assert {name for name in imports_of(path) if within(name, "simlib.audit", "simlib.challenges")} == set()


@pytest.mark.parametrize("path", sorted((ROOT / "simlib").glob("*.py")), ids=lambda path: path.stem)
def test_the_front_door_imports_nothing_until_it_is_asked(path: Path) -> None:
    names = imports_of(path, top_level_only=True)
    own = {name for name in names if name.split(".")[0] not in sys.stdlib_module_names}
    assert own <= {"simlib.lessons", "simlib.command_line"}, "which import nothing either: they are of this folder"


def test_importing_simlib_loads_no_third_party() -> None:
    heavy = ("moto", "boto3", "botocore", "awscli", "IPython", "ipywidgets", "matplotlib", "numpy", "werkzeug")
    question = f"import simlib, simlib.iam, sys; print(sorted(set({heavy}) & set(sys.modules)))"
    answer = subprocess.run(
        [sys.executable, "-c", question], capture_output=True, encoding="utf-8", cwd=ROOT, check=True
    )
    assert answer.stdout.strip() == "[]"


def test_what_simlib_imports_is_what_the_project_declares() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {re.match(r"[\w-]+", dependency)[0].replace("-", "_") for dependency in project["dependencies"]}
    names = {
        name.split(".")[0]
        for floor in ("iam", "cloud", "audit", "challenges", "lab")
        for path in modules(floor)
        for name in imports_of(path)
    }
    third_party = names - sys.stdlib_module_names - {"simlib", "pyodide"}  # pyodide is Python itself, in a browser
    assert third_party - declared - set(BROUGHT_ALONG) == set(), "imported, but not declared"
    assert set(BROUGHT_ALONG.values()) <= declared
    assert declared - third_party - {"awscli"} == set(), "declared, but not imported; the AWS CLI is run, not imported"


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_lesson_comes_in_by_the_front_door(path: Path) -> None:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    names = {name for cell in code for name in imported(TransformerManager().transform_cell(cell))}
    ours = {name for name in names if within(name, "simlib")}
    assert ours, "a lesson imports simlib"
    assert {name for name in ours if within(name, "simlib.cloud", "simlib.iam")} == set()
