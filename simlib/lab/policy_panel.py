"""A role's permissions policy to edit, with AWS's answer to a few requests after every keystroke.

`PolicyPanel` is plain Python: a text, what is wrong with it, and rows of verdicts. `policy_view` puts it on the screen.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simlib.iam import Evaluation, Policy, PolicyError, PolicySet, Problem, Request, evaluate

from .attempts import attempt
from .markup import card, escape, table, verdict, verdict_text
from .world import Attached, attached_to_role, bucket_policies, request_context

_PLACES = {
    "RESOURCE_CONTROL_POLICY": "a resource control policy",
    "SERVICE_CONTROL_POLICY": "a service control policy",
    "VPC_ENDPOINT": "a VPC endpoint policy",
    "RESOURCE": "the resource's own policy",
    "PRINCIPAL": "",
    "PERMISSIONS_BOUNDARY": "the permissions boundary",
    "SESSION": "the session policy",
}


@dataclass(frozen=True)
class Row:
    """One request and its verdict."""

    action: str
    resource: str
    evaluation: Evaluation

    @property
    def allowed(self) -> bool:
        return self.evaluation.allowed

    @property
    def word(self) -> str:
        """The verdict in one or two words: an explicit deny is told from a lacking allow."""
        return {"ALLOW": "Allowed", "EXPLICIT_DENY": "Denied"}.get(self.evaluation.effect, "Not allowed")

    @property
    def decided_by(self) -> str:
        """The statement that decides, by its place and name: "statement 1 of read-bucket"."""
        for check in self.evaluation.checks:
            if check.effect != self.evaluation.effect:
                continue
            for matched in check.matched_policies:
                for statement in matched.statements:
                    return _name(statement, matched.policy, _PLACES.get(check.check_type, ""))
        return "no statement allows it"


def _name(statement: Any, policy: Policy, place: str) -> str:
    sid = f" “{statement.sid}”" if statement.sid else ""
    return f"statement {statement.index + 1}{sid} of {place or policy.name}"


class PolicyPanel:
    """One inline policy of a role, editable, and what the role may do with it.

    `requests` are (action, resource ARN) pairs, asked as the role's session would ask them; every other policy of the
    role, and the policies of the buckets asked about, count as they stand in the world. Nothing is changed there until
    `save()`.
    """

    def __init__(
        self, world: Any, *, account: Any, role: str, policy: str, requests: Sequence[tuple[str, str]]
    ) -> None:
        self.world, self.account, self.role, self.policy = world, account, role, policy
        self.requests = tuple(requests)
        self.text = ""
        self.problem: Problem | None = None
        self.rows: tuple[Row, ...] = ()
        self.note = ""
        self.on_change: Callable[[], None] | None = None
        self._attached: Attached
        self._resource_policies: Mapping[str, Policy] = {}
        self.reload()

    def reload(self) -> None:
        """Begin again with what the world holds now."""
        admin = self.account.admin
        self._attached = attached_to_role(admin, self.role, without=self.policy)
        self._resource_policies = bucket_policies(admin, [resource for _, resource in self.requests])
        document = attempt(admin.client("iam").get_role_policy, RoleName=self.role, PolicyName=self.policy)
        self.rows, self.note = (), ""
        self.edit(json.dumps(document["PolicyDocument"], indent=2) if document.allowed else "")

    def edit(self, text: str) -> None:
        """Take a new text; one that is no policy leaves the last verdicts standing and names its first problem."""
        self.text = text
        try:
            edited = Policy.parse(text, "identity", name=self.policy)
        except PolicyError as error:
            self.problem = error.problems[0]
        else:
            self.problem = None
            self.rows = tuple(self._decide(action, resource, edited) for action, resource in self.requests)
        if self.on_change:
            self.on_change()

    def _decide(self, action: str, resource: str, edited: Policy) -> Row:
        role = self._attached
        session = f"arn:aws:sts::{self.account.id}:assumed-role/{self.role}/lesson"
        request = Request(
            session,
            action,
            resource,
            resource_account=self.account.id,
            context=request_context(self.world),
            role_arn=role.role_arn,
        )
        bucket = resource.partition("/")[0]
        policies = PolicySet(
            identity=(*role.policies, edited),
            permissions_boundary=role.boundary,
            resource=self._resource_policies.get(bucket),
        )
        return Row(action, resource, evaluate(request, policies))

    def save(self) -> None:
        """Put the text into the world through AWS's own API; what AWS would refuse is refused here."""
        iam = self.account.admin.client("iam")
        saved = attempt(iam.put_role_policy, RoleName=self.role, PolicyName=self.policy, PolicyDocument=self.text)
        self.note = f"Saved to the role {self.role}." if saved.allowed else f"AWS refused it: {saved.message}"
        if self.on_change:
            self.on_change()

    # -- as text and as HTML ------------------------------------------------------------------------------------------

    @property
    def problem_text(self) -> str:
        """What keeps the text from being a policy, with its place; empty when it is one."""
        if self.problem is None:
            return ""
        problem = self.problem
        place = f"Line {problem.line}, column {problem.column}: " if problem.line is not None else ""
        where = f"{problem.path}: " if problem.path and problem.line is None else ""
        advice = f" – {problem.suggestion}" if problem.suggestion else ""
        return f"{place}{where}{problem.message}{advice}"

    def __str__(self) -> str:
        rows = [f"{verdict_text(r.allowed, r.word):<14} {r.action} on {r.resource}: {r.decided_by}" for r in self.rows]
        stale = [f"Not a policy yet. {self.problem_text}", "Last verdicts:"] if self.problem else []
        title = f"What the role {self.role} may do with the policy {self.policy}"
        return "\n".join([title, *stale, *rows, "", self.text])

    __repr__ = __str__

    @property
    def html(self) -> str:
        """The verdicts, or the last ones and what is wrong."""
        rows = [
            [
                f"<code>{escape(row.action)}</code>",
                f"<code>{escape(row.resource)}</code>",
                verdict(row.allowed, row.word),
                escape(row.decided_by),
            ]
            for row in self.rows
        ]
        caption = f"What the role {self.role} may do with this policy"
        if self.problem:
            caption = "The verdicts of the last complete text"
            problem = f'<p role="status"><b>Not a policy yet.</b> {escape(self.problem_text)}</p>'
        else:
            problem = '<p role="status">This is a policy. Verdicts follow every keystroke.</p>'
        note = f'<p role="status">{escape(self.note)}</p>' if self.note else ""
        verdicts = table(["Action", "Resource", "Verdict", "Decided by"], rows, caption)
        return card(f'{problem}<div class="{"sl-stale" if self.problem else ""}">{verdicts}</div>{note}')

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        from .policy_view import policy_view

        still = f"{self.html}<pre>{escape(self.text)}</pre>"
        return {**policy_view(self), "text/html": still, "text/plain": str(self)}
