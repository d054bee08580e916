"""In a browser, simulated: Python says it is one, no thread starts, and the page's clock is a stand-in."""

from __future__ import annotations

import io
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from simlib import Cloud
from simlib.cloud import clock

from .conftest import trust

REPORT = {"Bucket": "my-secure-bucket", "Key": "report.csv"}


class Page(clock.TimeMachine):
    """A page whose `Date.now` Python has its time from; what the clock runs in it is answered with a journey."""

    def run_js(self, code: str) -> Any:
        assert "Date.now = " in code
        self.start()
        page = self

        class Journey(SimpleNamespace):
            ahead = property(lambda _: 0, lambda _, milliseconds: page.shift(timedelta(milliseconds=milliseconds)))

        return Journey(real=lambda: page.real_time() * 1000, stop=page.stop)


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_thread(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    pyodide = ModuleType("pyodide.code")
    pyodide.run_js = Page().run_js  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pyodide", ModuleType("pyodide"))
    monkeypatch.setitem(sys.modules, "pyodide.code", pyodide)
    monkeypatch.setattr(threading.Thread, "start", no_thread)
    monkeypatch.setattr(sys, "platform", "emscripten")


@pytest.fixture
def aws(browser: None) -> Iterator[Cloud]:
    with Cloud.start() as cloud:
        yield cloud


def test_a_session_ends_when_the_clock_is_moved_past_it(aws: Cloud) -> None:
    admin = aws.account("dev").admin
    alice = admin.client("iam").create_user(UserName="alice")["User"]["Arn"]
    held = aws.sign_in(admin.client("iam").create_access_key(UserName="alice"))
    role = admin.client("iam").create_role(RoleName="reports", AssumeRolePolicyDocument=trust({"AWS": alice}))["Role"][
        "Arn"
    ]
    session = aws.sign_in(held.client("sts").assume_role(RoleArn=role, RoleSessionName="lesson"))
    assert session.client("sts").get_caller_identity()["Arn"].endswith("reports/lesson")
    waited = time.monotonic()
    aws.clock.advance(hours=1, seconds=1)
    with pytest.raises(Exception, match="ExpiredToken"):
        session.client("sts").get_caller_identity()
    assert aws.clock.now - aws.clock.real_now > timedelta(minutes=59)
    assert time.monotonic() - waited < 600


def test_the_page_has_its_own_time_back_when_the_world_is_closed(browser: None) -> None:
    real = time.time()
    with Cloud.start() as cloud:
        cloud.clock.advance(days=1)
        assert time.time() - real > 86_000
    assert time.time() - real < 600


def test_the_aws_cli_runs_inside_python_and_copies_files_without_threads(aws: Cloud) -> None:
    admin = aws.account("dev").admin
    admin.client("s3").create_bucket(Bucket="my-secure-bucket")
    admin.client("s3").put_object(**REPORT, Body=b"month,profit\n")
    assert admin.run("aws s3 ls s3://my-secure-bucket").stdout.endswith("report.csv\n")
    assert admin.run("aws s3 cp s3://my-secure-bucket/report.csv -").stdout == "month,profit\n"
    copied = admin.run("aws s3 cp s3://my-secure-bucket/report.csv s3://my-secure-bucket/copy.csv")
    assert copied.returncode == 0
    assert "copy: s3://my-secure-bucket/report.csv to s3://my-secure-bucket/copy.csv" in copied.stdout


def test_boto3_uploads_and_downloads_files_without_threads(aws: Cloud) -> None:
    s3 = aws.account("dev").admin.client("s3")
    s3.create_bucket(Bucket="my-secure-bucket")
    s3.upload_fileobj(io.BytesIO(b"x" * 9_000_000), *REPORT.values())  # in two parts
    s3.download_fileobj(*REPORT.values(), down := io.BytesIO())
    assert len(down.getvalue()) == 9_000_000


def test_another_process_cannot_be_served_and_a_sentence_says_so(aws: Cloud) -> None:
    with pytest.raises(RuntimeError, match="no other process can call the lab") as said:
        aws.serve()
    assert said.value._render_traceback_() == [str(said.value)]  # type: ignore[attr-defined]


def test_boto3_transfers_have_their_threads_back_outside_a_browser() -> None:
    from s3transfer.futures import BoundedExecutor

    assert "Thread" in BoundedExecutor.EXECUTOR_CLS.__name__
