"""AccessGraph: who leads to whom in a world, the ways from one to another, and what a leaked credential reaches.

Plain Python; `view` puts it on the screen.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import networkx as nx

from simlib.cloud.world import ADMINISTRATOR
from simlib.iam import Policy

from ..on_screen import OnScreen
from . import queries
from .answers import BlastRadius, Paths, Still
from .drawing import Light
from .edges import graph_of
from .layout import Places, shown
from .naming import Names
from .reading import Instead, Reading, names_of_accounts
from .telling import told

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from simlib.cloud.inspection import Place

MOST_DRAWN = 60  # nodes; more cannot be read


class AccessGraph(OnScreen):
    """The access graph of a world: `AccessGraph(aws)`, or of some of its accounts, `accounts=["dev", "prod"]`.

    Accounts that are left out are seen as strangers' are: from outside. `circumstances` are condition keys that every
    request has, `instead` documents that count in place of stored ones (see `Cloud.inspect`): then the graph shows
    what that edit would change. Every edge has been decided by the engine. `.graph` is a networkx DiGraph.
    """

    def __init__(
        self,
        world: Any,
        *,
        accounts: Iterable[Any] | None = None,
        circumstances: Mapping[str, Any] | None = None,
        instead: Instead | None = None,
    ) -> None:
        self.world = world
        numbers = {name: number for number, name in names_of_accounts(world).items()}
        given = None if accounts is None else [str(getattr(each, "id", each)) for each in accounts]
        self._accounts = None if given is None else [numbers.get(each, each) for each in given]
        self.circumstances = dict(circumstances or {})
        self.instead: dict[Place, Policy | None] = dict(instead or {})
        self.start: str | None = None
        self.goal: str | None = None  # None with a start: everything it reaches
        self.chosen, self.at = 0, 0  # which way, and which step of it
        self.problem = ""
        self.on_change: Callable[[], None] | None = None
        self._places = Places()
        self._version: Any = None
        self._answer: Paths | BlastRadius | None = None
        self._before: nx.DiGraph | None = None  # what this one is compared with
        self._stored = self._graph = nx.DiGraph()  # without and with the edits
        self._reading: Reading
        self.look_again()

    # -- the graph -----------------------------------------------------------------------------------------------------

    @property
    def graph(self) -> nx.DiGraph:
        """The graph as the world is now."""
        self._refresh()
        return self._graph

    def names(self) -> Mapping[str, str]:
        """The accounts that are looked into: number and name."""
        return self._reading.accounts

    def _read(self) -> Reading:
        known = names_of_accounts(self.world)
        ours = known if self._accounts is None else {number: known.get(number, number) for number in self._accounts}
        return Reading(self.world, known, ours, self.circumstances)

    def _refresh(self) -> None:
        """Build again where something has happened since; what is different then stays marked until the next time."""
        version = self.world.inspect.version
        if self._version == version and not self._reading.over:
            return
        self._version, self._reading = version, self._read()
        before, self._stored = self._stored, graph_of(self._reading.facts({}))
        if any(queries.changes(before, self._stored)):
            self._before = before
        self._decide()

    def _decide(self) -> None:
        """The graph with the edits, compared with the world as it is; without edits, with the world as it was."""
        self._graph, self._answer = self._stored, None
        if self.instead:
            self._graph, self._before = graph_of(self._reading.facts(self.instead)), self._stored

    def look_again(self) -> None:
        """Look at the world anew and compare from here on."""
        self._version = None
        self._refresh()
        self._before = self._stored if self.instead else None
        self._answer = None
        self._changed()

    def edit(self, place: Place, policy: str | Mapping[str, Any] | Policy | None) -> None:
        """Let a document count in place of what is stored there; None takes it away. The world is not touched.

        Raises `PolicyError` where it is no policy.
        """
        if policy is not None and not isinstance(policy, Policy):
            text = policy if isinstance(policy, str) else json.dumps(policy)
            policy = Policy.parse(text, place.kind, name=place.name or place.owner)
        self._refresh()
        self.instead[place] = policy
        self._decide()
        self._changed()

    def forget_edits(self) -> None:
        """Back to what is stored."""
        self.instead.clear()
        self._before = None
        self._decide()
        self._changed()

    @property
    def changes(self) -> list[str]:
        """What has come (+), gone (−) or become different (±), in sentences."""
        after = self.graph
        found = queries.changes(self._before, after) if self._before is not None else ()
        return [f"{sign} {step.sentence}" for sign, step in found]

    # -- asking --------------------------------------------------------------------------------------------------------

    def paths(self, start: str, goal: str) -> Paths:
        """The ways from somebody to something: names ("bob", "prod/reports"), ARNs, access keys or account numbers.

        Raises `LookupError` where there is nobody and nothing of that name, or more than one.
        """
        self.start, self.goal = self._names.find(start), self._names.find(goal)
        return self._asked(Paths)

    def blast_radius(self, credential: str) -> BlastRadius:
        """Everything that whoever has this key, session, user or role reaches, and until when."""
        self.start, self.goal = self._names.find(credential), None
        return self._asked(BlastRadius)

    def _asked(self, kind: type[Any]) -> Any:
        self.chosen = self.at = 0
        self.problem, self._answer = "", None
        self._changed()
        assert isinstance(self.answer, kind)
        return self.answer

    def ask(self, start: str, goal: str) -> None:
        """The same as `paths`, or `blast_radius` where `goal` is empty, for who types: a mistake becomes a sentence."""
        try:
            if not start.strip():
                self.problem = "Say who starts: a user, a role, an access key, an account."
            elif goal.strip():
                self.paths(start.strip(), goal.strip())
                return
            else:
                self.blast_radius(start.strip())
                return
        except LookupError as error:
            self.problem = str(error.args[0])
        self._changed()

    @property
    def answer(self) -> Paths | BlastRadius | None:
        """The answer to what was asked last, in the world as it is now."""
        graph = self.graph
        if self._answer is None and self.start is not None:
            names = self._names
            start = names.told(self.start)
            if self.goal is None:
                end = self.end(self.start)
                reached = tuple(queries.reach(graph, self.start, end)) if self.start in graph else ()
                steps = [step for each in reached for step in each.path.steps]
                self._answer = BlastRadius(self._drawn(self._light(wide=steps)), start, end, reached)
            else:
                known = self.start in graph and self.goal in graph
                found = tuple(queries.paths(graph, self.start, self.goal)) if known else ()
                light = self._light(path=found[0].steps if found else ())
                self._answer = Paths(self._drawn(light), start, names.told(self.goal), found)
        return self._answer

    def end(self, node: str) -> Any:
        """When a session ends; None for all that has no end."""
        return self._graph.nodes[node].get("expires") if node in self._graph else None

    def step_to(self, step: int, way: int | None = None) -> None:
        """Go to a step (from 0) of a way; there is no further than its ends."""
        ways = self.ways
        self.chosen = min(max(self.chosen if way is None else way, 0), max(len(ways) - 1, 0))
        self.at = min(max(step, 0), max(len(ways[self.chosen].steps) - 1, 0)) if ways else 0
        self._changed()

    @property
    def ways(self) -> tuple[queries.Path, ...]:
        """The paths that are shown, none for a blast radius."""
        answer = self.answer
        return answer.found if isinstance(answer, Paths) else ()

    @property
    def step(self) -> queries.Step | None:
        """The step one is at."""
        return self.ways[self.chosen].steps[self.at] if self.ways else None

    @property
    def typed(self) -> tuple[str, str]:
        """The question as one would type it."""
        names = self._names
        return names.short(self.start) if self.start else "", names.short(self.goal) if self.goal else ""

    def choices(self) -> list[str]:
        """What can be asked about."""
        return self._names.choices()

    @property
    def _names(self) -> Names:
        graph, reading = self.graph, self._reading
        outside = {number: name for number, name in reading.known.items() if number not in reading.accounts}
        return Names(graph, reading.accounts, outside)

    # -- as pictures and as text ---------------------------------------------------------------------------------------

    def _light(
        self, *, path: Sequence[queries.Step] = (), at: int | None = None, wide: Iterable[queries.Step] = ()
    ) -> Light:
        """What stands out: a path, or everything reached; and what has come and gone."""
        before, after = (set(), set()) if self._before is None else (set(self._before.edges), set(self._graph.edges))
        return Light(
            tuple((step.source, step.target) for step in path),
            at,
            frozenset((step.source, step.target) for step in wide),
            frozenset(after - before),
            frozenset(before - after),
            frozenset(node for node in (self.start, self.goal) if node in self._graph),
        )

    def _drawn(self, light: Light) -> Still:
        graph = nx.compose(self._before, self._graph) if self._before is not None else self._graph
        kept = shown(graph, light.all_nodes, MOST_DRAWN, _background(graph))
        return Still(graph, self._places.layout(graph, kept), light, self.names())

    @property
    def still(self) -> Still:
        """The picture as it is now."""
        answer = self.answer
        if isinstance(answer, Paths) and answer.found:
            return self._drawn(self._light(path=answer.found[self.chosen].steps, at=self.at))
        return answer.still if answer is not None else self._drawn(self._light())

    def figure(self) -> Figure:
        """What is shown as a matplotlib figure: `.figure().savefig("graph.pdf")`."""
        from .figure import figure_of

        return figure_of(self.still, self.title)

    @property
    def title(self) -> str:
        """The verdict in one line."""
        answer = self.answer
        if answer is not None:
            return answer.sentence
        graph = self.graph
        return f"{graph.number_of_nodes()} users, roles, credentials and resources, {graph.number_of_edges()} links."

    def __str__(self) -> str:
        return told(self)

    __repr__ = __str__

    def _view(self) -> Any:
        from .view import graph_view

        return graph_view(self)

    def _still(self) -> str:
        from .telling import page

        return page(self)

    def _changed(self) -> None:
        if self.on_change:
            self.on_change()


def _background(graph: nx.DiGraph) -> list[str]:
    """The lab's own administrators and their keys, which every account has."""
    admins = {node for node, label in graph.nodes(data="label") if label == ADMINISTRATOR}
    return [*admins, *(node for admin in admins for node in graph.predecessors(admin) if len(graph[node]) == 1)]
