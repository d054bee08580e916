"""What every test may count on."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def progress_of_nobody(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing a test does is written into the progress of whoever runs it; kernels it starts inherit that."""
    path = tmp_path_factory.mktemp("progress") / "progress.json"
    monkeypatch.setenv("IAM_LAB_PROGRESS", str(path))
    return path
