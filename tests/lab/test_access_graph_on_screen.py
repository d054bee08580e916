"""AccessGraph drawn and told: places, the same truth in every form, messages of a browser."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

import pytest

from simlib import Cloud
from simlib.audit.graph import Reason
from simlib.lab import AccessGraph
from simlib.lab.graph import panel as panel_module
from simlib.lab.graph.layout import HEIGHT, WIDTH

from .access_world import (
    aws,
    deploy_trusts_alice,
    graph,
    keys,
    user,
)

__all__ = ["aws", "graph", "keys"]


# -- places ------------------------------------------------------------------------------------------------------------


def test_nodes_keep_their_places_when_edges_come_and_go(aws: Cloud, graph: AccessGraph) -> None:
    before = graph.still.layout.spots
    graph.edit(*deploy_trusts_alice(aws))
    assert graph.still.layout.spots == before
    graph.paths("mallory", "prod-ledger")
    assert graph.still.layout.spots == before
    user(aws.account("dev"), "aaron")
    after = graph.still.layout.spots
    assert {node: after[node].x for node in before} == {node: spot.x for node, spot in before.items()}
    dev = {n for n in before if graph.graph.nodes[n]["account"] == aws.account("dev").id}
    assert {node: after[node].y for node in dev} == {node: before[node].y for node in dev}


def test_two_graphs_of_one_world_look_the_same(aws: Cloud, graph: AccessGraph) -> None:
    other = AccessGraph(aws, accounts=[aws.account("dev"), aws.account("prod")])
    assert other.still.layout == graph.still.layout


def test_no_two_nodes_overlap_and_each_is_in_its_accounts_box(graph: AccessGraph) -> None:
    layout = graph.still.layout
    spots = sorted(layout.spots.values())
    apart = [abs(a.x - b.x) >= WIDTH or abs(a.y - b.y) >= HEIGHT for i, a in enumerate(spots) for b in spots[:i]]
    assert all(apart)
    for node, spot in layout.spots.items():
        about = graph.graph.nodes[node]
        account = "outside" if about["kind"] == "outside" else about["account"]
        (box,) = [box for box in layout.boxes if box.account == account]
        assert box.y < spot.y
        assert spot.y + HEIGHT < box.y + box.height


def test_of_a_big_world_it_draws_what_matters_and_says_what_is_left_out(
    aws: Cloud, keys: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(panel_module, "MOST_DRAWN", 12)
    graph = AccessGraph(aws, accounts=[aws.account("dev"), aws.account("prod")])
    path = graph.paths("bob", "prod-ledger")[0]
    still = graph.still
    assert len(still.layout.spots) == 12
    assert set(path.nodes) <= set(still.layout.spots)
    assert re.search(r"Too many to draw and read: \d+ keys, .* left out", still.left_out)
    assert still.left_out in str(graph)


# -- the same in every form --------------------------------------------------------------------------------------------


def drawn(page: str) -> ElementTree.Element:
    """The picture in a page; it must be well-formed."""
    found = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    return ElementTree.fromstring(max(found, key=len))


def test_the_picture_has_the_path_numbered_and_no_identifiers(graph: AccessGraph) -> None:
    found = graph.paths("bob", "prod-ledger")
    root = drawn(found.html)
    assert "bob reaches prod-ledger" in (root.get("aria-label") or "")
    assert not [element for element in root.iter() if element.get("id")], "notebooks on one page would share them"
    words = [element.text for element in root.iter("text")]
    assert sorted(word for word in words if word and word in "12345") == ["1", "2", "3", "4", "5"]
    css = [str(element.get("class")) for element in root.iter("g")]
    assert any("node lit" in each for each in css)
    assert any("unlit" in each for each in css), "what is not on the way fades"


def test_every_form_tells_the_steps(graph: AccessGraph) -> None:
    found = graph.paths("bob", "prod-ledger")
    for step in found[0].steps:
        sentence = f"{step.sentence}."
        for form in (str(found), found.html, str(graph), graph.html):
            assert sentence in form
    assert "Not looked at:" in graph.html
    assert "Not looked at:" in str(graph)


HOSTILE = ["<script>alert(1)</script>", "'\"><img src=x onerror=alert(1)>", "\u202egnirts", "$\\frac{1}{", "x" * 10_000]


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda text: repr(text[:12]))
def test_hostile_names_are_only_read(aws: Cloud, hostile: str) -> None:
    """IAM would not take such names; the panel does not rely on that."""
    user(aws.account("dev"), "alice")
    graph = AccessGraph(aws)
    for _, about in graph.graph.nodes(data=True):
        about["label"] = about["short"] = about["account"] = hostile
    for _, _, edge in graph.graph.edges(data=True):
        edge["reasons"] = [Reason("acts", hostile, needs=(hostile,))]
    graph.start, graph.goal = next(iter(graph.graph.edges))
    answer = graph.answer
    assert answer is not None
    for page in (graph.html, answer.html):
        drawn(page)
        assert not any(part in page for part in ("<script", "<img", "\u202e"))
        assert len(page) < 250_000
    graph.problem = hostile
    assert "<script" not in graph.html


def test_an_empty_world(aws: Cloud) -> None:
    graph = AccessGraph(aws)
    assert "0 users, roles" in str(graph)
    drawn(graph.html)


# -- on the screen -----------------------------------------------------------------------------------------------------


def widget(graph: AccessGraph) -> Any:
    from ipywidgets.widgets.widget import _instances

    return _instances[graph._repr_mimebundle_()["application/vnd.jupyter.widget-view+json"]["model_id"]]


def press(view: Any, do: str, value: str = "") -> str:
    """What a browser sends when a control is used; the page that follows."""
    view._handle_msg({"content": {"data": {"method": "custom", "content": {"do": do, "value": value}}}, "buffers": []})
    return str(view.html)


def test_who_asks_on_the_screen_is_answered_there(graph: AccessGraph) -> None:
    view = widget(graph)
    press(view, "start", "bob")
    press(view, "goal", "prod-ledger")
    page = press(view, "show")
    assert "bob reaches prod-ledger: 1 way shown" in page
    page = press(view, "step", "4")
    assert "s3:ListBucket on arn:aws:s3:::prod-ledger" in page
    assert graph.open == {4}
    press(view, "step", "4")
    assert graph.open == set()
    press(view, "goal")
    assert "Anybody with bob" in press(view, "show")
    node = next(node for node, label in graph.graph.nodes(data="label") if label == "deploy")
    assert "Anybody with deploy" in press(view, "from", node), "a node that is pressed is asked from"
    press(view, "start", "nobody at all")
    assert "There is no &#x27;nobody at all&#x27;" in press(view, "show")


@pytest.mark.parametrize(
    ("do", "value"),
    [("step", "99"), ("step", "-1"), ("way", "7"), ("again", ""), ("from", "x"), ("zoom", "?"), ("x", "y")],
)
def test_a_message_that_makes_no_sense_breaks_nothing(graph: AccessGraph, do: str, value: str) -> None:
    graph.paths("bob", "prod-ledger")
    assert "bob reaches prod-ledger" in press(widget(graph), do, value)


def test_the_view_follows_the_world(aws: Cloud, graph: AccessGraph) -> None:
    from simlib.lab import screen

    view = widget(graph)
    graph.paths("bob", "prod-ledger")
    _, text = deploy_trusts_alice(aws)
    aws.account("dev").admin.client("iam").update_assume_role_policy(RoleName="deploy", PolicyDocument=text)
    screen.follow_up()
    assert "No way found" in view.html


def test_a_cell_run_again_fifty_times_leaves_no_more_widgets(graph: AccessGraph) -> None:
    from ipywidgets.widgets.widget import _instances

    from simlib.lab import screen

    def run() -> tuple[int, int]:
        graph._repr_mimebundle_()
        screen.follow_up()
        return len(_instances), len(screen._followers)

    once = run()
    assert [run() for _ in range(50)][-1] == once
