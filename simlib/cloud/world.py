"""Cloud: one world of accounts, identities and credentials, and the doors a notebook goes through."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from botocore.awsrequest import AWSResponse
from botocore.handlers import BUILTIN_HANDLERS, REGISTER_FIRST

from simlib.cloud import ambient
from simlib.cloud.browser import in_browser, not_in_browser
from simlib.cloud.clock import Clock
from simlib.cloud.credentials.issuer import GITHUB, Issuer
from simlib.cloud.credentials.lifetimes import Credential
from simlib.cloud.credentials.sessions import Session, Sessions
from simlib.cloud.explain import Explanation
from simlib.cloud.gate import Gate
from simlib.cloud.identity import Identity, credentials_in
from simlib.cloud.inspection import Inspection
from simlib.cloud.interrupts import Undo, uninterrupted
from simlib.cloud.machines.instance import Instance
from simlib.cloud.machines.instance_role import mint_session
from simlib.cloud.services.mfa import Authenticator
from simlib.cloud.storage import contents, iam_entities, organizations, store
from simlib.cloud.storage.store import Store
from simlib.cloud.storage.stored import StoredInstance
from simlib.cloud.trail import DEFAULT_BOUND, Trail
from simlib.cloud.transport.endpoint import Endpoint
from simlib.cloud.transport.signature import sender_time
from simlib.cloud.transport.wire import Body, RawAnswer, RawRequest

if TYPE_CHECKING:
    from simlib.cloud.worlds.file import Saved
    from simlib.cloud.worlds.remarks import Remark

ADMINISTRATOR = "lab-admin"
REGION = ambient.REGION
NOWHERE = "http://127.0.0.1:9"  # the discard port: where requests are sent while no endpoint listens


@dataclass(frozen=True, repr=False, eq=False)
class Account:
    """An AWS account of the world."""

    name: str
    id: str
    _world: Cloud

    @cached_property
    def admin(self) -> Identity:
        """An IAM user who may do everything. An account that was loaded has it from when it is first asked for."""
        with self._world._gate.lock:
            key = store.administrator_key(self.id, ADMINISTRATOR)
            return Identity(key.access_key_id, key.secret_access_key, None, region=REGION)

    @cached_property
    def root(self) -> Identity:
        """The root user, with an access key that is made when first asked for: a good account's root user has none."""
        with self._world._gate.lock:
            return Identity(*iam_entities.root_key(self.id), None, region=REGION)

    def __repr__(self) -> str:
        return f"The account {self.name}, {self.id}."


class Cloud:
    """A mocked AWS in this process that really refuses.

    `Cloud.start()` opens a fresh world and closes the one before; it is a context manager too. While it is open every
    boto3 client made in this process meets the lab, whoever made it, and nothing of the learner's own AWS is seen.
    """

    running: ClassVar[Cloud | None] = None
    _to_undo: ClassVar[list[Undo]] = []

    def __init__(self, *, trail_bound: int = DEFAULT_BOUND) -> None:
        self.clock = Clock()
        self.trail = Trail(trail_bound)
        self.remarks: tuple[Remark, ...] = ()  # of files of somebody's own account: what in them was not read
        self.authorization_ids = False  # whether IAM's denials show their ID, as AWS's do
        self.source_ip = "203.0.113.10"  # an address of the documentation range: where the learner "sits"
        self._accounts: dict[str, Account] = {}
        self._sessions = Sessions()
        self._undo = Undo()
        self._instances: dict[str, Instance] = {}
        self._endpoint: Endpoint | None = None

    # -- opening and closing -----------------------------------------------------------------------------------------

    @classmethod
    def start(cls, *, trail_bound: int = DEFAULT_BOUND) -> Cloud:
        """A fresh world; `trail_bound` is how many calls its trail remembers."""
        with uninterrupted():
            for undo in reversed(cls._to_undo):  # of the world that runs, or of one that was stopped half-way
                undo.close()
            cls._to_undo.clear()
            for hidden in tuple(ambient.Hidden.active):
                hidden.restore()
            world = cls(trail_bound=trail_bound)
            cls._to_undo.append(world._undo)
            try:
                world._open(world._undo)
            except BaseException:
                world.stop()
                raise
            return world

    @classmethod
    def load(
        cls, source: str | os.PathLike[str], *more: str | os.PathLike[str], trail_bound: int = DEFAULT_BOUND
    ) -> Cloud:
        """The world in a file that `save` wrote, in place of the one that runs; its keys and sessions work as before.

        `source` is a path, or a link (http://, https://) to such a file. Files of somebody's own account are taken too
        (`simlib.cloud.worlds.dump` says which), several of them, or a folder; `remarks` then says what in them was not
        read. Time has gone on: the clock shows what it showed when the world was saved, or real time where that is
        later. Raises `WorldFileError`, a `ValueError` that says where and why, and then nothing has changed.
        """
        from simlib.cloud.worlds import snapshot

        values, remarks = snapshot.load(source, *more)
        with ExitStack() as undo:
            if cls.running is not None:
                undo.enter_context(cls.running._gate.lock)
            else:
                undo.callback(Store().close)
            moto_contents, sessions = snapshot.restore(values)
        world = cls.start(trail_bound=trail_bound)
        try:
            world._take(values, moto_contents, sessions)
            world.remarks = remarks
        except BaseException:
            world.stop()
            raise
        return world

    def _take(self, values: Mapping[str, Any], moto_contents: contents.Contents, sessions: Sessions) -> None:
        with self._gate.lock:
            contents.put_back(moto_contents)
            for session in sessions:
                self._sessions.keep(session)
            self._sessions.issuers |= sessions.issuers
            for account in values["Accounts"]:
                if name := account.get("Name"):
                    self._accounts[name] = Account(name, account["Id"], self)
            self.source_ip = values.get("SourceIp") or self.source_ip
            if values["Clock"] > self.clock.now:
                self.clock.set(values["Clock"])

    def save(self, path: str | os.PathLike[str]) -> Saved:
        """Write this world into one readable JSON file that `Cloud.load(path)` opens; whole, or not at all.

        The file holds accounts, identities, policies, keys and live sessions, buckets and what lies in them, and the
        other resources that lessons use; the answer says what it does not hold. Its secrets open nothing but the
        lab's AWS. Raises `WorldFileError` where the file cannot be written.
        """
        from simlib.cloud.worlds import file, snapshot

        self._must_be_open()
        with self._gate.lock:
            ids = {name: account.id for name, account in self._accounts.items()}
            document = snapshot.document_of(ids, self.clock.now, self.source_ip, self._sessions)
            missing = snapshot.services_left_out([entry["Id"] for entry in document["Accounts"]])
        written, size = file.write(path, document)
        return file.Saved(written, len(document["Accounts"]), size, tuple(missing))

    def _open(self, undo: Undo) -> None:
        hidden = ambient.Hidden(NOWHERE)
        undo.callback(hidden.restore)
        self._listen(hidden.folder, undo)
        undo.callback(self.clock.stop)  # beforehand, for whoever is interrupted in between
        self.clock.start()
        self._store = Store()
        undo.callback(self._store.close)
        self._gate = Gate(
            self._store, self._sessions, self.trail, lambda: self.clock.now, lambda: self.source_ip,
            lambda: self.authorization_ids,
        )  # fmt: skip
        self.inspect = Inspection(self._gate, self._counts)
        spec = ("before-send", _meet_the_gate, REGISTER_FIRST)
        undo.callback(lambda: spec in BUILTIN_HANDLERS and BUILTIN_HANDLERS.remove(spec))
        BUILTIN_HANDLERS.append(spec)
        Cloud.running = self
        undo.callback(self._no_longer_running)

    def _counts(self) -> tuple[int, ...]:
        ahead = (self.clock.now - self.clock.real_now).total_seconds()
        return self.trail.total, len(self._accounts), round(ahead)

    def _listen(self, folder: Path, undo: Undo) -> None:
        """Open the loopback endpoint; where no socket can be had, a world in this process needs none."""
        if in_browser():
            return
        try:
            self._endpoint = Endpoint(
                self._answer_other_process, self._instance_metadata, folder, now=lambda: self.clock.real_now
            )
        except (OSError, RuntimeError):  # no socket, or no thread to listen with
            return
        undo.callback(self._endpoint.stop)
        os.environ["AWS_ENDPOINT_URL"] = self._endpoint.url

    def stop(self) -> None:
        """Close the world and put everything back as it was; doing so twice changes nothing."""
        with uninterrupted():
            self._undo.close()

    def _no_longer_running(self) -> None:
        if Cloud.running is self:
            Cloud.running = None

    def _must_be_open(self) -> None:
        if Cloud.running is not self:
            raise RuntimeError("This world has been stopped, or another was started after it. Use the one that runs.")

    def __enter__(self) -> Cloud:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    @contextmanager
    def rehearsal(self) -> Iterator[None]:
        """Calls in here are answered as ever, and undone at the end: what is stored, sessions, accounts, the trail, the
        clock and `source_ip`. What cannot be undone is what was done to a world that has been replaced in the meantime.
        """
        self._must_be_open()
        calls, accounts, source_ip = self.trail.total, dict(self._accounts), self.source_ip
        forget_issued, observed = self._sessions.bookmark(), deepcopy(self._gate.history)
        with contents.on_a_copy(lambda: Cloud.running is self, self._gate.lock), self.clock.undone():
            try:
                yield
            finally:
                self.trail.forget_since(calls)
                forget_issued()
                self._gate.history = observed
                self._accounts, self.source_ip = accounts, source_ip

    # -- who there is ------------------------------------------------------------------------------------------------

    def account(self, name: str = "main", *, organization: Account | None = None) -> Account:
        """The account of that name, created on first mention: 111111111111, then 222222222222, …

        An account that was created in an organization is found by the name given there. `organization`, an account
        that manages one, makes this account join it, as if it had accepted an invitation, where it is no member yet;
        raises `ValueError` where that account has no organization, or this one belongs to another.
        """
        known = self._accounts.get(name)
        if known is not None and organization is None:
            return known
        self._must_be_open()
        with uninterrupted(), self._gate.lock:
            account_id = known.id if known else organizations.account_named(name) or store.free_account_id()
            if organization is not None:
                organizations.join(account_id, name, organization.id)
            if known is None:
                self._accounts[name] = Account(name, account_id, self)
                self._accounts[name].admin  # noqa: B018 - an account of the lab's has its administrator from the start
        return self._accounts[name]

    def account_name(self, account_id: str) -> str:
        """The name under which an account was mentioned here, else its number."""
        return next((account.name for account in self._accounts.values() if account.id == account_id), account_id)

    @property
    def accounts(self) -> tuple[Account, ...]:
        """Those that have been mentioned, in that order."""
        return tuple(self._accounts.values())

    def authenticator(self, answer: Mapping[str, Any]) -> Authenticator:
        """An authenticator app that has scanned a new device: pass what `create_virtual_mfa_device` returned.

        Its `.code` follows the lab's clock.
        """
        seed = answer.get("VirtualMFADevice", answer).get("Base32StringSeed")
        if not seed:
            raise ValueError("No seed in this answer. authenticator() wants what create_virtual_mfa_device returned.")
        return Authenticator(seed, lambda: self.clock.now)

    def oidc_provider(self, url: str = GITHUB) -> Issuer:
        """An OpenID Connect identity provider outside of AWS that issues signed tokens; one for each URL.

        GitHub Actions' is meant unless said otherwise. An account trusts it after `create_open_id_connect_provider`.
        """
        issuer = Issuer(url, lambda: self.clock.now)
        return self._sessions.issuers.setdefault(issuer.url, issuer)

    def sign_in(self, answer: Mapping[str, Any], *, region: str = REGION) -> Identity:
        """An identity from any AWS answer that holds credentials (CreateAccessKey, AssumeRole, GetSessionToken …)."""
        return credentials_in(answer, region)

    def holder(self, access_key_id: str) -> Identity:
        """Whoever holds a key or a session of this world. Raises `LookupError` where it does not know that key."""
        self._must_be_open()
        with self._gate.lock:
            credential = self._sessions.find(access_key_id) or store.find_key(access_key_id)
        if credential is None:
            raise LookupError(f"There is no key {access_key_id!r} in this world.")
        token = getattr(credential, "session_token", None)
        return Identity(credential.access_key_id, credential.secret_access_key, token, region=REGION)

    def credentials(self) -> list[Credential]:
        """Every key and session there is or ever was, without secrets, in the order they were issued."""
        self._must_be_open()
        with self._gate.lock:
            return self._gate.history.credentials(self._sessions, self.clock.now)

    def instance(self, instance_id: str) -> Instance:
        """An EC2 instance of this world, to be used from inside: `.session`, `.run(…)`, `.curl(…)`.

        Raises `LookupError` where there is none of that ID.
        """
        if instance_id not in self._instances:
            self._instances[instance_id] = Instance(self, instance_id)
        return self._instances[instance_id]

    def instance_facts(self, instance_id: str) -> StoredInstance | None:
        """What EC2 knows of an instance now; None where there is none."""
        self._must_be_open()
        with self._gate.lock:
            return store.instance(instance_id)

    def mint_instance_session(self, instance_id: str) -> Session:
        """Fresh credentials of the role on an instance; raises what `instance_role.mint_session` raises."""
        with self._gate.lock:
            return mint_session(instance_id, self.clock.now, self._sessions)

    # -- asking ------------------------------------------------------------------------------------------------------

    def why(self, error: BaseException | None = None) -> Explanation:
        """The last refusal explained, or the call that ended in `error` (a botocore `ClientError`)."""
        if error is None:
            return Explanation(self.trail.last_refusal())
        response = getattr(error, "response", {})
        request_id = response.get("ResponseMetadata", {}).get("RequestId", "")
        event = self.trail.by_request_id(request_id) if request_id else None
        if event is None:
            raise ValueError(
                "This error did not come from a call of this world, so there is nothing to explain. "
                "Pass the ClientError itself, as `except ClientError as error: aws.why(error)` has it."
            )
        return Explanation(event)

    def serve(self) -> Endpoint:
        """The loopback endpoint for other processes – the AWS CLI, other SDKs – and the environment they need."""
        if in_browser():
            raise not_in_browser("A browser opens no sockets, so no other process can call the lab.")
        if self._endpoint is None:
            raise RuntimeError("No loopback socket could be opened here, so no other process can call this world.")
        return self._endpoint

    def _answer_other_process(self, raw: RawRequest) -> RawAnswer:
        return self._gate.answer(raw, signed_by=lambda signed: sender_time(signed, self.clock.now, self.clock.real_now))

    def _instance_metadata(self, instance_id: str, method: str, path: str, headers: Mapping[str, str]) -> RawAnswer:
        try:
            return self.instance(instance_id).metadata.answer(method, path, headers)
        except LookupError as error:
            return RawAnswer(404, {"Content-Type": "text/plain"}, f"{error.args[0]}\n".encode())

    def __repr__(self) -> str:
        names = ", ".join(f"{account.name} {account.id}" for account in self._accounts.values()) or "no account yet"
        state = "open" if Cloud.running is self else "stopped"
        return f"A mocked AWS, {state}: {names}; {self.clock.now:%Y-%m-%d %H:%M} UTC; {len(self.trail)} calls."


def _meet_the_gate(request: Any, event_name: str, **_event: Any) -> AWSResponse:
    """botocore's `before-send` handler: every request of this process is answered here and sent nowhere."""
    world = Cloud.running
    if world is None:
        raise RuntimeError(
            "This client belongs to a lab that has been stopped, and it never talks to the real AWS. "
            "Start a Cloud and make a new client."
        )
    answer = world._gate.answer(RawRequest.from_botocore(request), event_name.split(".")[1])
    return AWSResponse(request.url, answer.status, answer.headers, Body(answer.body))


if hasattr(os, "register_at_fork"):  # not on Windows
    _forking = ExitStack()

    def _finish_the_call() -> None:
        """A fork waits for the end of a call: its child finds a world that is whole and a lock that is free."""
        if Cloud.running is not None:
            _forking.enter_context(Cloud.running._gate.lock)

    os.register_at_fork(before=_finish_the_call, after_in_parent=_forking.close, after_in_child=_forking.close)
