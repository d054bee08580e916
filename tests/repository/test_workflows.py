"""What a forge runs and reads: pinned, with few rights, about this copy. `nox -s checks` has the schemas and zizmor."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools import links

from .conftest import ROOT

WORKFLOWS = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / ".github" / "workflows").glob("*.yml")}
WRITERS = {  # who may write what; everybody else may read the repository, or nothing
    ("pages", "publish"): {"pages", "id-token"},
    ("release", "publish"): {"id-token"},
    ("release", "announce"): {"contents"},
    ("update", "lock"): {"contents", "pull-requests"},
}


def jobs() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for workflow, text in WORKFLOWS.items():
        yield from ((workflow, name, job) for name, job in yaml.safe_load(text)["jobs"].items())


JOBS = list(jobs())
PACKAGES = [*ROOT.glob("*/package-lock.json"), *ROOT.glob("binder/*/package-lock.json")]


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_every_action_is_pinned_by_a_digest_beside_its_release(workflow: str) -> None:
    used = re.findall(r"uses: (.*)", WORKFLOWS[workflow])
    assert used
    assert [line for line in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)] == []


def test_an_action_has_one_digest_everywhere() -> None:
    used = {line for text in WORKFLOWS.values() for line in re.findall(r"uses: (.*)", text)}
    assert len(used) == len({line.partition("@")[0] for line in used})


@pytest.mark.parametrize(("workflow", "name", "job"), JOBS, ids=[f"{each[0]}-{each[1]}" for each in JOBS])
def test_a_job_has_the_rights_it_needs_and_an_end(workflow: str, name: str, job: dict[str, Any]) -> None:
    assert yaml.safe_load(WORKFLOWS[workflow])["permissions"] == {}
    assert {what for what, right in job["permissions"].items() if right == "write"} == WRITERS.get(
        (workflow, name), set()
    )
    assert job["timeout-minutes"] <= 60


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_a_workflow_is_given_no_secret(workflow: str) -> None:
    assert not re.search(r"\bsecrets\b", WORKFLOWS[workflow])


def test_whoever_writes_is_started_by_nobody_elses_change() -> None:
    for workflow in {name for name, _ in WRITERS} - {"pages"}:
        assert "pull_request" not in WORKFLOWS[workflow]
    assert "pull_request_target" not in "".join(WORKFLOWS.values())
    pages = yaml.safe_load(WORKFLOWS["pages"])["jobs"]["publish"]
    assert pages["if"] == "github.event_name != 'pull_request' && github.ref == 'refs/heads/main'"


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_no_workflow_is_given_a_secret(workflow: str) -> None:
    assert re.findall(r"\bsecrets\b", WORKFLOWS[workflow]) == []


def test_newer_releases_come_as_often_as_it_is_said() -> None:
    dependabot = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text(encoding="utf-8"))["updates"]
    assert {each["package-ecosystem"]: each["schedule"]["interval"] for each in dependabot} == {
        "github-actions": "weekly",
        "npm": "monthly",
    }
    assert {each["cooldown"]["default-days"] for each in dependabot} == {7}
    assert {folder for each in dependabot for folder in each.get("directories", [])} == {
        f"/{path.parent.relative_to(ROOT).as_posix()}" for path in PACKAGES
    }
    assert [workflow for workflow in ("update", "tests") if not weekly(workflow)] == []
    said = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    assert "Python packages once a week by the workflow *update*" in said
    assert "actions every week and Node packages every month by Dependabot, none younger than a week" in said
    assert "the workflow *tests* does it for every change and every week" in said


def weekly(workflow: str) -> bool:
    """Whether it starts by itself once a week."""
    triggers = yaml.safe_load(WORKFLOWS[workflow])[True]  # YAML's `on`
    return all(re.fullmatch(r"\d+ \d+ \* \* \d", each["cron"]) for each in triggers["schedule"])


def test_every_python_and_system_is_tested() -> None:
    matrix = yaml.safe_load(WORKFLOWS["tests"])["jobs"]["tests"]["strategy"]["matrix"]
    assert matrix["python"] == ["3.11", "3.12", "3.13", "3.14"]
    assert {name.partition("-")[0] for name in matrix["os"]} == {"ubuntu", "macos", "windows"}


def test_the_tests_may_have_a_network_of_their_own() -> None:
    """Ubuntu lets nobody but root have one, and on Linux the tests that need one fail without in CI."""
    steps = yaml.safe_load(WORKFLOWS["tests"])["jobs"]["tests"]["steps"]
    runs = [str(step.get("run")) for step in steps]
    allowed = runs.index("sudo sysctl --write kernel.apparmor_restrict_unprivileged_userns=0")
    assert steps[allowed]["if"] == "runner.os == 'Linux'"
    assert allowed < next(at for at, run in enumerate(runs) if run.startswith("python lab.py test"))


def test_the_tasks_of_the_workflows_are_nox_s() -> None:
    source = (ROOT / "noxfile.py").read_text(encoding="utf-8")
    tasks = {*re.findall(r'nox\.session\(name="([\w-]+)"\)', source), *re.findall(r"@nox\.session\ndef (\w+)", source)}
    named = [task for text in WORKFLOWS.values() for line in re.findall(r"--session ([\w -]+)", text)
             for task in line.split(" --")[0].split()]  # fmt: skip
    assert named
    assert set(named) <= tasks


# -- the public copy


def test_every_page_names_the_one_copy() -> None:
    for name in links.FILES:
        text = (ROOT / name).read_text(encoding="utf-8")
        assert links.renamed(text, links.setting(), links.setting()) == text, name
        assert any(form in text for form in links.forms(links.setting())), name


def test_a_name_is_written_everywhere_and_the_readme_gets_its_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in links.FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text((ROOT / name).read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(links, "ROOT", tmp_path)
    old = links.setting()
    assert links.main(["Ada/a-copy"]) == 0
    texts = {name: (tmp_path / name).read_text(encoding="utf-8") for name in links.FILES}
    assert [name for name, text in texts.items() if any(form in text for form in links.forms(old))] == []
    assert "(https://ada.github.io/a-copy/)" in texts["README.md"]
    assert f"(https://mybinder.org/v2/gh/Ada/a-copy/HEAD?urlpath={links.FIRST_PAGE})" in texts["README.md"]
    assert links.main([old]) == 0
    assert {name: (tmp_path / name).read_text(encoding="utf-8") for name in links.FILES} == {
        name: (ROOT / name).read_text(encoding="utf-8") for name in links.FILES
    }


@pytest.mark.parametrize("name", ["", "no-owner", "a/b/c", "a/b?c"])
def test_what_is_no_name_is_refused(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert links.main([name]) == 2
    assert "OWNER/NAME" in capsys.readouterr().err
