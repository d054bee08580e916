"""`python -m simlib serve`: a world that other processes use, until Ctrl-C."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from simlib import Cloud
from simlib.cloud import serve


@pytest.mark.skipif(os.name == "nt", reason="Windows sends Ctrl-C to whole consoles; run it on Linux or macOS")
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_serve_keeps_a_world_running_until_ctrl_c_and_saves_it_if_asked(end: signal.Signals, tmp_path: Path) -> None:
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    with Cloud.start() as world:
        world.account("dev").admin.client("iam").create_user(UserName="alice")
        world.save(first)
    server = subprocess.Popen(
        [sys.executable, "-m", "simlib", "serve", "--world", str(first), "--save", str(second)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).resolve().parents[2],
    )
    try:
        assert server.stdout is not None
        lines = []
        for line in server.stdout:
            lines.append(line)
            if line.startswith("# You are then"):
                break
        assert lines[-1:], server.communicate()[1]
        code = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])"
        queue = "aws sqs create-queue --queue-name jobs --output text"
        exported = "".join(line for line in lines if line.startswith("export "))
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        command = f'{exported}{queue}\nexec "{sys.executable}" -c "{code}"'
        child = subprocess.run(["sh", "-c", command], env=kept, capture_output=True, text=True, check=True)
        queue_url, arn = child.stdout.splitlines()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/111111111111/jobs", queue_url)  # SDKs send to it
        assert arn == "arn:aws:iam::111111111111:user/lab-admin"
        server.send_signal(end)
        rest, errors = server.communicate(timeout=60)
        assert (server.returncode, errors) == (0, "")
        assert "Saved 1 account to" in rest
        with Cloud.load(second) as world:
            admin = world.account("dev").admin
            assert admin.client("iam").get_user(UserName="alice")
            assert admin.client("sqs").get_queue_url(QueueName="jobs")["QueueUrl"].startswith("https://sqs.us-east-1.")
    finally:
        server.kill()
        server.communicate()


def test_serve_explains_itself_and_what_it_cannot_open(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert serve.main(["--wrold"]) == 2
    assert "usage: python -m simlib serve" in capsys.readouterr().err
    assert serve.main(["--help"]) == 0
    assert "usage: python -m simlib serve" in capsys.readouterr().out
    assert serve.main(["--world", str(tmp_path / "none.json")]) == 2
    assert "none.json cannot be read" in capsys.readouterr().err
