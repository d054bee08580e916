"""What watches over the planted credentials sees whatever happens to them."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.planted import KEYS, SECRETS, Planted, shown


def rewritten(learner: Planted) -> None:
    """The same bytes, at another time."""
    path = learner.home / ".aws" / "credentials"
    os.utime(path, ns=(0, 0))


CHANGES: dict[str, tuple[Callable[[Planted], object], str]] = {
    "a file that has changed": (lambda learner: (learner.home / ".aws" / "config").write_text("x"), "config"),
    "a file that was written again": (rewritten, "credentials"),
    "a file that is gone": (lambda learner: (learner.home / ".aws" / "cli" / "alias").unlink(), "alias"),
    "a file that is new": (lambda learner: (learner.home / ".aws" / "new").write_text("x"), "new"),
    "a visit": (lambda learner: urllib.request.urlopen(learner.metadata.url, timeout=5).read(), "the metadata address"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_it_sees(what: str, tmp_path: Path) -> None:
    learner = Planted(tmp_path)
    assert learner.touched() == []
    change, name = CHANGES[what]
    change(learner)
    [touched] = learner.touched()
    assert touched.endswith(name)
    learner.metadata.close()


def test_it_sees_who_has_looked(tmp_path: Path) -> None:
    learner = Planted(tmp_path)
    subprocess.run([sys.executable, "-c", "print(1)"], env=learner.variables(), check=True)
    assert learner.opened() == []
    looks = "import boto3; print(boto3.Session(profile_name='planted').get_credentials().access_key)"
    told = subprocess.run([sys.executable, "-c", looks], env=learner.variables(), check=True, stdout=subprocess.PIPE)
    assert KEYS[1].encode() in told.stdout
    assert {Path(path).name for path in learner.opened()} == {"config", "credentials"}
    assert (learner.opened(), learner.touched()) == ([], [])
    learner.metadata.close()


@pytest.mark.parametrize("secret", [*KEYS, *SECRETS])
def test_it_sees_each_of_them_in_a_text(secret: str) -> None:
    assert shown(["before", f"… {secret} …"]) == [secret]
    assert shown(["before", "after"]) == []
