"""Where worlds come from and go to: files, links in the classroom, a dump of an account of one's own."""

from __future__ import annotations

import http.server
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from simlib import Cloud
from simlib.cloud.worlds import file
from simlib.cloud.worlds.shape import WorldFileError

from ..conftest import allow, document
from .conftest import furnished


def test_a_save_that_fails_leaves_the_old_file_and_nothing_else(
    aws: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "w.json"
    aws.save(path)
    old = path.read_bytes()

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    aws.account("dev")
    with pytest.raises(WorldFileError, match="No space left"):
        aws.save(path)
    assert path.read_bytes() == old
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(WorldFileError, match="cannot be written"):
        aws.save(tmp_path / "no" / "folder.json")


def test_what_a_killed_save_left_is_swept_at_the_next(aws: Cloud, tmp_path: Path) -> None:
    left, going_on, other = (tmp_path / name for name in (".w.json.0badcafe", ".w.json.deadbeef", ".w.json.old"))
    for path in (left, going_on, other):
        path.write_text("{", "utf-8")
    os.utime(left, (1, 1))
    aws.save(tmp_path / "w.json")
    assert sorted(tmp_path.iterdir()) == sorted([tmp_path / "w.json", going_on, other])


def test_half_a_character_is_saved_and_opened(aws: Cloud, tmp_path: Path, stopped: None) -> None:
    iam = aws.account("dev").admin.client("iam")
    half = json.dumps(allow("s3:Get*", Condition={"StringEquals": {"aws:PrincipalTag/t": "\ud800ü"}}))
    iam.put_user_policy(UserName="lab-admin", PolicyName="p", PolicyDocument=document(json.loads(half)))
    written = iam.get_user_policy(UserName="lab-admin", PolicyName="p")["PolicyDocument"]
    aws.save(tmp_path / "w.json")
    iam = Cloud.load(tmp_path / "w.json").account("dev").admin.client("iam")
    assert iam.get_user_policy(UserName="lab-admin", PolicyName="p")["PolicyDocument"] == written


def test_a_file_holds_nothing_of_the_learners_own_aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = "AKIAREALREALREALREAL"
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.setenv(name, mine)
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "credentials").write_text(f"[default]\naws_access_key_id={mine}\n", "utf-8")
    monkeypatch.setenv("HOME", str(tmp_path))
    with Cloud.start() as aws:
        furnished(aws)
        aws.save(tmp_path / "w.json")
    assert mine not in (tmp_path / "w.json").read_text("utf-8")


@pytest.fixture
def classroom(tmp_path: Path) -> Iterator[str]:
    """A web server in the classroom's own network."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(tmp_path))

        def do_GET(self) -> None:
            if self.path == "/away":
                self.send_response(302)
                self.send_header("Location", "http://169.254.169.254/latest/meta-data/")
                self.end_headers()
            elif self.path == "/trickle":
                self.wfile.write(b"HTTP/1.0 200 OK\r\n")
                while not ended.wait(0.05):
                    self.wfile.write(b"X: y\r\n")
            elif self.path == "/nonsense":
                self.wfile.write(b"this is no HTTP\r\n\r\n")
            else:
                super().do_GET()

        def log_message(self, *_: Any) -> None: ...

    ended = threading.Event()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    ended.set()
    server.shutdown()
    server.server_close()


def test_a_link_in_the_classroom_is_opened_when_it_is_named(
    classroom: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stopped: None
) -> None:
    aws = Cloud.start()
    key = aws.account("dev").admin.access_key_id
    aws.save(tmp_path / "w.json")
    assert Cloud.load(f"{classroom}/w.json").account("dev").admin.access_key_id == key
    running = Cloud.running
    assert running is not None
    for path, said in (
        ("none.json", "cannot be fetched"),
        ("a b", "cannot be fetched"),
        ("nonsense", "cannot be fetched"),
        ("away", "never goes to the real AWS"),
    ):
        with pytest.raises(WorldFileError, match=said):
            Cloud.load(f"{classroom}/{path}")
    for url in ("https://s3.amazonaws.com/b/w.json", "http://169.254.169.254/latest"):
        with pytest.raises(WorldFileError, match="never goes to the real AWS"):
            Cloud.load(url)
    monkeypatch.setattr(file, "SECONDS", 0.5)
    with pytest.raises(WorldFileError, match="took longer"):
        Cloud.load(f"{classroom}/trickle")
    monkeypatch.setattr(file, "SECONDS", 30)
    monkeypatch.setattr(file, "LARGEST", 100)
    for source in (f"{classroom}/w.json", tmp_path / "w.json"):
        with pytest.raises(WorldFileError, match="is larger than"):
            Cloud.load(source)
    with pytest.raises(WorldFileError, match="too large for a file"):
        running.save(tmp_path / "large.json")
    assert Cloud.running is running


def test_a_dump_of_somebodys_own_account_is_a_world(tmp_path: Path, stopped: None) -> None:
    aws = Cloud.start()
    held = furnished(aws)
    pages = held["admin"].client("iam").get_account_authorization_details()
    pages.pop("ResponseMetadata")
    dump = json.loads(json.dumps(pages, default=str))
    dump["RoleDetailList"][0]["SomethingNew"] = {"that": "AWS has added"}
    dump["Policies"] = [policy for policy in dump["Policies"] if "::aws:" not in policy["Arn"]]
    path = tmp_path / "dump.json"
    path.write_text(json.dumps(dump), "utf-8")
    again = Cloud.load(path)
    account = again.account()
    assert (account.name, account.id) == ("main", "1" * 12)
    iam = account.admin.client("iam")
    user = next(user for user in dump["UserDetailList"] if user["UserName"] == "alice")
    assert iam.get_user(UserName="alice")["User"]["UserId"] == user["UserId"]
    asked = {"PolicySourceArn": user["Arn"], "ResourceArns": ["arn:aws:s3:::b/secret"]}
    answer = iam.simulate_principal_policy(**asked, ActionNames=["s3:GetObject", "s3:GetBucketPolicy"])
    assert [one["EvalDecision"] for one in answer["EvaluationResults"]] == ["explicitDeny", "allowed"]
