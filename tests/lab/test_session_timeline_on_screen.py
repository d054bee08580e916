"""The session timeline as a page: the trail in it, messages of a browser, figures, and how much there may be."""

from __future__ import annotations

from datetime import timedelta

import pytest

from simlib import lab
from simlib.lab.page import parts_of

from .timeline_world import LIST, MINUTE, USERS, World, commands, tell, world

__all__ = ["world"]


# -- the trail --------------------------------------------------------------------------------------------------------


def test_the_trail_is_filtered_by_identity_and_decision(world: World) -> None:
    lab.attempt(world.alice.client("iam").list_users)
    lab.attempt(world.spare.client("iam").list_users)
    timeline = lab.SessionTimeline(world.aws)
    timeline.filter(identity="arn:aws:iam::111111111111:user/alice", decision="IMPLICIT_DENY")
    assert [(event.action, event.decision) for event in timeline.trail.rows] == [("iam:ListUsers", "IMPLICIT_DENY")]
    assert {lane.name for lane in timeline.chart.lanes} == {"alice"}
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
    assert "alice asks for iam:ListUsers" in str(timeline)
    assert "Identity policies decides" in str(timeline)


def test_calls_are_marks_on_the_line_of_their_key(world: World) -> None:
    lab.attempt(world.alice.client("iam").list_users)
    timeline = lab.SessionTimeline(world.aws)
    calls = {key: timeline.chart.marks((times.allowed, times.refused)) for key, times in timeline.trail.by_key.items()}
    assert sum(mark.allowed for mark in calls[world.alice.access_key_id]) == 1
    assert sum(mark.refused for mark in calls[world.alice.access_key_id]) == 1
    assert "sl-call is-no" in timeline.html


# -- on the screen ----------------------------------------------------------------------------------------------------


def test_a_browsers_messages_are_commands(world: World) -> None:
    timeline = lab.SessionTimeline(world.aws, requests=[USERS])
    widget = commands(timeline)
    tell(widget, "after")
    assert timeline.other_moment is not None
    assert "before now" not in widget.html
    tell(widget, "now")
    assert timeline.other_moment is None
    tell(widget, "moment", "1000")
    assert timeline.moment == timeline.chart.right
    tell(widget, "key", "ArrowLeft")
    assert timeline.moment == timeline.chart.right - MINUTE
    tell(widget, "key", "Home")
    assert timeline.moment == timeline.chart.left
    tell(widget, "lane", world.alice.access_key_id)
    assert "sl-lane is-here" in widget.html
    tell(widget, "verdict", f"{world.alice.access_key_id} 0")
    assert timeline.opened == (world.alice.access_key_id, 0)
    tell(widget, "decision", "REFUSED")
    tell(widget, "identity", "arn:aws:iam::111111111111:user/alice")
    assert (timeline.trail.decision, timeline.trail.identity) == ("REFUSED", "arn:aws:iam::111111111111:user/alice")
    tell(widget, "span", "2 days")
    assert timeline.span == timedelta(days=2)
    before = world.aws.clock.now
    tell(widget, "move")
    assert world.aws.clock.now - before > 20 * MINUTE


def test_the_line_of_now_is_a_slider_that_says_the_date(world: World) -> None:
    timeline = lab.SessionTimeline(world.aws, requests=[LIST])
    (slider,) = [each for each in parts_of(timeline.page()) if each.attributes.get("role") == "slider"]
    assert slider.attributes["aria-valuetext"] == f"{timeline.moment:%d %B %Y, %H:%M} UTC"
    assert " id=" not in timeline.html, "two pages may stand beside each other"


def test_the_three_forms_tell_the_same(world: World) -> None:
    timeline = lab.SessionTimeline(world.aws, requests=[LIST])
    shown = timeline._repr_mimebundle_()
    assert {"text/plain", "text/html", "application/vnd.jupyter.widget-view+json"} <= set(shown)
    for holding in timeline.holdings:
        for form in ("text/plain", "text/html"):
            assert holding.words in shown[form]
    assert "data-do" not in shown["text/html"]
    assert "secret" not in shown["text/html"].lower()


# -- how much of it there may be --------------------------------------------------------------------------------------


def test_hundreds_of_credentials_are_bounded_and_counted(world: World) -> None:
    for number in range(300):
        world.assume(world.alice, "reports", 900 if number < 290 else 3600, name=f"s{number}")
    world.aws.clock.advance(minutes=20)
    timeline = lab.SessionTimeline(world.aws, requests=[LIST])
    assert len(timeline.chart.lanes) == 20
    assert "20 of 305 credentials are shown" in str(timeline)
    names = {lane.name for lane in timeline.chart.lanes}
    assert {f"reports/s{number}" for number in range(290, 300)} <= names, "those that are valid come first"
    assert len(timeline.page().html(live=True)) < 120_000
    timeline.filter(identity="arn:aws:sts::111111111111:assumed-role/reports/s7")
    assert [lane.name for lane in timeline.chart.lanes] == ["reports/s7"]
