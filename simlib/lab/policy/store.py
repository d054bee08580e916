"""Documents of a running world: read from where they are stored, and put there through AWS's own API."""

from __future__ import annotations

import json
from collections.abc import Iterable, Set
from contextlib import suppress
from typing import Any
from weakref import WeakKeyDictionary

from simlib.cloud.inspection import Document, Place, Principal
from simlib.cloud.transport.refusals import Refusal
from simlib.iam.statement import KINDS, VERSIONS

from ..attempts import Attempt, attempt
from ..principals import AmbiguousName, find
from .document import PolicyDocument, readable
from .storage import Call, title, writing

_OWN_KINDS = ("trust", "boundary", "resource")
_BLANK = {"Effect": "Allow", "Principal": {"AWS": ""}, "Action": "", "Resource": ""}
NEW = "new-policy"  # what an inline policy is called that the learner begins
MOST_VERSIONS = 5  # of a managed policy; https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html


_APPLIED: WeakKeyDictionary[Any, dict[Place, tuple[str, str]]] = WeakKeyDictionary()  # before the first time, and last


def applied_texts(world: Any) -> dict[Place, str]:
    """What panels have put into a world and what still stands there, by place, where it is another than before."""
    shelf = PolicyStore(world)
    records = _APPLIED.get(world, {}).items()
    return {place: last for place, (first, last) in records if first != last and shelf.stored(place) == last}


class PolicyStore:
    """Where an editor's documents come from and go to. `by` applies; else the administrator of the account does."""

    def __init__(self, world: Any, by: Any = None) -> None:
        self.world, self.by = world, by

    # -- reading: no call is made, and the trail stays as it is --------------------------------------------------------

    def places(self, what: Iterable[str | Place]) -> list[Place]:
        """The places that are meant: a user's or role's name or an ARN stands for all that hangs on it but AWS's own
        policies, "alice/read", "reports/trust" or a bucket's name for one document (see `place_of`)."""
        places: dict[Place, None] = {}
        for each in what:
            places |= dict.fromkeys([each] if isinstance(each, tuple) else self._places_named(each))
        return list(places)

    def documents(self, places: Iterable[Place], taken: Iterable[str] = ()) -> list[PolicyDocument]:
        """A document for each place; none is called as those that are `used`."""
        places = list(places)
        return [self._document(each, name) for each, name in zip(places, _titles(places, set(taken)), strict=True)]

    def _places_named(self, name: str) -> list[Place]:
        if name.startswith("arn:"):
            return self._policies_of(name)
        try:
            arn = find(self.world, name).arn
        except AmbiguousName:
            raise
        except LookupError:
            if "/" in name or self.world.inspect.owner(f"arn:aws:s3:::{name}"):
                return [place_of(self.world, name)]
            raise
        return self._policies_of(arn)

    def _policies_of(self, arn: str) -> list[Place]:
        places = [each.place for each in self.world.inspect.documents(arn)]
        editable = [
            place for place in places if not place.owner.startswith(("arn:aws:iam::aws:", "arn:aws:organizations:"))
        ]
        if editable:
            return editable
        if arn.startswith("arn:aws:iam:"):
            name = arn.rpartition("/")[2]
            raise LookupError(f'{arn} has no policy yet. Name one to write, like this: "{name}/a-name".')
        return [Place(arn, "resource")]

    def _document(self, place: Place, name: str) -> PolicyDocument:
        storage = writing(place)
        text = blank(place.kind)
        document = PolicyDocument(name, place.kind, text, storage.stored_as, bool(storage.reason), place, blank=text)
        self.read(document)
        document.note = storage.reason
        return document

    def read(self, document: PolicyDocument) -> None:
        """Take what is stored now; a document that is not stored keeps its text."""
        current = self._stored(document.place)
        document.policy_name = current.name if current else ""
        document.stored = current.text if current else ""
        document.read(readable(document.stored) or document.text)

    def stored(self, place: Place) -> str:
        """The text at a place; "" while nothing is there."""
        document = self._stored(place)
        return document.text if document else ""

    def _stored(self, place: Place | None) -> Document | None:
        return self.world.inspect.document(place) if place is not None else None

    # -- writing -------------------------------------------------------------------------------------------------------

    def put(self, place: Place, text: str) -> Attempt:
        """Store a text at a place; for "" take away what is there."""
        storage = writing(place)
        call = storage.call if text else storage.remove
        if call is None:
            raise ValueError(storage.reason or f"AWS has no call that takes away the {title(place)}")
        client = self._client(place, call)
        if call.operation == "create_policy_version":
            _make_room(client, place.owner)
        before = self.stored(place)
        outcome = attempt(getattr(client, call.operation), **call.given(text))
        if outcome.allowed:
            records = _APPLIED.setdefault(self.world, {})
            records[place] = (records.get(place, (before,))[0], self.stored(place))
        return outcome

    def who(self, place: Place) -> str:
        """Who applies: "the administrator of dev"."""
        if self.by is not None:
            return f"the identity {self.by.access_key_id}"
        return f"the administrator of {self.world.account_name(self._account(place))}"

    def _account(self, place: Place) -> str:
        return writing(place).account or str(self.world.inspect.owner(place.owner))

    def _client(self, place: Place, call: Call) -> Any:
        identity = self.by
        if identity is None:
            number = self._account(place)
            name = self.world.account_name(number)
            if name == number:
                raise ValueError(f"Account {number} has not been mentioned by its name: aws.account(NAME), then again.")
            identity = self.world.account(name).admin
        return identity.client(call.service, **({"region_name": call.region} if call.region else {}))

    def reason(self, refused: Attempt) -> str:
        """What was wrong with a document that AWS refused: the trail says more than AWS's text."""
        response = getattr(refused.error, "response", {})
        event = self.world.trail.by_request_id(response.get("ResponseMetadata", {}).get("RequestId", ""))
        is_malformed = event is not None and event.situation == "malformed-document"
        return str(event.detail) if is_malformed else ""

    # -- what can be written in them -----------------------------------------------------------------------------------

    def principals(self) -> list[str]:
        """Who can be named in a policy of this world."""
        people = self.world.inspect.principals()
        return list(dict.fromkeys(each.arn for each in people if each.kind not in ("anonymous", "token")))

    def resources(self) -> list[str]:
        """What a policy of this world can be about; of a bucket also what is in it."""
        arns: list[str] = self.world.inspect.resources()
        return [each for arn in arns for each in ([arn, f"{arn}/*"] if arn.startswith("arn:aws:s3:") else [arn])]


def _make_room(iam: Any, arn: str) -> None:
    """AWS keeps five versions of a managed policy and refuses a sixth: the oldest that is not in force goes."""
    answer = attempt(iam.list_policy_versions, PolicyArn=arn)
    versions = answer["Versions"] if answer.allowed else []
    if len(versions) >= MOST_VERSIONS:
        oldest = min((each for each in versions if not each["IsDefaultVersion"]), key=lambda each: each["CreateDate"])
        attempt(iam.delete_policy_version, PolicyArn=arn, VersionId=oldest["VersionId"])


def place_of(world: Any, name: str | Place) -> Place:
    """The document that a page means by a name.

    "alice/read": an inline policy of that user or role, there or not yet; "reports/trust", "bob/boundary"; "my-bucket"
    or a resource's ARN: its policy; the ARN of a managed policy; or a `Place`. "prod/reports-reader/trust" says the
    account too.
    """
    if isinstance(name, Place):
        return name
    owner, slash, policy = name.rpartition("/")
    if name.startswith("arn:") and (":iam:" not in name or ":policy/" in name):
        return Place(name, "identity" if ":policy/" in name else "resource")
    if not slash:
        bucket = f"arn:aws:s3:::{name}"
        if not world.inspect.owner(bucket):
            raise LookupError(
                f"There is no bucket here called {name[:200]!r}. A document of a user or role is named "
                'with its owner: "alice/read", "reports/trust".'
            )
        return Place(bucket, "resource")
    arn = owner if owner.startswith("arn:") else find(world, owner).arn
    if policy == "boundary":
        attached = [each.place for each in world.inspect.documents(arn) if each.place.kind == "boundary"]
        return attached[0] if attached else Place(arn, "boundary")
    return Place(arn, policy) if policy in _OWN_KINDS else Place(arn, "identity", policy)


def _titles(places: list[Place], used: Set[str]) -> list[str]:
    """A name for each; those that would be the same say whose they are."""
    plain = [title(place) for place in places]
    whose = [f"{name} of {place.owner.rpartition('/')[2]}" for name, place in zip(plain, places, strict=True)]
    titles = [long if plain.count(name) > 1 or name in used else name for name, long in zip(plain, whose, strict=True)]
    return [
        f"{name} ({place.owner}, {place.kind})" if titles.count(name) > 1 or name in used else name
        for name, place in zip(titles, places, strict=True)
    ]


def blank(kind: str) -> str:
    """A beginning: what a statement of this kind needs."""
    statement = {name: value for name, value in _BLANK.items() if name in KINDS[kind].elements}
    return json.dumps({"Version": VERSIONS[0], "Statement": [statement]}, indent=2)


def relevant_places(
    world: Any, people: Iterable[Principal], resources: Iterable[str], *, begin: bool = False
) -> list[Place]:
    """The places of every document that bears on what these people ask of these resources; SCPs and RCPs aside.

    `begin`: a place too for a user, a role or a bucket that has none, so that one can be written.
    """
    places: list[Place] = []
    for each in people:
        bearing = _places_of(world, each.credential or each.arn)
        if begin and each.kind in ("user", "role") and not any(place.kind == "identity" for place in bearing):
            bearing = [Place(each.arn, "identity", NEW), *bearing]
        places += bearing
    for arn in resources:
        bearing = _places_of(world, arn)
        bucket = arn.partition("/")[0] if arn.startswith("arn:aws:s3:::") else ""
        places += bearing or ([Place(bucket, "resource")] if begin and bucket and world.inspect.owner(bucket) else [])
    return places


def _places_of(world: Any, name: str) -> list[Place]:
    with suppress(LookupError, Refusal):
        return [each.place for each in world.inspect.documents(name) if each.place.kind not in ("scp", "rcp")]
    return []
