"""EC2 instances, which are there again with their IDs, addresses and roles. Knows moto's inside.

Networks and volumes are not kept: an instance wakes in its account's default network.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any
from unittest.mock import patch

from simlib.cloud.storage.tables import ec2_read_late
from simlib.cloud.worlds.identities import naive
from simlib.cloud.worlds.shape import DATE, TAGS, TEXT, WorldFileError, matching

_OPTIONS = {
    "HttpTokens": "http_tokens",
    "HttpEndpoint": "http_endpoint",
    "InstanceMetadataTags": "instance_metadata_tags",
}
SHAPE = {
    "Region": TEXT,
    "InstanceId": matching("i-[0-9a-f]{8,17}", "the ID of an instance"),
    "ImageId": TEXT,
    "InstanceType": TEXT,
    "State": matching("running|stopped", '"running" or "stopped"'),
    "LaunchTime": DATE,
    "PrivateIpAddress?": TEXT,
    "PublicIpAddress?": TEXT,
    "AvailabilityZone?": TEXT,
    "UserData?": TEXT,
    "MetadataOptions?": {f"{name}?": TEXT for name in _OPTIONS},
    "IamInstanceProfile?": {"Arn": TEXT, "AssociationId": TEXT},
    "Tags?": TAGS,
}


def details(account: str) -> list[dict[str, Any]]:
    backends = getattr(sys.modules.get("moto.ec2.models"), "ec2_backends", {})
    regions = backends.get(account, {})
    return [
        _of_instance(region, regions[region], instance)
        for region in list(regions)
        for reservation in regions[region].reservations.values()
        for instance in reservation.instances
        if instance.state in ("running", "stopped")
    ]


def _of_instance(region: str, ec2: Any, instance: Any) -> dict[str, Any]:
    association = ec2.iam_instance_profile_associations.get(instance.id)
    profile = association and {
        "Arn": association.iam_instance_profile.arn,
        "AssociationId": association.association_id,
    }
    return {
        "Region": region,
        "InstanceId": instance.id,
        "ImageId": str(instance.image_id),
        "InstanceType": instance.instance_type,
        "State": instance.state,
        "LaunchTime": instance.launch_time,
        "PrivateIpAddress": instance.private_ip,
        "PublicIpAddress": instance.public_ip,
        "AvailabilityZone": instance._placement.zone,
        "UserData": str(instance.user_data) if instance.user_data else None,
        "MetadataOptions": {name: str(getattr(instance.metadata_options, a)) for name, a in _OPTIONS.items()},
        "IamInstanceProfile": profile,
        "Tags": dict(ec2.tags.get(instance.id, {})),
    }


def restore(account: str, told: Mapping[str, Any], place: str) -> None:
    """Start an instance as it was. Raises `WorldFileError`."""
    with ec2_read_late():
        from moto.ec2.models import ec2_backends
        from moto.ec2.models import instances as models

    ec2 = ec2_backends[account][told["Region"]]
    if ec2.get_instance_by_id(told["InstanceId"]) is not None:
        raise WorldFileError(f"{place}.InstanceId: there is another instance {told['InstanceId']}.")
    with patch.object(models, "random_instance_id", lambda: told["InstanceId"]):
        reservation = ec2.run_instances(
            told["ImageId"], 1, told.get("UserData"), [], instance_type=told["InstanceType"],
            is_instance_type_default=False, placement=told.get("AvailabilityZone"), region_name=told["Region"],
            private_ip=told.get("PrivateIpAddress"), metadata_options=told.get("MetadataOptions", {}),
            tags={"instance": told.get("Tags", {})},
        )  # fmt: skip
    made = reservation.instances[0]
    if profile := told.get("IamInstanceProfile"):
        association = ec2.associate_iam_instance_profile(made.id, iam_instance_profile_arn=profile["Arn"])
        association.association_id = profile["AssociationId"]
        made.iam_instance_profile = {"Arn": profile["Arn"], "Id": profile["AssociationId"]}
    if told["State"] == "stopped":
        made.stop()
    elif told.get("PublicIpAddress"):
        made.nics[0].public_ip = told["PublicIpAddress"]
    made.launch_time = naive(told["LaunchTime"])
