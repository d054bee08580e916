"""The session timeline without a browser: what is valid when, what it could do, looking, the clock, the world."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from simlib import lab
from simlib.lab import screen

from .timeline_world import HOUR, LIST, MINUTE, USERS, World, commands, document, held, statement, tell, world

__all__ = ["world"]


# -- what it shows ----------------------------------------------------------------------------------------------------


def test_every_credential_of_the_world_is_there_with_who_it_was_born_of(world: World) -> None:
    timeline = lab.SessionTimeline(world.aws)
    assert {each.key for each in timeline.holdings} == {each.access_key_id for each in world.aws.credentials()}
    assert [(lane.name, lane.depth, lane.parent) for lane in timeline.lanes[1:]] == [
        ("alice", 0, ""),
        ("reports/alice", 1, "alice"),
        ("chain/from-reports", 2, "reports/alice"),
        ("alice", 0, ""),
    ]
    assert "AssumeRole by alice (AKIA" in str(timeline)


def test_each_is_told_by_sign_and_word(world: World) -> None:
    world.aws.clock.advance(minutes=31)
    timeline = lab.SessionTimeline(world.aws)
    signs = [(each.sign, each.words.split(" ")[0].rstrip(",")) for each in timeline.holdings]
    assert signs == [
        ("yes", "valid"),
        ("yes", "valid"),
        ("failed", "expired"),
        ("yes", "valid"),
        ("ring", "inactive"),
    ]


def test_limits_are_those_of_the_role_and_of_chaining(world: World) -> None:
    timeline = lab.SessionTimeline(world.aws)
    for said in (str(timeline), timeline.html):
        assert "at most 1 hour, because it is chained" in said
        assert "at most 2 hours, the role" in said


def test_a_session_keeps_the_maximum_its_role_had_when_it_began(world: World) -> None:
    world.iam.update_role(RoleName="reports", MaxSessionDuration=43_200)
    longer = world.assume(world.alice, "reports", 43_200)
    timeline = lab.SessionTimeline(world.aws)
    assert held(timeline, world.short).lane.credential.limit == "2 hours, the role's maximum"
    assert held(timeline, longer).lane.credential.limit == "12 hours, the role's maximum"
    assert timeline.html.count("sl-most") >= 2


def test_of_several_accounts_each_line_says_the_name_of_its_own(world: World) -> None:
    world.aws.account("mallory")
    timeline = lab.SessionTimeline(world.aws)
    names = [lane.name for lane in timeline.lanes]
    assert "lab-admin (mallory)" in names
    assert "reports/alice (dev)" in names
    assert "AssumeRole by alice (dev) (AKIA" in str(timeline)
    assert ">alice (dev)</option>" in timeline.page().html(live=True)
    lab.attempt(world.aws.account("mallory").admin.client("iam").list_users)
    timeline.refresh()
    assert ", by lab-admin (mallory) from" in str(timeline)
    alone = lab.SessionTimeline(world.aws, only=["reports/alice"])
    assert [lane.parent for lane in alone.lanes] == ["alice"], "who opened it is named where it is not shown"
    only = lab.SessionTimeline(world.aws, only=["mallory/lab-admin"])
    assert [each.lane.credential.account for each in only.holdings] == [world.aws.account("mallory").id]


def test_each_session_has_a_lane_of_its_own_after_the_one_it_was_born_of(world: World) -> None:
    for _ in range(3):
        world.aws.clock.advance(minutes=25)
        world.assume(world.alice, "reports", 1800)
    lanes = [lane.name for lane in lab.SessionTimeline(world.aws).lanes]
    assert lanes[1:] == ["alice", "reports/alice", "chain/from-reports", *["reports/alice"] * 3, "alice"]


def test_revoked_expired_and_deleted_look_different(world: World) -> None:
    late = world.assume(world.alice, "reports", 7200)
    world.aws.clock.advance(minutes=10)
    world.revoke("reports")
    world.iam.delete_access_key(UserName="alice", AccessKeyId=world.spare.access_key_id)
    world.aws.clock.advance(minutes=70)
    timeline = lab.SessionTimeline(world.aws)
    looks = {lane.key: [bar.look for bar in timeline.chart.bars(lane.credential)] for lane in timeline.lanes}
    assert looks[late.access_key_id] == ["was", "revoked"]
    assert looks[world.chained.access_key_id] == ["over"]
    assert looks[world.spare.access_key_id] == ["was", "off"]
    timeline.look(timeline.now - timedelta(minutes=75))
    bars = {lane.key: [bar.look for bar in timeline.chart.bars(lane.credential)] for lane in timeline.lanes}
    assert bars[late.access_key_id] == ["good"], "what has not happened by then is not known"


def test_two_sessions_of_one_name_say_each_until_when_it_is_valid(world: World) -> None:
    world.assume(world.alice, "reports", 7200)
    timeline = lab.SessionTimeline(world.aws)
    lanes = [lane for lane in timeline.lanes if lane.name == "reports/alice"]
    assert len(lanes) == 2
    for lane in lanes:
        assert lane.describe(timeline.now) == f"valid until {lane.credential.expires:%d %b %H:%M}"


def test_a_name_of_some_words_is_not_shortened_on_the_timeline(world: World) -> None:
    own_name = "the machine's next session"
    assert own_name in str(lab.SessionTimeline(world.aws, only={own_name: world.alice}))


def test_the_year_stands_where_the_axis_crosses_one(world: World) -> None:
    world.aws.clock.set(datetime(world.aws.clock.now.year, 12, 31, 22, tzinfo=UTC))
    world.assume(world.alice, "reports", 7200, name="over-new-year")
    timeline = lab.SessionTimeline(world.aws)
    assert timeline.chart.years
    assert [word for _, word, year in timeline.chart.ticks() if year] == [str(timeline.chart.right.year)]
    assert f"valid until 01 Jan {timeline.now.year + 1}" in str(timeline)


def test_what_is_asked_about_is_on_the_axis_however_long_ago(world: World) -> None:
    born = world.aws.clock.now
    world.aws.clock.advance(days=9)
    world.assume(world.alice, "reports", 1800)
    assert lab.SessionTimeline(world.aws).chart.left > born, "of everything, what hangs together"
    assert lab.SessionTimeline(world.aws, only=["reports"]).chart.left < born, "the first night"


def test_what_a_credential_can_do_is_what_happens(world: World) -> None:
    world.aws.clock.advance(minutes=31)
    timeline = lab.SessionTimeline(world.aws, requests=[LIST])
    for identity in (world.alice, world.spare, world.short, world.chained):
        predicted = held(timeline, identity).answers[0]
        really = lab.attempt(identity.client("s3").list_objects_v2, Bucket="my-secure-bucket")
        assert predicted.allowed == really.allowed, identity
        if predicted.evaluation is None:
            code = {"ExpiredToken": "ExpiredToken", "InvalidAccessKeyId": "InvalidClientTokenId"}[really.code]
            assert code in predicted.because


def test_the_moment_looked_at_is_the_time_of_the_request(world: World) -> None:
    night = f"{world.aws.clock.now + 10 * MINUTE:%Y-%m-%dT%H:%M:%SZ}"
    policy = document(statement("Deny", "s3:*", Condition={"DateGreaterThan": {"aws:CurrentTime": night}}))
    world.iam.put_role_policy(RoleName="reports", PolicyName="night", PolicyDocument=policy)
    timeline = lab.SessionTimeline(world.aws, requests=[LIST])
    assert held(timeline, world.short).answers[0].word == "Allowed"
    timeline.look(20 * MINUTE)
    assert held(timeline, world.short).answers[0].because == "Deny statement 1 of night decides"
    timeline.look(40 * MINUTE)
    assert held(timeline, world.short).answers[0].because == "AWS answers ExpiredToken"


def test_a_session_that_is_over_now_could_do_something_before(world: World) -> None:
    world.aws.clock.advance(hours=3)
    timeline = lab.SessionTimeline(world.aws, requests=[LIST])
    timeline.look(world.aws.clock.now - timedelta(hours=2, minutes=50))
    assert held(timeline, world.short).answers[0].word == "Allowed"
    assert "policies as they are now" in str(timeline)


def test_revoked_sessions_are_told_from_expired_ones_and_new_ones_work(world: World) -> None:
    world.aws.clock.advance(minutes=10)
    world.revoke("reports")
    world.aws.clock.advance(minutes=1)
    fresh = world.assume(world.alice, "reports")
    timeline = lab.SessionTimeline(world.aws, requests=[LIST])
    revoked, new = held(timeline, world.short), held(timeline, fresh)
    assert (revoked.sign, revoked.words.split(" ")[0], revoked.answers[0].word) == ("deny", "revoked", "Denied")
    assert (new.sign, new.answers[0].word) == ("yes", "Allowed")
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
    assert [lane.name for lane in timeline.lanes] == ["Alice's key", "the stolen session"]
    assert timeline.lanes[1].parent == "Alice's key"
    assert "the stolen session ASIA" in str(timeline)


def test_what_is_no_credential_is_named_and_what_is_not_there_yet_is_waited_for(world: World) -> None:
    with pytest.raises(ValueError, match="int is none of these"):
        lab.SessionTimeline(world.aws, only=[7])
    timeline = lab.SessionTimeline(world.aws, only=["web-app"])
    assert "no credentials here yet" in str(timeline)


def test_two_addresses_of_one_key_are_seen(world: World) -> None:
    world.alice.client("sts").get_caller_identity()
    world.aws.source_ip = "198.51.100.7"
    world.alice.client("sts").get_caller_identity()
    timeline = lab.SessionTimeline(world.aws)
    assert held(timeline, world.alice).addresses == ("203.0.113.10", "198.51.100.7")
    assert "used from 2 addresses: 203.0.113.10, 198.51.100.7" in str(timeline)
    assert "from 198.51.100.7" in str(timeline).partition("The trail")[2]


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
    assert 'data-do="move" data-value="" aria-disabled="true"' in timeline.page().html(live=True)


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
