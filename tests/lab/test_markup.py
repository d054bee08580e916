"""What foreign text becomes, and whether our colours can be read."""

from __future__ import annotations

import re

import pytest

from simlib.lab.look import table, verdict
from simlib.lab.markup import LONGEST, card, escape, inline, plain, prose, sheet, styles
from simlib.lab.page import el


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("\" onmouseover='x'", "&quot; onmouseover=&#x27;x&#x27;"),
        ("a & b", "a &amp; b"),
        ("user\u202egnp.exe", "user\\u202egnp.exe"),
        ("bell\x07 null\x00", "bell\\u0007 null\\u0000"),
        ("lines\n\tstay", "lines\n\tstay"),
        ("Ünïcödé 名前", "Ünïcödé 名前"),
    ],
)
def test_foreign_text_can_only_be_read(text: str, shown: str) -> None:
    assert escape(text) == shown


def test_a_very_long_name_does_not_fill_the_page() -> None:
    assert len(escape("x" * 10_000)) < LONGEST + 50
    assert "6000 more characters" in escape("x" * 10_000)


def test_prose_has_paragraphs_code_and_terms_and_nothing_else() -> None:
    assert prose("One `<b>`.\n\nTwo *three*.") == "<p>One <code>&lt;b&gt;</code>.</p><p>Two *three*.</p>"
    assert prose("A **trust policy** of <b>.") == "<p>A <b>trust policy</b> of &lt;b&gt;.</p>"
    assert prose("s3:** on `a**b**`") == "<p>s3:** on <code>a**b**</code></p>"
    assert plain("One `<b>`.\n\nTwo, a **trust policy**.") == "One <b>.\n\nTwo, a trust policy."


def test_the_id_of_a_machine_stays_on_one_line() -> None:
    machine = '<span class="sl-nb">i-0abc1234def567890</span>'
    assert prose("assumed-role/web-app/i-0abc1234def567890 asks") == f"<p>assumed-role/web-app/{machine} asks</p>"
    assert inline("of `i-0abc1234def567890`") == f"of <code>{machine}</code>"
    assert str(el("p", "on i-0abc1234def567890")) == "on i-0abc1234def567890"
    assert el("p", "on i-0abc1234def567890").html() == f"<p><span>on {machine}</span></p>", "one piece of a row"
    assert "sl-nb" not in prose("an access-denied error of 2026-11-30, 1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed")


def test_a_verdict_is_a_sign_and_a_word_and_not_only_a_colour() -> None:
    assert (str(verdict("yes", "Allowed")), str(verdict("no", "Refused"))) == ("✔ Allowed", "✘ Refused")


def test_a_table_is_a_table_with_headings_of_rows_and_columns() -> None:
    made = table(["Who", "What"], [["a", "b"]], "Of <all>").html()
    assert made.count('<th scope="col">') == 2
    assert '<th scope="row">a</th><td>b</td>' in made
    assert "<caption>Of &lt;all&gt;</caption>" in made
    assert "<style>" in card(made)


def luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    digits = "".join(2 * digit for digit in digits) if len(digits) == 3 else digits
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(("rule", "grounds"), [(0, ("#fff", "#f5f5f5")), (1, ("#111", "#212121"))])
@pytest.mark.parametrize("name", ["yes", "no", "dim"])
def test_text_can_be_read_in_both_themes(rule: int, grounds: tuple[str, ...], name: str) -> None:
    colours = re.findall(rf"--sl-{name}: (#\w+)", sheet("look"))
    assert len(colours) == 2, "one for the light theme, one for the dark"
    assert all(contrast(colours[rule], ground) >= 4.5 for ground in grounds)


def test_an_output_carries_the_rules_of_its_classes_alone() -> None:
    few = styles('<div class="simlib"><span class="sl-tag">x</span></div>', "look", "lessons", "panels")
    assert ".sl-tag" in few
    assert "--sl-ink" in few
    assert not any(other in few for other in (".sl-pipe", ".sl-tl", ".sl-matrix", ".sl-graph"))
    assert few.count("{") == few.count("}")
    everything = sheet("look", "lessons", "panels")
    classes = " ".join(re.findall(r"\.([\w-]+)", everything))
    kept, rules = styles(f'<p class="{classes}">', "look", "lessons", "panels"), everything.count("{")
    assert kept.count("{") == rules, "every rule can be kept"
