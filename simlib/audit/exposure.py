"""Who from outside gets in, and what opens more than it should: findings about the policies of a world.

As IAM Access Analyzer's external access findings, with evidence and the lesson that explains them.
AWS pages: UG/access-analyzer-findings, UG/confused-deputy, UG/id_roles_create_for-idp_oidc.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from simlib.audit.escalation import Way, find
from simlib.cloud.storage import iam_entities
from simlib.iam import Policy, Statement
from simlib.iam.principals import BUILT_IN_PROVIDERS
from simlib.iam.public_access import is_public
from simlib.lessons import LESSONS

if TYPE_CHECKING:
    from simlib.cloud import Cloud
    from simlib.cloud.inspection import Document

OLD = timedelta(days=90)  # an access key that AWS advises to rotate: UG/id_credentials_access-keys_update
RULES = {  # code → level, what it is about, lesson
    "public-access": ("error", "everybody gets in", "buckets"),
    "external-access": ("warning", "another account gets in", "accounts"),
    "confused-deputy": ("warning", "a third party gets in without an external ID", "partners"),
    "oidc-without-subject": ("error", "any identity of the provider gets in", "pipelines"),
    "dangling-trust": ("warning", "somebody is trusted who does not exist", "names"),
    "old-access-key": ("warning", "a long-lived key where a role would do", "users"),
    "path-to-power": ("error", "somebody can become more than they are", "machines"),
}


class Exposure(NamedTuple):
    """One finding: its rule in `RULES`, the ARN it is about, a sentence, and the evidence (a statement of a policy)."""

    rule: str
    subject: str
    sentence: str
    evidence: str = ""

    @property
    def level(self) -> str:
        """``error`` or ``warning``."""
        return RULES[self.rule][0]

    @property
    def lesson(self) -> str:
        """The notebook that explains it, without its ending."""
        return LESSONS[RULES[self.rule][2]].name


def exposures(cloud: Cloud, ways: Iterable[Way] | None = None) -> list[Exposure]:
    """Every finding about a world, those about policies first; `ways` are those of `escalation.find`, if known."""
    known = {each.arn for each in cloud.inspect.principals() if each.account and each.kind != "outside"}
    accounts = {arn.split(":")[4] for arn in known}
    found = [
        each
        for arn in cloud.inspect.resources()
        for document in cloud.inspect.documents(arn)
        if document.place.kind in ("trust", "resource") and document.place.owner == arn
        for each in _of_policy(arn, document, known, accounts)
    ]
    return [
        *found,
        *_keys(cloud, accounts),
        *(_of_way(way) for way in (find(cloud) if ways is None else ways) if way.id != "sts-001"),
    ]


def _of_policy(arn: str, document: Document, known: set[str], accounts: set[str]) -> Iterator[Exposure]:
    kind = "trust" if document.place.kind == "trust" else "key" if ":kms:" in arn else "resource"
    policy = Policy.parse(document.text, kind, name=document.name)
    if is_public(policy):
        yield Exposure("public-access", arn, f"{arn}: its policy lets everybody in", document.name)
    for statement in policy.statements:
        if statement.effect == "Allow" and statement.principals is not None and not statement.not_principal:
            evidence = f"statement {statement.index + 1} of {document.name}"
            for name in sorted(statement.principals.names.get("AWS", ())):
                if name != "*":
                    yield from _of_principal(arn, name, statement, evidence, known, accounts)
            for name in sorted(statement.principals.names.get("Federated", ())):
                issuer = name.partition(":oidc-provider/")[2] or (name if name in BUILT_IN_PROVIDERS else "")
                if issuer and not _narrows(
                    statement, *(f"{issuer}:{claim}".lower() for claim in ("sub", "amr", "job_workflow_ref"))
                ):
                    sentence = f"{arn} trusts {issuer} without a condition on whose tokens are meant"
                    yield Exposure("oidc-without-subject", arn, sentence, evidence)


def _of_principal(
    arn: str, name: str, statement: Statement, evidence: str, known: set[str], accounts: set[str]
) -> Iterator[Exposure]:
    account = name if name.isdigit() else name.split(":")[4] if name.count(":") >= 5 else ""
    if not account or (
        account in accounts and ":assumed-role/" not in name and name.count(":") >= 5 and name not in known
    ):
        yield Exposure("dangling-trust", arn, f"{arn} lets {name} in, and there is nobody of that name", evidence)
    elif account not in accounts and not _narrows(statement, "aws:principalorgid", "aws:principalorgpaths"):
        yield Exposure("external-access", arn, f"{arn} lets {name} in, of an account that is not here", evidence)
        if ":role/" in arn and not _narrows(statement, "sts:externalid"):
            sentence = f"{arn} trusts the account {account} without a condition on sts:ExternalId"
            yield Exposure("confused-deputy", arn, sentence, evidence)


def _narrows(statement: Statement, *keys: str) -> bool:
    """Whether a condition holds one of these keys to values that are not every value."""
    return any(
        each.key in keys
        and not each.operator.negated
        and not each.operator.if_exists
        and each.operator.base.startswith("String")
        and not any(value.strip("*?") == "" for value in each.wanted)
        for each in statement.conditions
    )


def _keys(cloud: Cloud, accounts: set[str]) -> Iterator[Exposure]:
    now = cloud.clock.now.replace(tzinfo=None)
    for account in sorted(accounts):
        for user in iam_entities.backend(account).users.values():
            for key in user.access_keys:
                if key.status == "Active" and now - key.create_date > OLD:
                    days = (now - key.create_date).days
                    yield Exposure("old-access-key", user.arn, f"{user.name} has an access key that is {days} days old")


def _of_way(way: Way) -> Exposure:
    return Exposure("path-to-power", way.principal, way.sentence, way.id)
