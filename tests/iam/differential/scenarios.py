"""Scenarios by the thousand, each the same for the same seed: every feature of the language and of the decision.

Elements are drawn so that most of them fit the request: what never matches tests nothing.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Sequence
from typing import Any

OWN, OTHER = "111111111111", "222222222222"
ROLE, LINKED = "role/team/app", "role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"
PROVIDER = f"arn:aws:iam::{OWN}:oidc-provider/token.actions.githubusercontent.com"
SAML = f"arn:aws:iam::{OWN}:saml-provider/corporate"

CANONICAL = "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"

#: principal -> where a session came from
CALLERS = {
    f"arn:aws:iam::{OWN}:user/alice": None,
    f"arn:aws:iam::{OWN}:user/team/bob": None,
    f"arn:aws:sts::{OWN}:assumed-role/app/session-1": f"arn:aws:iam::{OWN}:role/app",
    f"arn:aws:sts::{OWN}:assumed-role/AWSServiceRoleForECS/s": f"arn:aws:iam::{OWN}:{LINKED}",
    f"arn:aws:sts::{OWN}:federated-user/carol": f"arn:aws:iam::{OWN}:user/alice",
    f"arn:aws:iam::{OWN}:root": None,
    "ec2.amazonaws.com": None,
    "lambda.amazonaws.com": None,
    "anonymous": None,
    PROVIDER: None,
    SAML: None,
}
CALLER_WEIGHTS = [6, 3, 6, 1, 2, 1, 2, 1, 1, 1, 1]

#: (action, resource with {account})
REQUESTS = [
    ("s3:GetObject", "arn:aws:s3:::bucket/alice/report.txt"),
    ("s3:PutObject", "arn:aws:s3:::bucket/team/a:b/x$y"),
    ("s3:ListBucket", "arn:aws:s3:::bucket"),
    ("s3:DeleteObject", "arn:aws:s3:::bucket/two\nlines"),
    ("s3:ListAllMyBuckets", "*"),
    ("sqs:SendMessage", "arn:aws:sqs:eu-west-1:{account}:alice-queue"),
    ("dynamodb:GetItem", "arn:aws:dynamodb:us-east-1:{account}:table/Orders"),
    ("sns:Publish", "arn:aws:sns:us-east-1:{account}:topic"),
    ("logs:PutLogEvents", "arn:aws:logs:us-east-1:{account}:log-group:/app/web:log-stream:1"),
    ("ec2:StartInstances", "arn:aws:ec2:us-east-1:{account}:instance/i-0abcdef0123456789"),
    ("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:us-east-1:{account}:secret:db-AbCdEf"),
    ("lambda:InvokeFunction", "arn:aws:lambda:us-east-1:{account}:function:hello:1"),
    ("kms:Decrypt", "arn:aws:kms:us-east-1:{account}:key/1234abcd-12ab-34cd-56ef-1234567890ab"),
    ("iam:PassRole", "arn:aws:iam::{account}:role/team/app"),
    ("sts:AssumeRole", "arn:aws:iam::{account}:role/target"),
    ("sts:TagSession", "arn:aws:iam::{account}:role/target"),
    ("sts:AssumeRoleWithWebIdentity", "arn:aws:iam::{account}:role/target"),
    ("sts:AssumeRoleWithSAML", "arn:aws:iam::{account}:role/target"),
    ("sts:GetCallerIdentity", "*"),
]
WEB_IDENTITY, WITH_SAML = 16, 17  # places in REQUESTS

#: condition key -> (values it has in requests, values policies want, families of operators)
KEYS: dict[str, tuple[Sequence[Any], Sequence[Any], str]] = {
    "aws:SourceIp": (
        ["10.1.2.3", "203.0.113.7", "2001:db8::1", "2001:DB8:0:0:0:0:0:1"],
        ["10.0.0.0/8", "203.0.113.7", "0.0.0.0/0", "2001:db8::/32", "2001:db8::1", "192.0.2.0/24"],
        "ip",
    ),
    "aws:MultiFactorAuthPresent": (["true", "false"], ["true", "false", True, False], "bool"),
    "aws:SecureTransport": (["true", "false"], ["true", "false"], "bool"),
    "aws:MultiFactorAuthAge": (["30", "300", "3600", "10.5"], ["300", 300, "300.0", "3600", "10.50"], "numeric"),
    "s3:max-keys": (["10", "1000", "-5"], ["10", 100, "-5", "1e2", "abc"], "numeric"),
    "aws:CurrentTime": (
        ["2026-11-23T12:00:00Z", "2026-01-01T00:00:00Z", "2026-11-23T14:00:00+02:00"],
        ["2026-11-23T12:00:00Z", "2026-06-01T00:00:00Z", "2026-11-23", "2027-01-01T00:00:00.000Z"],
        "date",
    ),
    "aws:EpochTime": (["1795435200", "1700000000"], ["1795435200", "1750000000", 1700000000], "date"),
    "aws:PrincipalArn": (
        [],
        [f"arn:aws:iam::{OWN}:user/*", f"arn:aws:iam::{OWN}:role/app", "arn:aws:iam::*:user/?lice"],
        "arn",
    ),
    "aws:SourceArn": (
        ["arn:aws:s3:::bucket", f"arn:aws:sns:us-east-1:{OTHER}:topic:sub", "not-an-arn"],
        [
            "arn:aws:s3:::bucket",
            "arn:aws:s3:::*",
            f"arn:aws:sns:*:{OTHER}:*",
            "arn:aws:sns:us-*-1:*:topic*",
            "arn:*:*:*:*:*",
        ],
        "arn",
    ),
    "aws:PrincipalTag/team": (
        ["red", "Red", "blue", "*", ""],
        ["red", "RED", "r*", "?ed", "*", "${aws:username}", "${aws:RequestTag/team}", "${aws:RequestTag/team, 'red'}"],
        "string",
    ),
    "aws:RequestTag/team": (["red", "blue"], ["red", "blue", "${aws:PrincipalTag/team}", "b*"], "string"),
    "s3:prefix": (
        ["alice/", "home/alice/x", "a$b"],
        ["${aws:username}/*", "alice/*", "*", "a${$}b", "home/*/?"],
        "string",
    ),
    "aws:UserAgent": (
        ["aws-cli/2 (x)", "curl/8.0+[z]"],
        ["aws-cli/*", "*[z]", "curl/8.0+[z]", "CURL/8.0+[Z]"],
        "string",
    ),
    "aws:PrincipalOrgID": (["o-abcde12345"], ["o-abcde12345", "o-other12345"], "string"),
    "sts:ExternalId": (["secret-1"], ["secret-1", "secret-2", "secret-*"], "string"),
    "aws:TagKeys": (
        [["team"], ["team", "cost"], ["cost", "owner", "team"], []],
        ["team", "cost", "t*", "owner"],
        "string",
    ),
    "dynamodb:LeadingKeys": ([["alice"], ["alice", "bob"]], ["alice", "${aws:username}", "bob"], "string"),
    "kms:Digest": (["QmluYXJ5", "AAAA"], ["QmluYXJ5", "AAAB"], "binary"),
}
MULTIVALUED = {"aws:TagKeys", "dynamodb:LeadingKeys"}
ORDER = ["Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"]
OPERATORS = {
    "string": [
        "StringEquals",
        "StringNotEquals",
        "StringEqualsIgnoreCase",
        "StringNotEqualsIgnoreCase",
        "StringLike",
        "StringNotLike",
    ],
    "numeric": [f"Numeric{each}" for each in ORDER],
    "date": [f"Date{each}" for each in ORDER],
    "bool": ["Bool"],
    "binary": ["BinaryEquals"],
    "ip": ["IpAddress", "NotIpAddress"],
    "arn": ["ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"],
}


class Scenario:
    """Draws one scenario; ``make`` gives it in the format of ``python -m simlib decide``."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.seed = seed

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def make(self) -> dict[str, Any]:
        pick = self.random
        self.principal = pick.choices(list(CALLERS), CALLER_WEIGHTS)[0]
        if self.principal in (PROVIDER, SAML):
            action, resource = REQUESTS[WEB_IDENTITY if self.principal == PROVIDER else WITH_SAML]
        else:
            action, resource = pick.choice([each for each in REQUESTS if "With" not in each[0]])
            if action.startswith("sts:") and self.principal in ("anonymous", f"arn:aws:iam::{OWN}:root"):
                action, resource = REQUESTS[0]  # STS does not talk to the one, and refuses the other
        account = OTHER if self.chance(0.3) else OWN
        self.action, self.resource = action, resource.format(account=account)
        made: dict[str, Any] = {
            "id": self.seed,
            "principal": self.principal,
            "action": action,
            "resource": self.resource,
        }
        if resource == self.resource and account == OTHER and resource != "*":
            made["resource_account"] = account
        if CALLERS[self.principal]:
            made["role_arn"] = CALLERS[self.principal]
        self.trust = action.startswith("sts:") and ":role/" in self.resource
        made["context"] = self.context()
        person = self.principal.startswith("arn:") and self.principal not in (PROVIDER, SAML)
        if person and not self.principal.endswith(":root"):
            made["identity_policies"] = [self.policy() for _ in range(pick.choice([0, 1, 1, 1, 2, 3]))]
            if self.chance(0.2):
                made["permissions_boundary"] = self.policy(generous=True)
            if ":sts:" in self.principal and self.chance(0.35):
                made["session_policies"] = [self.policy(generous=True)]
        if self.chance(0.85 if self.trust or action.startswith("kms:") else 0.5 if person else 0.85):
            made["resource_policy"] = self.policy(principal=True)
        if self.chance(0.2 if person else 0.1):
            made["scps"] = [
                [self.policy(generous=True) for _ in range(pick.choice([1, 1, 2]))]
                for _ in range(pick.choice([1, 2, 3]))
            ]
        if self.chance(0.15):
            made["rcps"] = [[self.rcp() for _ in range(pick.choice([0, 1, 1]))] for _ in range(pick.choice([1, 2, 3]))]
        if self.chance(0.1):
            made["vpc_endpoint_policies"] = [self.policy(principal=True, generous=True)]
        return made

    def context(self) -> dict[str, Any]:
        given: dict[str, Any] = {}
        for key, (values, _, _) in KEYS.items():
            if values and self.chance(0.35):
                given[key.upper() if self.chance(0.05) and "/" not in key else key] = self.random.choice(values)
        return given

    def policy(self, *, principal: bool = False, generous: bool = False) -> dict[str, Any]:
        statements = [self.statement(principal, generous) for _ in range(self.random.choice([1, 1, 2, 3]))]
        made: dict[str, Any] = {"Statement": statements[0] if len(statements) == 1 and self.chance(0.3) else statements}
        version = self.random.choices(["2012-10-17", "2008-10-17", None], [16, 1, 1])[0]
        return {"Version": version, **made} if version else made

    def rcp(self) -> dict[str, Any]:
        statement = {**self.statement(False, False), "Effect": "Deny", "Principal": "*"}
        if "NotAction" in statement:
            statement["Action"] = statement.pop("NotAction")
        return {"Version": "2012-10-17", "Statement": [statement]}

    def statement(self, principal: bool, generous: bool) -> dict[str, Any]:
        allow = self.chance(0.85 if not generous else 0.9)
        made: dict[str, Any] = {"Effect": "Allow" if allow else "Deny"}
        if self.chance(0.2):
            made["Sid"] = f"S{self.random.randrange(1000)}"
        if principal:
            if not allow and not self.trust and self.chance(0.25):
                made["NotPrincipal"] = self.principals()
            else:
                made["Principal"] = self.principals()
        made["NotAction" if self.chance(0.08) else "Action"] = self.some(self.an_action, 0.97 if generous else 0.85)
        if not (principal and self.trust):
            made["NotResource" if self.chance(0.08) else "Resource"] = self.some(
                self.a_resource, 0.95 if generous else 0.8
            )
        if self.chance(0.35 if not generous else 0.15):
            made["Condition"] = self.condition()
        return made

    def some(self, draw: Callable[[bool], str], fitting: float) -> Any:
        """One value or a list of values, of which one probably fits."""
        first = draw(self.chance(fitting))
        more = [draw(False) for _ in range(self.random.choice([0, 0, 0, 1, 2]))]
        values = [first, *more]
        self.random.shuffle(values)
        return first if not more and self.chance(0.6) else values

    def an_action(self, fitting: bool) -> str:
        if not fitting:
            return self.random.choice(
                ["s3:DeleteObject", "iam:*", "sqs:Receive*", "ec2:Describe?nstances", "dynamodb:Put*"]
            )
        service, _, verb = self.action.partition(":")
        return self.random.choice(
            [self.action, self.action, self.action.upper(), "*", f"{service}:*", f"{service}:{verb[:3]}*"]
            + [f"{service}:*{verb[3:]}", f"{service}:{verb[0]}?{verb[2:]}", f"{service}:{verb[0]}*{verb[3]}*"]
            + ["*:*"] * self.chance(0.1)
        )

    def a_resource(self, fitting: bool) -> str:
        if not fitting:
            return self.random.choice(
                [
                    "arn:aws:s3:::other/*",
                    f"arn:aws:sqs:*:{OTHER}:zzz",
                    "arn:aws:s3:::bucket/bob/*",
                    "arn:aws:ec2:*:*:volume/*",
                    "arn:aws:s3:::bucket/${aws:username}x/*",
                    "arn:aws:s3:::${nosuch:key}/*",
                ]
            )
        if self.resource == "*":
            return "*"
        head, _, tail = self.resource.rpartition(":")
        parts = self.resource.split(":", 5)
        return self.random.choice(
            [
                self.resource,
                "*",
                "*",
                f"{head}:*",
                f"{head}:{tail[:4]}*",
                f"{head}:?{tail[1:]}",
                f"{head}:*{tail[-3:]}",
                ":".join([*parts[:3], "*", "*", parts[5]]),
                self.resource.replace("alice", "${aws:username}"),
                self.resource.replace("alice", "${aws:username, 'alice'}"),
                ":".join(parts[:3]),
                f"{':'.join(parts[:4])}:*",
                self.resource.replace("$", "${$}"),
            ]
        )

    def principals(self) -> Any:
        draw = self.random.choice
        role = CALLERS[self.principal] or f"arn:aws:iam::{OWN}:role/app"
        if self.principal in (PROVIDER, SAML):
            return draw([{"Federated": self.principal}, {"Federated": [SAML, PROVIDER]}, {"AWS": OWN}, "*"])
        if self.principal.endswith("amazonaws.com"):
            return draw(
                [
                    {"Service": self.principal},
                    {"Service": ["ec2.amazonaws.com", "ecs.amazonaws.com"]},
                    {"AWS": OWN},
                    "*",
                ]
            )
        named = [self.principal] if self.principal != "anonymous" else ["*"]
        mixed = {"AWS": [named[0], f"arn:aws:iam::{OWN}:root", role], "Service": "ec2.amazonaws.com"}
        return draw(
            [
                {"AWS": named},
                {"AWS": named[0]},
                {"AWS": role},
                {"AWS": OWN},
                {"AWS": f"arn:aws:iam::{OWN}:root"},
                "*",
                {"AWS": "*"},
                {"AWS": [f"arn:aws:iam::{OWN}:user/other", OTHER]},
                {"Service": "ec2.amazonaws.com"},
                mixed,
                {"AWS": "AIDAEXAMPLEEXAMPLE123"},
                {"CanonicalUser": CANONICAL},
                {"AWS": [f"arn:aws:iam::{OWN}:root", *named]},
            ]
        )

    def condition(self) -> dict[str, Any]:
        block: dict[str, Any] = {}
        for _ in range(self.random.choice([1, 1, 1, 2])):
            key, (values, wanted, family) = self.random.choice(list(KEYS.items()))
            operator = "Null" if self.chance(0.08) else self.random.choice(OPERATORS[family])
            if operator == "Null":
                chosen: Any = self.random.choice(["true", "false", True])
            else:
                count = 1 if family == "bool" else self.random.choice([1, 1, 2, 3])
                chosen = self.random.sample(list(wanted), min(count, len(wanted)))
                if values and family == "string" and self.chance(0.4):  # what the request may well have
                    value = self.random.choice(values)
                    chosen.extend(value if isinstance(value, list) else [value])
                chosen = chosen[0] if len(chosen) == 1 and self.chance(0.6) else chosen
                if self.chance(0.9 if key in MULTIVALUED else 0.12):
                    operator = f"{self.random.choice(['ForAllValues', 'ForAnyValue'])}:{operator}"
                if self.chance(0.15):
                    operator += "IfExists"
            block.setdefault(operator, {})[key.lower() if self.chance(0.05) else key] = chosen
        return block


def scenario(seed: int) -> dict[str, Any]:
    """The scenario of a seed; nothing in it is shared with another."""
    return copy.deepcopy(Scenario(seed).make())
