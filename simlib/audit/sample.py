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
    groups = [_entry("Group", number, f"{team}-developers", chance) for team in chance.sample(_TEAMS, 4)]
    for group in groups:
        team = group["GroupName"].removesuffix("-developers")
        group["GroupPolicyList"] = [_inline("work", *_work(number, team))]
        group["AttachedManagedPolicies"] = [_managed(each) for each in chance.sample(_READ, 2)]
    users = []
    for person in chance.sample(_PEOPLE, 12):
        user = _entry("User", number, person, chance)
        users.append(
            {**user, "GroupList": [chance.choice(groups)["GroupName"]], "UserPolicyList": [_inline("keys", _OWN_KEYS)]}
        )
    roles = []
    for index in range(48):
        team = chance.choice(_TEAMS)
        role = _entry("Role", number, f"{team}-{chance.choice(('api', 'worker', 'job', 'sync'))}-{index}", chance)
        role["AssumeRolePolicyDocument"] = _trust({"Service": chance.choice(_SERVICES)})
        role["RolePolicyList"] = [_inline("work", *_work(number, team))]
        role["AttachedManagedPolicies"] = [_managed(chance.choice(_READ))]
        roles.append(role)
    boundary = _policy(
        number, "team-boundary", {"Effect": "Allow", "Action": ["s3:*", "sqs:*", "dynamodb:*"], "Resource": "*"}
    )
    return {"UserDetailList": users, "GroupDetailList": groups, "RoleDetailList": roles, "Policies": [boundary]}


def _plant(chance: random.Random, dumps: dict[str, Any]) -> Iterator[Planted]:
    """Ways to power, and beside each one that looks like it and is none."""
    for name, number in ACCOUNTS.items():
        dump = dumps[name]
        admin = _entry("Role", number, "platform-admin", chance)
        admin["AssumeRolePolicyDocument"] = _trust({"Service": ["lambda.amazonaws.com", "codebuild.amazonaws.com"]})
        admin["AttachedManagedPolicies"] = [_managed("AdministratorAccess")]
        dump["RoleDetailList"].append(admin)
        target, (one, two, three, four) = admin["Arn"], chance.sample(dump["UserDetailList"], 4)
        one["UserPolicyList"].append(
            _inline(
                "deploy", _allow(["lambda:CreateFunction", "lambda:InvokeFunction"]), _allow("iam:PassRole", target)
            )
        )
        yield Planted("lambda-001", one["Arn"], target)
        only_sqs = {"StringEquals": {"iam:PassedToService": "sqs.amazonaws.com"}}
        two["UserPolicyList"].append(  # for another service
            _inline(
                "deploy",
                _allow(["lambda:CreateFunction", "lambda:InvokeFunction"]),
                {**_allow("iam:PassRole"), "Condition": only_sqs},
            )
        )
        three["UserPolicyList"].append(_inline("support", _allow("iam:UpdateAssumeRolePolicy", target)))
        yield Planted("iam-012", three["Arn"], target)
        four["UserPolicyList"].append(_inline("self", _allow("iam:PutUserPolicy", four["Arn"])))
        if chance.random() < 0.5:  # whatever it writes, the boundary limits
            limits = dump["Policies"][0]["Arn"]
            four["PermissionsBoundary"] = {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": limits}
            four["UserPolicyList"][-1] = _inline("self", _allow(["s3:*", "iam:PutUserPolicy"]))
        else:
            yield Planted("iam-007", four["Arn"], four["Arn"])
    partner = _entry("Role", ACCOUNTS["shop"], "partner-reports", chance)
    partner["AssumeRolePolicyDocument"] = _trust({"AWS": f"arn:aws:iam::{PARTNER}:root"})
    pipeline = _entry("Role", ACCOUNTS["tooling"], "github-deploy", chance)
    provider = f"arn:aws:iam::{ACCOUNTS['tooling']}:oidc-provider/{GITHUB}"
    pipeline["AssumeRolePolicyDocument"] = _trust({"Federated": provider}, "sts:AssumeRoleWithWebIdentity")
    gone = _entry("Role", ACCOUNTS["data"], "old-export", chance)
    gone["AssumeRolePolicyDocument"] = _trust({"AWS": f"arn:aws:iam::{ACCOUNTS['data']}:user/left-in-2023"})
    for name, role in (("shop", partner), ("tooling", pipeline), ("data", gone)):
        dumps[name]["RoleDetailList"].append(role)


def _entry(kind: str, account: str, name: str, chance: random.Random) -> dict[str, Any]:
    prefix = {"User": "AIDA", "Group": "AGPA", "Role": "AROA", "Policy": "ANPA"}[kind]
    day = f"20{chance.randint(18, 25)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
    unique = prefix + "".join(chance.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=17))
    return {
        "Path": "/", f"{kind}Name": name, f"{kind}Id": unique, "Arn": f"arn:aws:iam::{account}:{kind.lower()}/{name}",
        "CreateDate": f"{day}T09:00:00+00:00",
        f"{kind}PolicyList": [], "AttachedManagedPolicies": [],
    }  # fmt: skip


def _policy(account: str, name: str, *statements: Any) -> dict[str, Any]:
    version = {
        "VersionId": "v1",
        "IsDefaultVersion": True,
        "Document": _document(*statements),
        "CreateDate": "2024-01-01T00:00:00+00:00",
    }
    entry = _entry("Policy", account, name, random.Random(name + account))
    return {**entry, "DefaultVersionId": "v1", "UpdateDate": entry["CreateDate"], "PolicyVersionList": [version]}


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


def _inline(name: str, *statements: Any) -> dict[str, Any]:
    return {"PolicyName": name, "PolicyDocument": _document(*statements)}


def _managed(name: str) -> dict[str, str]:
    return {"PolicyName": name, "PolicyArn": f"arn:aws:iam::aws:policy/{name}"}


def _trust(principal: Any, action: str = "sts:AssumeRole") -> dict[str, Any]:
    return _document({"Effect": "Allow", "Principal": principal, "Action": action})
