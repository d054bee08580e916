"""AccessGraph drawn and told: places, the same truth in every form, messages of a browser."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any
from xml.etree import ElementTree

import pytest

from simlib import Cloud
from simlib.lab import AccessGraph
from simlib.lab.graph import panel as panel_module
from simlib.lab.graph.draft import Way
from simlib.lab.graph.layout import HEIGHT, WIDTH

from .access_world import (
    LEDGER,
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
    assert still.left_out in still.html("x")


# -- the same in every form --------------------------------------------------------------------------------------------


def drawn(page: str) -> ElementTree.Element:
    """The SVG in a page; it must be well-formed."""
    return ElementTree.fromstring(re.search(r"<svg.*?</svg>", page, re.DOTALL)[0])  # type: ignore[index]


def test_the_picture_has_the_path_numbered_and_a_name_of_its_own(graph: AccessGraph) -> None:
    found = graph.paths("bob", "prod-ledger")
    root = drawn(found._repr_mimebundle_()["text/html"])
    names = {element.get("id") for element in root.iter() if element.get("id")}
    assert root.get("role") == "img"
    assert set((root.get("aria-labelledby") or "").split()) <= names
    words = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert sorted(word for word in words if word and word in "12345") == ["1", "2", "3", "4", "5"]


def test_every_form_tells_the_steps(graph: AccessGraph) -> None:
    found = graph.paths("bob", "prod-ledger")
    bundle = graph._repr_mimebundle_()
    for step in found[0].steps:
        sentence = f"{step.sentence}."
        assert sentence in str(found)
        assert sentence in bundle["text/plain"]
        assert sentence in bundle["text/html"]
        assert sentence in found._repr_mimebundle_()["text/html"]
    assert "Not looked at:" in bundle["text/html"]
    assert "Not looked at:" in bundle["text/plain"]


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_figures_can_be_saved(graph: AccessGraph, keys: dict[str, str], tmp_path: Any, kind: str) -> None:
    graph.edit(*deploy_trusts_alice(graph.world))
    for number, shown in enumerate([graph, graph.paths("mallory", LEDGER), graph.blast_radius(keys["bob"])]):
        target = tmp_path / f"{number}.{kind}"
        shown.figure().savefig(target)
        assert target.stat().st_size > 4_000


HOSTILE = ["<script>alert(1)</script>", "'\"><img src=x onerror=alert(1)>", "\u202egnirts", "$\\frac{1}{", "x" * 10_000]


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda text: repr(text[:12]))
def test_hostile_names_are_only_read(aws: Cloud, hostile: str) -> None:
    """IAM would not take such names; the panel does not rely on that."""
    user(aws.account("dev"), "alice")
    graph = AccessGraph(aws)
    for _, about in graph.graph.nodes(data=True):
        about["label"] = about["short"] = about["account"] = hostile
    for _, _, edge in graph.graph.edges(data=True):
        edge["ways"] = [Way("acts", hostile, needs=(hostile,))]
    graph.start, graph.goal = next(iter(graph.graph.edges))
    bundle = graph._repr_mimebundle_()
    answer = graph.answer
    assert answer is not None
    for page in (bundle["text/html"], answer._repr_mimebundle_()["text/html"]):
        drawn(page)
        assert not any(part in page for part in ("<script", "<img", "\u202e"))
        assert len(page) < 250_000
    graph.problem = hostile
    assert "<script" not in graph._repr_mimebundle_()["text/html"]
    graph.figure().savefig(BytesIO(), format="png")


def test_an_empty_world(aws: Cloud) -> None:
    graph = AccessGraph(aws)
    assert str(graph).startswith("0 users")
    drawn(graph._repr_mimebundle_()["text/html"])
    graph.figure()


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
    assert "Why step 1 is allowed" in page
    assert '<button data-do="step" data-value="-1" aria-disabled="true">Step back</button>' in page
    page = press(view, "step", "4")
    assert "Why step 5 is allowed" in page
    assert "s3:ListBucket on arn:aws:s3:::prod-ledger" in page
    assert 'data-value="5" aria-disabled="true">Next step</button>' in page
    assert "g-now" in page
    press(view, "goal")
    assert "Whoever has bob" in press(view, "show")
    press(view, "start", "nobody at all")
    assert "There is no &#x27;nobody at all&#x27;" in press(view, "show")


@pytest.mark.parametrize(("do", "value"), [("step", "99"), ("step", "-1"), ("way", "7"), ("again", ""), ("x", "y")])
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
