"""Playground: every panel on one page, over a world of one's own.

`TABS` is the list of panels: what each is for, what to do in it first, and how it is made for a world.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simlib import lab
from simlib.cloud.credentials.lifetimes import VALID
from simlib.cloud.inspection import Principal
from simlib.cloud.world import ADMINISTRATOR
from simlib.cloud.worlds.file import is_world

from .attempts import attempt
from .beginnings import begin, trust
from .downloads import packed, unpacked
from .look import button, choice, field, fold
from .page import Part, el
from .panel import Commands, Panel, slot
from .people import addresses, find

MOST_FILES = 30  # that are offered by name
KINDS = ("user", "role", "bucket")
EXAMPLES = {  # the lessons' worlds; the first is the one to begin with
    "sessions": "Keys and sessions",
    "trust": "One role, and who may assume it",
    "limits": "An organization, with a policy above its accounts",
    "partners": "Two accounts, and a partner firm's",
    "pipelines": "Machines, functions and a pipeline",
    "repair": "The incident: somebody was in here",
}


@dataclass(frozen=True)
class Tab:
    """A panel on the page. `make` gets the world and the chosen subject, if the tab has `subjects` to choose from."""

    title: str
    first: str  # what to do in it first, in one sentence
    make: Callable[[Any, str], Any]
    subjects: Callable[[Any], list[str]] = lambda world: []
    asks: str = ""  # what the choice is called


def _graph(world: Any, _: str) -> Any:
    graph = lab.AccessGraph(world)
    people = [each.name for each in world.inspect.principals() if each.kind == "user" and each.name != ADMINISTRATOR]
    if known := [name for name in people if name in graph.choices()]:
        graph.ask(known[0], "")
    return graph


def _across(world: Any, pair: str) -> Any:
    who, _, role = pair.partition(_TO)
    return lab.CrossAccount(world, who=who, role=role, requests=_requests(world))


_TO = " → "
MOST_PAIRS = 100


def _requests(world: Any) -> list[tuple[str, str]]:
    """Something to ask of each bucket; of others one asks in the panel."""
    buckets = [arn for arn in world.inspect.resources() if arn.startswith("arn:aws:s3:")][:3]
    asked = (("s3:ListBucket", ""), ("s3:GetObject", "/report.csv"), ("s3:PutObject", "/report.csv"))
    return [(action, f"{bucket}{key}") for bucket in buckets for action, key in asked]


def _called(world: Any, people: Iterable[Principal]) -> list[str]:
    """The shortest name for each by which a panel finds it."""
    names = addresses(world, world.inspect.principals())
    return [names[each] for each in people]


def _of(world: Any, *kinds: str) -> list[Principal]:
    return [each for each in world.inspect.principals() if each.kind in kinds]


def _has(world: Any, arn: str, *kinds: str) -> bool:
    """Whether it has a policy of these kinds that is not AWS's own."""
    places = (each.place for each in world.inspect.documents(arn))
    return any(each.kind in kinds and not each.owner.startswith("arn:aws:iam::aws:") for each in places)


def _people(world: Any) -> list[str]:
    """Users and roles: first those with policies of their own, so that there is something to change."""
    found = _of(world, "user", "role")
    return _called(
        world, sorted(found, key=lambda each: (each.name == ADMINISTRATOR, not _has(world, each.arn, *_OWN)))
    )


def _roles(world: Any) -> list[str]:
    return _called(world, _of(world, "role"))


def _pairs(world: Any) -> list[str]:
    """Everybody with every role of another account."""
    names = addresses(world, world.inspect.principals())
    account = {name: each.account for each, name in names.items()}
    found = [(who, role) for who in _people(world) for role in _roles(world) if account[who] != account[role]]
    return [f"{who}{_TO}{role}" for who, role in found[:MOST_PAIRS]]


def _owners(world: Any) -> list[str]:
    """Whoever and whatever has policies of its own that can be written, or could have one."""
    people = [each for each in _of(world, "user", "role") if _has(world, each.arn, *_OWN, "trust", "boundary")]
    return _called(world, people) + [arn for arn in world.inspect.resources() if arn.startswith("arn:aws:s3:")]


_OWN = ("identity",)

TABS = {
    "graph": Tab(
        "Who reaches what", "Write a name into “From” and press Show: the graph lights everything it reaches.", _graph
    ),
    "policies": Tab(
        "Policies",
        "Change a word of the policy: the editor marks mistakes as you type, and Apply saves it in this world.",
        lambda world, owner: lab.PolicyEditor.of(world, owner),
        _owners,
        "Policies of",
    ),
    "access": Tab(
        "Who may do what",
        "Change a word of a policy on the left: the answers on the right change as you type.",
        lambda world, who: lab.AccessExplorer(world, who=who, requests=_requests(world)),
        _people,
        "Ask for",
    ),
    "trust": Tab(
        "Who may assume a role",
        "Change whom the trust policy names: each row says who may assume the role, and what they could do then.",
        lambda world, role: lab.TrustExplorer(world, role=role, requests=_requests(world)),
        _roles,
        "The role",
    ),
    "across": Tab(
        "Across accounts",
        "Look at both sides: the panel names the side that does not allow the call. Add what is missing there.",
        _across,
        _pairs,
        "Who, and which role",
    ),
    "timeline": Tab(
        "Keys and sessions",
        "Drag the slider along the time axis: it shows which keys and sessions are valid at that moment.",
        lambda world, _: lab.SessionTimeline(world),
    ),
    "challenges": Tab(
        "Challenges",
        "Break in, lock out, cut down, explain, mend. Each begins in a world of its own, which takes this one's place.",
        lambda world, _: lab.Challenges(world),
    ),
}


class Playground(Panel):
    """All panels over one world, a tab for each: `Playground()`, or `Playground(aws)` for the world that runs.

    Without a world it begins with an example. A panel is made when its tab is first opened, and kept.
    """

    def __init__(self, world: Any = None) -> None:
        super().__init__()
        self.world = begin(next(iter(EXAMPLES))) if world is None else world
        self.tab = next(iter(TABS))
        self.note = ""
        self.replaces = ""  # the name of a file that is there already, and would be written over
        self._subjects: dict[str, str] = {}  # what is chosen in a tab
        self._panels: dict[tuple[str, str], Any] = {}
        self._typed = dict.fromkeys(("path", "name", "account", "who", "role"), "") | {"kind": KINDS[0]}

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
        self._enter(begin(example), f"A fresh world: {EXAMPLES[example]}.")

    def load(self, source: str) -> None:
        """Open a world that was saved, or a dump of an account; what cannot be opened is told in `note`."""
        from simlib import Cloud

        self._say(f"Opening {source} …")
        try:
            self._enter(Cloud.load(source), f"Opened {source}.")
        except (ValueError, OSError) as error:
            self._say(str(error))

    def save(self, name: str, *, replace: bool = False) -> None:
        """Write the world into a file that `load` opens; one that is there already is replaced on demand only."""
        path = Path(name if name.endswith(".json") else f"{name}.json")
        self.replaces = ""
        if path.exists() and not replace:
            self.replaces = name
            self._say(f"{path} is there already. Press Replace to write this world over it, or take another name.")
            return
        try:
            self._say(str(self.world.save(path)))
        except (ValueError, OSError) as error:
            self._say(str(error))

    def download(self) -> None:
        """Have the browser save the world."""
        try:
            text, about = packed(self.world)
        except ValueError as problem:
            self._say(str(problem))
        else:
            self.give("world.json", text)
            self._say(f"Your browser has saved world.json{about}")

    def open_file(self, text: str, name: str = "world.json") -> None:
        """Open the world in a file's text, which the browser has sent."""
        try:
            self._enter(unpacked(text, name), f"Opened {name}.")
        except ValueError as problem:
            self._say(str(problem))

    def create(self, kind: str, name: str, account: str = "dev") -> None:
        """Have an account's administrator make a user, a role that its account may borrow, or a bucket."""
        owner = self.world.account(account)
        service, given = {
            "bucket": ("s3", {"Bucket": name}),
            "role": ("iam", {"RoleName": name, "AssumeRolePolicyDocument": trust(f"arn:aws:iam::{owner.id}:root")}),
            "user": ("iam", {"UserName": name}),
        }[kind]
        done = attempt(getattr(owner.admin.client(service), f"create_{kind}"), **given)
        self._panels.pop((self.tab, self.subject), None)  # it is to know the new one
        self._say(f"There is a new {kind} now: {name}." if done.allowed else f"{done.outcome}. {done.message}")

    def borrow(self, who: str, role: str) -> None:
        """Let a user assume a role, with a key of hers that is valid, or a new one; the session is in its tab then."""
        try:
            user, wanted = find(self.world, who, kind="user"), find(self.world, role, kind="role")
        except LookupError as nobody:
            self._say(str(nobody))
            return
        sts = self._key_of(user).client("sts")
        done = attempt(sts.assume_role, RoleArn=wanted.arn, RoleSessionName=f"{user.name}-plays"[:64])
        self._say(f"{who} holds a session of {role} now." if done.allowed else f"{done.outcome}. {done.message}")

    def _key_of(self, user: Principal) -> Any:
        held = [each for each in self.world.credentials() if each.arn == user.arn and each.kind == "access key"]
        good = [each for each in held if each.state(self.world.clock.now) == VALID]
        if good:
            return self.world.holder(good[-1].access_key_id)
        admin = self.world.account(self.world.account_name(user.account)).admin
        return self.world.sign_in(admin.client("iam").create_access_key(UserName=user.name))

    def _say(self, note: str) -> None:
        self.note = note
        self._draw()

    def _enter(self, world: Any, note: str) -> None:
        self.world = world
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
        return _called(self.world, (each for each in _of(self.world, kind) if each.name != ADMINISTRATOR))

    @property
    def accounts(self) -> list[str]:
        return [account.name for account in self.world.accounts]

    @property
    def subject(self) -> str:
        """What the open tab is about."""
        chosen, found = self._subjects.get(self.tab, ""), self.subjects
        return chosen if chosen in found else next(iter(found), "")

    @property
    def panel(self) -> Any:
        """The panel of the open tab; None where this world has nothing for it."""
        for name, opened in list(self._panels.items()):
            if name[0] == "challenges" and opened.world is not self.world:  # one has begun, in a world of its own
                self.world, self._panels = opened.world, {name: opened}
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
        tabs = [
            button("open", each.title, value=name, css=".is-quiet", aria_current="page" if each is tab else None)
            for name, each in TABS.items()
        ]
        worlds = [("", "another world …"), *EXAMPLES.items()]
        worlds += [(name, name) for name in _worlds_here()]
        subjects = [(each, each) for each in self.subjects]
        file = button("file", "Open a file …", data_pick=".json")
        return el(
            "div.sl-play",
            el("div.sl-row", choice("begin", "World", worlds, ""), button("download", "Download this world"), file),
            el(
                "p",
                el("span", self.note, role="status"),
                " ",
                button("replace", "Replace", css=".is-small") if self.replaces else None,
            ),
            self._more(),
            el("nav.sl-tabs", *tabs, aria_label="Panels"),
            el("p.sl-first", el("b", f"{tab.title}. ", on="still"), tab.first),
            choice("choose", tab.asks, subjects, self.subject) if subjects else None,
            slot(still=panel.page) if panel else el("p", "There is nothing of this kind in this world yet."),
        )

    def _more(self) -> Part:
        typed, (users, roles) = self._typed, (self.people(kind) for kind in ("user", "role"))
        make = (
            choice("kind", "Create", [(kind, f"a {kind}") for kind in KINDS], typed["kind"]),
            field("name", "called", typed["name"], enter="create"),
            choice("account", "in the account", [(name, name) for name in self.accounts], typed["account"]),
            button("create", "Create"),
        )
        lend = (
            choice("who", "Who", [(name, name) for name in users], typed["who"]),
            choice("role", "borrows", [(name, name) for name in roles], typed["role"]),
            button("borrow", "Borrow this role"),
        )
        keep = (
            field("path", "A file beside this page, or a link", typed["path"], enter="load", hint="world.json"),
            button("load", "Open"),
            button("save", "Save"),
        )
        forms = [el("div.sl-form", *parts) for parts in (make, lend if users and roles else (), keep) if parts]
        return el("div", fold("Create, borrow a role, save", *forms, key="more"), on="live")

    @property
    def commands(self) -> Commands:
        def enter(chosen: str) -> None:
            if chosen in EXAMPLES:
                self.begin(chosen)
            elif chosen in _worlds_here():
                self.load(chosen)

        def create(_: str) -> None:
            account = typed["account"] or self.accounts[0]
            if typed["name"] and typed["kind"] in KINDS and account in self.accounts:
                self.create(typed["kind"], typed["name"], account)

        def borrow(_: str) -> None:
            users, roles = self.people("user"), self.people("role")
            if users and roles:
                self.borrow(typed["who"] or users[0], typed["role"] or roles[0])

        typed = self._typed
        return {
            "open": lambda name: name in TABS and self.open(name),
            "choose": self.choose,
            "begin": enter,
            "load": lambda _: typed["path"] and self.load(typed["path"]),
            "save": lambda _: typed["path"] and self.save(typed["path"]),
            "replace": lambda _: self.replaces and self.save(self.replaces, replace=True),
            "download": lambda _: self.download(),
            "file": self.open_file,
            "create": create,
            "borrow": borrow,
            **{what: lambda text, what=what: typed.update({what: text.strip()}) for what in typed},
        }


def _worlds_here() -> list[str]:
    """The worlds that lie beside the notebook, newest first."""
    files = sorted(Path().glob("*.json"), key=lambda file: -file.stat().st_mtime)[: 10 * MOST_FILES]
    return [file.name for file in files if is_world(file)][:MOST_FILES]
