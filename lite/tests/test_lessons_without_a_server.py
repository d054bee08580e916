"""The course from static files alone, on the pieces of Pyodide that can be had from npm and the package index.

What runs here is Pyodide's own Python, JupyterLite, and the lab, boto3, moto and the AWS CLI as they are. What does not
is the distribution's `cryptography`, for which a stand-in of ours signs and seals, and matplotlib.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import sys
import time
import urllib.error
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import canonicalize_name

import simlib
from lite.tests.conftest import NOTEBOOK, RUN, Lite, serving_files
from lite.tests.engines import ENGINES, missing
from simlib.challenges import find
from simlib.challenges.seeds import seeded
from simlib.challenges.statements import policy
from simlib.lab import course
from tests.browser.test_challenges_in_browser import press, type_into
from tests.browser.test_lesson_1_in_browser import GET, LIST, PUT, change, says, type_in, verdict
from tests.repository.test_pins import ROOT, pins

NOTEBOOKS = ROOT / "notebooks"

ERRORS = f"""() => {NOTEBOOK}.content.model.sharedModel.cells
    .flatMap(cell => cell.cell_type === "code" ? cell.outputs : [])
    .filter(output => output.output_type === "error").map(output => output.traceback.join("\\n"))"""

CALLS = """
from simlib import Cloud, lab
aws = Cloud.start()
dev = aws.account("dev")
iam = dev.admin.client("iam")
iam.create_user(UserName="alice")
alice = aws.sign_in(iam.create_access_key(UserName="alice"))
print(lab.attempt(alice.client("iam").list_users))
print(aws.why())
import json
trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "arn:aws:iam::111111111111:user/alice"}}
trust = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
role = iam.create_role(RoleName="reports", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
session = aws.sign_in(alice.client("sts").assume_role(RoleArn=role, RoleSessionName="lesson"))
print(session.client("sts").get_caller_identity()["Arn"])
aws.clock.advance(hours=1, seconds=1)
print(lab.attempt(session.client("sts").get_caller_identity))
print(dev.admin.run("aws sts get-caller-identity --query Account --output text"))
"""

IN_VAIN = {
    "!aws s3 ls": "There is no shell in a browser.",
    "listed = !aws s3 ls": "There is no shell in a browser.",
    "%%bash\naws s3 ls": "There is no shell in a browser.",
    "import threading\nthreading.Thread(target=print).start()": "A browser gives Python one thread",
    "import subprocess\nsubprocess.run(['aws', 's3', 'ls'])": "A browser starts no other programs.",
    "aws.serve()": "A browser opens no sockets",
    "import matplotlib.pyplot": "matplotlib, which draws figures",
}


def place(notebook: str, cell: str) -> int:
    """Which cell of a notebook has that ID, from 0."""
    cells = json.loads((NOTEBOOKS / notebook).read_text(encoding="utf-8"))["cells"]
    return [each["id"] for each in cells].index(cell)


def test_the_site_opens_on_start_here_and_answers_or_says_in_a_sentence_what_a_browser_cannot_do(visit: Any) -> None:
    visit.page.goto(visit.server.url)
    assert "The first start fetches" in visit.page.inner_text("main")
    begun = time.monotonic()
    visit.page.get_by_role("link", name="Start here").click()
    visit.settle()
    print(f"\nkernel ready after {time.monotonic() - begun:.1f} s")
    assert visit.page.evaluate("() => window.jupyterapp.shell.currentWidget.context.path") == course.find(0).notebook
    told = visit.asked(CALLS)
    print(f"answers after {time.monotonic() - begun:.1f} s")
    for words in (
        "is not authorized to perform: iam:ListUsers",
        "Denied, because nothing allows it",
        "arn:aws:sts::111111111111:assumed-role/reports/lesson",
        "ExpiredToken",
        "111111111111\n",
    ):
        assert words in told
    for cell, sentence in IN_VAIN.items():
        told = visit.asked(cell)
        assert told.startswith(sentence), told
        assert "\n" not in told.strip()
    assert "Traceback" in visit.asked("raise RuntimeError('of my own')")


def test_typing_in_the_policy_editor_changes_the_verdict(visit: Any) -> None:
    name = course.find(1).notebook
    visit.open(name)
    visit.run_all()
    assert visit.page.evaluate(ERRORS) == []
    visit.run_cell("panel")
    panel = visit.output(place(name, "panel"))
    says(verdict(panel, LIST), "✔ Allowed", "Allow statement 1 of read-bucket")
    says(verdict(panel, PUT), "✘ Not allowed", "No statement allows it")
    type_in(panel)
    change(visit.page, panel, '"s3:ListBucket",', "")
    says(verdict(panel, LIST), "✘ Not allowed", "s3:ListBucket is not in Action")
    says(verdict(panel, GET), "✔ Allowed")


@pytest.mark.parametrize("slug", [slug for slug in course.LESSONS if slug != "users"])
def test_every_cell_of_a_lesson_runs(visit: Any, slug: str) -> None:
    visit.open(course.find(slug).notebook)
    visit.run_all()
    assert visit.page.evaluate(ERRORS) == []


def test_after_one_visit_it_opens_and_answers_without_a_network(browser: Any, tmp_path: Path) -> None:
    with browser.new_context() as context, ExitStack() as network:
        page = context.new_page()
        site = network.enter_context(serving_files(Path(os.environ["SIMLIB_SITE"])))
        lite = Lite(page, site, tmp_path)
        lite.open(course.find(0).notebook)
        names = "caches.keys().then(names => names.find(name => name.startsWith('iam-lab-')))"
        kept = f"{names}.then(name => caches.open(name)).then(cache => cache.keys()).then(keys => keys.length)"
        files = sum(path.is_file() and path.name != "service-worker.js" for path in site.folder.rglob("*"))
        deadline = time.monotonic() + 120
        while (count := page.evaluate(kept)) < files and time.monotonic() < deadline:
            time.sleep(0.5)
        assert count >= files
        network.close()
        with pytest.raises(urllib.error.URLError):
            urllib.request.urlopen(site.url)
        lite.open(course.find(1).notebook)
        assert "is not authorized to perform: iam:ListUsers" in lite.asked(CALLS)


def test_every_version_in_the_site_is_one_that_a_pin_states() -> None:
    pyodide = Path(os.environ["SIMLIB_SITE"], "static", "pyodide")
    loaded = json.loads((pyodide / "pyodide-lock.json").read_text(encoding="utf-8"))["packages"]
    archive = gzip.decompress((pyodide / "files.bin").read_bytes())
    folders = json.loads(archive[4 : 4 + int.from_bytes(archive[:4], "big")])
    archived = filter(None, (re.fullmatch(r"([^/]+)-([^-/]+)\.dist-info", folder) for folder in folders))
    found = {name: each["version"] for name, each in loaded.items()}
    found |= {canonicalize_name(each[1]): each[2] for each in archived}
    assert {"boto3", "cryptography", "iam-lab", "pyyaml"} <= {*found}
    stated = {"iam-lab": simlib.__version__, "cryptography": "0"}  # the second is the stand-in
    for file in ("lite/requirements.txt", "lite/browser-requirements.txt"):
        stated |= {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in pins(file)}
    of_the_kernel = {"piplite", "pyodide-kernel", "ipykernel", "widgetsnbextension"}  # which is pinned itself
    there = {name: version for name, version in found.items() if name not in of_the_kernel}
    assert there == {name: stated.get(name, "no pin") for name in there}
    core = json.loads((ROOT / "lite" / "package.json").read_text(encoding="utf-8"))["dependencies"]["pyodide"]
    assert f'"{core}"' in (pyodide / "pyodide.mjs").read_text(encoding="utf-8")


@pytest.mark.parametrize("engine", ENGINES)
def test_lesson_1_runs_in_other_browsers(engine: str, server: Any, tmp_path: Path) -> None:
    """Firefox and WebKit. On Linux, which has packages of them, `nox -s lite-test` fails without, as for Chromium."""
    if lacking := missing(engine):
        lacks = f"{engine} is not here: install {' and '.join(lacking)}"
        pytest.fail(lacks) if os.environ.get("CI") and sys.platform == "linux" else pytest.skip(lacks)
    panel = place(course.find(1).notebook, "panel")
    with ENGINES[engine](tmp_path) as page:
        begun = time.monotonic()
        page.goto(f"{server.url}/lab/index.html?path={course.find(1).notebook}")
        page.wait_for("window.jupyterapp?.restored.then(() => true)")
        page.wait_for(f"{NOTEBOOK}?.sessionContext?.session?.kernel?.info.then(() => true)")
        print(f"\n{engine}: kernel ready after {time.monotonic() - begun:.1f} s")
        page.evaluate(f"{NOTEBOOK}.node.dispatchEvent(new FocusEvent('focus'))")  # nobody sits before the window
        page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells').then(() => true)")
        assert page.evaluate(f"({ERRORS})()") == []
        page.evaluate(f"{NOTEBOOK}.content.scrollToItem({panel})")
        assert page.wait_for("document.querySelector('.sl-live .sl-panel')?.textContent")
        print(f"{engine}: all cells after {time.monotonic() - begun:.1f} s")
        assert "ListUsers" in page.evaluate(f"({RUN})({json.dumps(CALLS)})")


def test_progress_is_there_when_the_reader_comes_back(visit: Any) -> None:
    name = course.find(0).notebook
    visit.open(name)
    visit.run_all()
    question = visit.output(place(name, "predict-a-new-user-looks-around"))
    question.get_by_role("radio", name="It sends the list").check()
    question.get_by_role("button", name="Lock in my answer").click()
    visit.output(place(name, "explain-a-new-user-looks-around")).get_by_text("You expected").wait_for()
    visit.page.reload()
    visit.settle()
    kept = json.loads(visit.asked("print(open('progress.json').read())"))
    assert kept["lessons"]["start-here"]["predictions"]["a new user looks around"]["right"] is False


def test_challenges_are_played_to_their_end(visit: Any) -> None:
    """One with commands and a flag, then one with a policy that is written and applied."""
    name = "second-key"
    names = seeded(find(name).document(), name, 1)["values"]
    visit.open("challenges.ipynb")
    visit.run_all()
    assert visit.page.evaluate(ERRORS) == []
    output = visit.output(place("challenges.ipynb", "all"))
    press(output, f"Play {find(name).title}")
    output.get_by_label("The flag").wait_for()
    type_into(output, "$", f"aws iam create-access-key --user-name {names['boss']}")
    output.get_by_label("As").wait_for()
    type_into(output, "$", f"aws s3 cp s3://{names['bucket']}/{names['file']} -")
    output.get_by_text(names["flag"]).wait_for()
    begun = time.monotonic()
    type_into(output, "The flag", names["flag"])
    output.get_by_text("100 of 100 points").wait_for()
    print(f"\nverdict on a flag after {time.monotonic() - begun:.1f} s")

    golf = "golf-thumbnails"
    ((_, _, written),) = seeded(find(golf).document(), golf, 1)["solution"]
    press(output, "All challenges")
    press(output, f"Play {find(golf).title}")
    output.locator(".cm-content").focus()
    visit.page.keyboard.press("ControlOrMeta+A")
    visit.page.keyboard.insert_text(policy(written["PolicyDocument"]))
    output.get_by_text("not applied", exact=False).first.wait_for()
    press(output, "Apply")
    output.get_by_text("Applied by the administrator").wait_for()
    begun = time.monotonic()
    press(output, "Check")
    output.get_by_text("100 of 100 points").wait_for()
    print(f"verdict on a policy after {time.monotonic() - begun:.1f} s")
    kept = json.loads(visit.asked("print(open('progress.json').read())"))["lessons"]["challenges"]["exercises"]
    assert {played: entry["score"] for played, entry in kept.items()} == {f"{name} 1": 100, f"{golf} 1": 100}
