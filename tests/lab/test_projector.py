"""Projector mode: one switch for every panel on the page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from simlib import lab
from simlib.lab.markup import sheet


def test_it_is_on_and_off() -> None:
    on, off = lab.projector(), lab.projector(False)
    assert "--sl-scale: 1.5" in on._repr_mimebundle_()["text/html"]
    assert "--sl-scale: 1.5" not in off._repr_mimebundle_()["text/html"]
    assert (str(on), str(off)) == ("Projector mode is on: large type, nothing hidden.", "Projector mode is off.")


@pytest.mark.parametrize("where", ["markup", *sorted(Path(lab.__file__).parent.glob("**/*.css"))], ids=str)
def test_every_size_of_type_in_pixels_follows_it(where: str | Path) -> None:
    style = sheet("look", "lessons") if isinstance(where, str) else where.read_text(encoding="utf-8")
    sizes = re.findall(r"font(?:-size)?:[^;}]*?\d+px[^;}]*", style)
    assert [size for size in sizes if "--sl-scale" not in size] == []
