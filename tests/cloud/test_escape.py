"""Nothing leaves this machine, and nothing of the learner's own AWS is used or changed.

A process stands for a learner's kernel (`attempts_to_escape.py`). It is run in a network namespace that has only
loopback, where the platform has such a thing, and under two recorders of what it attempts: Python's audit hook for
itself, and strace for it and all its children.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(os.name == "nt", reason="its cells are for a POSIX shell; run it on Linux or macOS")

ROOT = Path(__file__).resolve().parents[2]
PLANTED = ("AKIAPLANTEDINVARIABLE", "AKIAPLANTEDINFILE000", "AKIAPLANTEDCACHED000", "planted")
ADMIN = "arn:aws:iam::111111111111:user/lab-admin"


def works(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=60).returncode == 0
    except OSError:
        return False


@cache
def namespace() -> tuple[str, ...]:
    """How to start a process that has no network but loopback; () where this machine does not let us."""
    if shutil.which("unshare"):
        for command in (("unshare", "-n"), ("unshare", "-rn")):
            if works(*command, "true"):
                return command
    return ()


@cache
def strace() -> tuple[str, ...]:
    """How to record the connections of a process and its children; () where this machine does not let us."""
    plain = ("strace", "-f", "-qq", "-e", "trace=connect,sendto,sendmsg", "-e", "signal=none")
    for command in ((*plain, "--seccomp-bpf"), plain):  # the first stops at these calls only, and is much faster
        if shutil.which("strace") and works(*command, "-o", os.devnull, "true"):
            return command
    return ()


@dataclass(frozen=True)
class Record:
    """What the process reported, and what strace saw of it and its children."""

    outcome: dict[str, str]
    attempted: list[str]
    sent: list[str]
    trail: str
    visits: int
    changed: dict[str, Any]
    system_calls: str


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    folder = tmp_path_factory.mktemp("escape")
    home = folder / "home"
    plant(home)
    log = folder / "strace.log"
    traced = (*strace(), "-o", str(log)) if strace() else ()
    program = (sys.executable, str(Path(__file__).with_name("attempts_to_escape.py")), str(home))
    command = (*namespace(), *traced, *program, *(("loopback",) if namespace() else ()))
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith("AWS_")}
    variables = {
        **kept,
        "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]),
        "HOME": str(home),
        "USERPROFILE": str(home),
        "IPYTHONDIR": str(folder / "ipython"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_ACCESS_KEY_ID": "AKIAPLANTEDINVARIABLE",
        "AWS_SECRET_ACCESS_KEY": "planted/secret/in/a/variable",
        "AWS_SESSION_TOKEN": "planted-token",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ENDPOINT_URL_STS": "https://sts.eu-central-1.amazonaws.com",
    }
    done = subprocess.run(command, env=variables, cwd=folder, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout.rpartition("=== result ===")[2])
    return Record(
        report["outcome"],
        report["attempted"],
        report["sent"],
        report["trail"],
        report["visits to the planted metadata address"],
        report["changed"],
        log.read_text(encoding="utf-8", errors="replace") if traced else "",
    )


def plant(home: Path) -> None:
    """A home folder as a learner's may be: keys, profiles, a cached role, a cached login, an alias."""
    for path, text in {
        "credentials": "[default]\naws_access_key_id = AKIAPLANTEDINFILE000\naws_secret_access_key = planted/secret\n"
        "[planted]\naws_access_key_id = AKIAPLANTEDINFILE000\naws_secret_access_key = planted/secret\n",
        "config": "[default]\nregion = eu-central-1\n[profile planted]\nregion = eu-central-1\n",
        "cli/cache/0.json": json.dumps({"Credentials": {"AccessKeyId": "AKIAPLANTEDCACHED000"}}),
        "sso/cache/0.json": json.dumps({"accessToken": "planted"}),
        "cli/alias": "[toplevel]\nwhoami = sts get-caller-identity\n",
    }.items():
        file = home / ".aws" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


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


def test_this_process_asks_for_loopback_only(record: Record) -> None:
    assert record.attempted  # the recorder did see the endpoint being called
    assert [one for one in record.attempted if "127.0.0.1" not in one and "localhost" not in one] == []


def test_its_children_ask_for_loopback_only(record: Record) -> None:
    if not strace():
        pytest.skip("strace is missing or may not trace here: on Debian, apt-get install strace, and allow ptrace")
    addresses = re.findall(r'(?:inet_addr\(|inet_pton\(AF_INET6, )"([^"]+)"', record.system_calls)
    assert "127.0.0.1" in addresses
    assert set(addresses) <= {"127.0.0.1", "::1"}


def test_all_of_it_works_with_no_network_but_loopback(record: Record) -> None:
    if not namespace():
        pytest.skip("no network namespaces here: they need Linux, and root or user namespaces (unshare -rn true)")
    assert record.outcome["!aws, signed in"].strip().endswith("my-secure-bucket")


# -- what was planted -----------------------------------------------------------------------------------------------


def test_planted_credentials_are_never_sent(record: Record) -> None:
    assert record.sent  # the children did call the endpoint
    assert [name for name in PLANTED for raw in record.sent if name in raw] == []
    assert record.visits == 0


def test_planted_credentials_are_in_no_trail(record: Record) -> None:
    assert "user/lab-admin" in record.trail
    assert [name for name in PLANTED if name in record.trail] == []


def test_nothing_of_the_learners_is_changed(record: Record) -> None:
    assert record.changed == {}
