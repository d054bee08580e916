"""AccessGraph drawn and told: places, the same truth in every form, messages of a browser."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from xml.etree import ElementTree

import pytest

from simlib import Cloud
from simlib.audit.graph import Reason
from simlib.lab import AccessGraph
from simlib.lab.graph.layout import HEIGHT, WIDTH

from .access_world import (
    aws,
    deploy_trusts_alice,
    graph,
    keys,
    trust,
    user,
)

__all__ = ["aws", "graph", "keys"]


# -- places ------------------------------------------------------------------------------------------------------------


def test_nodes_keep_their_places_when_edges_come_and_go(aws: Cloud, graph: AccessGraph) -> None:
    before = graph.still.layout.spots
    deploy_trusts_alice(aws)
    assert graph.still.layout.spots == before
    graph.paths("mallory", "prod-ledger")
    assert graph.still.layout.spots == before
    user(aws.account("dev"), "aaron")
    after = graph.still.layout.spots
    assert {node: after[node].x for node in before} == {node: spot.x for node, spot in before.items()}
    drawn = graph.still.graph.nodes
    dev = {n for n in before if drawn[n]["account"] == aws.account("dev").id and drawn[n]["kind"] != "card"}
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
        about = graph.still.graph.nodes[node]
        account = "outside" if about["kind"] == "outside" else about["account"]
        (box,) = [box for box in layout.boxes if box.account == account]
        assert box.y < spot.y
        assert spot.y + HEIGHT < box.y + box.height


def test_what_is_reached_in_another_account_is_drawn_there(aws: Cloud, graph: AccessGraph) -> None:
    for number in range(9):
        aws.account(f"other-{number}")
    whole = AccessGraph(aws)
    whole.blast_radius("bob")
    assert {box.account for box in whole.still.layout.boxes} >= {aws.account("dev").id, aws.account("prod").id}
    assert next(node for node in whole.graph if node.endswith(":::prod-ledger")) in whole.still.layout.spots


@pytest.fixture(scope="module")
def crowd() -> Iterator[AccessGraph]:
    """A thousand roles in twelve accounts, of which one leads to another."""

    def entry(account: str, index: int) -> dict[str, Any]:
        before = f"arn:aws:iam::{account}:role/{'team/' * ((index - 1) % 2)}role-{index - 1}"
        name = f"{'team/' * (index % 2)}role-{index}"
        trusting = json.loads(trust({"AWS": before} if 0 < index < 4 else {"Service": "ec2.amazonaws.com"}))
        return {"RoleName": f"role-{index}", "Arn": f"arn:aws:iam::{account}:role/{name}",
                "AssumeRolePolicyDocument": trusting}  # fmt: skip

    with TemporaryDirectory() as folder:
        for number in range(12):
            roles = [entry(f"{number + 1:012}", index) for index in range(84)]
            Path(folder, f"{number}.json").write_text(json.dumps({"RoleDetailList": roles}), "utf-8")
        with Cloud.load(folder) as world:
            yield AccessGraph(world)


def test_a_thousand_nodes_are_cards_by_account_and_path_that_open_when_clicked(crowd: AccessGraph) -> None:
    assert crowd.graph.number_of_nodes() > 1_000
    still = crowd.still
    assert len(still.layout.spots) < 60
    assert "Folded into cards, and still counted: 972 roles." in still.left_out
    labels = [label for _, label in still.graph.nodes(data="label")]
    assert "6 more accounts" in labels
    card = next(node for node in still.graph if node.endswith("team") and node.startswith("000000000001"))
    assert still.graph.nodes[card]["label"] == "39 roles"
    before = len(still.layout.spots)
    press(widget(crowd), "unfold", card)
    assert len(crowd.still.layout.spots) > before + 30


def test_who_is_looked_for_by_name_stands_by_itself_among_a_thousand(crowd: AccessGraph) -> None:
    before = set(crowd.still.layout.spots)
    page = press(widget(crowd), "search", "ROLE-83")
    found = {node for node in crowd.graph if node.endswith("role-83")}
    assert "12 found" in page
    assert found <= set(crowd.still.layout.spots)
    assert found <= crowd.still.light.nodes
    press(widget(crowd), "search", "")
    assert set(crowd.still.layout.spots) == before


def test_what_a_way_leads_through_stands_by_itself_among_a_thousand(crowd: AccessGraph) -> None:
    [path] = crowd.paths("arn:aws:iam::000000000009:role/role-0", "arn:aws:iam::000000000009:role/team/role-3")
    assert len(path.steps) == 3
    spots = crowd.still.layout.spots
    assert set(path.nodes) <= set(spots)
    assert len(spots) < 20, "what has nothing to do with it is in cards"
    assert "11 more accounts" in [label for _, label in crowd.still.graph.nodes(data="label")]


def test_what_somebody_reaches_stands_in_its_own_account_and_in_no_card(crowd: AccessGraph) -> None:
    reached = crowd.blast_radius("arn:aws:iam::000000000009:role/role-0")
    assert len(reached) == 3
    assert {each.node for each in reached} <= set(crowd.still.layout.spots)


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
    forms = [re.sub(r"<[^>]+>", "", form) for form in (str(found), found.html, str(graph), graph.html)]
    for step in found[0].steps:
        assert all(f"{step.sentence}." in form for form in forms)
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
    assert "s3:ListBucket on arn:aws:s3:::prod-ledger" in page.replace("<wbr>", "")
    assert graph.open == {4}
    press(view, "step", "4")
    assert graph.open == set()
    press(view, "goal")
    assert "bob (no expiry date) reaches" in press(view, "show")
    node = next(node for node, label in graph.graph.nodes(data="label") if label == "deploy")
    assert "deploy (no expiry date) reaches" in press(view, "from", node), "a node that is pressed is asked from"
    press(view, "start", "nobody at all")
    assert "There is nobody and nothing here called &#x27;nobody at all&#x27;." in press(view, "show")


def test_the_view_follows_the_world(aws: Cloud, graph: AccessGraph) -> None:
    from simlib.lab import screen

    view = widget(graph)
    graph.paths("bob", "prod-ledger")
    deploy_trusts_alice(aws)
    screen.follow_up()
    assert "No way found" in view.html
