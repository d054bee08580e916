"""Without Chromium the browser tests are skipped and say how to get one; in CI they fail."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).with_name("test_prediction_in_browser.py")


@pytest.mark.parametrize(("ci", "outcome"), [("", "skipped"), ("true", "errors")])
def test_a_missing_browser(ci: str, outcome: str, tmp_path: Path) -> None:
    pytest.importorskip("playwright", reason="no playwright: `pip install playwright`")
    nowhere = {"PATH": str(tmp_path), "PLAYWRIGHT_BROWSERS_PATH": str(tmp_path), "SIMLIB_CHROMIUM": "", "CI": ci}
    command = [sys.executable, "-m", "pytest", "-rs", "-o", "addopts=", "-p", "no:cacheprovider", str(TESTS)]
    done = subprocess.run(command, env={**os.environ, **nowhere}, capture_output=True, text=True)
    assert re.search(rf"^=+ [1-9]\d* {outcome} in ", done.stdout, re.MULTILINE), "all of them, and nothing else"
    assert "python -m playwright install chromium" in done.stdout
