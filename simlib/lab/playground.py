"""Playground: every panel on one page, over a world of one's own.

`TABS` is the list of panels: how each is made for a world, and what it can be about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simlib import lab
from simlib.cloud import Cloud
from simlib.cloud.credentials.lifetimes import VALID
from simlib.cloud.inspection import Principal
from simlib.cloud.world import ADMINISTRATOR
from simlib.cloud.worlds.file import is_world

from .attempts import Attempt, attempt
from .course.texts import ENGLISH, texts
from .downloads import Downloads
from .lesson_worlds import begin, trust
from .look import button, choice, field, fold, tabs
from .page import Part, el
from .panel import Commands, Panel, slot
from .principals import addresses, find

MOST_FILES = 30  # that are offered by name
MOST_PAIRS = 100
KINDS = ("user", "role", "bucket")
EXAMPLES: dict[str, str] = texts("panels", ENGLISH)["examples"]
_TO = " → "

# -- what a panel can be about -----------------------------------------------------------------------------------------


def _principals(world: Any, *kinds: str) -> list[Principal]:
    return [each for each in world.inspect.principals() if each.kind in kinds]


def _titles(world: Any, people: Iterable[Principal]) -> list[str]:
    """The shortest name for each by which a panel finds it."""
    names = addresses(world, world.inspect.principals())
    return [names[each] for each in people]


def _has(world: Any, arn: str, *kinds: str) -> bool:
    """Whether it has a policy of these kinds that is not AWS's own."""
    places = (each.place for each in world.inspect.documents(arn))
    return any(each.kind in kinds and not each.owner.startswith("arn:aws:iam::aws:") for each in places)


def _people(world: Any) -> list[str]:
    """Users and roles: first those with policies of their own, so that there is something to change."""

    def last(each: Principal) -> tuple[bool, bool]:
        return each.name == ADMINISTRATOR, not _has(world, each.arn, "identity")

    return _titles(world, sorted(_principals(world, "user", "role"), key=last))


def _roles(world: Any) -> list[str]:
    return _titles(world, _principals(world, "role"))


def _pairs(world: Any) -> list[str]:
    """Everybody with every role of another account."""
    names = addresses(world, world.inspect.principals())
    account = {name: each.account for each, name in names.items()}
    roles = _roles(world)
    pairs = [(who, role) for who in _people(world) for role in roles if account[who] != account[role]]
    return [f"{who}{_TO}{role}" for who, role in pairs[:MOST_PAIRS]]


def _owners(world: Any) -> list[str]:
    """Whoever and whatever has policies of its own that can be written, or could have one."""
    people = _principals(world, "user", "role")
    owners = [each for each in people if _has(world, each.arn, "identity", "trust", "boundary")]
    return _titles(world, owners) + [arn for arn in world.inspect.resources() if arn.startswith("arn:aws:s3:")]


def _requests(world: Any) -> list[tuple[str, str]]:
    """Something to ask of each bucket; of others one asks in the panel."""
    buckets = [arn for arn in world.inspect.resources() if arn.startswith("arn:aws:s3:")][:3]
    actions = (("s3:ListBucket", ""), ("s3:GetObject", "/report.csv"), ("s3:PutObject", "/report.csv"))
    return [(action, f"{bucket}{key}") for bucket in buckets for action, key in actions]


# -- the panels --------------------------------------------------------------------------------------------------------


def _graph(world: Any, _: str) -> Any:
    graph, users = lab.AccessGraph(world), _principals(world, "user")
    if known := [each.name for each in users if each.name != ADMINISTRATOR and each.name in graph.choices()]:
        graph.ask(known[0], "")
    return graph


def _across(world: Any, pair: str) -> Any:
    who, _, role = pair.partition(_TO)
    return lab.CrossAccount(world, who=who, role=role, requests=_requests(world))


@dataclass(frozen=True)
class Tab:
    """A panel on the page. `make` gets the world and the chosen subject, if the tab has `subjects` to choose from."""

    make: Callable[[Any, str], Any]
    subjects: Callable[[Any], list[str]] = lambda world: []
    title: str = ""
    first: str = ""  # what to do in it first, in one sentence
    asks: str = ""  # what the choice is called
    none: str = ""  # what to do where this world has nothing to choose


_PANELS: dict[str, tuple[Callable[..., Any], ...]] = {
    "graph": (_graph,),
    "policies": (lambda world, owner: lab.PolicyEditor.of(world, owner), _owners),
    "access": (lambda world, who: lab.AccessExplorer(world, who=who, requests=_requests(world)), _people),
    "trust": (lambda world, role: lab.TrustExplorer(world, role=role, requests=_requests(world)), _roles),
    "across": (_across, _pairs),
    "timeline": (lambda world, _: lab.SessionTimeline(world),),
    "challenges": (lambda world, _: lab.Challenges(world),),
}
TABS = {name: Tab(*made, **texts("panels", ENGLISH)["tabs"][name]) for name, made in _PANELS.items()}


class Playground(Panel):
    """All panels over one world, a tab for each: `Playground()`, or `Playground(aws)` for the world that runs.

    Without a world it begins with an example. A panel is made when its tab is first opened, and kept.
    """

    def __init__(self, world: Any = None) -> None:
        super().__init__()
        first = next(iter(EXAMPLES))
        self.world, self.world_name = (begin(first), EXAMPLES[first]) if world is None else (world, "the notebook's")
        self.tab, self.note = next(iter(TABS)), ""
        self.files = Downloads(self._on_download, lambda name, text: self.save_file(name, text))
        self._subjects: dict[str, str] = {}  # what is chosen in a tab
        self._panels: dict[tuple[str, str], Any] = {}
        self._typed = dict.fromkeys(("name", "account", "who", "role"), "") | {"kind": KINDS[0]}

    # -- to do ---------------------------------------------------------------------------------------------------------

    def open(self, tab: str) -> None:
        """Bring a tab of `TABS` to the front."""
        if tab not in TABS:
            raise KeyError(f"there is no tab {tab!r}; there are {', '.join(TABS)}")
        self.tab = tab
        self._draw()

    def choose(self, subject: str) -> None:
        """Take another of the subjects of the open tab."""
        if subject in self.subjects:
            self._subjects[self.tab] = subject
            self._draw()

    def begin(self, example: str) -> None:
        """Begin again with one of the `EXAMPLES`; the world before it is closed."""
        self._say(f"Beginning: {EXAMPLES[example]} …")
        self._enter(begin(example), EXAMPLES[example], f"A fresh world: {EXAMPLES[example]}.")

    def load(self, source: str) -> None:
        """Open a world that was saved, or a dump of an account; what cannot be opened is told in `note`."""
        self._say(f"Opening {source} …")
        try:
            self._enter(Cloud.load(source), source, f"Opened {source}.")
        except (ValueError, OSError) as error:
            self._say(str(error))

    def create(self, kind: str, name: str, account: str = "dev") -> None:
        """Have an account's administrator make a user, a role that its account may borrow, or a bucket."""
        owner = self.world.account(account)
        service, parameters = {
            "bucket": ("s3", {"Bucket": name}),
            "role": ("iam", {"RoleName": name, "AssumeRolePolicyDocument": trust(f"arn:aws:iam::{owner.id}:root")}),
            "user": ("iam", {"UserName": name}),
        }[kind]
        outcome = attempt(getattr(owner.admin.client(service), f"create_{kind}"), **parameters)
        self._panels.pop((self.tab, self.subject), None)  # it is to know the new one
        self._say_of(outcome, f"There is a new {kind} now: {name}.")

    def borrow(self, who: str, role: str) -> None:
        """Let a user assume a role, with a key of hers that is valid, or a new one; the session is in its tab then."""
        try:
            user, target = find(self.world, who, kind="user"), find(self.world, role, kind="role")
        except LookupError as nobody:
            self._say(str(nobody))
            return
        sts = self._key_of(user).client("sts")
        outcome = attempt(sts.assume_role, RoleArn=target.arn, RoleSessionName=f"{user.name}-plays"[:64])
        self._say_of(outcome, f"{who} holds a session of {role} now.")

    def _key_of(self, user: Principal) -> Any:
        keys = [each for each in self.world.credentials() if each.arn == user.arn and each.kind == "access key"]
        valid = [each for each in keys if each.state(self.world.clock.now) == VALID]
        if valid:
            return self.world.holder(valid[-1].access_key_id)
        admin = self.world.account(self.world.account_name(user.account)).admin
        return self.world.sign_in(admin.client("iam").create_access_key(UserName=user.name))

    def _say(self, note: str) -> None:
        self.note = note
        self._draw()

    def _say_of(self, outcome: Attempt, note: str) -> None:
        self._say(note if outcome.allowed else f"{outcome.outcome}. {outcome.message}")

    def _on_download(self) -> None:
        """After a world has gone through the browser."""
        if Cloud.running is not None and Cloud.running is not self.world:
            self._enter(Cloud.running, "the file's", self.files.note)
        else:
            self._say(self.files.note)

    def _enter(self, world: Any, called: str, note: str) -> None:
        self.world, self.world_name = world, called
        self._subjects.clear()
        self._panels.clear()
        self._say(f"{note} Not all of it was read: `world.remarks` says what not." if world.remarks else note)

    # -- what there is to see ------------------------------------------------------------------------------------------

    @property
    def subjects(self) -> list[str]:
        """What the open tab can be about; empty where it is about the whole world."""
        return TABS[self.tab].subjects(self.world)

    def people(self, kind: str) -> list[str]:
        """The users or the roles of this world, by the names under which they are found."""
        return _titles(self.world, (each for each in _principals(self.world, kind) if each.name != ADMINISTRATOR))

    @property
    def subject(self) -> str:
        """What the open tab is about."""
        chosen, subjects = self._subjects.get(self.tab, ""), self.subjects
        return chosen if chosen in subjects else next(iter(subjects), "")

    @property
    def panel(self) -> Any:
        """The panel of the open tab; None where this world has nothing for it."""
        for name, opened in list(self._panels.items()):
            if name[0] == "challenges" and opened.world is not self.world:  # one has begun, in a world of its own
                self.world, self.world_name, self._panels = opened.world, "the challenge's", {name: opened}
        key = (self.tab, self.subject)
        if TABS[self.tab].asks and not self.subject:
            return None
        if key not in self._panels:
            self._panels[key] = TABS[self.tab].make(self.world, self.subject)
        return self._panels[key]

    @property
    def hosted(self) -> Panel | None:
        return self.panel  # type: ignore[no-any-return]

    # -- the page ------------------------------------------------------------------------------------------------------

    def page(self) -> Part:
        """The world, the tabs, what to do first, the open panel."""
        tab, panel = TABS[self.tab], self.panel
        worlds = [("", f"now: {self.world_name}"), *EXAMPLES.items(), *_same(_worlds_here())]
        subjects = self.subjects
        return el(
            "div.sl-play",
            el("div.sl-row", choice("begin", "World", worlds, ""), self.files.world_buttons),
            el("p", self.note, role="status"),
            el("div", fold("Create, borrow a role", *self._forms(), key="more"), on="live"),
            tabs("open", "Panels", [(name, each.title) for name, each in TABS.items()], self.tab),
            el("p.sl-first", el("b", f"{tab.title}. ", on="still"), tab.first if panel else tab.none),
            choice("choose", tab.asks, _same(subjects), self.subject) if subjects else None,
            slot(still=panel.page) if panel else None,
        )

    def _forms(self) -> list[Part]:
        typed, users, roles = self._typed, self.people("user"), self.people("role")
        accounts = [account.name for account in self.world.accounts]
        make = (
            choice("kind", "Create", [(kind, f"a {kind}") for kind in KINDS], typed["kind"]),
            field("name", "called", typed["name"], enter="create"),
            choice("account", "in the account", _same(accounts), typed["account"]),
            button("create", "Create"),
        )
        lend = (
            choice("who", "Who", _same(users), typed["who"]),
            choice("role", "borrows", _same(roles), typed["role"]),
            button("borrow", "Borrow this role"),
        )
        return [el("div.sl-form", *make), *([el("div.sl-form", *lend)] if users and roles else [])]

    @property
    def commands(self) -> Commands:
        typed = self._typed

        def enter(chosen: str) -> None:
            if chosen in EXAMPLES:
                self.begin(chosen)
            elif chosen in _worlds_here():
                self.load(chosen)

        def create(_: str) -> None:
            accounts = [account.name for account in self.world.accounts]
            account = typed["account"] or accounts[0]
            if not typed["name"]:
                self._say("It needs a name: write one, then press Create.")
            elif typed["kind"] in KINDS and account in accounts:
                self.create(typed["kind"], typed["name"], account)

        def borrow(_: str) -> None:
            users, roles = self.people("user"), self.people("role")
            if users and roles:
                self.borrow(typed["who"] or users[0], typed["role"] or roles[0])

        return {
            **self.files.commands,
            "open": lambda name: name in TABS and self.open(name),
            "choose": self.choose,
            "begin": enter,
            "create": create,
            "borrow": borrow,
            **{what: lambda text, what=what: typed.update({what: text.strip()}) for what in typed},
        }


def _same(names: Iterable[str]) -> list[tuple[str, str]]:
    """Choices that are called what they are."""
    return [(name, name) for name in names]


def _worlds_here() -> list[str]:
    """The worlds that lie beside the notebook, newest first."""
    files = sorted(Path().glob("*.json"), key=lambda file: -file.stat().st_mtime)[: 10 * MOST_FILES]
    return [file.name for file in files if is_world(file)][:MOST_FILES]
