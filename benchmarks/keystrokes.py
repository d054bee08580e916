"""From a keystroke to the verdict on the screen, against a bare ipywidgets Textarea → HTML echo in the same page.

JupyterLab in Chromium; a world of 5 accounts with 40 identities each; every keystroke turns the verdict of the first
request over. Echo and panel take turns. A time is from the browser's keydown event to the frame after the text has
changed. Both are typed into one key after the other, so no debounce is hidden: the panel's own counts against it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from benchmarks.row import Row
from tests.browser.conftest import launched
from tests.browser.servers import serving
from tests.browser.visits import visiting

EDITS, TURNS = 50, 5
LATER = 60.0  # milliseconds that the verdict may be later than the echo, of 95 edits in 100

WORLD = """
import json
from simlib import Cloud
aws = Cloud.start()
def policy(action, resource="*"):
    return json.dumps({"Version": "2012-10-17", "Statement": [
        {"Sid": "Read", "Effect": "Allow", "Action": action, "Resource": resource},
        {"Sid": "Write", "Effect": "Allow", "Action": "s3:PutObject", "Resource": resource}]})
for name in ("dev", "prod", "tools", "audit", "data"):
    iam = aws.account(name).admin.client("iam")
    for number in range(20):
        iam.create_user(UserName=f"user-{number}")
        iam.put_user_policy(UserName=f"user-{number}", PolicyName="read", PolicyDocument=policy("s3:GetObject"))
        trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": {"AWS": f"arn:aws:iam::{aws.account(name).id}:user/user-{number}"}}]}
        iam.create_role(RoleName=f"role-{number}", AssumeRolePolicyDocument=json.dumps(trust))
        iam.put_role_policy(RoleName=f"role-{number}", PolicyName="read", PolicyDocument=policy("s3:GetObject"))
aws.account("dev").admin.client("s3").create_bucket(Bucket="my-secure-bucket")
assert sum(each.kind in ("user", "role") for each in aws.inspect.principals()) == 5 * 41
"""
ECHO = """
import ipywidgets
area, echo = ipywidgets.Textarea("", continuous_update=True), ipywidgets.HTML("")
area.observe(lambda change: setattr(echo, "value", change["new"]), "value")
ipywidgets.VBox([area, echo])
"""
PANEL = """
from simlib.lab import AccessExplorer
report = "arn:aws:s3:::my-secure-bucket/report.csv"
AccessExplorer(aws, who="arn:aws:iam::111111111111:user/user-1", requests=[(f"s3:{name}", report) for name in
    ("GetObject", "PutObject", "DeleteObject", "GetObjectTagging", "ListBucket")])
"""

# From the keydown that comes next to the frame after the region's text has changed, in milliseconds.
TIMED = """region => { window.timed = new Promise((resolve, reject) => {
    addEventListener("keydown", () => {
        const start = performance.now();
        const before = region.textContent;
        const watch = new MutationObserver(() => {
            if (region.textContent === before) return;
            watch.disconnect();
            requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - start)));
        });
        watch.observe(region, { subtree: true, childList: true, characterData: true });
        setTimeout(() => reject(new Error("nothing has changed")), 10000);
    }, { capture: true, once: true });
}); }"""


def measure() -> Iterator[Row]:
    echo, panel = times()
    late = p95(panel) - p95(echo)
    yield Row("keystroke to echo, p95 (a bare Textarea and HTML)", p95(echo), "ms")
    yield Row("keystroke to verdict, p95, 5 accounts × 40 identities", p95(panel), "ms")
    yield Row("the same, medians: how much later the verdict is", median(panel) - median(echo), "ms")
    yield Row(f"how much later, p95 of {EDITS}", late, "ms", most=LATER)


def p95(taken: list[float]) -> float:
    return quantiles(taken, n=20)[-1]


def times() -> tuple[list[float], list[float]]:
    """The milliseconds of each edit: echo, panel."""
    with tempfile.TemporaryDirectory() as folder, launched() as browser, serving(Path(folder)) as server:
        artifacts = Path(folder, "artifacts")
        artifacts.mkdir()
        with visiting(browser, server, artifacts, "keystrokes") as visit:
            visit.show(WORLD, ECHO, PANEL)
            page = visit.page
            echo, panel = visit.output(1), visit.output(2)
            panel.locator(".sle-badge").first.wait_for()
            taken: tuple[list[float], list[float]] = ([], [])
            for _ in range(TURNS):
                shown = visit.output(1)
                shown.locator("textarea").click()
                taken[0].extend(typed(page, echo.locator(".widget-html-content")))
                visit.output(2).locator(".cm-line", has_text="s3:GetObject").click()
                page.keyboard.press("End")
                for _ in '",':  # into the string
                    page.keyboard.press("ArrowLeft")
                taken[1].extend(typed(page, panel.locator(".sl-reqs").first))
            return taken


def typed(page: Any, region: Any) -> Iterator[float]:
    """A letter and back again: each changes what the region says."""
    for _ in range(EDITS // TURNS // 2):
        for key in ("x", "Backspace"):
            region.evaluate(TIMED)
            page.keyboard.press(key)
            yield page.evaluate("() => window.timed")
            page.wait_for_timeout(150)  # as a person types
