"""Threads, forks and children beside the lab, and identities that outlive it: they meet the lab or a sentence."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from typing import Any

import boto3
import pytest

from simlib import Cloud

from .conftest import refused

_PRINT = "import os; print(os.environ.get('AWS_ENDPOINT_URL'))"
forking = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


def test_children_of_other_threads_find_the_lab_while_a_command_runs(aws: Cloud) -> None:
    admin, outputs = aws.account("dev").admin, []
    ended = threading.Event()

    def start_children() -> None:
        while not ended.is_set() or not outputs:
            child = subprocess.run([sys.executable, "-c", _PRINT], capture_output=True, text=True, check=True)
            outputs.append((child.stdout.strip(), os.environ.get("AWS_ENDPOINT_URL")))

    thread = threading.Thread(target=start_children)
    thread.start()
    for _ in range(3):
        assert admin.run("aws sts get-caller-identity").returncode == 0
    ended.set()
    thread.join()
    assert set(outputs) == {(aws.serve().url, aws.serve().url)}


@forking
def test_children_forked_while_threads_call_can_call_too(aws: Cloud) -> None:
    admin, ended = aws.account("dev").admin, threading.Event()

    def work() -> None:
        client = boto3.Session(admin.access_key_id, admin.secret_access_key, region_name="us-east-1").client("iam")
        while not ended.is_set():
            client.list_users()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    client = admin.client("sts")
    client.get_caller_identity()
    statuses = [_forked(client.get_caller_identity) for _ in range(8)]
    ended.set()
    for thread in threads:
        thread.join()
    assert statuses == [0] * 8
    assert client.get_caller_identity()


def _forked(work: Any) -> int | None:
    """The exit status of a forked child that does some work; None where it hangs."""
    child = os.fork()
    if not child:
        try:
            work()
            os._exit(0)
        except BaseException:
            os._exit(1)
    for _ in range(400):
        if os.waitpid(child, os.WNOHANG)[0]:
            return 0
        time.sleep(0.05)
    os.kill(child, 9)
    os.waitpid(child, 0)
    return None


def test_an_identity_first_used_after_the_lab_never_goes_to_the_real_aws() -> None:
    with Cloud.start() as aws:
        key = aws.account("dev").admin.client("iam").create_access_key(UserName="lab-admin")
        identity = aws.sign_in(key)
    with pytest.raises(RuntimeError, match="never talks to the real AWS"):
        identity.client("sts").get_caller_identity()
    result = identity.run("aws sts get-caller-identity")
    assert result.returncode
    assert "never talks to the real AWS" in result.stderr


def test_a_key_of_another_aws_is_shown_nowhere(aws: Cloud) -> None:
    aws.account("dev")
    mine = boto3.Session("AKIAREALREALREALREAL", "real", region_name="us-east-1")
    assert refused(mine.client("sts").get_caller_identity)[0] == "InvalidClientTokenId"
    event = list(aws.trail)[-1]
    assert (event.who, event.access_key_id) == ("an unknown access key", "")
    assert "AKIAREAL" not in repr(event) + repr(aws.why())
