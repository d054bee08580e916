"""Playground: every panel on one page, over a world of one's own.

`TABS` is the list of panels: what each is for, what to do in it first, and how it is made for a world.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simlib.cloud.inspection import Principal
from simlib.cloud.world import ADMINISTRATOR

from .attempts import attempt
from .beginnings import begin, trust
from .downloads import unpacked
from .markup import card, escape
from .on_screen import OnScreen
from .people import addresses, find

EXAMPLES = {  # the lessons' worlds; the first is the one to begin with
    4: "Keys and sessions",
    2: "One role, and who may assume it",
    3: "An organization, with a policy above its accounts",
    5: "Two accounts, and a partner firm's",
    6: "Machines, functions and a pipeline",
    8: "The incident: somebody was in here",
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
    from .graph.panel import AccessGraph

    graph = AccessGraph(world)
    people = [each.name for each in world.inspect.principals() if each.kind == "user" and each.name != ADMINISTRATOR]
    if known := [name for name in people if name in graph.choices()]:
        graph.ask(known[0], "")
    return graph


def _timeline(world: Any, _: str) -> Any:
    from .timeline.panel import SessionTimeline

    return SessionTimeline(world)


def _editor(world: Any, owner: str) -> Any:
    from .policy.editor import PolicyEditor

    return PolicyEditor.of(world, owner)


def _access(world: Any, who: str) -> Any:
    from .explorers.access import AccessExplorer

    return AccessExplorer(world, who=who, requests=_requests(world))


def _trust(world: Any, role: str) -> Any:
    from .explorers.trust import TrustExplorer

    return TrustExplorer(world, role=role, requests=_requests(world))


def _across(world: Any, pair: str) -> Any:
    from .explorers.cross_account import CrossAccount

    who, _, role = pair.partition(_TO)
    return CrossAccount(world, who=who, role=role, requests=_requests(world))


_TO = " → "
MOST_PAIRS = 100


def _requests(world: Any) -> list[tuple[str, str]]:
    """Something to ask of each bucket; of others one asks in the panel."""
    buckets = [arn for arn in world.inspect.resources() if arn.startswith("arn:aws:s3:")][:3]
    asked = (("s3:ListBucket", ""), ("s3:GetObject", "/report.csv"), ("s3:PutObject", "/report.csv"))
    return [(action, f"{bucket}{key}") for bucket in buckets for action, key in asked]


def _people(world: Any) -> list[str]:
    """Users and roles: first those with policies of their own, so that there is something to change."""
    found = [each for each in world.inspect.principals() if each.kind in ("user", "role")]
    by_use = sorted(found, key=lambda each: (each.name == ADMINISTRATOR, not _has_own(world, each.arn)))
    return _called(world, by_use)


def _called(world: Any, people: Iterable[Principal]) -> list[str]:
    """The shortest name for each by which a panel finds it."""
    names = addresses(world, world.inspect.principals())
    return [names[each] for each in people]


def _has_own(world: Any, arn: str) -> bool:
    return any(each.place.owner == arn and each.place.kind == "identity" for each in world.inspect.documents(arn))


def _roles(world: Any) -> list[str]:
    return _called(world, (each for each in world.inspect.principals() if each.kind == "role"))


def _pairs(world: Any) -> list[str]:
    """Everybody with every role of another account."""
    names = addresses(world, world.inspect.principals())
    account = {name: each.account for each, name in names.items()}
    roles = _roles(world)
    found = [(who, role) for who in _people(world) for role in roles if account[who] != account[role]]
    return [f"{who}{_TO}{role}" for who, role in found[:MOST_PAIRS]]


def _owners(world: Any) -> list[str]:
    """Whoever and whatever has policies of its own that can be written, or could have one."""
    people = [each for each in world.inspect.principals() if each.kind in ("user", "role")]
    buckets = [arn for arn in world.inspect.resources() if arn.startswith("arn:aws:s3:")]
    return _called(world, (each for each in people if _writable(world, each.arn))) + buckets


def _writable(world: Any, arn: str) -> bool:
    own = (each.place.owner for each in world.inspect.documents(arn) if each.place.kind != "scp")
    return any(not owner.startswith("arn:aws:iam::aws:") for owner in own)


TABS = {
    "graph": Tab(
        "Who reaches what", "Write a name into “From” and press Show: the graph lights everything it reaches.", _graph
    ),
    "policies": Tab(
        "Policies",
        "Change a word of the policy: the editor marks mistakes as you type, and Apply saves it in this world.",
        _editor,
        _owners,
        "Policies of",
    ),
    "access": Tab(
        "Who may do what",
        "Change a word of a policy on the left: the answers on the right change as you type.",
        _access,
        _people,
        "Ask for",
    ),
    "trust": Tab(
        "Who may assume a role",
        "Change whom the trust policy names: each row says who may assume the role, and what they could do then.",
        _trust,
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
        _timeline,
    ),
}


class Playground(OnScreen):
    """All panels over one world, a tab for each: `Playground()`, or `Playground(aws)` for the world that runs.

    Without a world it begins with an example. A panel is made when its tab is first opened, and kept.
    """

    def __init__(self, world: Any = None) -> None:
        self.world = begin(next(iter(EXAMPLES))) if world is None else world
        self.tab = next(iter(TABS))
        self.note = ""
        self.replaces = ""  # the name of a file that is there already, and would be written over
        self.on_change: Callable[[], None] | None = None
        self._subjects: dict[str, str] = {}  # what is chosen in a tab
        self._panels: dict[tuple[str, str], Any] = {}

    # -- commands ------------------------------------------------------------------------------------------------------

    def open(self, tab: str) -> None:
        """Bring a tab of `TABS` to the front."""
        if tab not in TABS:
            raise KeyError(f"there is no tab {tab!r}; there are {', '.join(TABS)}")
        self.tab = tab
        self._changed()

    def choose(self, subject: str) -> None:
        """Take another of the subjects of the open tab."""
        if subject in self.subjects:
            self._subjects[self.tab] = subject
            self._changed()

    def begin(self, example: int) -> None:
        """Begin again with one of the `EXAMPLES`; the world before it is closed."""
        self._enter(begin(example), f"A fresh world: {EXAMPLES[example]}.")

    def load(self, source: str) -> None:
        """Open a world that was saved, or a dump of an account; what cannot be opened is told in `note`."""
        from simlib import Cloud

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

    def open_file(self, text: str, name: str) -> None:
        """Open the world in a file's text, which the browser has sent."""
        try:
            self._enter(unpacked(text, name), f"Opened {name}.")
        except ValueError as problem:
            self._say(str(problem))

    def create(self, kind: str, name: str, account: str = "dev") -> None:
        """Have an account's administrator make a user, a role that its account may borrow, or a bucket."""
        admin = self.world.account(account).admin
        if kind == "bucket":
            done = attempt(admin.client("s3").create_bucket, Bucket=name)
        elif kind == "role":
            everybody = trust(f"arn:aws:iam::{self.world.account(account).id}:root")
            done = attempt(admin.client("iam").create_role, RoleName=name, AssumeRolePolicyDocument=everybody)
        else:
            done = attempt(admin.client("iam").create_user, UserName=name)
        self._say(f"There is a new {kind} now: {name}." if done.allowed else f"{done.outcome}. {done.message}")

    def borrow(self, who: str, role: str) -> None:
        """Let a user assume a role, with a key of hers that is good, or a new one; the session is in its tab then."""
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
        good = [each for each in held if each.state(self.world.clock.now) == "good"]
        if good:
            return self.world.holder(good[-1].access_key_id)
        admin = self.world.account(self.world.account_name(user.account)).admin
        return self.world.sign_in(admin.client("iam").create_access_key(UserName=user.name))

    def _say(self, note: str) -> None:
        self.note = note
        self._changed()

    def _enter(self, world: Any, note: str) -> None:
        self.world, self.note = world, note
        self._subjects.clear()
        self._panels.clear()
        self._changed()

    def _changed(self) -> None:
        if self.on_change:
            self.on_change()

    # -- what there is to see ------------------------------------------------------------------------------------------

    @property
    def subjects(self) -> list[str]:
        """What the open tab can be about; empty where it is about the whole world."""
        return TABS[self.tab].subjects(self.world)

    def people(self, kind: str) -> list[str]:
        """The users or the roles of this world, by the names under which they are found."""
        found = (each for each in self.world.inspect.principals() if each.kind == kind)
        return _called(self.world, (each for each in found if each.name != ADMINISTRATOR))

    @property
    def subject(self) -> str:
        """What the open tab is about."""
        chosen, found = self._subjects.get(self.tab, ""), self.subjects
        return chosen if chosen in found else next(iter(found), "")

    @property
    def panel(self) -> Any:
        """The panel of the open tab; None where this world has nothing for it."""
        key = (self.tab, self.subject)
        if TABS[self.tab].asks and not self.subject:
            return None
        if key not in self._panels:
            self._panels[key] = TABS[self.tab].make(self.world, self.subject)
        return self._panels[key]

    def __str__(self) -> str:
        tab = TABS[self.tab]
        head = f"{tab.title}. {tab.first}"
        return "\n".join(
            [head, *([self.note] if self.note else []), "", str(self.panel or "There is nothing here yet.")]
        )

    __repr__ = __str__

    def _view(self) -> Any:
        from .playground_view import playground_view

        return playground_view(self)

    def _still(self) -> str:
        panel = self.panel
        return card(f"<p>{escape(self.note)}</p>") + (panel._still() if panel else "")
