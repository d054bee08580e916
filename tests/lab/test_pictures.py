"""The picture of credentials against the clock says in words what it shows, and can be read by everybody."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

import pytest

from simlib import lab

NOON = datetime(2027, 5, 2, 12, tzinfo=UTC)
KEY = {
    "AccessKey": {
        "AccessKeyId": "AKIA1",
        "SecretAccessKey": "never shown",
        "CreateDate": datetime(2026, 1, 1, tzinfo=UTC),
    }
}
METADATA = {
    "AccessKeyId": "ASIA1",
    "Token": "never shown",
    "LastUpdated": "2027-05-02T09:00:00Z",
    "Expiration": "2027-05-02T15:00:00Z",
}
ASSUMED = {"Credentials": {"AccessKeyId": "ASIA2", "Expiration": datetime(2027, 5, 2, 11, tzinfo=UTC)}}


@pytest.mark.parametrize(
    ("answer", "now", "words"),
    [
        (KEY, NOON, "x (AKIA…): good, and no end in sight"),
        (KEY, datetime(2099, 1, 1, tzinfo=UTC), "x (AKIA…): good, and no end in sight"),
        (METADATA, NOON, "x (ASIA…): good until 02 May 15:00"),
        (METADATA, datetime(2027, 5, 2, 15, tzinfo=UTC), "x (ASIA…): expired 02 May 15:00"),
        (ASSUMED, NOON, "x (ASIA…): expired 02 May 11:00"),
    ],
)
def test_the_picture_says_in_words_what_is_good_now(answer: dict[str, Any], now: datetime, words: str) -> None:
    picture = lab.credentials_figure({"x": answer}, now)
    assert words in str(picture)
    assert words in "".join(ElementTree.fromstring(picture.svg()).itertext())


def test_the_picture_follows_the_theme_and_styles_nothing_else_on_the_page() -> None:
    svg = lab.credentials_figure({"key": KEY, "session": METADATA, "over": ASSUMED}, NOON).svg()
    assert not re.findall(r"#(?:1b1b1b|00589b|a33a00|5a5a5a)", svg)
    assert {"var(--sl-yes)", "var(--sl-no)"} <= set(re.findall(r"var\(--sl-\w+\)", svg))
    assert "<style" not in svg
    assert "never shown" not in svg


def test_hostile_names_are_only_read() -> None:
    picture = lab.credentials_figure({'<script>"x"</script> $\\frac$': KEY}, NOON)
    html = picture._repr_mimebundle_()["text/html"]
    assert "<script" not in html
    ElementTree.fromstring(picture.svg())


def test_the_picture_can_be_saved_for_print(tmp_path: Any) -> None:
    picture = lab.credentials_figure({"key": KEY}, NOON)
    picture.figure.savefig(tmp_path / "picture.pdf")
    assert (tmp_path / "picture.pdf").stat().st_size > 1000


def test_what_holds_no_credentials_is_named() -> None:
    with pytest.raises(ValueError, match="no credentials in what was given for 'x'"):
        lab.credentials_figure({"x": {"Users": []}}, NOON)
