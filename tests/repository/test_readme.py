"""What the README and the pages beside it say to do and to look at is there."""

from __future__ import annotations

import re
from inspect import signature

import pytest

import lab
from simlib.cloud.permissions.call_permissions import EXACT
from simlib.cloud.transport import listener
from simlib.cloud.transport.wire import LARGEST_BODY
from simlib.cloud.worlds import file
from simlib.lab import course
from simlib.start import FIRST_PAGE

from .conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = {name: (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")}
PAGES |= {f"docs/{page.name}": page.read_text(encoding="utf-8") for page in (ROOT / "docs").glob("*.md")}
PAGES["CHANGELOG.md"] = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def headings(page: str) -> set[str]:
    """What a link may name after its #."""
    lines = [line for line in PAGES[page].splitlines() if line[:1] == "#"]
    return {re.sub(r"[^\w -]", "", line.lstrip("# ").lower()).replace(" ", "-") for line in lines}


LINKS = [(page, target) for page, text in PAGES.items() for target in sorted(set(re.findall(r"\]\(([^)]+)\)", text)))]


@pytest.mark.parametrize(("page", "target"), LINKS)
def test_every_link_of_its_own_leads_somewhere(page: str, target: str) -> None:
    if not target.startswith("https://"):
        name, _, heading = target.partition("#")
        place = (ROOT / page).parent / name if name else ROOT / page
        assert place.exists()
        named = place.resolve().relative_to(ROOT).as_posix()
        assert not heading or named not in PAGES or heading in headings(named)


def test_the_pages_for_contributors_are_found_from_the_readme() -> None:
    assert {page for page in PAGES if "/" not in page} - {"README.md"} <= {
        target for page, target in LINKS if page == "README.md"
    }


def test_learner_instructor_and_contributor_find_their_line_within_one_screen() -> None:
    first = "\n".join(README.splitlines()[:25])
    for words in ("a learner", "an instructor", "a contributor", "python3 lab.py\n", "python3 lab.py test"):
        assert words in first.replace("python3 lab.py  ", "python3 lab.py\n")


def test_every_task_it_names_is_one_of_nox() -> None:
    tasks = set(
        re.findall(r'nox\.session\(name="([\w-]+)"\)', source := (ROOT / "noxfile.py").read_text(encoding="utf-8"))
    )
    tasks |= set(re.findall(r"@nox\.session\ndef (\w+)", source))
    for page, text in PAGES.items():
        assert set(re.findall(r"nox -s ([\w-]+)", text)) <= tasks, page


def test_the_first_page_is_where_the_readme_and_the_lab_open_it() -> None:
    page = "00-start-here.ipynb"
    assert (ROOT / "notebooks" / page).is_file()
    assert page == FIRST_PAGE
    assert page in README
    assert page in PAGES["docs/hosting.md"]


# -- figures


def test_the_megabytes_to_fetch_are_the_same_everywhere() -> None:
    fetched, more = lab.FETCHED.values()
    assert f"| {more} MB more | " in PAGES["SECURITY.md"]
    assert f"| {fetched} MB of packages, " in PAGES["SECURITY.md"]
    assert f"| the lab | {fetched} MB | " in README
    assert f"| with the tests | {fetched + more} MB | " in README
    assert f": {fetched} MB." in (ROOT / "notebooks" / "instructor-guide.md").read_text(encoding="utf-8")


def test_the_limits_of_what_is_read_from_others_are_those_that_hold() -> None:
    megabytes, minutes = LARGEST_BODY / 2**20, listener.SECONDS / 60
    assert signature(listener.Listener).parameters["largest_body"].default == LARGEST_BODY
    said = f"It takes {megabytes:.0f} MB a body, {listener.MOST_CONNECTIONS} connections, a minute for a request."
    assert (minutes, said in PAGES["SECURITY.md"]) == (1, True)
    linked = f"{file.LARGEST / 2**20:.0f} MB at most, within {file.SECONDS} seconds; http:// too"
    assert linked in PAGES["SECURITY.md"]


def test_what_a_seat_takes_is_what_was_measured() -> None:
    rows = (ROOT / "benchmarks" / "RESULTS.md").read_text(encoding="utf-8")
    [(seat, ratio)] = re.findall(
        r"^\| memory of a kernel after the first two lessons \| (\d+ MB) \|.*?\|\s*([\d.]+) \|", rows, re.M
    )
    [course_] = re.findall(r"^\| the most memory that this kernel took \| (\d+ MB) \|", rows, re.M)
    assert f"takes {seat} of memory, {ratio} times a kernel" in README
    assert f"one kernel that runs the whole course takes {course_}" in README


def test_the_minutes_are_the_lessons_own() -> None:
    first, *took, _ = [lesson.minutes for lesson in course.LESSONS.values()]
    assert f"*Start here* ({first} minutes). {len(took)} lessons of {min(took)} to {max(took)} minutes" in README


def test_the_services_whose_permissions_are_exact_are_as_many_as_it_says() -> None:
    [(count, table)] = re.findall(r"for (\d+) services, .*?\(`\[exact\]` in `(\S+)`\)", README)
    assert int(count) == len(EXACT)
    assert "[exact]" in (ROOT / table).read_text(encoding="utf-8")


def test_the_challenges_are_as_many_as_it_says() -> None:
    assert "thirty-five small accounts" in README
    assert len([*(ROOT / "simlib/challenges/files").glob("*.toml")]) == 35


def test_the_files_it_names_are_there() -> None:
    for page, text in PAGES.items():
        named = set(re.findall(r"`((?:simlib|tests|binder|notebooks|benchmarks|docs|lite|editor)/[\w./-]*\w)`", text))
        gone = {name for name in named if not (ROOT / name).exists()} - {"notebooks/progress.json", "lite/site"}
        gone = {name for name in gone if not {"NAME", "slug"} & set(re.split(r"[/.-]", name))}
        assert page == "CHANGELOG.md" or gone == set(), page
