"""AccessGraph: who leads to whom in a world, the ways from one to another, and what a leaked credential reaches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import networkx as nx

from simlib.audit import paths
from simlib.audit.facts import Facts
from simlib.audit.graph import AccessMap
from simlib.audit.names import Names
from simlib.cloud.world import ADMINISTRATOR

from ..look import button, chip, field, fold, icon, icon_button, notice, panel_card, verdict
from ..page import Child, Part, el
from ..panel import Commands, Panel
from .answers import BlastRadius, Paths, Snapshot, how_far, steps_list
from .layout import NodePlaces, with_cards
from .light import Light

MANY = 24  # nodes; of more the picture can be made smaller and larger
CROWD = 60  # nodes of the graph; among more one is looked for by name
ZOOMS = (0.5, 0.7, 1.0, 1.4, 2.0)
MOST_LINKS = 60  # told one by one
MOST_CHOICES = 300  # offered while one types; any other name can be typed as well
FEW = 8  # changes that are not folded
MOST_FOUND = 20  # nodes that are looked for and stand by themselves
STARTS = ("user", "outside", "machine", "function", "role")  # kinds to ask from, where there is no room for the picture


class AccessGraph(Panel):
    """The access graph of a world: `AccessGraph(aws)`, or of some of its accounts, `accounts=["dev", "prod"]`.

    Accounts that are left out are seen as strangers' are: from outside. Every edge has been decided by the engine.
    `.graph` is a networkx DiGraph.
    """

    def __init__(self, world: Any, *, accounts: Iterable[Any] | None = None) -> None:
        super().__init__()
        self.world = world
        numbers = {account.name: account.id for account in world.accounts}
        names_or_numbers = None if accounts is None else [str(getattr(each, "id", each)) for each in accounts]
        self._accounts = None if names_or_numbers is None else [numbers.get(each, each) for each in names_or_numbers]
        self.start: str | None = None
        self.goal: str | None = None  # None with a start: everything it reaches
        self.chosen = 0  # which way
        self.open: set[int] = set()  # its steps that are explained
        self.unfolded: dict[str, int] = {}  # cards of the picture, and how often each was clicked
        self.search_text = self.problem = ""
        self.zoom = 1.0
        self._typed = {"start": "", "goal": ""}
        self._places = NodePlaces()
        self._version: Any = None
        self._answer: Paths | BlastRadius | None = None
        self._before: nx.DiGraph | None = None  # what this one is compared with
        self._map: AccessMap
        self.look_again()

    # -- the graph -----------------------------------------------------------------------------------------------------

    @property
    def graph(self) -> nx.DiGraph:
        """The graph as the world is now."""
        self._refresh()
        return self._map.graph

    def names(self) -> Mapping[str, str]:
        """The accounts that are looked into: number and name."""
        return self._map.facts.accounts

    @property
    def _is_old(self) -> bool:
        return bool(self._version != self.world.inspect.version or self._map.facts.are_over)

    def _refresh(self) -> None:
        """Follow what has happened since; what is different then stays marked until the next time."""
        if not self._is_old:
            return
        before = self._map if self._version is not None else None
        self._version, self._answer = self.world.inspect.version, None
        facts = Facts(self.world, self._accounts, before=before.facts if before else None)
        self._map = before.after(facts) if before else AccessMap(facts)
        if before and any(paths.changes(before.graph, self._map.graph)):
            self._before = before.graph
        facts = self._map.facts
        if before and before.facts.everywhere == facts.everywhere and before.graph.nodes == self._map.graph.nodes:
            return  # everything is called as it was
        outside = {number: name for number, name in facts.names.items() if number not in facts.accounts}
        self._names = Names(self._map.graph, facts.accounts, outside)

    def look_again(self) -> None:
        """Look at the world anew and compare from here on."""
        self._version = self._before = self._answer = None
        self._refresh()
        self._draw()

    @property
    def changes(self) -> list[str]:
        """What has come (+), gone (−) or become different (±), in sentences."""
        after = self.graph
        changes = paths.changes(self._before, after) if self._before is not None else ()
        return [f"{sign} {step.sentence}" for sign, step in changes]

    # -- asking --------------------------------------------------------------------------------------------------------

    def paths(self, start: str, goal: str) -> Paths:
        """The ways from somebody to something: names ("bob", "prod/reports"), ARNs, access keys or account numbers.

        Raises `LookupError` where there is nobody and nothing of that name, or more than one.
        """
        self.start, self.goal = self._names.find(start), self._names.find(goal)
        return self._ask(Paths)

    def blast_radius(self, credential: str) -> BlastRadius:
        """Everything that whoever has this key, session, user or role reaches, and until when."""
        self.start, self.goal = self._names.find(credential), None
        return self._ask(BlastRadius)

    def _ask(self, kind: type[Any]) -> Any:
        self.chosen, self.open = 0, set()
        self.unfolded.clear()
        self.problem, self._answer = "", None
        self._typed = dict(zip(("start", "goal"), self.typed, strict=True))
        self._draw()
        assert isinstance(self.answer, kind)
        return self.answer

    def ask(self, start: str, goal: str) -> None:
        """The same as `paths`, or `blast_radius` where `goal` is empty, for who types: a mistake becomes a sentence."""
        start, goal = start.strip(), goal.strip()
        try:
            if start:
                _ = self.paths(start, goal) if goal else self.blast_radius(start)
                return
            self.problem = "Say who starts: a user, a role, an access key, an account."
        except LookupError as error:
            self.problem = str(error.args[0])
        self._draw()

    @property
    def answer(self) -> Paths | BlastRadius | None:
        """The answer to what was asked last, in the world as it is now."""
        graph, start, goal = self.graph, self.start, self.goal
        if self._answer is None and start is not None:
            start_name, results = self._names.in_sentence(start), ()
            if goal is None:
                end = graph.nodes[start].get("expires") if start in graph else None
                reached = tuple(paths.reach(graph, start, end)) if start in graph else ()
                steps = [step for each in reached for step in each.path.steps]
                self._answer = BlastRadius(self._snapshot(reached_edges=steps), start_name, reached, end)
            else:
                if start in graph and goal in graph:
                    results = tuple(paths.paths(graph, start, goal))
                still = self._snapshot(path=results[0].steps if results else ())
                self._answer = Paths(still, start_name, results, self._names.in_sentence(goal))
        return self._answer

    def take(self, way: int) -> None:
        """Show another of the ways; there are no more than there are."""
        self.chosen, self.open = min(max(way, 0), max(len(self.ways) - 1, 0)), set()
        self._draw()

    def search(self, words: str) -> None:
        """Have those whose names have this in them stand by themselves in the picture, and out of it."""
        self.search_text, self._answer = words.strip(), None
        self._draw()

    @property
    def matches(self) -> list[str]:
        """The nodes that are looked for."""
        sought = self.search_text.casefold()
        return [node for node, label in self.graph.nodes(data="label") if sought and sought in str(label).casefold()]

    def unfold(self, card: str) -> None:
        """Show more of what a card of the picture stands for."""
        self.unfolded[card] = self.unfolded.get(card, 0) + 1
        self._answer = None
        self._draw()

    def explain(self, step: int) -> None:
        """Explain a step (from 0) of the way that is shown; the same again folds it."""
        self.open ^= {step}
        self._draw()

    @property
    def ways(self) -> tuple[paths.Path, ...]:
        """The paths that are shown, none for a blast radius."""
        answer = self.answer
        return answer.results if isinstance(answer, Paths) else ()

    @property
    def typed(self) -> tuple[str, str]:
        """The question as one would type it."""
        names = self._names
        return names.short(self.start) if self.start else "", names.short(self.goal) if self.goal else ""

    def choices(self) -> list[str]:
        """What can be asked about."""
        return self._names.choices()

    # -- as pictures and as text ---------------------------------------------------------------------------------------

    def _snapshot(self, *, path: Sequence[paths.Step] = (), reached_edges: Iterable[paths.Step] = ()) -> Snapshot:
        """The picture, in which a path stands out, or everything reached; and what has come and gone."""
        graph, before = self._map.graph, self._before
        after = set(graph.edges)
        earlier = set(before.edges) if before is not None else after
        light = Light(
            tuple((step.source, step.target) for step in path),
            frozenset((step.source, step.target) for step in reached_edges),
            frozenset(after - earlier),
            frozenset(earlier - after),
            frozenset(n for n in (self.start, self.goal, *self.matches[:MOST_FOUND]) if n in graph),
        )
        whole = nx.compose(before, graph) if before is not None else graph
        picture, picture_light = with_cards(whole, light, self.unfolded, _background(whole))
        return Snapshot(picture, self._places.layout(picture), picture_light, self.names())

    @property
    def still(self) -> Snapshot:
        """The picture as it is now."""
        answer = self.answer
        if isinstance(answer, Paths) and answer.results:
            return self._snapshot(path=answer.results[self.chosen].steps)
        return answer.still if answer is not None else self._snapshot()

    @property
    def title(self) -> str:
        """The verdict in one line."""
        answer = self.answer
        if answer is not None:
            return answer.sentence
        graph = self.graph
        return f"{graph.number_of_nodes()} users, roles, credentials and resources, {graph.number_of_edges()} links."

    def links(self) -> list[str]:
        """The links that are drawn, in sentences, and how many are not told."""
        graph = self.graph
        edges = [edge for edge in graph.edges if graph.nodes[edge[0]]["kind"] != "control"]
        sentences = [paths.step(graph, *edge).sentence for edge in edges[:MOST_LINKS]]
        rest = graph.number_of_edges() - len(sentences)
        return [*sentences, *([f"… and {rest} more"] if rest else [])]

    def follow(self) -> None:
        if self._is_old:
            self._draw()

    def page(self) -> Part:
        still, title, answer = self.still, self.title, self.answer
        ways = self.ways
        other = (self.chosen + 1) % len(ways) if ways else 0
        next_way = button("way", f"Next way ({self.chosen + 1} of {len(ways)})", icon("right"), value=str(other))
        again = button("again", icon("again"), "Look again", css=".is-quiet")
        names = self.choices()[:MOST_CHOICES]
        typed = self._typed
        question = el(
            "div.sl-form", field("start", "From", typed["start"], names, "show", "a user, a role, a key"),
            field("goal", "To", typed["goal"], names, "show", "empty: all it reaches"),
            el("div.sl-row", button("show", "Show", css=".is-primary"), again),
            role="group", aria_label="A question", on="live",
        )  # fmt: skip
        answered = verdict("yes" if answer else "none", title) if answer is not None else el("b", title)
        line = el("div.sl-row", el("span.sl-verdict", answered, role="status", key="verdict"), el("span.sl-grow"),
                  next_way if len(ways) > 1 else None, self._finding(), self._zooming(still))  # fmt: skip
        way = ways[self.chosen] if ways else None
        below = (el("h4", way.line), steps_list(way, self.graph, frozenset(self.open), live=True)) if way else None
        picture = still.part(title, self.zoom), self._starts() if answer is None else None
        body = (question, line, picture, below, self._changed_list(), self._below(), how_far())
        return panel_card("Who reaches what", notice(self.problem), el("div.sl-body", *body))

    def _finding(self) -> Child:
        """Where there are many: one is looked for by name, and the picture drawn around it."""
        if self.graph.number_of_nodes() <= CROWD:
            return None
        count_text = f"{len(self.matches)} found" if self.search_text else None
        count = el("span.sl-small.sl-dim", count_text, role="status", key="matches")
        return el("span.sl-find", field("search", "Find", self.search_text, hint="part of a name"), on="live"), count

    def _zooming(self, still: Snapshot) -> Child:
        if len(still.layout.spots) <= MANY:
            return None
        larger, smaller = icon_button("zoom", "plus", "Larger", "1"), icon_button("zoom", "minus", "Smaller", "-1")
        return el("span.sl-zoom", smaller, larger, on="live")

    def _starts(self) -> Part:
        """Whom to ask from, where there is no room for the picture."""
        nodes = [(about["kind"], str(about["label"]), node) for node, about in self.graph.nodes(data=True)]
        chips = [
            chip(kind, label, "", "button", do="from", value=node, aria_label=f"{kind} {label}: what it reaches")
            for start in STARTS
            for kind, label, node in sorted(nodes)
            if kind == start
        ]
        invitation = el("p.sl-dim", "Begin from somebody, and see all that they reach:")
        return el("div.sl-narrow", invitation, el("div.sl-chips", chips[:MOST_FOUND]), on="live")

    def _changed_list(self) -> Child:
        changes = self.changes
        if not changes:
            return None
        items = el("ul", [el("li", change) for change in changes[:MOST_LINKS]])
        more = el("p", f"and {len(changes) - MOST_LINKS} more") if len(changes) > MOST_LINKS else None
        head, text = "What has changed: + has come, − is gone, ± is different", "\n  ".join(["Changes:", *changes])
        return fold(el("b", head), items, more, key="changes", opened=len(changes) <= FEW, text=text)

    def _below(self) -> Child:
        """Everything that is reached, or the links the picture shows."""
        if isinstance(self.answer, BlastRadius):
            return self.answer.details
        links = self.links()
        items = el("ul", [el("li", sentence) for sentence in links])
        return fold("Every link in words", items, key="links", text="\n  ".join(["Links:", *links]))

    @property
    def commands(self) -> Commands:
        def type_in(which: str, text: str) -> None:
            self._typed[which] = text

        def zoom(by: str) -> None:
            at = ZOOMS.index(self.zoom) + (1 if by == "1" else -1)
            self.zoom = ZOOMS[min(max(at, 0), len(ZOOMS) - 1)]
            self._draw()

        return {
            "start": lambda text: type_in("start", text),
            "goal": lambda text: type_in("goal", text),
            "show": lambda _: self.ask(self._typed["start"], self._typed["goal"]),
            "from": lambda node: self.ask(self._names.short(node), "") if node in self.graph else None,
            "search": self.search,
            "unfold": self.unfold,
            "step": lambda number: self.explain(int(number)) if number.isdigit() else None,
            "way": lambda number: self.take(int(number)) if number.isdigit() else None,
            "zoom": zoom,
            "again": lambda _: self.look_again(),
        }


def _background(graph: nx.DiGraph) -> list[str]:
    """The lab's own administrators and their keys, which every account has."""
    admins = {node for node, label in graph.nodes(data="label") if label == ADMINISTRATOR}
    return [*admins, *(node for admin in admins for node in graph.predecessors(admin) if len(graph[node]) == 1)]
