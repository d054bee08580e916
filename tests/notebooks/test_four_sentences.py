"""The appendix: the article's four loose sentences are run, and what is true is shown for the reason it gives."""

from __future__ import annotations

import re
from datetime import datetime
from functools import cache

import pytest

from simlib.lab import course
from tests.notebooks import lessons
from tests.notebooks.claims import Claim

BOOK = lessons.read(course.LESSONS["four-sentences"].notebook)
WITHOUT = {  # in one run the reasons of all claims are taken away: changes of the code by cell
    "trail": [("web.run(", 'web.run("aws sts get-caller-identity")\nweb.run(')],
    "one-and-twelve-hours": [
        ("lab.compare", 'iam.update_role(RoleName="reports", MaxSessionDuration=43200)\nlab.compare')
    ],
    "longer-sessions": [
        ("12 * 3600", "11 * 3600"),
        ("assume(alice, 36)", "assume(alice, 12)"),
        ("assume(web.session, 2)", "assume(alice, 2)"),
    ],
    "session-token": [("DurationSeconds=36 * 3600", "")],
    "ec2-duration": [(".json()", '.json() | {"Expiration": f"{aws.clock.now:%Y-%m-%dT%H:%M:%SZ}"}')],
    "start-machines": [('"ec2:RunInstances"', '["ec2:RunInstances", "iam:PassRole"]')],
    "who-am-i": [('web.run("aws sts get-caller-identity")', 'alice.client("sts").get_caller_identity()')],
}
CLAIMS = {
    "the SDK makes no STS call": Claim("trail", "", (r"^s3:ListBucket on arn:aws:s3:::my-secure-bucket$",)),
    "one hour is a role's default maximum": Claim(
        "one-and-twelve-hours",
        "",
        ("1 hour +✔ Allowed", "12 hours +– Invalid request", "exceeds the MaxSessionDuration set for this role"),
    ),
    "twelve hours can be allowed": Claim("longer-sessions", "", ("Alice, 12 hours +✔ Allowed",)),
    "thirty-six cannot": Claim("longer-sessions", "", ("36 hours +– Invalid request", "less than or equal to 43200")),
    "a chained session has one hour at most": Claim(
        "longer-sessions", "", ("2 hours +– Invalid request", "1 hour session limit for roles assumed by role chaining")
    ),
    "thirty-six hours belong to GetSessionToken": Claim("session-token", "", ("^valid for 36 hours$",)),
    "to hand a role to a machine takes PassRole": Claim(
        "pass-role",
        "",
        ("✘ Refused", "UnauthorizedOperation", "iam:PassRole on resource: arn:aws:iam::111111111111:role/web-app"),
    ),
    "what acts is a session of the role": Claim(
        "who-am-i", "", ("arn:aws:sts::111111111111:assumed-role/web-app/i-", '"AROA.*:i-')
    ),
}


@cache
def shown(*, reasons: bool) -> dict[str, str]:
    return lessons.play(BOOK, {} if reasons else WITHOUT)


@pytest.mark.parametrize("name", CLAIMS)
def test_the_appendix_shows_what_it_claims_and_not_without_the_reason(name: str) -> None:
    claim = CLAIMS[name]
    assert claim.holds(shown(reasons=True)[claim.cell])
    assert not claim.holds(shown(reasons=False)[claim.cell])


def hours_in(text: str) -> float:
    """The time between the two moments that a cell shows."""
    begin, end = map(datetime.fromisoformat, re.findall(r"\d{4}-\S+Z", text))
    return (end - begin).total_seconds() / 3600


def test_ec2_lends_for_longer_than_the_roles_maximum_allows_others() -> None:
    assert 5 < hours_in(shown(reasons=True)["ec2-duration"]) <= 6.5
    assert hours_in(shown(reasons=False)["ec2-duration"]) < 1
