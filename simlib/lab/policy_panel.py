"""A role's permissions policy to edit, with AWS's answer to a few requests after every keystroke.

`PolicyPanel` is plain Python: a text, what is wrong with it, and rows of verdicts. `policy_view` puts it on the screen.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simlib.iam import Evaluation, Policy, PolicyError, PolicySet, Problem, Request, evaluate
from simlib.iam.json_text import read
from simlib.iam.validation import problems

from .attempts import attempt
from .markup import card, escape, table, verdict, verdict_text
from .world import Attached, attached_to_role, bucket_policies, request_context

MOST_PROBLEMS = 3  # of one text are shown; the next come up when these are solved


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
        """The statement that decides, "Decided by Allow statement 1 of read-bucket", or that there is none."""
        wanted = "Deny" if self.evaluation.effect == "EXPLICIT_DENY" else "Allow"
        deciding = {check.check_type for check in self.evaluation.checks if check.effect == self.evaluation.effect}
        for statement in self.evaluation.statements if self.evaluation.effect != "IMPLICIT_DENY" else ():
            if statement.check_type in deciding and statement.statement.effect == wanted and statement.matched:
                return f"Decided by {statement.title}"
        return "No statement allows it"

    @property
    def near_misses(self) -> list[str]:
        """Where nothing allows: why each Allow statement of the role does not match."""
        if self.evaluation.effect != "IMPLICIT_DENY":
            return []
        missed = [each for each in self.evaluation.statements if each.statement.effect == "Allow" and not each.matched]
        return [str(each.sentence).replace("`", "") for each in missed][:3]


def _read(text: str) -> tuple[Problem, ...]:
    """What AWS would save and still be wrong about a text; raises `PolicyError` for what it would not save."""
    located = read(text)
    found = problems(located.value, "identity", located, stored_as="role")
    errors = [problem for problem in found if problem.level == "error"]
    if errors:
        raise PolicyError(errors)
    return tuple(found)


def _told(problem: Problem) -> str:
    """A problem with its place and its remedy."""
    place = f"Line {problem.line}, column {problem.column}: " if problem.line is not None else ""
    where = f"{problem.path}: " if problem.path and problem.line is None else ""
    advice = f" – {problem.suggestion}" if problem.suggestion else ""
    return f"{place}{where}{problem.message.rstrip('.')}{advice}."


def _question(row: Row) -> str:
    """A request and what decides it, as HTML."""
    request = f'<code>{escape(row.action)}</code> <code class="sl-dim">{escape(row.resource)}</code>'
    missed = [f'<span class="sl-dim">{escape(reason)}</span>' for reason in row.near_misses]
    return "<br>".join([request, escape(row.decided_by), *missed])


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
        self.problems: tuple[Problem, ...] = ()
        self.warnings: tuple[Problem, ...] = ()
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
        """Take a new text; one that is no policy leaves the last verdicts standing and says what is wrong."""
        self.text = text
        try:
            self.warnings = _read(text)
            edited = Policy.parse(text, "identity", name=self.policy)
        except PolicyError as error:
            self.problems, self.warnings = error.problems, ()
        else:
            self.problems = ()
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
        """What keeps the text from being a policy, a line for each place; empty when it is one."""
        return "\n".join(_told(problem) for problem in self.problems[:MOST_PROBLEMS])

    def __str__(self) -> str:
        rows = []
        for row in self.rows:
            head = f"{verdict_text(row.allowed, row.word):<13} {row.action} on {row.resource}"
            rows += [head, *(f"    {line}" for line in (row.decided_by, *row.near_misses))]
        stale = [f"Not a policy yet. {self.problem_text}", "Last verdicts:"] if self.problems else []
        stale += [f"Careful. {_told(warning)}" for warning in self.warnings[:MOST_PROBLEMS]]
        title = f"What the role {self.role} may do with the policy {self.policy}"
        return "\n".join([title, *stale, *rows, "", self.text])

    __repr__ = __str__

    @property
    def html(self) -> str:
        """The verdicts, or the last ones and what is wrong."""
        rows = [[verdict(row.allowed, row.word), _question(row)] for row in self.rows]
        caption = f"What the role {self.role} may do with this policy"
        if self.problems:
            caption = "The verdicts of the last complete text"
            problem = (
                f'<p role="status"><b>Not a policy yet.</b> {"<br>".join(escape(self.problem_text).splitlines())}</p>'
            )
        else:
            problem = '<p role="status">This is a policy. The verdicts follow every keystroke.</p>'
            problem += "".join(
                f"<p><b>Careful.</b> {escape(_told(warning))}</p>" for warning in self.warnings[:MOST_PROBLEMS]
            )
        note = f'<p role="status">{escape(self.note)}</p>' if self.note else ""
        verdicts = table(["Verdict", "Request, and what decides it"], rows, caption)
        return card(f'{problem}<div class="{"sl-stale" if self.problems else ""}">{verdicts}</div>{note}')

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        from .policy_view import policy_view

        still = f"{self.html}<pre>{escape(self.text)}</pre>"
        return {**policy_view(self), "text/html": still, "text/plain": str(self)}
