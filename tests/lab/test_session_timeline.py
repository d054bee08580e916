"""The session timeline without a browser: what is good when, what it could do, looking, the clock, and the trail."""

from __future__ import annotations

import gc
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree

import pytest

from simlib import Cloud, lab
from simlib.lab import screen
from simlib.lab.session_timeline import SessionTimeline
from simlib.lab.session_timeline_view import page, still

BUCKET = "arn:aws:s3:::my-secure-bucket"
LIST, USERS = ("s3:ListBucket", BUCKET), ("iam:ListUsers", "*")
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def statement(effect: str, action: Any, **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Resource": "*", **more}


@dataclass
class World:
    """alice has two keys, one of them inactive; with the other she borrows `reports`, and with that `chain`."""

    aws: Cloud
    iam: Any
    alice: Any
    spare: Any
    short: Any
    chained: Any

    def assume(self, by: Any, role: str, seconds: int = 3600, name: str = "alice") -> Any:
        arn = f"arn:aws:iam::111111111111:role/{role}"
        wanted = {"RoleArn": arn, "RoleSessionName": name, "DurationSeconds": seconds}
        return self.aws.sign_in(by.client("sts").assume_role(**wanted))

    def revoke(self, role: str) -> None:
        now = f"{self.aws.clock.now:%Y-%m-%dT%H:%M:%SZ}"
        older = statement("Deny", "*", Condition={"DateLessThan": {"aws:TokenIssueTime": now}})
        self.iam.put_role_policy(RoleName=role, PolicyName="AWSRevokeOlderSessions", PolicyDocument=document(older))


@pytest.fixture
def world() -> Iterator[World]:
    with Cloud.start() as aws:
        admin = aws.account("dev").admin
        iam = admin.client("iam")
        admin.client("s3").create_bucket(Bucket="my-secure-bucket")
        iam.create_user(UserName="alice")
        iam.put_user_policy(UserName="alice", PolicyName="all", PolicyDocument=document(statement("Allow", "sts:*")))
        keys = [aws.sign_in(iam.create_access_key(UserName="alice")) for _ in range(2)]
        iam.update_access_key(UserName="alice", AccessKeyId=keys[1].access_key_id, Status="Inactive")
        trusted = {"Effect": "Allow", "Principal": {"AWS": "111111111111"}, "Action": "sts:AssumeRole"}
        for role in ("reports", "chain"):
            iam.create_role(RoleName=role, AssumeRolePolicyDocument=document(trusted), MaxSessionDuration=7200)
            allowed = document(statement("Allow", ["s3:ListBucket", "sts:AssumeRole"]))
            iam.put_role_policy(RoleName=role, PolicyName="read", PolicyDocument=allowed)
        made = World(aws, iam, *keys, None, None)
        made.short = made.assume(made.alice, "reports", 1800)
        made.chained = made.assume(made.short, "chain", name="from-reports")
        yield made


def held(timeline: SessionTimeline, identity: Any) -> Any:
    """What the timeline says of the credentials in hand."""
    return next(each for each in timeline.holdings if each.key == identity.access_key_id)


def commands(timeline: SessionTimeline) -> Any:
    """The widget of a timeline, to be told what a browser would tell it."""
    from ipywidgets.widgets.widget import _instances

    bundle = timeline._repr_mimebundle_()
    return _instances[bundle["application/vnd.jupyter.widget-view+json"]["model_id"]]


def tell(widget: Any, do: str, value: str = "") -> None:
    content = {"data": {"method": "custom", "content": {"do": do, "value": value}}}
    widget._handle_msg({"content": content, "buffers": []})


# -- what it shows ----------------------------------------------------------------------------------------------------


def test_every_credential_of_the_world_is_there_with_who_it_was_born_of(world: World) -> None:
    timeline = lab.SessionTimeline(world.aws)
    assert {each.key for each in timeline.holdings} == {each.access_key_id for each in world.aws.credentials()}
    assert [(line.name, line.depth, line.parent) for line in timeline.lines[1:]] == [
        ("alice", 0, ""),
        ("reports/alice", 1, "alice"),
        ("chain/from-reports", 2, "reports/alice"),
        ("alice", 0, ""),
    ]
    assert "AssumeRole by alice (AKIA" in str(timeline)


def test_each_is_told_by_sign_and_word(world: World) -> None:
    world.aws.clock.advance(minutes=31)
    timeline = lab.SessionTimeline(world.aws)
    signs = [(each.sign, each.words.split(" ")[0]) for each in timeline.holdings]
    assert signs == [("✔", "good,"), ("✔", "good,"), ("✘", "expired"), ("✔", "good"), ("○", "inactive")]


def test_limits_are_those_of_the_role_and_of_chaining(world: World) -> None:
    timeline = lab.SessionTimeline(world.aws)
    limits = {lane.line.name: [limit[2] for limit in lane.limits] for lane in timeline.chart.lanes if lane.limits}
    assert limits == {
        "reports/alice": ["≤ 2 hours"],
        "chain/from-reports": ["≤ 1 hour, chained"],
    }
    for said in (str(timeline), timeline._repr_mimebundle_()["text/html"]):
        assert "at most 1 hour, because it is chained" in said


def test_sessions_that_renew_each_other_are_one_line(world: World) -> None:
    for _ in range(3):
        world.aws.clock.advance(minutes=25)
        world.assume(world.alice, "reports", 1800)
    line = next(line for line in lab.SessionTimeline(world.aws).lines if line.name == "reports/alice")
    assert len(line.credentials) == 4


def test_what_a_credential_can_do_is_what_happens(world: World) -> None:
    world.aws.clock.advance(minutes=31)
    timeline = lab.SessionTimeline(world.aws, requests=[LIST])
    for identity in (world.alice, world.spare, world.short, world.chained):
        predicted = held(timeline, identity).verdicts[0]
        really = lab.attempt(identity.client("s3").list_objects_v2, Bucket="my-secure-bucket")
        assert predicted.allowed == really.allowed, identity
        if predicted.word == "Not believed":
            code = {"ExpiredToken": "ExpiredToken", "InvalidAccessKeyId": "InvalidClientTokenId"}[really.code]
            assert code in predicted.because


def test_the_moment_looked_at_is_the_time_of_the_request(world: World) -> None:
    night = f"{world.aws.clock.now + 10 * MINUTE:%Y-%m-%dT%H:%M:%SZ}"
    policy = document(statement("Deny", "s3:*", Condition={"DateGreaterThan": {"aws:CurrentTime": night}}))
    world.iam.put_role_policy(RoleName="reports", PolicyName="night", PolicyDocument=policy)
    timeline = lab.SessionTimeline(world.aws, requests=[LIST])
    assert held(timeline, world.short).verdicts[0].word == "Allowed"
    timeline.look(20 * MINUTE)
    assert held(timeline, world.short).verdicts[0].because == "Decided by Deny statement 1 of night"
    timeline.look(40 * MINUTE)
    assert held(timeline, world.short).verdicts[0].because == "AWS answers ExpiredToken."


def test_a_session_that_is_over_now_could_do_something_before(world: World) -> None:
    world.aws.clock.advance(hours=3)
    timeline = lab.SessionTimeline(world.aws, requests=[LIST])
    timeline.look(world.aws.clock.now - timedelta(hours=2, minutes=50))
    assert held(timeline, world.short).verdicts[0].word == "Allowed"
    assert "policies as they are now" in str(timeline)


def test_revoked_sessions_are_told_from_expired_ones_and_new_ones_work(world: World) -> None:
    world.aws.clock.advance(minutes=10)
    world.revoke("reports")
    world.aws.clock.advance(minutes=1)
    fresh = world.assume(world.alice, "reports")
    timeline = lab.SessionTimeline(world.aws, requests=[LIST])
    revoked, new = held(timeline, world.short), held(timeline, fresh)
    assert (revoked.sign, revoked.words.split(" ")[0], revoked.verdicts[0].word) == ("⊘", "revoked", "Denied")
    assert (new.sign, new.verdicts[0].word) == ("✔", "Allowed")
    timeline.look(timedelta(hours=3))
    assert held(timeline, fresh).words.startswith("expired")


@pytest.mark.parametrize("spelling", ["identity", "answer", "key", "arn", "role", "name"])
def test_only_what_is_named_is_shown_however_it_is_named(world: World, spelling: str) -> None:
    answer = {"Credentials": {"AccessKeyId": world.short.access_key_id, "SecretAccessKey": "x", "SessionToken": "y"}}
    only = {
        "identity": world.short,
        "answer": answer,
        "key": world.short.access_key_id,
        "arn": "arn:aws:sts::111111111111:assumed-role/reports/alice",
        "role": "arn:aws:iam::111111111111:role/reports",
        "name": "reports",
    }[spelling]
    timeline = lab.SessionTimeline(world.aws, only=[only])
    assert [each.key for each in timeline.holdings] == [world.short.access_key_id]
    assert {event.access_key_id for event in timeline.trail.matching} == {world.short.access_key_id}


def test_a_lesson_can_give_names(world: World) -> None:
    timeline = lab.SessionTimeline(world.aws, only={"Alice's key": world.alice, "the stolen session": world.short})
    assert [line.name for line in timeline.lines] == ["Alice's key", "the stolen session"]
    assert timeline.chart.lanes[1].above == 0
    assert "✔ the stolen session ASIA" in str(timeline)


def test_what_is_no_credential_is_named_and_what_is_not_there_yet_is_waited_for(world: World) -> None:
    with pytest.raises(ValueError, match="int is none of these"):
        lab.SessionTimeline(world.aws, only=[7])
    timeline = lab.SessionTimeline(world.aws, only=["web-app"])
    assert "no credentials here yet" in str(timeline)
    assert "<svg" in still(timeline)


def test_two_addresses_of_one_key_are_seen(world: World) -> None:
    world.alice.client("sts").get_caller_identity()
    world.aws.source_ip = "198.51.100.7"
    world.alice.client("sts").get_caller_identity()
    timeline = lab.SessionTimeline(world.aws)
    assert held(timeline, world.alice).addresses == ("203.0.113.10", "198.51.100.7")
    assert "used from 2 addresses: 203.0.113.10, 198.51.100.7" in str(timeline)
    assert "from 198.51.100.7" in str(timeline).partition("The trail.")[2]


# -- looking, and moving the clock ------------------------------------------------------------------------------------


def test_looking_changes_nothing_in_the_world(world: World) -> None:
    timeline = lab.SessionTimeline(world.aws, requests=[LIST, USERS])
    before = (world.aws.inspect.version, len(world.aws.trail))
    for hours in (-3, 0.2, 5, 50_000):
        timeline.look(timedelta(hours=hours))
        timeline.step()
        timeline.step(forward=False)
    timeline.look()
    assert (world.aws.inspect.version, len(world.aws.trail)) == before
    assert timeline.moment == timeline.now


def test_steps_go_from_change_to_change(world: World) -> None:
    timeline = lab.SessionTimeline(world.aws)
    timeline.step()
    first = timeline.moment
    assert first == next(each.expires for each in world.aws.credentials() if each.kind == "AssumeRole")
    timeline.step()
    assert timeline.moment > first
    timeline.step(forward=False)
    assert timeline.moment == first


def test_the_clock_moves_to_the_next_change_and_the_world_with_it(world: World) -> None:
    timeline = lab.SessionTimeline(world.aws, requests=[LIST])
    assert timeline.next_change is not None
    timeline.move_clock()
    assert "reports/alice" in timeline.note
    assert "expires" in timeline.note
    assert lab.attempt(world.short.client("s3").list_objects_v2, Bucket="my-secure-bucket").code == "ExpiredToken"
    assert held(timeline, world.short).words.startswith("expired")


def test_the_clock_never_moves_back_and_says_so(world: World) -> None:
    timeline = lab.SessionTimeline(world.aws)
    now = world.aws.clock.now
    timeline.move_clock(now - HOUR)
    assert world.aws.clock.now >= now
    assert "only moves forward" in timeline.note


def test_where_nothing_ends_the_clock_has_nowhere_to_go(world: World) -> None:
    timeline = lab.SessionTimeline(world.aws, only=[world.alice])
    timeline.move_clock()
    assert "nothing to move the clock to" in timeline.note
    assert 'data-do="move" data-value="" aria-disabled="true"' in page(timeline, "x")


def test_what_moment_cannot_be_looked_at_is_said(world: World) -> None:
    timeline = lab.SessionTimeline(world.aws)
    with pytest.raises(ValueError, match="time zone"):
        timeline.look(datetime(2030, 1, 1))
    with pytest.raises(ValueError, match="too far away"):
        timeline.look(datetime(9999, 1, 1, tzinfo=UTC))


def test_the_axis_can_cover_more_or_less(world: World) -> None:
    timeline = lab.SessionTimeline(world.aws)
    timeline.zoom(timedelta(hours=2))
    left = timeline.chart.left
    assert timeline.chart.right - left == timedelta(hours=2)
    timeline.look(20 * MINUTE)
    assert timeline.chart.left == left, "the axis stays while one looks about on it"
    timeline.look(5 * HOUR)
    assert timeline.chart.left < timeline.moment < timeline.chart.right


# -- following the world ----------------------------------------------------------------------------------------------


def test_it_follows_the_world_once_after_any_number_of_calls(world: World) -> None:
    timeline = lab.SessionTimeline(world.aws)
    widget = commands(timeline)
    drawn: list[str] = []
    widget.observe(lambda change: drawn.append(change["new"]), "html")
    for _ in range(5):
        world.alice.client("sts").get_caller_identity()
    assert drawn == []
    screen.follow_up()
    screen.follow_up()
    assert len(drawn) == 1
    assert "sts:GetCallerIdentity" in drawn[0]


def test_a_stopped_world_leaves_the_last_picture_and_says_so(world: World) -> None:
    timeline = lab.SessionTimeline(world.aws, requests=[LIST])
    widget = commands(timeline)
    world.aws.stop()
    tell(widget, "move")
    timeline.refresh()
    assert "has been stopped" in widget.html
    assert "reports/alice" in widget.html
    with pytest.raises(RuntimeError, match="has been stopped"):
        lab.SessionTimeline(world.aws)


# -- the trail --------------------------------------------------------------------------------------------------------


def test_the_trail_is_filtered_by_identity_and_decision(world: World) -> None:
    lab.attempt(world.alice.client("iam").list_users)
    lab.attempt(world.spare.client("iam").list_users)
    timeline = lab.SessionTimeline(world.aws)
    timeline.filter(identity="arn:aws:iam::111111111111:user/alice", decision="IMPLICIT_DENY")
    assert [(event.action, event.decision) for event in timeline.trail.rows] == [("iam:ListUsers", "IMPLICIT_DENY")]
    assert {line.name for line in [lane.line for lane in timeline.chart.lanes]} == {"alice"}
    timeline.filter(identity="", decision="UNAUTHENTICATED")
    assert [event.access_key_id for event in timeline.trail.rows] == [world.spare.access_key_id]
    timeline.filter(identity=world.short.access_key_id, decision="")
    assert [event.action for event in timeline.trail.rows] == ["sts:AssumeRole"]
    with pytest.raises(ValueError, match="decision is one of"):
        timeline.filter(decision="MAYBE")


def test_a_call_opens_its_evaluation_as_why_tells_it(world: World) -> None:
    lab.attempt(world.alice.client("iam").list_users)
    timeline = lab.SessionTimeline(world.aws)
    timeline.open_call(world.aws.trail[-1].number)
    why = str(world.aws.why()).splitlines()[0]
    assert why in str(timeline)
    timeline.open_call(world.aws.trail[-1].number)
    assert why not in str(timeline)


def test_a_verdict_opens_its_evaluation(world: World) -> None:
    timeline = lab.SessionTimeline(world.aws, requests=[USERS])
    timeline.open_verdict(world.alice.access_key_id, 0)
    assert "iam:ListUsers" in page(timeline, "x")
    assert "It would need an Allow for iam:ListUsers" in str(timeline)


def test_calls_are_marks_on_the_line_of_their_key(world: World) -> None:
    lab.attempt(world.alice.client("iam").list_users)
    timeline = lab.SessionTimeline(world.aws)
    marks = {lane.line.credentials[0].access_key_id: lane.calls for lane in timeline.chart.lanes}
    assert sum(mark.allowed for mark in marks[world.alice.access_key_id]) == 1
    assert sum(mark.refused for mark in marks[world.alice.access_key_id]) == 1
    assert marks[world.spare.access_key_id] == ()


# -- on the screen ----------------------------------------------------------------------------------------------------


def test_a_browsers_messages_are_commands(world: World) -> None:
    timeline = lab.SessionTimeline(world.aws, requests=[USERS])
    widget = commands(timeline)
    tell(widget, "after")
    assert timeline.looked is not None
    assert "before now" not in widget.html
    tell(widget, "now")
    assert timeline.looked is None
    tell(widget, "moment", "400")
    assert timeline.moment == timeline.chart.right
    tell(widget, "verdict", f"{world.alice.access_key_id} 0")
    assert 'aria-expanded="true"' in widget.html
    tell(widget, "decision", "REFUSED")
    tell(widget, "identity", "arn:aws:iam::111111111111:user/alice")
    assert (timeline.trail.decision, timeline.trail.identity) == ("REFUSED", "arn:aws:iam::111111111111:user/alice")
    tell(widget, "span", "2 days")
    assert timeline.span == timedelta(days=2)
    before = world.aws.clock.now
    tell(widget, "move")
    assert world.aws.clock.now - before > 20 * MINUTE


@pytest.mark.parametrize(
    "message",
    [
        None,
        "move",
        {},
        {"do": "exec", "value": "1"},
        {"do": "moment", "value": "-1"},
        {"do": "moment", "value": "99999"},
        {"do": "moment", "value": "٣٣٣٣"},
        {"do": "moment", "value": "²"},
        {"do": "moment", "value": 3},
        {"do": "call", "value": "x"},
        {"do": "verdict", "value": ""},
        {"do": "decision", "value": "<b>"},
        {"do": "span", "value": "1 parsec"},
        {"do": "older", "value": "x" * 100_000},
    ],
)
def test_a_browser_may_send_anything(world: World, message: Any) -> None:
    timeline = lab.SessionTimeline(world.aws)
    widget = commands(timeline)
    widget._handle_msg({"content": {"data": {"method": "custom", "content": message}}, "buffers": []})
    assert timeline.chart.left <= timeline.moment <= timeline.chart.right
    assert timeline.trail.rows


def test_every_control_has_a_name_and_the_drawing_a_table_beside_it(world: World) -> None:
    html = page(lab.SessionTimeline(world.aws, requests=[LIST]), "x")
    for control in re.findall(r"<button[^>]*>([^<]*)</button>", html):
        assert control.strip()
    assert len(re.findall("<select", html)) == len(re.findall("<label", html))
    assert 'aria-label="Look at another moment"' in html
    svg = re.search("<svg.*?</svg>(?=</div>)", html, re.DOTALL)
    assert svg is not None
    root = ElementTree.fromstring(svg[0])
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == "x-title x-desc"
    assert {"x-title", "x-desc"} <= {each.get("id") for each in root.iter()}
    assert html.count("<table") == 2
    assert "transition" not in html
    assert "animation" not in html


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "a\u202eb", "x" * 10_000, "]]>&amp;\x00"]
)
def test_hostile_names_are_only_read(world: World, name: str) -> None:
    lab.attempt(world.alice.client("s3").get_object, Bucket="my-secure-bucket", Key=name)
    timeline = lab.SessionTimeline(world.aws, only={name: world.alice}, requests=[("s3:GetObject", f"{BUCKET}/{name}")])
    timeline.open_call(world.aws.trail[-1].number)
    timeline.open_verdict(world.alice.access_key_id, 0)
    for html in (page(timeline, "x"), still(timeline)):
        assert "<script" not in html
        assert "<img" not in html
        assert "\u202e" not in html
        assert "\x00" not in html
        assert len(html) < 120_000
        svg = re.search("<svg.*?</svg>(?=</div>)", html, re.DOTALL)
        assert svg is not None
        ElementTree.fromstring(svg[0])


def test_the_figure_can_be_saved_for_print(world: World, tmp_path: Any) -> None:
    world.aws.clock.advance(minutes=31)
    timeline = lab.SessionTimeline(world.aws)
    timeline.look(5 * MINUTE)
    figure = timeline.figure()
    for kind in ("png", "svg", "pdf"):
        figure.savefig(tmp_path / f"picture.{kind}")
        assert (tmp_path / f"picture.{kind}").stat().st_size > 1000
    texts = " ".join(text.get_text() for text in figure.axes[0].texts)
    assert "✘ reports/alice" in texts
    assert "looking here" in texts


def test_the_three_forms_tell_the_same(world: World) -> None:
    timeline = lab.SessionTimeline(world.aws, requests=[LIST])
    bundle = timeline._repr_mimebundle_()
    assert {"text/plain", "text/html", "application/vnd.jupyter.widget-view+json"} <= set(bundle)
    for holding in timeline.holdings:
        for form in ("text/plain", "text/html"):
            assert holding.words in bundle[form]
    assert "data-do" not in bundle["text/html"]
    assert "secret" not in bundle["text/html"].lower()


# -- how much of it there may be --------------------------------------------------------------------------------------


def test_a_cell_run_again_fifty_times_leaves_no_more_widgets_and_no_more_followers(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ipywidgets.widgets.widget import _instances

    runs = iter(range(1000))
    monkeypatch.setattr(screen, "_running", lambda: ("cell", str(next(runs))))

    def run() -> tuple[int, int]:
        lab.SessionTimeline(world.aws)._repr_mimebundle_()
        screen.follow_up()
        return len(_instances), len(screen._followers)

    def alive() -> int:
        gc.collect()
        return sum(isinstance(each, SessionTimeline) for each in gc.get_objects())

    once, panels = run(), alive()
    assert [run() for _ in range(50)][-1] == once
    assert alive() == panels


def test_hundreds_of_credentials_are_bounded_and_counted(world: World) -> None:
    for number in range(300):
        world.assume(world.alice, "reports", 900 if number < 290 else 3600, name=f"s{number}")
    world.aws.clock.advance(minutes=20)
    timeline = lab.SessionTimeline(world.aws, requests=[LIST])
    assert len(timeline.chart.lanes) == 20
    assert "20 of 305 lines are shown" in str(timeline)
    names = {lane.line.name for lane in timeline.chart.lanes}
    assert {f"reports/s{number}" for number in range(290, 300)} <= names, "those that are good come first"
    assert len(page(timeline, "x")) < 120_000
    timeline.filter(identity="arn:aws:sts::111111111111:assumed-role/reports/s7")
    assert [lane.line.name for lane in timeline.chart.lanes] == ["reports/s7"]
