"""The graph as SVG: what is lit stands out by thickness, number and word, not by colour alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import networkx as nx
import svg

from ..markup import escape
from . import ways
from .layout import ACROSS, DOWN, HEAD, HEIGHT, OUTSIDE, WIDTH, Layout, Spot

LETTERS = 18  # of a label; the whole of it stands in the table, and in the node's title
KINDS = {"key": "access key", "new": "would be started", "control": "control", "outside": "outside"}
BETWEEN = ACROSS - WIDTH - 3
_EDGE = tuple[str, str]

STYLE = """<style>
.sl-graph svg { display: block; width: 100%; height: auto; min-width: 560px; font-family: inherit; }
.sl-graph { overflow-x: auto; max-width: 100%; margin: .6em 0; }
.sl-graph:focus-visible { outline: 3px solid var(--sl-yes); outline-offset: 2px; }
.sl-access input { font: inherit; color: inherit; background: transparent; border: 1px solid var(--sl-edge);
  border-radius: 3px; padding: .25em .5em; width: 17em; max-width: 100%; box-sizing: border-box; }
.sl-access ::placeholder { color: var(--sl-dim); opacity: 1; }
.sl-access summary, .sl-wide > details > summary { cursor: pointer; padding: .3em 0; }
.sl-graph text { fill: var(--jp-content-font-color0, CanvasText); font-size: 13px; }
.sl-graph .g-kind { font-size: 11px; fill: var(--sl-dim); }
.sl-graph .g-node { fill: var(--jp-layout-color0, Canvas); stroke: var(--sl-edge); stroke-width: 1.2; }
.sl-graph .g-box { fill: none; stroke: var(--sl-edge); stroke-dasharray: 2 3; }
.sl-graph .g-edge { fill: none; stroke: var(--sl-edge); stroke-width: 1.2; }
.sl-graph .g-takes, .sl-graph .g-owns { stroke-dasharray: 7 3; }
.sl-graph .g-may { stroke-dasharray: 2 3; }
.sl-graph .g-lit.g-edge { stroke: var(--sl-no); stroke-width: 2.4; }
.sl-graph .g-lit.g-node { stroke: var(--sl-no); stroke-width: 2.4; }
.sl-graph .g-now.g-edge, .sl-graph .g-now.g-node { stroke-width: 4.5; }
.sl-graph .g-come.g-edge { stroke: var(--sl-yes); stroke-width: 3; }
.sl-graph .g-gone.g-edge { stroke: var(--sl-no); stroke-width: 2; stroke-dasharray: 1 5; stroke-linecap: round; }
.sl-graph .g-tag { fill: var(--jp-layout-color0, Canvas); stroke: var(--sl-edge); }
.sl-graph .g-lit.g-tag { stroke: var(--sl-no); }
.sl-graph .g-come.g-tag { stroke: var(--sl-yes); }
.sl-graph marker path { fill: var(--sl-edge); }
.sl-graph marker.g-lit path { fill: var(--sl-no); }
.sl-graph marker.g-come path { fill: var(--sl-yes); }
.sl-graph .g-word { font-weight: 600; font-size: 12px; }
</style>"""


@dataclass(frozen=True)
class Light:
    """What stands out: the edges of a path in order, those of a blast radius, what came and went."""

    path: tuple[_EDGE, ...] = ()
    now: int | None = None  # the step one is at, from 0
    wide: frozenset[_EDGE] = frozenset()
    come: frozenset[_EDGE] = frozenset()
    gone: frozenset[_EDGE] = frozenset()
    nodes: frozenset[str] = frozenset()

    @property
    def edges(self) -> frozenset[_EDGE]:
        return frozenset(self.path) | self.wide

    @property
    def all_nodes(self) -> frozenset[str]:
        return self.nodes | {node for edge in (*self.edges, *self.come, *self.gone) for node in edge}


Point = tuple[float, float]


@dataclass(frozen=True)
class Curve:
    """An edge on the page: Bézier curves one after the other, each of three points after the first of all."""

    points: tuple[Point, ...]

    @property
    def middle(self) -> Point:
        """Where its number stands: half way."""
        at = len(self.points) // 6 * 3
        (a, b), (c, d), (e, f), (g, h) = self.points[at : at + 4]
        return (a + 3 * c + 3 * e + g) / 8, (b + 3 * d + 3 * f + h) / 8


def curve(source: Spot, target: Spot) -> Curve:
    """From one node to another, round those between: along the gap below or above the row it starts from."""
    y0, y1 = source.y + HEIGHT / 2, target.y + HEIGHT / 2
    if target.x == source.x:
        x0, x1 = source.x + WIDTH, target.x + WIDTH + 3
        reach = 14 + min(20, abs(y1 - y0) / 12)
        return Curve(((x0, y0 - 6), (x0 + reach, y0 - 6), (x1 + reach, y1 + 6), (x1, y1 + 6)))
    on = 1 if target.x > source.x else -1
    x0, x1 = (source.x + WIDTH, target.x - 3) if on > 0 else (source.x, target.x + WIDTH + 3)
    aside = 0 if on > 0 else 6  # those that go back keep off those that go on
    y0, y1 = y0 + aside, y1 + aside
    if abs(x1 - x0) <= BETWEEN:
        reach = on * max(18.0, abs(x1 - x0) / 2)
        return Curve(((x0, y0), (x0 + reach, y0), (x1 - reach, y1), (x1, y1)))
    lane = source.y + (HEIGHT + (DOWN - HEIGHT) / 2 if y1 >= y0 else -(DOWN - HEIGHT) / 2)
    a, b, half = x0 + on * BETWEEN, x1 - on * BETWEEN, on * BETWEEN / 2
    along = ((a, lane), (a + (b - a) / 3, lane), (b - (b - a) / 3, lane), (b, lane))
    return Curve(((x0, y0), (x0 + half, y0), (a - half, lane), *along, (b + half, lane), (x1 - half, y1), (x1, y1)))


def drawn_edges(graph: nx.DiGraph, layout: Layout, light: Light) -> list[_EDGE]:
    """Edges between what is shown. What follows from the control of an account is drawn only where it is lit."""
    lit = light.edges | light.come | light.gone
    controllers = {
        (source, graph.nodes[target]["account"])
        for source, target, kind in graph.edges(data="kind")
        if kind == ways.OWNS
    }

    def needed(source: str, target: str) -> bool:
        if graph.nodes[source]["kind"] == "control":
            return False
        implied = (source, graph.nodes[target]["account"]) in controllers
        return not implied or graph.edges[source, target]["kind"] in (ways.OWNS, ways.ACTS)

    found = [edge for edge in graph.edges if edge in lit or needed(*edge)]
    return [edge for edge in found if edge[0] in layout.spots and edge[1] in layout.spots]


def picture(
    graph: nx.DiGraph, layout: Layout, light: Light, names: Mapping[str, str], title: str, desc: str, key: str
) -> str:
    """The SVG, as text; `names` are those of the accounts, `key` makes its identifiers its own on the page."""
    parts: list[svg.Element] = [
        svg.Title(text=escape(title), id=f"{key}-t"),
        svg.Desc(text=escape(desc), id=f"{key}-d"),
        svg.Defs(elements=[_arrow(key, state) for state in ("", "lit", "come")]),
        *_frames(layout, names),
    ]
    edges = drawn_edges(graph, layout, light)
    for edge in sorted(edges, key=lambda each: (each in light.edges, each in light.come | light.gone)):
        parts += _edge(graph, layout, edge, light, key)
    for node, spot in layout.spots.items():
        parts += _node(graph.nodes[node], spot, light, node)
    for edge in edges:
        parts += _tags(graph, layout, edge, light)
    whole = svg.SVG(
        viewBox=svg.ViewBoxSpec(-2, -2, layout.width + 4, layout.height + 4),
        elements=parts,
        style=f"max-width: calc({layout.width + 4:.0f}px * var(--sl-scale, 1))",
        extra={"role": "img", "aria-labelledby": f"{key}-t {key}-d"},
    )
    return str(whole)


def _arrow(key: str, state: str) -> svg.Element:
    return svg.Marker(
        id=f"{key}-{state or 'plain'}", class_=[f"g-{state}"] if state else None, viewBox=svg.ViewBoxSpec(0, 0, 8, 8),
        refX=7, refY=4, markerWidth=9, markerHeight=9, markerUnits="userSpaceOnUse", orient="auto-start-reverse",
        elements=[svg.Path(d=[svg.M(0, 0), svg.L(8, 4), svg.L(0, 8), svg.Z()])],
    )  # fmt: skip


def _frames(layout: Layout, names: Mapping[str, str]) -> Iterator[svg.Element]:
    for box in layout.boxes:
        yield svg.Rect(x=box.x, y=box.y, width=box.width, height=box.height, rx=8, class_=["g-box"])
        outside = box.account == OUTSIDE
        head = "outside: who we cannot look into" if outside else f"account {names.get(box.account, '')} {box.account}"
        yield svg.Text(x=box.x + 10, y=box.y + HEAD - 7, text=escape(head), class_=["g-kind"])


def _states(light: Light, edge: _EDGE) -> list[str]:
    """Its classes: lit, the step one is at, come, gone."""
    found = ["g-lit"] if edge in light.edges else []
    if light.now is not None and edge in light.path and light.path.index(edge) == light.now:
        found.append("g-now")
    return [*found, *(["g-come"] if edge in light.come else []), *(["g-gone"] if edge in light.gone else [])]


def _edge(graph: nx.DiGraph, layout: Layout, edge: _EDGE, light: Light, key: str) -> Iterator[svg.Element]:
    states = _states(light, edge)
    line = curve(layout.spots[edge[0]], layout.spots[edge[1]])
    (x, y), *others = line.points
    marker = "come" if "g-come" in states else "lit" if states else "plain"
    yield svg.Path(
        d=[svg.M(x, y), *(svg.C(*a, *b, *c) for a, b, c in zip(*[iter(others)] * 3, strict=True))],
        class_=["g-edge", f"g-{graph.edges[edge]['kind']}", *states],
        marker_end=f"url(#{key}-{marker})",
    )


def kind_of(about: Mapping[str, str]) -> str:
    """The small word above a node's name."""
    kind, account = str(about["kind"]), str(about["account"])
    if kind == "outside" and account.isdigit():
        return f"outside {account}"
    return KINDS.get(kind, kind)


def short(about: Mapping[str, str]) -> str:
    """As much of a node's name as has room in it."""
    name = str(about["short"])
    return name if len(name) <= LETTERS else f"{name[: LETTERS - 1]}…"


def _node(about: Mapping[str, str], spot: Spot, light: Light, node: str) -> Iterator[svg.Element]:
    lit = node in light.nodes or any(node in edge for edge in light.edges)
    now = light.now is not None and light.now < len(light.path) and node == light.path[light.now][1]
    states = [*(["g-lit"] if lit else []), *(["g-now"] if now else [])]
    kind, label, word = str(about["kind"]), str(about["label"]), kind_of(about)
    round_ = {"user": HEIGHT / 2, "key": 2, "session": 2, "outside": 0}.get(kind, 8)
    yield svg.G(
        elements=[
            svg.Title(text=escape(f"{word}: {label}")),
            svg.Rect(x=spot.x, y=spot.y, width=WIDTH, height=HEIGHT, rx=round_, class_=["g-node", *states]),
            svg.Text(x=spot.x + 12, y=spot.y + 15, text=escape(word), class_=["g-kind"]),
            svg.Text(x=spot.x + 12, y=spot.y + 31, text=escape(short(about))),
        ]
    )


def tag(graph: nx.DiGraph, edge: _EDGE, light: Light) -> str:
    """What stands on an edge: the number of a step, or the word of a change; "" for most."""
    if edge in light.path:
        return str(light.path.index(edge) + 1)
    sign = "+" if edge in light.come else "−" if edge in light.gone else ""
    return f"{sign} {ways.WORDS[graph.edges[edge]['kind']]}" if sign else ""


def _tags(graph: nx.DiGraph, layout: Layout, edge: _EDGE, light: Light) -> Iterator[svg.Element]:
    if not (word := tag(graph, edge, light)):
        return
    x, y = curve(layout.spots[edge[0]], layout.spots[edge[1]]).middle
    wide = 14 + 7 * len(word)
    look = ["g-tag", *(state for state in _states(light, edge) if state != "g-now")]
    yield svg.Rect(x=x - wide / 2, y=y - 10, width=wide, height=20, rx=10, class_=look)
    yield svg.Text(x=x, y=y + 4, text=escape(word), text_anchor="middle", class_=["g-word"])


__all__ = ["STYLE", "Curve", "Light", "curve", "drawn_edges", "picture", "tag"]
