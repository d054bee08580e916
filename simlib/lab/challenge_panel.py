"""Challenges on the screen: one that is played, and the list of all.

    game = lab.challenge("passrole-lambda", seed=7)     game.you.client("iam"), game.run("aws iam list-roles")
    lab.challenge()                                     today's, the same for everybody
    lab.Challenges()                                    all of them, to choose from

The panel holds what everybody may know. What solves a challenge is in its file, which is read when it is checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from random import Random
from typing import Any

from simlib import challenges as ours
from simlib.challenges.challenge import HINTS, KINDS, Challenge
from simlib.challenges.judge import GUESS, HINT, TRY, Tally, judge, points
from simlib.challenges.seeds import fill, seeded
from simlib.challenges.setting import build, in_words
from simlib.cloud import Cloud
from simlib.cloud.services.function_runtime import zip_archive
from simlib.cloud.world import ADMINISTRATOR

from . import course, progress
from .exercises import Advice, hint
from .investigation import tell
from .look import button, choice, field, notice, panel_card, tabs, tag, verdict
from .options import Option, Options, by_letter
from .page import Child, Part, code, el, line, paragraphs
from .panel import Commands, Panel, slot
from .terminal import Terminal

TOOLS = {
    "terminal": "Terminal",
    "policies": "Policies",
    "cut off": "Keys, sessions, machines",
    "timeline": "Trail and time",
}
MOST_CALLS = 40  # of one's own that the debrief shows
UNSAVED = "Nothing is checked yet: a text in the editor is not applied. Press Apply, or Read again to drop it."
OVER = "Another world has been started since, so this challenge is over. Begin it again: its seed makes it the same."


def today() -> int:
    """The seed of the day, 20261129 on 29 November 2026 (UTC), for everybody the same."""
    return int(f"{progress.now():%Y%m%d}")


def challenge(name: str = "", seed: int | None = None) -> Play:
    """Begin a challenge in a fresh world: one of `lab.Challenges()`, or a file of your own; without a name, today's.

    The same `seed` makes the same challenge. Raises `LookupError`, with what was meant, for a name that there is not.
    """
    if not name:
        seed = today() if seed is None else seed
        names = list(ours.challenges())
        name = names[seed * 7919 % len(names)]
    return Play(ours.find(name), 1 if seed is None else seed)


class Play(Panel):
    """A challenge that is being played. `you` are the credentials to play with, `world` the world it takes place in."""

    def __init__(self, which: Challenge, seed: int) -> None:
        super().__init__()
        self.challenge, self.seed = which, seed
        facts = self._facts()
        self.story, self.task = str(facts["story"]), str(facts["task"])
        self.choices = sorted(facts.get("choices", ()))
        Random(seed).shuffle(self.choices)
        self._setting = build(facts)
        self._setting.values.pop("flag")
        self.world = self._setting.world
        self.you: Any = self._setting.identity(facts["you"])
        self.terminal = Terminal(self._setting, self.you)
        self.hinted = self.tries = 0
        self.tally: Tally | None = None
        self.score: int | None = None  # once it is over
        self._tool_names = KINDS[which.kind]["tools"]
        self.tool = self._tool_names[0]
        self._edit = fill(facts.get("edit", ()), self._setting.values)
        self._by = None if facts["you"] in facts["accounts"] else self.you  # None: the account's administrator
        self._tools: dict[str, Panel] = {"terminal": self.terminal}
        self.note, self._answer, self._options = "", "", Options()
        self._began, self.seconds = progress.now(), 0  # how long it took, once it is over
        self._way = self._way_picture() if which.kind in ("lock out", "cut down") else None  # before it is closed

    # -- to play -------------------------------------------------------------------------------------------------------

    def check(self, answer: str = "") -> Tally:
        """Try out whether it is solved; `answer` is the flag, or the choice or its letter, where one is asked for.

        The world stays as it is. A wrong check costs some points; one without an answer costs none. While a text in the
        editor is not applied nothing is checked.
        """
        if self.choices and len(answer) == 1:
            answer = self.choices[by_letter(answer, len(self.choices))]
        editor = self._tools.get("policies")
        unsaved = any(each.changed and not each.is_blank for each in getattr(editor, "documents", ()))
        if Cloud.running is not self.world or (unsaved and not self.choices and self.score is None):
            self.note = UNSAVED if Cloud.running is self.world else OVER
            self._draw()
            return Tally(None, self.note)
        self.tally, self.note = judge(self._facts(), self._setting, answer), ""
        if self.score is None and self.tally.passed:
            self._end(points(self.challenge.kind, self.hinted, self.tries, self.tally.over))
        elif self.score is None and self.tally.passed is False:
            self.tries += 1
            self._keep()
        self._draw()
        return self.tally

    def hint(self) -> Advice:
        """The next hint, of three; each costs points."""
        if self.score is None and self.hinted < HINTS:
            self.hinted += 1
            self._keep()
        self._draw()
        return hint(self._facts()["hints"], max(0, self.hinted - 1))

    def _facts(self) -> dict[str, Any]:
        """The whole file with this seed; it is read when it is needed, and never kept."""
        return seeded(self.challenge.document(), self.challenge.name, self.seed)

    def give_up(self) -> None:
        """See how it is done; the points of this challenge are gone then."""
        if self.score is None:
            self._end(0)
            self._draw()

    def run(self, command: str) -> str:
        """Run an `aws …` command as whoever one is in the terminal; what it prints. Credentials in it are kept."""
        return self.terminal.run(command)

    def become(self, answer: Mapping[str, Any]) -> Any:
        """Go on as whoever one is by the answer to the last call: by credentials in it, on the machine or inside the
        build, task, job or notebook that it has started. Raises `ValueError` where it makes nobody of one."""
        return self.terminal.become(answer)

    def packed(self, source: str) -> bytes:
        """A Lambda function's code as a zip file: `Code={"ZipFile": game.packed(…)}`, handler `index.handler`."""
        return zip_archive(source)

    def token(self, subject: str) -> str:
        """A token of GitHub's for a job of yours; raises `LookupError` for a repository that is not yours."""
        return self._setting.token(subject)

    def _end(self, score: int) -> None:
        self.score, self.seconds = score, round((progress.now() - self._began).total_seconds())
        self._way = self._way or self._way_picture()
        self._keep()

    def _keep(self) -> None:
        entry = {"passed": bool(self.score), "tries": self.tries + bool(self.score), "hints": self.hinted}
        if self.score is not None:
            entry |= {"score": self.score, "seconds": self.seconds}
        progress.challenge(f"{self.challenge.name} {self.seed}", entry)
        self.note = progress.notices()

    # -- what lies on the table ----------------------------------------------------------------------------------------

    def take(self, tool: str) -> None:
        """Go on with another of `TOOLS`, where this kind of challenge has it."""
        if tool in self._tool_names:
            self.tool = tool
            self._draw()

    @property
    def hosted(self) -> Panel | None:
        if self.score is not None:
            return None
        if self.tool not in self._tools:
            self._tools[self.tool] = self._tool()
        return self._tools[self.tool]

    def _tool(self) -> Panel:
        from . import Containment, PolicyEditor, SessionTimeline

        if self.tool == "cut off":
            return Containment(self.world, accounts=[self.world.accounts[0].name])
        if self.tool == "timeline":
            return SessionTimeline(self.world)
        return PolicyEditor.of(self.world, *(self._edit or self._everybody()), by=self._by)

    def _everybody(self) -> list[str]:
        """Whose policies may be edited, where a file does not say: those of the first account and of all buckets."""
        people = self.world.inspect.identities()[self.world.accounts[0].id]
        buckets = [arn for arn in self.world.inspect.resources() if arn.startswith("arn:aws:s3:")]
        return [*(each.arn for each in people if each.name != ADMINISTRATOR), *buckets]

    def _way_picture(self) -> tuple[Part, ...]:
        """The way in the graph, as it is now; empty where the file names none, or none is left."""
        from .graph.answers import steps_list
        from .graph.panel import AccessGraph

        graph = AccessGraph(self.world)
        graph.ask(*self._facts().get("path", ("", "")))
        ways = graph.ways
        return (graph.still.part(graph.title), steps_list(ways[0], graph.graph)) if ways else ()

    # -- the page ------------------------------------------------------------------------------------------------------

    def page(self) -> Part:
        which, over = self.challenge, self.score is not None
        about = f"{which.about} · seed {self.seed}" + (f" · {which.theme}" if over else "")
        task = el("p", el("b", "Your task. "), line(self.task))
        body = [paragraphs(self.story), task, *(self._debrief() if over else self._table())]
        body.insert(0 if over else len(body), notice(self.note))  # beside the buttons
        foot = None if over else el("div.sl-foot", *self._foot())
        return panel_card(which.title, el("div.sl-body", *body), foot, about=about)

    def _hints(self) -> list[Part]:
        return [hint(self._facts()["hints"], number).page() for number in range(self.hinted)]

    def _table(self) -> Iterator[Child]:
        """Who one is, and the tools."""
        yield el("p", "You are ", code(next(iter(self.terminal.identities))), ".")
        if self.choices:
            yield self._options.page(self.task, [Option(each) for each in self.choices], enter="check")
        tools = [(each, TOOLS[each]) for each in self._tool_names]
        if len(tools) > 1:
            yield tabs("tool", "Tools", tools, self.tool)
        yield slot(still=self.hosted.page)
        yield self._tallied()
        yield from self._hints()  # beside their button

    def _tallied(self) -> Child:
        if self.tally is None:
            return None
        too_much = "not needed" if self.challenge.kind == "cut down" else "not yet"
        rows = []
        for each in self.tally.rows:
            what = f"{each.who} {each.does}".strip() + (f": {each.because}" if each.because else "")
            state = ("yes", "right") if each.right else ("no", too_much if each.allowed else "not yet")
            rows.append(el("li", verdict(*state), " ", line(what)))
        return el("div", el("p", el("b", self.tally.sentence), role="status", key="tally"), el("ul.sl-tally", *rows))

    def _foot(self) -> Iterator[Child]:
        if self.challenge.kind == "get in":
            yield field("answer", "The flag", self._answer, enter="check", hint="FLAG-…")
        yield button("check", "Check", css=".is-primary", data_home=True)
        if self.hinted < HINTS:
            yield button("hint", f"Hint {self.hinted + 1} of {HINTS} (−{HINT} points)")
        else:
            yield button("give up", "Show me how", css=".is-quiet", key="give up")
        wrong = GUESS if self.challenge.kind == "explain" else TRY
        ends = " The first that passes is the one that counts." if self.challenge.kind == "cut down" else ""
        yield el("span.sl-small.sl-dim", f"A wrong check costs {wrong} points.{ends}")

    def _debrief(self) -> Iterator[Child]:
        """What it was, the way in the graph, and what one has called."""
        facts = self._facts()
        minutes, seconds = divmod(self.seconds, 60)
        time = f" {self.score} of 100 points, in {minutes} min {seconds:02} s."
        ended = ("yes", "Solved", time) if self.score else ("no", "Not solved this time", " Another seed, another try.")
        yield el("p", verdict(*ended[:2]), ended[2], role="status", tabindex="-1", data_home=True)
        yield self._tallied()
        yield from self._hints()
        yield el("h4", "What it was")
        yield paragraphs("\n\n".join(filter(None, [facts.get("here", "").strip(), facts["debrief"]])))
        about = course.find(self.challenge.lesson)
        lesson = el("a", f"lesson {about.number}, {course.lesson(about.slug).title}", href=about.notebook)
        yield el("p", "It belongs to ", lesson, ".")
        if not self.score:
            right = [each for each in self.choices if judge(facts, self._setting, each).passed]
            steps = map(in_words, facts.get("solution", right))
            yield el("h4", "How it is done"), el("ol", *(el("li", el("pre", each, text=each)) for each in steps))
        if self._way:
            yield el("h4", "The way, in the graph")
            yield self._way
        if calls := self.world.trail.since(self._setting.start):
            yield el("h4", "Your calls, in the trail")
            yield tell(calls[-MOST_CALLS:]).page()

    def _choose(self, value: str) -> None:
        self._options.press(value, len(self.choices))
        self._answer = self.choices[self._options.pressed[0]] if self._options.pressed else ""

    @property
    def commands(self) -> Commands:
        return {
            "tool": self.take,
            "answer": lambda text: setattr(self, "_answer", text),
            "choose": self._choose,
            "check": lambda _: self.check(self._answer),
            "hint": lambda _: self.hint(),
            "give up": lambda _: self.hinted >= HINTS and self.give_up(),
        }


class Challenges(Panel):
    """All challenges, to choose one and play it here. `world` is that of the one that is played, else the one given."""

    def __init__(self, world: Any = None) -> None:
        super().__init__()
        self._world, self.play, self.kind = world, None, ""
        self.seed, self.note = "1", ""

    @property
    def world(self) -> Any:
        return self.play.world if self.play else self._world

    def begin(self, name: str) -> None:
        """Begin one of them, with the seed that was typed; "" is today's."""
        if name and not (self.seed.isdecimal() and len(self.seed) < 19):
            self.note = "A seed is a whole number, like 7. Whoever takes the same gets the same challenge."
        else:
            self.play, self.note = challenge(name, int(self.seed) if name else None), ""
        self._draw()

    @property
    def hosted(self) -> Panel | None:
        return self.play

    def page(self) -> Part:
        if self.play is not None:
            back = button("back", "All challenges", css=".is-quiet", data_home=True)
            return el("div", el("div.sl-back", back), slot(still=self.play.page))
        played, points = progress.challenges(), progress.challenge_points()
        side = el("span.sl-small.sl-dim", "{} solved, {:,} points.".format(*points))
        kinds = [("", "all kinds"), *((each, each) for each in KINDS)]
        rows = [self._row(each, played) for each in ours.challenges().values() if self.kind in ("", each.kind)]
        today = button("begin", "Today's challenge", css=".is-primary", data_home=True)
        fields = (choice("kind", "Kind", kinds, self.kind), field("seed", "Seed, for a challenge below", self.seed))
        form = el("div.sl-form", today, *fields, on="live")
        return panel_card("Challenges", notice(self.note), el("div.sl-body", form), *rows, side=side)

    def _row(self, each: Challenge, played: dict[str, Any]) -> Part:
        best = max([0, *(played[name].get("score", 0) for name in played if name.split(" ")[0] == each.name)])
        return el(
            "div.sl-lesson",
            el("span", "●" if best else "○", title="solved" if best else "not solved yet"),
            el("h4", each.title, " ", tag(f"{best} points") if best else None),
            button("begin", "Play", value=each.name, css=".is-small", aria_label=f"Play {each.title}"),
            el("div.sl-tell", f"{each.about} · {each.name}"),
            key=each.name,
        )

    @property
    def commands(self) -> Commands:
        def show(play: Play | None, kind: str) -> None:
            self._world, self.play, self.kind = self.world, play, kind
            self._draw()

        return {
            "begin": lambda name: name in ("", *ours.challenges()) and self.begin(name),
            "back": lambda _: show(None, self.kind),
            "kind": lambda kind: show(self.play, kind),
            "seed": lambda text: setattr(self, "seed", text.strip()),
        }
