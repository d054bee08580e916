"""The graph as SVG: lanes are accounts, cards are nodes; what is lit stands out by weight and number, the rest fades.

It has no identifiers, which several notebooks on one page would share: arrow heads are shapes of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import networkx as nx

from simlib.audit.graph import ACTS, OWNS, WORDS

from ..look import avatar_drawing
from ..markup import shortened
from ..page import Part, el
from .layout import ACROSS, DOWN, HEAD, HEIGHT, OTHERS, OUTSIDE, WIDTH, Layout, Spot
from .light import Edge, Light

LETTERS = 16  # of a label that a card has room for; the whole of it is read out, and stands in the node's title
LEAST = 0.86  # of its size, to which the picture shrinks before it has to be pushed sideways: letters of 12 px
KINDS = {"key": "access key", "new": "would be started", "control": "full control", "outside": "outside"}
BETWEEN = ACROSS - WIDTH - 9
_HEADS = {OUTSIDE: ("outside: who we cannot look into", ""), OTHERS: ("further accounts", "")}
Point = tuple[float, float]


def curve(source: Spot, target: Spot) -> tuple[Point, ...]:
    """From one node to another, round those between: Bézier curves, each of three points after the first of all."""
    y0, y1 = source.y + HEIGHT / 2, target.y + HEIGHT / 2
    if target.x == source.x:
        x0, x1 = source.x + WIDTH, target.x + WIDTH + 9
        reach = 14 + min(20, abs(y1 - y0) / 12)
        return ((x0, y0 - 6), (x0 + reach, y0 - 6), (x1 + reach, y1 + 6), (x1, y1 + 6))
    on = 1 if target.x > source.x else -1
    x0, x1 = (source.x + WIDTH, target.x - 9) if on > 0 else (source.x, target.x + WIDTH + 9)
    aside = 0 if on > 0 else 6  # those that go back keep off those that go on
    y0, y1 = y0 + aside, y1 + aside
    if abs(x1 - x0) <= BETWEEN:
        reach = on * max(18.0, abs(x1 - x0) / 2)
        return ((x0, y0), (x0 + reach, y0), (x1 - reach, y1), (x1, y1))
    lane = source.y + (HEIGHT + (DOWN - HEIGHT) / 2 if y1 >= y0 else -(DOWN - HEIGHT) / 2)
    a, b, half = x0 + on * BETWEEN, x1 - on * BETWEEN, on * BETWEEN / 2
    along = ((a, lane), (a + (b - a) / 3, lane), (b - (b - a) / 3, lane), (b, lane))
    return ((x0, y0), (x0 + half, y0), (a - half, lane), *along, (b + half, lane), (x1 - half, y1), (x1, y1))


def middle(points: tuple[Point, ...]) -> Point:
    """Where the number of an edge stands: half way."""
    at = len(points) // 6 * 3
    (a, b), (c, d), (e, f), (g, h) = points[at : at + 4]
    return (a + 3 * c + 3 * e + g) / 8, (b + 3 * d + 3 * f + h) / 8


def drawn_edges(graph: nx.DiGraph, layout: Layout, light: Light) -> list[Edge]:
    """Edges between what is shown. What follows from the control of an account is drawn only where it is lit."""
    lit = light.edges | light.added | light.removed
    controllers = {
        (source, graph.nodes[target]["account"]) for source, target, kind in graph.edges(data="kind") if kind == OWNS
    }

    def needed(source: str, target: str) -> bool:
        if graph.nodes[source]["kind"] == "control":
            return False
        implied = (source, graph.nodes[target]["account"]) in controllers
        return not implied or graph.edges[source, target]["kind"] in (OWNS, ACTS)

    edges = [edge for edge in graph.edges if edge in lit or needed(*edge)]
    return [edge for edge in edges if edge[0] in layout.spots and edge[1] in layout.spots]


def picture(graph: nx.DiGraph, layout: Layout, light: Light, names: Mapping[str, str], title: str, zoom: float) -> Part:
    """The SVG; `names` are those of the accounts. A node can be pressed, to ask from there."""
    lit = light.edges | light.added | light.removed
    edges = sorted(drawn_edges(graph, layout, light), key=lambda each: each in lit)
    parts = [
        *_lanes(layout, names),
        *(_edge(graph, layout, edge, light) for edge in edges),
        *(_node(graph.nodes[node], spot, light, node) for node, spot in layout.spots.items()),
        *(part for edge in edges for part in _tags(graph, layout, edge, light)),
    ]
    box = f"0 0 {layout.width:.0f} {max(layout.height, 1):.0f}"
    least, most = (f"calc({layout.width * part:.0f}px * var(--sl-scale, 1))" for part in (LEAST, zoom))
    # a little too wide is a little smaller, and not cut
    width = f"clamp({least}, 100%, {most})" if zoom == 1 else most
    return el("svg", parts, viewBox=box, style=f"width: {width}", role="group", aria_label=title, text="")


def _lanes(layout: Layout, names: Mapping[str, str]) -> Iterator[Part]:
    for index, box in enumerate(layout.boxes):
        css = "rect.lane." + ("dev" if index % 2 == 0 else "prod")
        yield el(css, x=box.x, y=box.y, width=box.width, height=box.height, rx=10)
        head, number = _HEADS.get(box.account, (names.get(box.account, ""), box.account))
        yield el("text", head, " ", el("tspan.kind", number), x=box.x + 14, y=box.y + HEAD - 4, font_weight=600)


def _edge(graph: nx.DiGraph, layout: Layout, edge: Edge, light: Light) -> Part:
    points = curve(layout.spots[edge[0]], layout.spots[edge[1]])
    state = (
        ".come" if edge in light.added else ".gone" if edge in light.removed else ".lit" if edge in light.edges else ""
    )
    (x, y), *others = points
    path = f"M{x:.0f} {y:.0f}" + "".join(
        f"C{a[0]:.0f} {a[1]:.0f} {b[0]:.0f} {b[1]:.0f} {c[0]:.0f} {c[1]:.0f}"
        for a, b, c in zip(*[iter(others)] * 3, strict=True)
    )
    (end_x, end_y), back = points[-1], points[-2][0] > points[-1][0]
    head = f"M{end_x + (-9 if back else 9):.0f} {end_y:.0f}l{9 if back else -9}-5v10z"
    line = el(f"path.edge.g-{graph.edges[edge]['kind']}{state}", d=path)
    return el("g" + (light.dims(bool(state))), line, el(f"path.head{state}", d=head))


def kind_of(about: Mapping[str, str]) -> str:
    """The small word above a node's name."""
    return KINDS.get(str(about["kind"]), str(about["kind"]))


def _node(about: Mapping[str, str], spot: Spot, light: Light, node: str) -> Part:
    is_lit, is_card = node in light.all_nodes, about["kind"] == "card"
    label, word = str(about["label"]), "show them" if is_card else kind_of(about)
    title = f"{label}: {about['names']}" if is_card else f"{word}: {label} {about['account']}"
    label_text = f"{label}: show them" if is_card else f"{word} {label.removeprefix('key ')}: ways from here"
    return el(
        "g.node" + (".lit" if is_lit else "") + (".card" if is_card else "") + light.dims(is_lit or is_card),
        el("title", title),
        el("rect.behind", x=spot.x + 5, y=spot.y + 5, width=WIDTH, height=HEIGHT, rx=8) if is_card else None,
        el("rect.box", x=spot.x, y=spot.y, width=WIDTH, height=HEIGHT, rx=8),
        avatar_drawing(str(about.get("of", about["kind"])), label, spot.x + 8, spot.y + 12),
        el("text.kind", word, x=spot.x + 40, y=spot.y + 20),
        el("text.name", shortened(str(about["short"]), LETTERS), x=spot.x + 40, y=spot.y + 37),
        do="unfold" if is_card else "from", value=node, still=True, role="button", tabindex="0", aria_label=label_text,
    )  # fmt: skip


def _tags(graph: nx.DiGraph, layout: Layout, edge: Edge, light: Light) -> Iterator[Part]:
    """What stands on an edge: the number of a step, or the word of a change."""
    x, y = middle(curve(layout.spots[edge[0]], layout.spots[edge[1]]))
    if edge in light.path:
        number = str(light.path.index(edge) + 1)
        yield el("g.step", el("circle", cx=round(x), cy=round(y), r=10), el("text", number, x=round(x), y=round(y + 4)))
    elif edge in light.added | light.removed:
        word = f"{'+' if edge in light.added else '−'} {WORDS[graph.edges[edge]['kind']]}"
        yield el("text.word", word, x=round(x), y=round(y - 6), text_anchor="middle")
