"""When credentials were made and used last, on the simulated clock."""

from __future__ import annotations

import csv
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from simlib import Cloud

from .conftest import allow, new_user, refused, trust


def about(when: Any) -> Any:
    return pytest.approx(when, abs=timedelta(seconds=3))


def test_a_key_remembers_its_last_use(aws: Cloud, iam: Any) -> None:
    key = iam.create_user(UserName="alice") and iam.create_access_key(UserName="alice")
    key_id = key["AccessKey"]["AccessKeyId"]
    never = iam.get_access_key_last_used(AccessKeyId=key_id)["AccessKeyLastUsed"]
    assert (never["ServiceName"], never["Region"], "LastUsedDate" in never) == ("N/A", "N/A", False)
    aws.clock.advance(days=90)
    refused(aws.sign_in(key).client("s3").list_buckets)  # a refused call is a use, too
    used = iam.get_access_key_last_used(AccessKeyId=key_id)
    assert used["UserName"] == "alice"
    assert used["AccessKeyLastUsed"]["ServiceName"] == "s3"
    assert used["AccessKeyLastUsed"]["LastUsedDate"] == about(aws.clock.now)


def test_a_role_remembers_its_last_use(aws: Cloud, iam: Any) -> None:
    iam.create_role(RoleName="reader", AssumeRolePolicyDocument=trust({"AWS": "111111111111"}))
    assert "LastUsedDate" not in iam.get_role(RoleName="reader")["Role"]["RoleLastUsed"]
    sts = new_user(aws, iam, "alice", allow("sts:AssumeRole")).client("sts")
    session = sts.assume_role(RoleArn="arn:aws:iam::111111111111:role/reader", RoleSessionName="work")
    aws.clock.advance(minutes=10)
    aws.sign_in(session).client("sts").get_caller_identity()
    assert iam.get_role(RoleName="reader")["Role"]["RoleLastUsed"]["LastUsedDate"] == about(aws.clock.now)


def report(iam: Any) -> dict[str, dict[str, str]]:
    text = iam.get_credential_report()["Content"].decode()
    return {row["user"]: row for row in csv.DictReader(text.splitlines())}


def test_the_credential_report_tells_the_age_of_keys(aws: Cloud, iam: Any) -> None:
    assert refused(iam.get_credential_report)[0] == "ReportNotPresent"
    alice = new_user(aws, iam, "alice")
    made = aws.clock.now
    aws.clock.advance(days=100)
    alice.client("sts").get_caller_identity()
    assert iam.generate_credential_report()["State"] == "STARTED"
    assert iam.generate_credential_report()["State"] == "COMPLETE"
    rows = report(iam)
    assert set(rows) == {"<root_account>", "alice", "lab-admin"}
    row = rows["alice"]
    assert row["access_key_1_active"] == "true"
    assert row["access_key_1_last_rotated"][:10] == f"{made:%Y-%m-%d}"
    assert row["access_key_1_last_used_date"][:10] == f"{aws.clock.now:%Y-%m-%d}"
    assert (row["access_key_1_last_used_service"], row["access_key_2_active"]) == ("sts", "false")
    assert (row["mfa_active"], row["password_enabled"]) == ("false", "false")
    assert rows["<root_account>"]["access_key_1_active"] == "false"


def test_a_report_is_kept_for_four_hours(aws: Cloud, iam: Any) -> None:
    iam.generate_credential_report()
    iam.create_user(UserName="alice")
    iam.generate_credential_report()
    assert "alice" not in report(iam)
    aws.clock.advance(hours=4)
    assert refused(iam.get_credential_report)[0] == "ReportExpired"
    iam.generate_credential_report()
    assert "alice" in report(iam)


def certificate() -> str:
    """A certificate somebody made for himself, as PEM."""
    name, day = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "alice")]), datetime(2026, 1, 1)
    key = ec.generate_private_key(ec.SECP256R1())
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(x509.random_serial_number()).not_valid_before(day).not_valid_after(day.replace(year=2099))
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def test_the_credential_report_tells_of_signing_certificates(aws: Cloud, iam: Any) -> None:
    iam.create_user(UserName="alice")
    first, second = (
        iam.upload_signing_certificate(UserName="alice", CertificateBody=certificate())["Certificate"] for _ in range(2)
    )
    iam.update_signing_certificate(UserName="alice", CertificateId=second["CertificateId"], Status="Inactive")
    iam.generate_credential_report()
    rows = report(iam)
    assert (rows["alice"]["cert_1_active"], rows["alice"]["cert_2_active"]) == ("true", "false")
    assert rows["alice"]["cert_1_last_rotated"] == f"{first['UploadDate']:%Y-%m-%dT%H:%M:%S}+00:00"
    assert rows["lab-admin"]["cert_1_last_rotated"] == "N/A"
