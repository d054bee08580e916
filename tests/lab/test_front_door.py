"""`simlib.lab` hands out its names on first use, and costs little until then."""

from __future__ import annotations

import subprocess
import sys

import pytest

from simlib import lab


@pytest.mark.parametrize("name", lab.__all__)
def test_every_name_is_there(name: str) -> None:
    assert callable(getattr(lab, name))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = lab.nonsense


def test_importing_the_lab_imports_neither_matplotlib_nor_moto_nor_widgets() -> None:
    code = (
        "import sys, simlib.lab; print([n for n in ('matplotlib', 'moto', 'boto3', 'ipywidgets') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
