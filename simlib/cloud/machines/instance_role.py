"""The role on an EC2 instance: EC2 obtains its credentials, and fresh ones before they end.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html
"""

from __future__ import annotations

from datetime import datetime

from simlib.cloud.credentials.sessions import Session, Sessions
from simlib.cloud.machines.metadata import Unavailable
from simlib.cloud.permissions.authorization import circumstances
from simlib.cloud.services.session_requests import trusts
from simlib.cloud.storage import store

INSTANCE_SECONDS = 6 * 3600  # observed, not documented: AWS only promises fresh ones five minutes before the end


def mint_session(instance_id: str, now: datetime, sessions: Sessions) -> Session:
    """Fresh credentials of the role on an instance.

    Raises `LookupError` where there is no such running instance or no role on it, `Unavailable` where the role does
    not trust EC2.
    """
    instance = store.instance(instance_id)
    if instance is None or not instance.running or instance.role is None:
        raise LookupError(f"No running instance {instance_id} with a role on it.")
    service, role = "ec2.amazonaws.com", instance.role
    if not trusts(role, service, circumstances(now, "", service, instance.region)):
        raise Unavailable.untrusted(role.name)
    arn = f"arn:aws:ec2:{instance.region}:{instance.account}:instance/{instance_id}"
    keys = {"ec2:SourceInstanceArn": arn, "ec2:RoleDelivery": "2.0"}
    return sessions.assume(role, instance_id, now, INSTANCE_SECONDS, kind="EC2", context=keys, issued_to=service)
