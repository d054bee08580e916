"""The site's build says at once that Pyodide cannot be had, and never leaves half a site. The site: lite/tests."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


@pytest.fixture
def build(monkeypatch: pytest.MonkeyPatch) -> Any:
    """lite/build.py, without JupyterLite, which is not among what the tests need."""
    constants = ModuleType("jupyterlite_pyodide_kernel.constants")
    constants.PYODIDE_CDN_URL = constants.PYODIDE_KERNEL_PLUGIN_ID = "none"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "jupyterlite_pyodide_kernel", ModuleType("jupyterlite_pyodide_kernel"))
    monkeypatch.setitem(sys.modules, constants.__name__, constants)
    monkeypatch.delitem(sys.modules, "lite.build", raising=False)
    import lite.build

    return lite.build


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """One that was built before."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text("the last one", encoding="utf-8")
    return tmp_path / "site"


def test_a_distribution_that_is_not_there_is_told_before_anything_is_made(build: Any, site: Path) -> None:
    with pytest.raises(SystemExit, match=r"^There is no distribution of Pyodide at .*nowhere"):
        build.build(site, site.parent, str(site.parent / "nowhere"))
    assert (site / "index.html").read_text(encoding="utf-8") == "the last one"


@pytest.mark.parametrize("fails", [True, False], ids=["breaks off", "is whole"])
def test_the_last_site_stays_until_the_new_one_is_whole(
    build: Any, site: Path, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    def fill(place: Path, *_: Any) -> None:
        place.mkdir()
        (place / "index.html").write_text("the new one", encoding="utf-8")
        if fails:
            raise RuntimeError("no space")

    monkeypatch.setattr(build, "fill", fill)
    (site.parent / build.LOCK).write_text("{}", encoding="utf-8")
    if fails:
        with pytest.raises(RuntimeError):
            build.build(site, site.parent, str(site.parent))
    else:
        build.build(site, site.parent, str(site.parent))
    assert (site / "index.html").read_text(encoding="utf-8") == ("the last one" if fails else "the new one")
    assert {path.name for path in site.parent.iterdir()} == {"site", build.LOCK}
