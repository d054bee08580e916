"""A challenge of each kind, played in JupyterLab with mouse and keyboard, wide and narrow, light and dark."""

from __future__ import annotations

import json
from typing import Any

import pytest

from simlib.challenges import find
from simlib.challenges.seeds import seeded

SEED = 2


def begin(visit: Any, name: str) -> Any:
    visit.show(f'from simlib import lab\n\ngame = lab.challenge("{name}", seed={SEED})\ngame', "print('end')")
    output = visit.output(0)
    output.get_by_role("button", name="Check", exact=True).wait_for()
    return output


def values(name: str) -> dict[str, str]:
    return seeded(find(name).document(), name, SEED)["values"]


def look(visit: Any, output: Any, name: str) -> None:
    visit.readable(**{f"challenge-{name}": lambda: output})


def press(output: Any, name: str) -> None:
    """By the keyboard: what is taller than the window cannot always be brought under the mouse."""
    button = output.get_by_role("button", name=name, exact=True)
    button.focus()
    button.press("Enter")


def focus(visit: Any) -> str:
    """What has the focus, in its own words."""
    return str(visit.page.evaluate("() => document.activeElement.textContent"))


def choose(output: Any, name: str) -> None:
    radio = output.get_by_role("radio", name=name)
    radio.focus()
    radio.press("Space")


def type_into(output: Any, label: str, text: str) -> None:
    output.get_by_label(label).fill(text)
    output.get_by_label(label).press("Enter")


def test_get_in(visit: Any) -> None:
    output, names = begin(visit, "wallet-in-the-wall"), values("wallet-in-the-wall")
    type_into(output, "$", "aws sts get-caller-identity")
    output.get_by_text("arn:aws:iam::").first.wait_for()
    type_into(output, "$", "aws iam list-roles --query Roles[].RoleName")
    output.get_by_text(names["wallet"]).first.wait_for()
    line = output.get_by_label("$")
    assert line.input_value() == "", "as in a terminal"
    for key, command in (("Up", "aws iam list-roles --query Roles[].RoleName"), ("Up", "aws sts get-caller-identity"),
                         ("Down", "aws iam list-roles --query Roles[].RoleName"), ("Down", "")):  # fmt: skip
        line.press(f"Arrow{key}")
        assert line.input_value() == command
    press(output, "Hint 1 of 3 (−15 points)")
    output.get_by_text("Think of this").wait_for()
    role = f"arn:aws:iam::111111111111:role/{names['wallet']}"
    type_into(output, "$", f"aws sts assume-role --role-arn {role} --role-session-name in")
    output.get_by_label("As").wait_for()
    type_into(output, "$", f"aws s3 cp s3://{names['bucket']}/{names['file']} -")
    output.get_by_text("FLAG-").last.wait_for()
    look(visit, output, "get-in")
    type_into(output, "The flag", names["flag"])
    output.get_by_text("85 of 100 points").wait_for()
    assert "85 of 100 points" in focus(visit), "what has come is what is read first"
    output.get_by_text("The way, in the graph").wait_for()
    look(visit, output, "get-in-solved")


def test_lock_out(visit: Any) -> None:
    output, names = begin(visit, "old-key"), values("old-key")
    press(output, "Check")
    output.get_by_text("is out, 0 of 3; everybody works, 3 of 3.").wait_for()
    press(output, "Keys, sessions, machines")
    row = output.locator(".sl-req", has_text="198.51.100.66")
    press(row, "Deactivate")
    row.get_by_role("button", name="Activate", exact=True).wait_for()
    assert "inactive" in row.inner_text()
    role = output.locator(".sl-req", has_text=f"role {names['export']}")
    press(role, "Revoke active sessions")
    output.get_by_text("Done: revoke the sessions").wait_for()
    look(visit, output, "lock-out")
    press(output, "Check")
    output.get_by_text("95 of 100 points").wait_for()
    output.get_by_text("is out, 3 of 3; everybody works, 3 of 3.").wait_for()


@pytest.mark.parametrize("name", ["golf-thumbnails", "the-report-is-late"])
def test_cut_down_and_mend(visit: Any, name: str) -> None:
    output = begin(visit, name)
    facts = seeded(find(name).document(), name, SEED)
    output.get_by_role("button", name="Apply", exact=True).wait_for()
    look(visit, output, name)
    script = json.dumps(facts["solution"])
    visit.page.evaluate("() => window.getSelection().removeAllRanges()")
    visit.show(
        f'from simlib import lab\nimport json\n\ngame = lab.challenge("{name}", seed={SEED})\n'
        f"game._setting.perform(json.loads({script!r}))\ngame",
        "print('end')",
    )
    output = visit.output(0)
    press(output, "Check")
    output.get_by_text("100 of 100 points").wait_for()


def test_explain(visit: Any) -> None:
    output = begin(visit, "who-said-no")
    choose(output, "The policy of the bucket")
    press(output, "Check")
    output.get_by_text("With that changed, the call is still refused.").wait_for()
    look(visit, output, "explain")
    choose(output, "which does not allow it")
    press(output, "Check")
    output.get_by_text("75 of 100 points").wait_for()


def test_one_is_chosen_from_the_list(visit: Any) -> None:
    visit.show("from simlib import lab\n\nlab.Challenges()", "print('end')")
    output = visit.output(0)
    look(visit, output, "list")
    output.get_by_label("Kind").select_option("mend")
    press(output, "Play The report is late")
    output.get_by_role("button", name="Apply", exact=True).wait_for()
    assert focus(visit) == "All challenges"
    press(output, "All challenges")
    output.get_by_role("button", name="Today's challenge").wait_for()
    assert focus(visit) == "Today's challenge"
