"""What the lab adds to moto's Organizations: types of policies switched on, and accounts with the lab's numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from simlib.cloud.call_context import CallContext
from simlib.cloud.storage import store
from simlib.cloud.storage.organizations import SCP, identify, organization_of, renumber
from simlib.cloud.transport.wire import RawAnswer

ACCESS_ROLE = "OrganizationAccountAccessRole"


def _complete_organization(context: CallContext, answer: RawAnswer) -> RawAnswer:
    """A new organization gets the ID of its management account's organizations, and where it has all features, service
    control policies are switched on (API_CreateOrganization)."""
    backend = organization_of(context.caller.account)
    if backend is None:
        return answer
    if backend.org.feature_set == "ALL":
        backend.ou[0].policy_types.append({"Type": SCP, "Status": "ENABLED"})
    text, before = answer.body.decode("utf-8"), backend.org.id
    return RawAnswer(answer.status, answer.headers, text.replace(before, identify(backend)).encode())


def _complete_account(context: CallContext, answer: RawAnswer) -> RawAnswer:
    """The new account gets the lab's next number, and its role for the management account gets its permissions."""
    created = organization_of(context.caller.account).accounts[-1]
    text, account = answer.body.decode("utf-8"), store.free_account_id()
    renumbered = RawAnswer(answer.status, answer.headers, text.replace(created.id, account).encode())
    renumber(created, account)
    principal = {"AWS": f"arn:aws:iam::{context.caller.account}:root"}
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    store.create_administrator_role(account, context.parameters.get("RoleName") or ACCESS_ROLE, trust)
    return renumbered


AFTER: Mapping[str, Any] = {
    "organizations:CreateOrganization": _complete_organization,
    "organizations:CreateAccount": _complete_account,
}
