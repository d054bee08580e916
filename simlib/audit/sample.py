"""A dump of accounts that never were, to try the tools on: 5 accounts, 300 users and roles, some ways to power planted.

The same seed makes the same files. Names, numbers and IDs are made up; the shape is that of
`aws iam get-account-authorization-details`.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

ACCOUNTS = {"tooling": "100000000001", "shop": "100000000002", "data": "100000000003", "sandbox": "100000000004"}
MANAGEMENT = "100000000000"
PARTNER = "900000000009"
GITHUB = "token.actions.githubusercontent.com"
_TEAMS = ("checkout", "search", "billing", "fraud", "stock", "mail", "maps", "growth")
_PEOPLE = ("ada", "ben", "chen", "dara", "eli", "fay", "gus", "hana", "ivo", "june", "kai", "lea", "mo", "nia", "otto")
_SERVICES = ("lambda.amazonaws.com", "ecs-tasks.amazonaws.com", "states.amazonaws.com", "events.amazonaws.com")
_READ = ("AmazonS3ReadOnlyAccess", "CloudWatchReadOnlyAccess", "AmazonDynamoDBReadOnlyAccess", "AWSXrayReadOnlyAccess")


class Planted(NamedTuple):
    """What somebody should find: the row of `escalation.toml`, who has it, and through whom."""

    way: str
    principal: str
    target: str


def sample(seed: int = 7) -> tuple[dict[str, Any], list[Planted]]:
    """The dump of each account by its file's name, and the ways that were planted."""
    chance = random.Random(seed)
    dumps = {name: _account(chance, name, number) for name, number in {"management": MANAGEMENT, **ACCOUNTS}.items()}
    planted = list(_plant(chance, dumps))
    return {f"{name}.json": dump for name, dump in dumps.items()}, planted


def write(folder: str | Path, seed: int = 7) -> Path:
    """Write the dumps into a folder, which is made; it can be given to `Cloud.load` and `python -m simlib inspect`."""
    path = Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    for name, dump in sample(seed)[0].items():
        (path / name).write_text(json.dumps(dump, indent=1), "utf-8")
    return path


def _account(chance: random.Random, name: str, number: str) -> dict[str, Any]:
    """Sixty users and roles who may do their work, and nothing that makes them more."""

    def entry(kind: str, name: str, *managed: str, **inline: list[Any]) -> dict[str, Any]:
        return _entry(chance, kind, number, name, *managed, **inline)

    teams = chance.sample(_TEAMS, 4)
    groups = [
        entry("Group", f"{team}-developers", *chance.sample(_READ, 2), work=_work(number, team)) for team in teams
    ]
    people = [entry("User", person, keys=[_OWN_KEYS]) for person in chance.sample(_PEOPLE, 12)]
    users = [{**each, "GroupList": [chance.choice(groups)["GroupName"]]} for each in people]
    roles = []
    for index in range(48):
        team, part = chance.choice(_TEAMS), chance.choice(("api", "worker", "job", "sync"))
        role = entry("Role", f"{team}-{part}-{index}", chance.choice(_READ), work=_work(number, team))
        roles.append({**role, "AssumeRolePolicyDocument": _trust({"Service": chance.choice(_SERVICES)})})
    limits = _document(_allow(["s3:*", "sqs:*", "dynamodb:*"]))
    dates = {"CreateDate": "2024-01-01T00:00:00+00:00", "UpdateDate": "2024-01-01T00:00:00+00:00"}
    version = {"VersionId": "v1", "IsDefaultVersion": True, "Document": limits, **dates}
    boundary = {**entry("Policy", "team-boundary"), **dates, "DefaultVersionId": "v1", "PolicyVersionList": [version]}
    return {"UserDetailList": users, "GroupDetailList": groups, "RoleDetailList": roles, "Policies": [boundary]}


def _plant(chance: random.Random, dumps: dict[str, Any]) -> Iterator[Planted]:
    """Ways to power, and beside each one that looks like it and is none."""

    def role(account: str, name: str, trusted: Any, *managed: str) -> str:
        entry = _entry(chance, "Role", ACCOUNTS[account], name, *managed)
        dumps[account]["RoleDetailList"].append({**entry, "AssumeRolePolicyDocument": trusted})
        return str(entry["Arn"])

    for name in ACCOUNTS:
        services = {"Service": ["lambda.amazonaws.com", "codebuild.amazonaws.com"]}
        target = role(name, "platform-admin", _trust(services), "AdministratorAccess")
        functions = _allow(["lambda:CreateFunction", "lambda:InvokeFunction"])
        only_sqs = {"Condition": {"StringEquals": {"iam:PassedToService": "sqs.amazonaws.com"}}}
        one, two, three, four = chance.sample(dumps[name]["UserDetailList"], 4)
        own = _allow("iam:PutUserPolicy", four["Arn"])
        limited = chance.random() < 0.5  # whatever it writes, the boundary limits
        for user, policy, *statements in (
            (one, "deploy", functions, _allow("iam:PassRole", target)),
            (two, "deploy", functions, {**_allow("iam:PassRole"), **only_sqs}),  # for another service
            (three, "support", _allow("iam:UpdateAssumeRolePolicy", target)),
            (four, "self", _allow(["s3:*", "iam:PutUserPolicy"]) if limited else own),
        ):
            user["UserPolicyList"].append({"PolicyName": policy, "PolicyDocument": _document(*statements)})
        yield Planted("lambda-001", one["Arn"], target)
        yield Planted("iam-012", three["Arn"], target)
        if limited:
            four["PermissionsBoundary"] = {"PermissionsBoundaryArn": dumps[name]["Policies"][0]["Arn"]}
        else:
            yield Planted("iam-007", four["Arn"], four["Arn"])
    provider = {"Federated": f"arn:aws:iam::{ACCOUNTS['tooling']}:oidc-provider/{GITHUB}"}
    role("shop", "partner-reports", _trust({"AWS": f"arn:aws:iam::{PARTNER}:root"}))
    role("tooling", "github-deploy", _trust(provider, "sts:AssumeRoleWithWebIdentity"))
    role("data", "old-export", _trust({"AWS": f"arn:aws:iam::{ACCOUNTS['data']}:user/left-in-2023"}))


def _entry(
    chance: random.Random, kind: str, account: str, name: str, *managed: str, **inline: list[Any]
) -> dict[str, Any]:
    prefix = {"User": "AIDA", "Group": "AGPA", "Role": "AROA", "Policy": "ANPA"}[kind]
    day = f"20{chance.randint(18, 25)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
    unique = prefix + "".join(chance.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=17))
    return {
        "Path": "/", f"{kind}Name": name, f"{kind}Id": unique, "Arn": f"arn:aws:iam::{account}:{kind.lower()}/{name}",
        "CreateDate": f"{day}T09:00:00+00:00",
        f"{kind}PolicyList": [{"PolicyName": key, "PolicyDocument": _document(*each)} for key, each in inline.items()],
        "AttachedManagedPolicies": [
            {"PolicyName": each, "PolicyArn": f"arn:aws:iam::aws:policy/{each}"} for each in managed
        ],
    }  # fmt: skip


def _work(account: str, team: str) -> list[dict[str, Any]]:
    return [
        _allow(["s3:GetObject", "s3:PutObject"], f"arn:aws:s3:::{team}-*/*"),
        _allow(["dynamodb:GetItem", "dynamodb:Query"], f"arn:aws:dynamodb:*:{account}:table/{team}-*"),
        _allow("sqs:SendMessage", f"arn:aws:sqs:*:{account}:{team}-*"),
    ]


def _allow(action: Any, resource: str = "*") -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource}


_OWN_KEYS = _allow(["iam:GetUser", "iam:ListAccessKeys"], "arn:aws:iam::*:user/${aws:username}")


def _document(*statements: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _trust(principal: Any, action: str = "sts:AssumeRole") -> dict[str, Any]:
    return _document({"Effect": "Allow", "Principal": principal, "Action": action})
