"""Nothing leaves this machine, and nothing of the learner's own AWS is used or changed.

A process stands for a learner's kernel (`attempts_to_escape.py`). It runs where all tests run: with no way out of this
machine, and with whatever it and its children ask for on record (`tests/outward`).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests import outward, planted

pytestmark = pytest.mark.skipif(os.name == "nt", reason="its cells are for a POSIX shell; run it on Linux or macOS")

ROOT = Path(__file__).resolve().parents[2]
ADMIN = "arn:aws:iam::111111111111:user/lab-admin"


@dataclass(frozen=True)
class Record:
    """What the process reported, whom it and its children asked for, and what of the planted was touched."""

    outcome: dict[str, str]
    asked: list[str]
    outward: list[str]
    sent: list[str]
    trail: str
    touched: list[str]
    changed: dict[str, Any]


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    folder = tmp_path_factory.mktemp("escape")
    learner = planted.Planted(folder / "home")
    variables = {
        **learner.variables(),
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ["PYTHONPATH"]]),
        "IPYTHONDIR": str(folder / "ipython"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{learner.metadata.url}/credentials",
    }
    program = (sys.executable, str(Path(__file__).with_name("attempts_to_escape.py")))
    everything, outwards = outward.Watch(), outward.Watch()
    done = subprocess.run(program, env=variables, cwd=folder, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout.rpartition("=== result ===")[2])
    return Record(
        report["outcome"],
        everything.asked(),
        outwards.outward(),
        report["sent"],
        report["trail"],
        learner.touched(),
        report["changed"],
    )


# -- what came of each attempt --------------------------------------------------------------------------------------

OUTCOMES = {
    "plain client": "NoCredentialsError: Unable to locate credentials",
    "planted profile": "ProfileNotFound: The config profile (planted) could not be found",
    "old client": "The lab never goes to the real AWS",
    "!aws": "Unable to locate credentials",
    "%%bash": "Unable to locate credentials",
    "child python": "None",
    "aws profile": "The config profile (planted) could not be found",
    "plain client, signed in": ADMIN,
    "!aws, signed in": "my-secure-bucket",
    "%%bash, signed in": "in the lab",
    "a service with an address of its own": "111111111111/jobs",
    "child python, signed in": ADMIN,
    "presigned URL": "in the lab",
    "AWS by name": "The lab never goes to the real AWS",
    "metadata by address": "The lab never goes to the real AWS",
    "SNS subscription 0": "arn:aws:sns:us-east-1:111111111111:alarm:",
    "SNS subscription 1": "arn:aws:sns:us-east-1:111111111111:alarm:",
    "SNS publish": "-",
    "on the instance": "report.txt",
    "the instance's session": "assumed-role/web/i-",
}


@pytest.mark.parametrize("attempt", OUTCOMES)
def test_each_attempt_meets_the_lab_or_is_refused_on_this_machine(record: Record, attempt: str) -> None:
    assert OUTCOMES[attempt] in record.outcome[attempt]


def test_no_attempt_is_left_out(record: Record) -> None:
    assert set(record.outcome) == set(OUTCOMES)


# -- where it tried to go -------------------------------------------------------------------------------------------


def test_it_and_its_children_ask_for_loopback_only(record: Record) -> None:
    assert sum("127.0.0.1" in line for line in record.asked) > 10  # the record did see the lab's endpoint being called
    assert record.outward == []


def test_all_of_it_works_with_no_network_but_loopback(record: Record) -> None:
    outward.need_it_closed()
    assert record.outcome["!aws, signed in"].strip().endswith("my-secure-bucket")


# -- what was planted -----------------------------------------------------------------------------------------------


def test_planted_credentials_are_never_sent(record: Record) -> None:
    assert record.sent  # the children did call the endpoint
    assert planted.shown(record.sent) == []


def test_planted_credentials_are_in_no_trail(record: Record) -> None:
    assert "user/lab-admin" in record.trail
    assert planted.shown([record.trail]) == []


def test_nothing_of_the_learners_is_changed_or_asked(record: Record) -> None:
    assert record.touched == []
    assert record.changed == {}
