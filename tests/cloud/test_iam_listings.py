"""IAM's listings: in pages, all of them; who uses a policy; and what an account's details say of its policies."""

from __future__ import annotations

from typing import Any

import pytest
from botocore import xform_name

from simlib import Cloud

from .conftest import allow, document, new_user, refused, trust

_POLICY = document(allow("s3:Get*"))
_OWN = "arn:aws:iam::111111111111:policy/"
_NAMES = {"UserName": "user-0", "RoleName": "role-0", "GroupName": "group-0", "PolicyArn": f"{_OWN}policy-0",
          "OpenIDConnectProviderArn": "arn:aws:iam::111111111111:oidc-provider/id.example.org"}  # fmt: skip
_NOT_OFFERED = {"ListDelegationRequests", "ListInstanceProfileTags", "ListServiceSpecificCredentials"}


@pytest.fixture(scope="module")
def iam() -> Any:
    """An account with three of everything."""
    with Cloud.start() as aws:
        client = aws.account("dev").admin.client("iam")
        for n in range(3):
            client.create_user(UserName=f"user-{n}", Tags=[{"Key": f"k{i}", "Value": "v"} for i in range(3)])
            client.create_group(GroupName=f"group-{n}")
            client.create_role(RoleName=f"role-{n}", AssumeRolePolicyDocument=trust({"Service": "ec2.amazonaws.com"}))
            client.create_policy(PolicyName=f"policy-{n}", PolicyDocument=_POLICY)
            client.create_instance_profile(InstanceProfileName=f"profile-{n}")
            client.create_virtual_mfa_device(VirtualMFADeviceName=f"device-{n}")
        for n in range(3):
            client.add_user_to_group(UserName="user-0", GroupName=f"group-{n}")
            client.add_user_to_group(UserName=f"user-{n}", GroupName="group-0") if n else None
            client.add_role_to_instance_profile(InstanceProfileName=f"profile-{n}", RoleName="role-0")
            for kind in ("user", "role", "group"):
                name = {f"{kind.title()}Name": f"{kind}-0"}
                getattr(client, f"put_{kind}_policy")(**name, PolicyName=f"inline-{n}", PolicyDocument=_POLICY)
                getattr(client, f"attach_{kind}_policy")(**name, PolicyArn=f"{_OWN}policy-{n}")
            client.tag_role(RoleName="role-0", Tags=[{"Key": f"k{n}", "Value": "v"}])
            client.tag_policy(PolicyArn=f"{_OWN}policy-0", Tags=[{"Key": f"k{n}", "Value": "v"}])
            client.create_policy_version(PolicyArn=f"{_OWN}policy-0", PolicyDocument=_POLICY)
        tags = [{"Key": f"k{n}", "Value": "v"} for n in range(3)]
        client.create_open_id_connect_provider(Url="https://id.example.org", ClientIDList=["lab"], Tags=tags)
        client.create_access_key(UserName="user-0")
        client.create_access_key(UserName="user-0")
        yield client


def listings(client: Any) -> dict[str, dict[str, str]]:
    """Every operation that can be divided into pages and needs nothing but what `_NAMES` names."""
    found = {}
    for name in client.meta.service_model.operation_names:
        shape = client.meta.service_model.operation_model(name).input_shape
        if (
            shape is not None
            and {"Marker", "MaxItems"} <= set(shape.members)
            and set(shape.required_members) <= {*_NAMES}
        ):
            found[name] = {member: _NAMES[member] for member in shape.required_members}
    return found


def items(answer: dict[str, Any]) -> list[Any]:
    return [item for name, value in answer.items() if isinstance(value, list) for item in value]


def test_every_listing_comes_in_pages(iam: Any) -> None:
    full = 0
    for operation, names in listings(iam).items():
        if operation in _NOT_OFFERED:
            continue
        call = getattr(iam, xform_name(operation))
        names = {**names, "Scope": "Local"} if operation == "ListPolicies" else names
        names = {**names, "UserName": "user-0"} if operation == "ListAccessKeys" else names
        whole, pages, more = items(call(**names)), [], {}
        while True:
            page = call(**names, MaxItems=2, **more)
            assert len(items(page)) <= 2, operation
            pages += items(page)
            if not page["IsTruncated"]:
                break
            more = {"Marker": page["Marker"]}
        assert pages == whole, operation
        full += len(whole) > 2
    assert full >= 19


def test_a_listing_of_what_is_not_there_says_so(iam: Any) -> None:
    gone = f"{_OWN.replace('policy', 'oidc-provider')}none.example"
    assert refused(lambda: iam.list_open_id_connect_provider_tags(OpenIDConnectProviderArn=gone))[0] == "NoSuchEntity"


def test_a_marker_that_nobody_gave_is_refused(iam: Any) -> None:
    assert refused(lambda: iam.list_users(Marker="here"))[0] == "ValidationError"


@pytest.mark.parametrize(
    ("more", "users"),
    [
        ({}, ["user-0", "user-1"]),
        ({"PolicyUsageFilter": "PermissionsPolicy"}, ["user-0"]),
        ({"PolicyUsageFilter": "PermissionsBoundary"}, ["user-1"]),
        ({"EntityFilter": "Role"}, []),
        ({"PathPrefix": "/team/"}, []),
    ],
)
def test_who_uses_a_policy_and_how(iam: Any, more: dict[str, str], users: list[str]) -> None:
    iam.put_user_permissions_boundary(UserName="user-1", PermissionsBoundary=f"{_OWN}policy-0")
    answer = iam.list_entities_for_policy(PolicyArn=f"{_OWN}policy-0", **more)
    assert [user["UserName"] for user in answer["PolicyUsers"]] == users


def test_a_listing_shows_less_of_a_user_than_get_user(iam: Any) -> None:
    iam.put_user_permissions_boundary(UserName="user-0", PermissionsBoundary=f"{_OWN}policy-0")
    one, listed = iam.get_user(UserName="user-0")["User"], iam.list_users()["Users"][1]
    assert {*one} - {*listed} == {"PermissionsBoundary", "Tags"}
    assert listed["UserName"] == "user-0"
    iam.delete_user_permissions_boundary(UserName="user-0")


def test_an_accounts_details_name_its_policies_and_those_of_aws_that_are_used(iam: Any) -> None:
    used = "arn:aws:iam::aws:policy/IAMUserChangePassword"
    iam.put_user_permissions_boundary(UserName="user-2", PermissionsBoundary=used)
    policies = iam.get_account_authorization_details(Filter=["AWSManagedPolicy", "LocalManagedPolicy"])["Policies"]
    arns = {policy["Arn"] for policy in policies}
    assert arns == {f"{_OWN}policy-{n}" for n in range(3)} | {used, "arn:aws:iam::aws:policy/AdministratorAccess"}
    assert all(policy["PolicyName"] and policy["PolicyId"].startswith("ANPA") for policy in policies)


SERVICES = [
    ("ecs.amazonaws.com", "ECS", "AmazonECSServiceRolePolicy"),
    ("autoscaling.amazonaws.com", "AutoScaling", "AutoScalingServiceRolePolicy"),
    ("elasticloadbalancing.amazonaws.com", "ElasticLoadBalancing", "AWSElasticLoadBalancingServiceRolePolicy"),
    ("rds.amazonaws.com", "RDS", "AmazonRDSServiceRolePolicy"),
    (
        "rds.application-autoscaling.amazonaws.com", "ApplicationAutoScaling_RDSCluster",
        "AWSApplicationAutoscalingRDSClusterPolicy",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("service", "name", "policy"), SERVICES)
def test_a_services_own_role(iam: Any, service: str, name: str, policy: str) -> None:
    role = iam.create_service_linked_role(AWSServiceName=service, Description="d")["Role"]
    assert role["Arn"] == f"arn:aws:iam::111111111111:role/aws-service-role/{service}/AWSServiceRoleFor{name}"
    assert role["Description"] == "d"
    assert role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {"Service": [service]}
    attached = iam.list_attached_role_policies(RoleName=role["RoleName"])["AttachedPolicies"]
    assert [each["PolicyName"] for each in attached] == [policy]
    second = lambda: iam.create_service_linked_role(AWSServiceName=service)  # noqa: E731
    text = f"Service role name AWSServiceRoleFor{name} has been taken in this account, please try a different suffix."
    assert refused(second) == ("InvalidInput", text)
    other = iam.create_service_linked_role(AWSServiceName=service, CustomSuffix="two")["Role"]["RoleName"]
    for each in (role["RoleName"], other):
        iam.delete_service_linked_role(RoleName=each)
    assert refused(lambda: iam.get_role(RoleName=role["RoleName"]))[0] == "NoSuchEntity"


def test_clients_of_an_identity_provider(iam: Any) -> None:
    arn = iam.create_open_id_connect_provider(Url="https://id.example", ClientIDList=["a"])["OpenIDConnectProviderArn"]
    for client in ("b", "b"):
        iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID=client)
    iam.remove_client_id_from_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="a")
    assert iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)["ClientIDList"] == ["b"]
    missing = {"OpenIDConnectProviderArn": f"{arn}x", "ClientID": "a"}
    assert refused(lambda: iam.add_client_id_to_open_id_connect_provider(**missing))[0] == "NoSuchEntity"


def test_a_device_and_whose_it_is(aws: Cloud) -> None:
    client = aws.account("dev").admin.client("iam")
    new_user(aws, client, "alice")
    device = client.create_virtual_mfa_device(VirtualMFADeviceName="phone")
    serial = device["VirtualMFADevice"]["SerialNumber"]
    assert "UserName" not in client.get_mfa_device(SerialNumber=serial)
    app = aws.authenticator(device)
    codes = {"AuthenticationCode1": app.code, "AuthenticationCode2": app.next_code}
    client.enable_mfa_device(UserName="alice", SerialNumber=serial, **codes)
    assert client.get_mfa_device(SerialNumber=serial)["UserName"] == "alice"
    assert refused(lambda: client.get_mfa_device(SerialNumber=f"{serial}-2"))[0] == "NoSuchEntity"
