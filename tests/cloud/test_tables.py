"""The large tables of boto3 and moto: read late and shared, and yet what moto would have read."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import moto.iam.models
import pytest
from moto.core.loaders import create_loader
from moto.iam.models import AWSManagedPolicy
from moto.utilities.utils import load_resource

from simlib.cloud.storage.changes import aws_managed_policies, model_for_moto

FIRST_CALLS = """
import json, sys
from simlib import Cloud
with Cloud.start() as aws:
    admin = aws.account("dev").admin
    ec2 = admin.client("ec2")
    ec2.run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1, InstanceType="t3.micro")
    from moto.ec2.models import instance_types as tables
    regions, types = list(tables.INSTANCE_TYPE_OFFERINGS["region"]), len(tables.INSTANCE_TYPES) > 0
    places = ec2.describe_instance_type_offerings(LocationType="availability-zone")["InstanceTypeOfferings"]
    there = admin.session.client("ec2", region_name="eu-west-1").describe_instance_type_offerings()
    print(json.dumps([regions, types, places, len(there["InstanceTypeOfferings"]),
        sorted(each["InstanceType"] for each in ec2.describe_instance_types()["InstanceTypes"]),
        sorted(tables.INSTANCE_FAMILIES)]))
"""


def test_a_first_instance_reads_the_table_of_its_region_alone_and_the_others_are_there_when_asked_for() -> None:
    root = Path(__file__).resolve().parents[2]
    child = subprocess.run([sys.executable, "-c", FIRST_CALLS], cwd=root, capture_output=True, check=True)
    regions, types_read, places, elsewhere, types, families = json.loads(child.stdout)
    assert regions == ["us-east-1"]
    assert not types_read
    kept = "ec2/resources/instance_type_offerings"
    stored = load_resource(f"{kept}/availability-zone/us-east-1.json")
    assert places == [{**each, "LocationType": "availability-zone"} for each in stored]
    assert elsewhere == len(load_resource(f"{kept}/region/eu-west-1.json"))
    every = load_resource("ec2/resources/instance_types.json")
    assert types == sorted(every)
    assert families == sorted({name.split(".")[0] for name in every})


@pytest.mark.parametrize("service", ["ec2", "iam", "sqs", "s3", "route53"])
def test_motos_models_are_the_clients_with_what_moto_adds(service: str) -> None:
    assert model_for_moto(service, "service-2") == create_loader().load_service_model(service, "service-2")


def test_awss_managed_policies_are_those_that_moto_makes() -> None:
    told = json.loads(moto.iam.models.aws_managed_policies_data)
    assert len(told) > 1_000
    for ours, (name, values) in zip(aws_managed_policies(), told.items(), strict=True):
        theirs = AWSManagedPolicy.from_data(name, "aws", "us-east-1", values)
        apart = {"id": "", "versions": []}  # IDs are drawn by lot
        assert vars(ours) | apart == vars(theirs) | apart
        assert [vars(each) for each in ours.versions] == [vars(each) for each in theirs.versions]
