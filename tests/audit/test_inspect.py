"""`python -m simlib inspect`: what stands out in somebody's own account, as text, JSON and SARIF."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from simlib import Cloud
from simlib.audit.exposure import RULES, Audit, Exposure
from simlib.audit.report import main
from tests.audit import accounts
from tests.audit.accounts import GROWN, LOGS, MANAGEMENT, MEMBER, entity, grown, member
from tests.cloud.conftest import allow, deny, document, trust
from tests.cloud.worlds.test_dumps import arn, details

GITHUB = "token.actions.githubusercontent.com"
PROVIDER = "arn:aws:iam::123456789012:oidc-provider/" + GITHUB
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
STRANGER = "arn:aws:iam::999999999999:root"


@pytest.fixture(autouse=True)
def stopped_afterwards() -> Iterator[None]:
    yield
    if Cloud.running:
        Cloud.running.stop()


def dump(tmp_path: Path, trusting: dict[str, Any], **statement: Any) -> Path:
    text = trust(trusting, **statement)
    path = tmp_path / "dump.json"
    path.write_text(json.dumps(details(RoleDetailList={"AssumeRolePolicyDocument": json.loads(text)})), "utf-8")
    return path


@pytest.mark.parametrize(
    ("trusting", "condition", "rules"),
    [
        ({"AWS": "*"}, None, ["public-access"]),
        ({"AWS": STRANGER}, None, ["confused-deputy"]),
        ({"AWS": STRANGER}, {"StringEquals": {"sts:ExternalId": "x"}}, ["partner-access"]),
        ({"AWS": STRANGER}, {"StringEqualsIfExists": {"sts:ExternalId": "x"}}, ["confused-deputy"]),
        ({"AWS": STRANGER}, {"StringEquals": {"aws:PrincipalOrgID": "o-1234567890"}}, []),
        ({"AWS": arn("user", "gone")}, None, ["dangling-trust", "nobody-assumes"]),
        ({"AWS": arn("user", "alice")}, None, []),
        ({"AWS": "AIDAAAAAAAAAAAAAAAAAA"}, None, ["dangling-trust", "nobody-assumes"]),
        ({"AWS": "123456789012"}, None, ["nobody-assumes"]),
        ({"Service": "ec2.amazonaws.com"}, None, []),
        ({"Federated": PROVIDER}, {"StringEquals": {f"{GITHUB}:aud": "sts.amazonaws.com"}}, ["oidc-without-subject"]),
        ({"Federated": PROVIDER}, {"StringLike": {f"{GITHUB}:sub": "*"}}, ["oidc-without-subject"]),
        ({"Federated": PROVIDER}, {"StringLike": {f"{GITHUB}:sub": "repo:*"}}, ["oidc-without-subject"]),
        ({"Federated": PROVIDER}, {"StringLike": {f"{GITHUB}:sub": "repo:me/app:*"}}, []),
    ],
)
def test_who_gets_in_from_outside(trusting: dict[str, Any], condition: Any, rules: list[str], tmp_path: Path) -> None:
    with Cloud.load(dump(tmp_path, trusting, **({"Condition": condition} if condition else {}))) as cloud:
        assert sorted(each.rule for each in Audit(cloud).exposures) == rules


def test_policies_of_resources_ways_to_power_and_old_keys() -> None:
    with Cloud.start() as aws:
        admin = aws.account("dev").admin
        iam = admin.client("iam")
        iam.create_user(UserName="mallory")
        iam.create_access_key(UserName="mallory")
        iam.put_user_policy(
            UserName="mallory", PolicyName="p", PolicyDocument=document(allow("iam:PutUserPolicy", "*"))
        )
        admin.client("s3").create_bucket(Bucket="open")
        admin.client("s3").delete_public_access_block(Bucket="open")
        everybody = {"AWS": "*"}
        admin.client("s3").put_bucket_policy(
            Bucket="open", Policy=document(allow("s3:GetObject", "arn:aws:s3:::open/*", Principal=everybody))
        )
        aws.clock.advance(days=100)
        rules = {(each.rule, each.subject.rpartition(":")[2]) for each in Audit(aws).exposures}
    assert {("public-access", "open"), ("path-to-power", "user/mallory"), ("old-access-key", "user/mallory")} <= rules


@pytest.mark.parametrize(
    ("principal", "action", "rule"),
    [
        ("arn:aws:iam::127311923021:root", "s3:PutObject", "log-delivery"),
        ("127311923021", "S3:putobject", "log-delivery"),
        ("127311923021", ["s3:PutObject", "s3:GetObject"], "external-access"),
        ("127311923021", "s3:Put*", "external-access"),
        ("arn:aws:iam::086441151436:root", ["s3:GetBucketAcl", "s3:PutObject"], "log-delivery"),
        ("arn:aws:iam::193672423079:user/logs", ["s3:GetBucketAcl", "s3:PutObject"], "log-delivery"),
        ("arn:aws:iam::999999999999:root", "s3:PutObject", "external-access"),
    ],
)
def test_accounts_of_aws_that_deliver_logs_are_no_external_access_unless_they_may_do_more(
    principal: str, action: Any, rule: str, tmp_path: Path
) -> None:
    (tmp_path / "dump.json").write_text(json.dumps(details()), "utf-8")
    policy = accounts.document({**allow("", "arn:aws:s3:::logs/*"), "Principal": {"AWS": principal}, "Action": action})
    (tmp_path / "logs.json").write_text(json.dumps({"Policy": json.dumps(policy)}), "utf-8")
    with Cloud.load(tmp_path) as cloud:
        audit = Audit(cloud)
        assert [each.rule for each in audit.exposures if each.subject == "arn:aws:s3:::logs"] == [rule]
        [(_, label)] = [each for each in audit.access.graph.nodes(data="label") if each[1].startswith("account ")]
        assert label.endswith(")") is (principal != "arn:aws:iam::999999999999:root"), "called by its service"


def test_a_role_that_trusts_an_account_of_aws_that_delivers_logs_is_a_finding(tmp_path: Path) -> None:
    with Cloud.load(dump(tmp_path, {"AWS": "193672423079"})) as cloud:
        [found] = Audit(cloud).exposures
        assert (found.rule, "account 193672423079 (Amazon Redshift)" in found.what) == ("confused-deputy", True)


def test_the_command_in_its_three_forms(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(dump(tmp_path, {"AWS": STRANGER}))
    assert main([path]) == 1
    text = capsys.readouterr().out
    assert "Account 123456789012: 1 user, 1 role" in text
    assert (
        "account 999999999999 gets in, without a condition on sts:ExternalId – statement 1 of its trust policy" in text
    )
    assert main([path, "--format", "json"]) == 1
    read = json.loads(capsys.readouterr().out)
    assert {each["rule"] for each in read["findings"]} == {"confused-deputy"}
    assert main([path, "--format", "sarif"]) == 1
    [run] = json.loads(capsys.readouterr().out)["runs"]
    known = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert {each["ruleId"] for each in run["results"]} <= known
    assert {each["level"] for each in run["results"]} <= {"error", "warning", "note"}


def test_a_quiet_account_and_a_file_that_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(dump(tmp_path, {"Service": "ec2.amazonaws.com"}))]) == 0
    assert capsys.readouterr().out.endswith("Nothing stands out.\n")
    (tmp_path / "none.json").write_text("hello", "utf-8")
    assert main([str(tmp_path / "none.json")]) == 2
    assert "Nothing here is a world of the lab" in capsys.readouterr().err


def test_the_paths_are_walked_when_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    inline = [{"PolicyName": "p", "PolicyDocument": json.loads(document(allow("iam:PutUserPolicy", "*")))}]
    path = tmp_path / "dump.json"
    path.write_text(json.dumps(details(UserDetailList={"UserPolicyList": inline})), "utf-8")
    assert main([str(path), "--walk"]) == 1
    assert "(iam:PutUserPolicy): walked: alice now may iam:CreateGroup" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("account", "findings", "administrators"),
    [
        (member(),
         {"takes-over": ["AWSReservedSSO_PowerUserAccess_0a2b3c4d5e6f7a8b"],  # where a stack runs as `stacks`
          "organization-access": ["AWSControlTowerExecution", "aws-controltower-AdministratorExecutionRole",
                                  "stacksets-exec-0f1e2d3c4b5a69788796a5b4c3d2e1f0"]}, 5),
        (grown(),
         {"path-to-power": ["ci", "jane.doe", "li.wei"],
          "oidc-without-subject": ["any-pod", "any-pool", "github-all", "github-prefix"],
          "takes-over": ["ci", "jane.doe", "li.wei"], "confused-deputy": ["consultant", "costs"],
          "dangling-trust": ["costs", "left-over"], "partner-access": ["monitoring"],
          "organization-access": ["OrganizationAccountAccessRole"], "nobody-assumes": ["left-over"]}, 7),
    ],
    ids=[MEMBER, GROWN],
)  # fmt: skip
def test_of_an_account_as_people_have_it_what_stands_out_is_told_and_no_more(
    account: Any,
    findings: dict[str, list[str]],
    administrators: int,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "dump.json"
    path.write_text(json.dumps(account), "utf-8")
    with Cloud.load(path) as cloud:
        audit = Audit(cloud)
        found: dict[str, list[str]] = {}
        for each in audit.exposures:
            found.setdefault(each.rule, []).append(each.subject.rpartition("/")[2])
        assert {rule: sorted(names) for rule, names in found.items()} == findings
        graveness = ["error", "warning", "note"]
        assert [*found] == sorted(found, key=lambda rule: graveness.index(RULES[rule][0])), "the gravest first"
        assert len(audit.administrators) == administrators
        assert not any("aws-service-role" in way.principal + way.target for way in audit.ways)
    main([str(path)])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) < 50
    assert all(any(name in line for line in lines) for names in findings.values() for name in names)


def test_every_rule_has_a_lesson_that_is_there() -> None:
    notebooks = Path(__file__).parents[2] / "notebooks"
    for rule in RULES:
        assert (notebooks / f"{Exposure(rule, '', '').lesson}.ipynb").exists()


# -- questions and differences -----------------------------------------------------------------------------------------

ALICE = arn("user", "alice")


def dumped(tmp_path: Path, name: str, *statements: dict[str, Any], **role: Any) -> str:
    user = {"UserPolicyList": [{"PolicyName": "p", "PolicyDocument": json.loads(document(*statements))}]}
    path = tmp_path / f"{name}.json"
    path.write_text(json.dumps(details(UserDetailList=user, RoleDetailList=role)), "utf-8")
    return str(path)


def test_what_an_edit_newly_allows_with_a_request_that_shows_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = dumped(tmp_path, "old", allow("s3:Get*", "*"))
    new = dumped(tmp_path, "new", allow(["s3:Get*", "iam:PutUserPolicy"], "*"),
                 AssumeRolePolicyDocument=json.loads(trust({"AWS": STRANGER})))  # fmt: skip
    assert main(["--compare", old, new]) == 1
    told = capsys.readouterr().out
    assert f"{ALICE} now may iam:PutUserPolicy on any resource" in told
    assert "s3:" not in told
    assert "now lets arn:aws:iam::999999999999:role/anybody sts:AssumeRole" in told
    assert "new way to power: alice of account 123456789012 writes a policy into itself" in told
    assert main(["--compare", new, old]) == 1, "the old trust policy let the service in"
    assert "iam:" not in capsys.readouterr().out.replace("arn:aws:iam:", "")
    assert main(["--compare", new, new]) == 0
    assert capsys.readouterr().out == "Nothing.\n"


def test_a_boundary_that_is_gone_no_longer_holds_anything_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = []
    for name, bound in (("old", {"PermissionsBoundary": {"PermissionsBoundaryArn": READ_ONLY}}), ("new", {})):
        user = entity("User", GROWN, "jane", own=accounts.document(allow(["sqs:ListQueues", "sqs:SendMessage"], "*")))
        paths.append(tmp_path / f"{name}.json")
        paths[-1].write_text(json.dumps({"UserDetailList": [{**user, **bound}]}), "utf-8")
    assert main(["--compare", *map(str, paths)]) == 1
    assert "now may sqs:SendMessage on any resource" in (out := capsys.readouterr().out)
    assert "ListQueues" not in out


FULL, MANAGER = accounts.document(allow("*", "*")), "210000000001"
OPEN = {"Policy": json.dumps(accounts.document({**allow("s3:GetObject", "arn:aws:s3:::open/*"), "Principal": "*"}))}


def organized(folder: Path, controls: dict[str, dict[str, Any]], **files: Any) -> str:
    """A dump of alice, and how her account's organization lies beside it: policies of its root by their IDs."""
    organization = {"Id": "o-abcdefghij", "MasterAccountId": MANAGER, "FeatureSet": "ALL"}
    members = [{"Id": each, "Name": each, "Email": "a@example.com"} for each in (MANAGER, "123456789012")]
    inline = accounts.document(allow(["s3:*", "sqs:*"], "*"))
    users = {"UserPolicyList": [{"PolicyName": "p", "PolicyDocument": inline}]}
    files = {"dump": details(UserDetailList=users), "organization": {"Organization": organization}, **files}
    files |= {"roots": {"Roots": [{"Id": "r-abcd", "Name": "Root"}]}, "accounts": {"Accounts": members}}
    for name, content in controls.items():
        kind = "RESOURCE_CONTROL_POLICY" if name.startswith("p-rcp") else "SERVICE_CONTROL_POLICY"
        summary = {"Id": name, "Name": name, "Type": kind, "AwsManaged": False,
                   "Arn": f"arn:aws:organizations::{MANAGER}:policy/o-abcdefghij/{kind.lower()}/{name}"}  # fmt: skip
        files[f"describe-policy_{name}"] = {"Policy": {"PolicySummary": summary, "Content": json.dumps(content)}}
        files[f"list-targets-for-policy-{name}"] = {"Targets": [{"TargetId": "r-abcd"}]}
    folder.mkdir()
    for name, value in files.items():
        (folder / f"{name}.json").write_text(json.dumps(value), "utf-8")
    return str(folder)


NO_QUEUES = accounts.document(allow("*", "*"), deny("sqs:*", "*"))
QUEUES, MORE = (accounts.document(allow(actions, "*")) for actions in ("sqs:*", ["sqs:*", "s3:Put*"]))
NO_BUCKETS = accounts.document({**deny("s3:*", "*"), "Principal": "*"})


@pytest.mark.parametrize(
    ("before", "after", "told", "hidden"),
    [
        ({"p-scp000": NO_QUEUES}, {}, "root and alice of account 123456789012 now may sqs:", "s3"),
        ({"p-scp000": QUEUES}, {"p-scp000": MORE},
         "root, alice and web of account 123456789012 now may s3:Put", "sqs:"),
        ({"p-scp000": QUEUES}, {"p-scp000": accounts.document(allow("iam:*", "*"))},
         "arn:aws:iam::123456789012:root now may iam:", "alice"),
        ({"p-rcp000": NO_BUCKETS}, {}, "arn:aws:s3:::open now lets anonymous s3:GetObject", "sqs:"),
        ({"p-rcp000": NO_BUCKETS}, {}, "root, alice and web of account 123456789012 now may s3:", "s3-object-lambda:"),
        ({}, {"p-scp000": NO_QUEUES}, "Nothing.", "now"),
    ],
    ids=["an SCP is gone", "an SCP allows more", "an SCP that held back what only the root user may",
         "an RCP is gone", "an RCP that held back the account's own people", "an SCP has come"],
)  # fmt: skip
def test_a_ceiling_that_is_gone_or_higher_newly_allows(
    before: Any, after: Any, told: str, hidden: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = (organized(tmp_path / name, controls, open=OPEN) for name, controls in (("a", before), ("b", after)))
    main(["--compare", old, new])
    out = capsys.readouterr().out
    assert told in out
    assert hidden not in out


def test_a_trust_policy_that_has_lost_its_condition_newly_lets_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    partner = {"StringEquals": {"sts:ExternalId": "x"}}
    old, new = (
        dumped(tmp_path, name, AssumeRolePolicyDocument=json.loads(trust({"AWS": STRANGER}, **more)))
        for name, more in (("old", {"Condition": partner}), ("new", {}))
    )
    assert main(["--compare", old, new]) == 1
    out = capsys.readouterr().out
    assert "role/team/web now lets arn:aws:iam::999999999999:role/anybody sts:AssumeRole" in out
    assert main(["--compare", new, old]) == 0


def test_roles_that_trust_accounts_of_the_organization_without_a_dump_are_no_finding(tmp_path: Path) -> None:
    root = {"Id": "r-abcd", "Name": "Root", "Arn": f"arn:aws:organizations::{MANAGEMENT}:root/o-abcdefghij/r-abcd"}
    listed = [{"Id": each, "Name": each, "Email": "a@example.com", "Status": "ACTIVE",
               "Arn": f"arn:aws:organizations::{MANAGEMENT}:account/o-abcdefghij/{each}"}
              for each in (MANAGEMENT, LOGS, MEMBER)]  # fmt: skip
    organization = {"Id": "o-abcdefghij", "MasterAccountId": MANAGEMENT, "FeatureSet": "ALL"}
    files = {
        "organization": {"Organization": organization},
        "roots": {"Roots": [root]},
        "accounts": {"Accounts": listed},
    }
    for name, value in {"dump": member(), **files}.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(value), "utf-8")
    with Cloud.load(tmp_path) as cloud:
        assert [each.rule for each in Audit(cloud).exposures] == ["takes-over"]


def test_one_question_is_answered(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trusting = json.loads(trust({"AWS": ALICE}))
    path = dumped(tmp_path, "dump", allow("sqs:SendMessage", "*"), AssumeRolePolicyDocument=trusting)
    assert main([path, "--effective", "alice"]) == 0
    actions = [action for each in json.loads(capsys.readouterr().out)["Statement"] for action in each["Action"]]
    assert sorted(actions) == ["s3:GetObject", "sqs:SendMessage"]
    assert main([path, "--who", "sqs:SendMessage", "arn:aws:sqs:us-east-1:123456789012:q"]) == 1
    assert capsys.readouterr().out == "alice → arn:aws:sqs:us-east-1:123456789012:q\n"
    assert main([path, "--who", "sqs:SendMesage", "arn:aws:sqs:us-east-1:123456789012:q"]) == 0
    unknown = "The service sqs has no action SendMesage. Did you mean sqs:SendMessage?\n"
    assert tuple(capsys.readouterr()) == ("Nothing.\n", unknown)
    for action in ("SendMessage", "foo", "sqs:*"):
        assert main([path, "--who", action, "arn:aws:sqs:us-east-1:123456789012:q"]) == 2
        assert capsys.readouterr().err == f"action: {action!r} is not an action such as 's3:GetObject'\n"
    main([path])
    assert "Roles, and which users and roles may assume them:" in capsys.readouterr().out
    assert main([path, "--way", "alice", "nobody"]) == 2
    assert "There is nobody and nothing here called 'nobody'." in capsys.readouterr().err
