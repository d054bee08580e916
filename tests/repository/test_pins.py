"""The pinned files agree with pyproject.toml and with each other: `nox -s lock` writes them."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from .conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
DEPENDENCIES = PROJECT["project"]["dependencies"]
GROUPS = PROJECT["dependency-groups"]
SOURCES = {  # each pinned file, and what it is made from
    "requirements.txt": [*DEPENDENCIES, *PROJECT["project"]["optional-dependencies"]["jupyter"]],
    "binder/requirements.txt": DEPENDENCIES,
    "binder/hub/requirements.txt": GROUPS["hub"],
    "tests/requirements.txt": GROUPS["test"],
    ".ci/requirements.txt": GROUPS["tools"],
    "lite/requirements.txt": GROUPS["lite"],
    "lite/browser-requirements.txt": [*DEPENDENCIES, *GROUPS["lite-kernel"]],
}


class Environment(dict[str, str]):
    """The marker variables of one Python on one machine."""

    def __str__(self) -> str:
        return "-".join(self[name] for name in ("python_version", "sys_platform", "platform_machine"))


ENVIRONMENTS = [
    Environment(
        python_version=python,
        python_full_version=f"{python}.9",
        sys_platform=system,
        os_name="nt" if system == "win32" else "posix",
        platform_machine=machine,
        implementation_name="cpython",
        platform_python_implementation="CPython",
    )
    for python in ("3.11", "3.12", "3.13", "3.14")
    for system, machine in [
        ("linux", "x86_64"),
        ("linux", "aarch64"),
        ("darwin", "arm64"),
        ("darwin", "x86_64"),
        ("win32", "AMD64"),
        ("win32", "ARM64"),
    ]
]
BINDER = ENVIRONMENTS[0]  # the only place its file is for; binder/runtime.txt says which Python
BROWSER = Environment(
    python_version="3.14",
    python_full_version="3.14.2",
    sys_platform="emscripten",
    platform_system="Emscripten",
    os_name="posix",
    platform_machine="wasm32",
    implementation_name="cpython",
    platform_python_implementation="CPython",
)
ONLY = {"binder/requirements.txt": [BINDER], "lite/browser-requirements.txt": [BROWSER]}
PLACES = [(name, environment) for name in SOURCES for environment in ONLY.get(name, ENVIRONMENTS)]


@cache
def pins(name: str) -> list[Requirement]:
    text = (ROOT / name).read_text(encoding="utf-8")
    return [Requirement(line.rstrip(" \\")) for line in text.splitlines() if re.match(r"[A-Za-z0-9]", line)]


def applies(pin: Requirement, environment: Environment) -> bool:
    return pin.marker is None or pin.marker.evaluate(dict(environment))


def releases(name: str, environment: Environment) -> dict[str, str]:
    chosen = [pin for pin in pins(name) if applies(pin, environment)]
    return {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in chosen}


@pytest.mark.parametrize("name", SOURCES)
def test_every_line_of_a_pinned_file_is_an_exact_release_or_its_hash(name: str) -> None:
    form = re.compile(r"#.*|[\w.-]+==[\w.]+( ; [^\\]+)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?")
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not form.fullmatch(line)] == []


@pytest.mark.parametrize(("name", "environment"), PLACES, ids=str)
def test_what_the_project_asks_for_is_pinned_on_every_platform(name: str, environment: Environment) -> None:
    pinned = releases(name, environment)
    brought = in_pyodide() if environment is BROWSER else set()
    wanted = [want for want in map(Requirement, SOURCES[name]) if canonicalize_name(want.name) not in brought]
    assert wanted
    assert [str(want) for want in wanted if not satisfied(want, pinned)] == []


def in_pyodide() -> set[str]:
    """What the browser's Python brings along, as noxfile.py has it."""
    text = (ROOT / "noxfile.py").read_text(encoding="utf-8")
    return set(re.findall(r'"([\w-]+)"', text.partition("IN_PYODIDE = (")[2].partition("\n)")[0]))


def satisfied(want: Requirement, pinned: dict[str, str]) -> bool:
    release = pinned.get(canonicalize_name(want.name))
    return release is not None and want.specifier.contains(release)


@pytest.mark.parametrize(("name", "environment"), PLACES, ids=str)
def test_no_platform_gets_two_releases_of_a_package(name: str, environment: Environment) -> None:
    assert repeated(canonicalize_name(pin.name) for pin in pins(name) if applies(pin, environment)) == []


def repeated(names: Iterable[str]) -> list[str]:
    names = list(names)
    return sorted({name for name in names if names.count(name) > 1})


@pytest.mark.parametrize(("name", "environment"), PLACES, ids=str)
def test_every_file_is_in_step_with_the_learners(name: str, environment: Environment) -> None:
    learner = releases("requirements.txt", environment)
    other = releases(name, environment)
    shared = other.keys() & learner.keys()
    assert {package: other[package] for package in shared} == {package: learner[package] for package in shared}


def test_binder_installs_only_what_a_learner_has_too() -> None:
    assert (ROOT / "binder" / "runtime.txt").read_text(encoding="utf-8") == f"python-{BINDER['python_version']}\n"
    assert releases("binder/requirements.txt", BINDER).keys() <= releases("requirements.txt", BINDER).keys()


def test_the_cli_and_the_sdk_are_in_step() -> None:
    pinned = releases("requirements.txt", BINDER)
    assert pinned["boto3"] == pinned["botocore"]


def test_the_commit_hooks_use_the_pinned_tools() -> None:
    hooks = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    pinned = releases(".ci/requirements.txt", BINDER)
    used = dict(re.findall(r"\[(\w+)==([\d.]+)\]", hooks))
    assert used == {package: pinned[package] for package in used}
    assert used.keys() == {"ruff", "nbstripout"}


def test_moto_is_held_to_the_release_line_whose_private_names_we_know() -> None:
    assert "moto~=5.2.5" in DEPENDENCIES


def test_pinned_files_are_all_named_here() -> None:
    found = {
        path.relative_to(ROOT).as_posix()
        for place in (".", ".ci", "binder", "binder/hub", "lite", "tests")
        for path in Path(ROOT, place).glob("*requirements*.txt")
    }
    assert found == set(SOURCES)


LOCKS = [path for path in ROOT.glob("*/**/package-lock.json") if not {"node_modules", ".nox"} & set(path.parts)]


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.parent.name)
def test_every_package_of_node_is_known_by_its_hash_and_by_no_address(path: Path) -> None:
    packages = json.loads(path.read_text(encoding="utf-8"))["packages"]
    of_others = {name: package for name, package in packages.items() if name}
    assert of_others
    assert [name for name, package in of_others.items() if not package["integrity"].startswith("sha512-")] == []
    assert [name for name, package in of_others.items() if "resolved" in package] == []


def test_what_installs_by_itself_installs_pinned_files_alone() -> None:
    lab, image, ci = ((ROOT / name).read_text(encoding="utf-8") for name in ("lab.py", "binder/postBuild", ".ci/run"))
    named = [name for names in re.findall(r"    set_up\((.+)\)", lab) for name in re.findall(r'"(.+?)"', names)]
    assert set(named) == {"requirements.txt", "tests/requirements.txt"}
    assert "install" not in image
    assert re.findall(r"pip install .*--requirement (\S+)", ci) == [".ci/requirements.txt"]
    assert ci.count("pip install") == 1


def test_the_site_is_built_of_pinned_releases_alone() -> None:
    """Its packages, what builds the lab's own wheel, and Python for the browser; the site itself: lite/tests."""
    build = (ROOT / "noxfile.py").read_text(encoding="utf-8").partition("def build_site(")[2].partition("\ndef ")[0]
    assert re.findall(r'"-r", "([\w/.-]+)"', build) == ["lite/requirements.txt", "lite/browser-requirements.txt"]
    assert build.count("session.install") + build.count('"download"') == 2
    assert build.count('"wheel"') == build.count('"--no-build-isolation"') == 1
    for environment in ENVIRONMENTS:
        pinned = releases("lite/requirements.txt", environment)
        assert [want for want in PROJECT["build-system"]["requires"] if not satisfied(Requirement(want), pinned)] == []
    core = json.loads((ROOT / "lite" / "package.json").read_text(encoding="utf-8"))["dependencies"]
    locked = json.loads((ROOT / "lite" / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert core == {"pyodide": locked["node_modules/pyodide"]["version"]}
    assert f"distribution {core['pyodide']}," in (ROOT / "docs" / "hosting.md").read_text(encoding="utf-8")
