"""The credential report: every user of an account with the state and the age of its credentials.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from simlib.cloud.call_context import CallContext
from simlib.cloud.storage.iam_entities import backend, opening_date, root_keys
from simlib.cloud.transport.refusals import Objection

KEPT = timedelta(hours=4)  # a report younger than this is given again instead of a new one

_OF_KEYS = ("active", "last_rotated", "last_used_date", "last_used_region", "last_used_service")
_COLUMNS = (
    "user", "arn", "user_creation_time", "password_enabled", "password_last_used", "password_last_changed",
    "password_next_rotation", "mfa_active", *(f"access_key_{n}_{column}" for n in (1, 2) for column in _OF_KEYS),
    "cert_1_active", "cert_1_last_rotated", "cert_2_active", "cert_2_last_rotated",
)  # fmt: skip


def generate(context: CallContext) -> Mapping[str, Any]:
    iam, account = backend(context.caller.account), context.caller.account
    if iam.credential_report and context.now - iam.credential_report[1] < KEPT:
        return {"State": "COMPLETE"}
    first = not iam.credential_report
    password = ("not_supported", "no_information", "not_supported", "not_supported")
    root_arn = f"arn:aws:iam::{account}:root"
    root = _row("<root_account>", root_arn, opening_date(account), password, False, root_keys(account))
    rows = [_COLUMNS, root]
    for user in iam.users.values():
        password = ("true", "no_information", "N/A", "N/A") if user.password else ("false", "N/A", "N/A", "N/A")
        certificates = list(user.signing_certificates.values())
        rows.append(
            _row(user.name, user.arn, user.create_date, password, user.mfa_devices, user.access_keys, certificates)
        )
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows(rows)
    iam.credential_report = (written.getvalue(), context.now)
    described = {"Description": "No report exists. Starting a new report generation task"} if first else {}
    return {"State": "STARTED", **described}


def get(context: CallContext) -> Mapping[str, Any]:
    """The report as it was when generated; past four hours it has expired."""
    made = backend(context.caller.account).credential_report
    if not made:
        raise Objection("ReportNotPresent", "No report present; call GenerateCredentialReport first.", 410)
    if context.now - made[1] >= KEPT:
        raise Objection("ReportExpired", "Credential report has expired; call GenerateCredentialReport again.", 410)
    return {"Content": made[0].encode("utf-8"), "ReportFormat": "text/csv", "GeneratedTime": made[1]}


def _row(
    name: str, arn: str, made: datetime, password: tuple[str, ...], mfa: Any, keys: list[Any], certificates: Any = ()
) -> tuple[str, ...]:
    """A row, in which a key or a signing certificate that is not there has as many columns."""
    columns = [name, arn, _time(made), *password, _truth(mfa)]
    for key in [*keys, None, None][:2]:
        used = key.last_used if key else None
        columns += [_truth(key and key.status == "Active"), _time(key.create_date) if key else "N/A"]
        columns += [_time(used.timestamp), used.region, used.service] if used else ["N/A"] * 3
    for certificate in [*certificates, None, None][:2]:
        columns.append(_truth(certificate and certificate.status == "Active"))
        columns.append(_time(certificate.upload_date) if certificate else "N/A")
    return tuple(columns)


def _truth(value: Any) -> str:
    return "true" if value else "false"


def _time(when: datetime) -> str:
    return f"{when:%Y-%m-%dT%H:%M:%S}+00:00"


ANSWERS = {"iam:GenerateCredentialReport": generate, "iam:GetCredentialReport": get}
