"""What stands out in a world: who gets in from outside, and who can become more than they are.

As IAM Access Analyzer's external access findings, with evidence and the lesson that explains them.
AWS pages: UG/access-analyzer-findings, UG/confused-deputy, UG/id_roles_create_for-idp_oidc,
UG/id_roles_providers_oidc_secure-by-default.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import networkx as nx

from simlib.audit.arns import account_of, name_of, principals_of
from simlib.audit.escalation import Finder, Way
from simlib.audit.facts import ANYWHERE, DELIVERIES, Facts, merged
from simlib.audit.graph import AccessMap
from simlib.cloud.credentials.lifetimes import ACCESS_KEY, VALID
from simlib.iam import Statement
from simlib.iam.difference import newly_allowed
from simlib.iam.principals import BUILT_IN_PROVIDERS
from simlib.iam.public_access import is_public
from simlib.lessons import LESSONS

if TYPE_CHECKING:
    from simlib.cloud import Cloud

OLD = timedelta(days=90)  # an access key that AWS advises to rotate: UG/id_credentials_access-keys_update
MOST_COMPARED = 300  # policies of two, each in some hundredths of a second; what more there is counts as gained
RULES: dict[str, tuple[str, str, str]] = tomllib.loads(Path(__file__).with_name("exposures.toml").read_text("utf-8"))
#: Roles that Organizations, Control Tower and StackSets make for the management and the audit account:
#: organizations/latest/userguide/orgs_manage_accounts_access, controltower/latest/userguide/roles-how,
#: AWSCloudFormation/latest/UserGuide/stacksets-prereqs.
_MADE_BY_AWS = re.compile(
    r"OrganizationAccountAccessRole|AWSControlTowerExecution|aws-controltower-\w+|stacksets-exec-[0-9a-f]{32}"
    r"|AWSCloudFormationStackSetExecutionRole"
)
#: Claims that say whose tokens are meant: of providers in general, and of those that are one for all of the world.
_CLAIMS = ("sub", "job_workflow_ref", "repository", "repository_id", "repository_owner", "repository_owner_id")
_CLAIMS_OF_ALL = ("aud", "app_id", "sub")
GITHUB = "token.actions.githubusercontent.com"


class Exposure(NamedTuple):
    """One finding: its rule (a row of `exposures.toml`), the ARN it is about, what is so, the evidence (a statement of
    a policy), and the ways to power it is about, the plainest first."""

    rule: str
    subject: str
    what: str
    evidence: str = ""
    ways: tuple[Way, ...] = ()

    @property
    def level(self) -> str:
        """``error``, ``warning`` or ``note``."""
        return RULES[self.rule][0]

    @property
    def lesson(self) -> str:
        """The notebook that explains it, without its ending."""
        return LESSONS[RULES[self.rule][2]].name

    @property
    def sentence(self) -> str:
        return f"{in_words([self.subject])}: {self.what}"


def names_of(arns: Iterable[str], most: int = 4) -> str:
    """The last parts of ARNs: "ada, ben and 3 more"."""
    names = [name_of(arn) for arn in arns]
    last = names[-1] if len(names) <= most else f"{len(names) - most + 1} more"
    return " and ".join(filter(None, (", ".join(names[: min(len(names), most) - 1]), last)))


def in_words(arns: Sequence[str]) -> str:
    """ARNs of one account in a sentence: "ada, ben and chen of account 111111111111", "bucket photos"."""
    service, account = arns[0].split(":")[2], account_of(arns[0])
    kind = {"iam": "", "s3": "bucket "}.get(service, f"{service} ")
    return f"{kind}{names_of(arns)}{f' of account {account}' if account else ''}"


class Audit:
    """A world, what stands out in it, and the ways that are behind that; each looked for when first asked."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud, self.facts = cloud, Facts(cloud, circumstances=ANYWHERE)
        self.finder = Finder(self.facts)
        self._compared: dict[tuple[tuple[int, ...], ...], bool] = {}

    @cached_property
    def access(self) -> AccessMap:
        """The graph of who leads to whom."""
        return AccessMap(self.facts)

    @cached_property
    def administrators(self) -> dict[str, tuple[str, ...]]:
        """Who may do whatever the account's root user may, by ARN, and under which conditions."""
        needs_by_arn = {arn: self.finder.administrator(arn, each) for arn, each in self.facts.identities.items()}
        return {arn: needs for arn, needs in needs_by_arn.items() if needs is not None}

    @cached_property
    def all_ways(self) -> list[Way]:
        """Every way of everybody; what is found stays when the world is closed."""
        return [way for arn, each in self.facts.identities.items()
                for way in self.finder.ways(each, brief=arn in self.administrators)]  # fmt: skip

    @property
    def ways(self) -> list[Way]:
        """Every way to power; administrators have none left to go."""
        return [way for way in self.all_ways if way.id != "sts-001"]

    @property
    def assumes(self) -> list[Way]:
        """Every user and role that may assume a role."""
        return [way for way in self.all_ways if way.id == "sts-001"]

    @cached_property
    def exposures(self) -> list[Exposure]:
        """Every finding, the gravest first."""
        rules = list(RULES)
        exposures = [*self._of_ways(), *self._of_policies(), *self._of_keys(), *self._of_nobody()]
        return sorted(exposures, key=lambda each: (rules.index(each.rule), each.subject not in self.administrators))

    # -- who becomes more ----------------------------------------------------------------------------------------------

    @cached_property
    def _powerful(self) -> set[str]:
        """Who is an administrator or can become one, if by several steps."""
        leads = nx.DiGraph([(arn, "any") for arn in ("nobody", *self.administrators)])
        sure = [way for way in self.all_ways if not way.is_supposed]
        leads.add_edges_from((way.principal, "any" if way.gains == "any" else way.target) for way in sure)
        return set(nx.ancestors(leads, "any"))

    def _adds(self, way: Way) -> bool:
        """Whether a target's policies allow something that the principal's do not; where that is not known, they do."""
        principal, target = (self.facts.identities.get(arn) for arn in (way.principal, way.target))
        if principal is None or target is None or principal.of_kind("boundary"):
            return True
        pair = tuple(tuple(map(id, each.of_kind("identity"))) for each in (target, principal))
        if pair not in self._compared:
            new, old = (merged(each.of_kind("identity"), "identity") for each in (target, principal))
            many = len(self._compared) >= MOST_COMPARED
            self._compared[pair] = many or next(newly_allowed(new, old), None) is not None
        return self._compared[pair]

    def _of_ways(self) -> Iterator[Exposure]:
        by_principal: dict[tuple[str, bool], list[Way]] = {}
        for way in self.ways:
            power = not way.is_supposed and (way.gains == "any" or way.target in self._powerful)
            if power or self._adds(way):
                by_principal.setdefault((way.principal, power), []).append(way)
        for (principal, power), ways in by_principal.items():
            ways.sort(
                key=lambda way: (len(way.needs), way.target not in {*self.administrators, principal}, len(way.asks))
            )
            best, more = ways[0], f", or {len(ways) - 1} other way{'s' * (len(ways) > 2)}" if len(ways) > 1 else ""
            rule = "path-to-power" if power else "takes-over"
            yield Exposure(rule, principal, best.summary + more, _behind(best), tuple(ways))

    # -- who gets in from outside --------------------------------------------------------------------------------------

    def _of_policies(self) -> Iterator[Exposure]:
        for arn in [*self.facts.identities, *self.facts.things]:
            policy, whose = self.facts.policy_of(arn), "its trust policy" if ":role/" in arn else "its policy"
            if policy and is_public(policy):
                yield self._exposure("public-access", arn, "everybody", "", whose)
            for each in policy.statements if policy else ():
                if each.effect == "Allow" and each.principals is not None and not each.not_principal:
                    evidence = f"statement {each.index + 1} of {whose}"
                    for name in sorted(each.principals.names.get("AWS", frozenset()) - {"*"}):
                        yield from self._of_principal(arn, name, each, evidence)
                    for name in sorted(each.principals.names.get("Federated", ())):
                        if issuer := _open_to_all(name, each):
                            who, why = f"any token of {issuer}", ": no condition says whose tokens are meant"
                            yield self._exposure("oidc-without-subject", arn, who, why, evidence)

    def _exposure(self, rule: str, arn: str, who: str, why: str, evidence: str) -> Exposure:
        power = " as an administrator" if arn in self.administrators else ""
        return Exposure(rule, arn, f"{who} gets in{power}{why}", evidence)

    def _of_principal(self, arn: str, name: str, statement: Statement, evidence: str) -> Iterator[Exposure]:
        """What is to be said of a user, role or account that a policy lets in."""
        account, is_role = account_of(name), ":role/" in arn
        one = re.search(r":(user|role|assumed-role)/", name)
        who = f"{one[1]} {in_words([name])}" if one else f"account {account}"
        service, usual = DELIVERIES.get(account, ("", frozenset[str]()))
        who += f" ({service})" if service else ""
        if not account:
            kind = "role" if name.startswith("AROA") else "user"
            what = f"{name} is trusted, the ID that stays where a {kind} was deleted"
            yield Exposure("dangling-trust", arn, what, evidence)
        elif account in self.facts.names:
            is_gone = one and one[1] != "assumed-role" and name not in self.facts.identities
            if is_gone and account in self.facts.of_account:  # an organization names accounts whose dumps are not here
                yield Exposure("dangling-trust", arn, f"{who} is trusted and does not exist", evidence)
        elif not statement.demands(("aws:principalorgid", "aws:principalorgpaths"), _is_some):
            if is_role and _MADE_BY_AWS.fullmatch(name_of(arn)):
                rule, why = "organization-access", "; check that it is the management or audit account"
            elif is_role and statement.demands(("sts:externalid",), _is_some):
                rule, why = "partner-access", ", with an external ID"
            elif is_role:
                rule, why = "confused-deputy", ", without a condition on sts:ExternalId"
            else:
                rule, why = "external-access", ""
            if usual and not statement.not_action and usual.issuperset(map(str.lower, statement.actions.texts)):
                rule, why = "log-delivery", ", which is AWS's own and may do no more than deliver"
            yield self._exposure(rule, arn, who, why, evidence)

    def _of_nobody(self) -> Iterator[Exposure]:
        """Roles whom nobody here may assume, though their trust policies name somebody who is there."""
        assumed = {way.target for way in self.assumes}
        for arn, each in self.facts.identities.items():
            if each.kind == "role" and arn not in assumed:
                names = principals_of(each.trust)
                outside = any(kind == "Federated" or name == "*" or account_of(name) not in {"", *self.facts.of_account}
                              for kind, name in names if kind != "Service")  # fmt: skip
                if not outside and not any(
                    kind == "Service" and self.finder.trust_of(name, arn) for kind, name in names
                ):
                    what = "nobody may assume it: whom it trusts is not there, or lacks the permission"
                    yield Exposure("nobody-assumes", arn, what, "its trust policy")

    def _of_keys(self) -> Iterator[Exposure]:
        now = self.cloud.clock.now
        keys = [key for key in self.cloud.credentials() if key.kind == ACCESS_KEY and key.state(now) == VALID]
        for key in keys:
            if key.arn in self.facts.identities and now - key.born > OLD:
                yield Exposure("old-access-key", key.arn, f"an access key is {(now - key.born).days} days old")


def _open_to_all(name: str, statement: Statement) -> str:
    """The issuer whose tokens all get in, of those of a provider that a role trusts; "" where a condition chooses."""
    issuer = name.partition(":oidc-provider/")[2] or (name if name in BUILT_IN_PROVIDERS else "")
    claims = _CLAIMS_OF_ALL if name in BUILT_IN_PROVIDERS else _CLAIMS

    def fixed(_: str, value: str) -> bool:
        """Whether what stands before a wildcard names somebody: of `repo:acme*` GitHub has many."""
        head = re.split(r"[*?]", value)[0]
        return head == value or ("/" in head if issuer == GITHUB else bool(head.partition(":")[2]))

    keys = [f"{issuer}:{claim}".lower() for claim in claims]
    return "" if statement.demands(keys, fixed) else issuer


def _is_some(_: str, value: str) -> bool:
    """Whether a value is not every value."""
    return bool(value.strip("*?"))


def _behind(way: Way) -> str:
    """The statements that allow a way: "statement 2 of deploy"."""
    deciding = [each for evaluation in way.evaluations for each in evaluation.deciding.statements]
    stored = [each for each in deciding if each.policy.kind == "identity"]
    names = (f'statement {each.statement.index + 1} of "{name_of(each.policy.name)}"' for each in stored)
    return ", ".join(dict.fromkeys(names))
