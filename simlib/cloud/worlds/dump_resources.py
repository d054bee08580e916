"""The policies of buckets, keys, queues, topics and secrets, as the AWS CLI prints them."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from simlib.cloud.storage.stored import as_list
from simlib.cloud.worlds.forms import TABLES
from simlib.cloud.worlds.remarks import Notes, objects
from simlib.cloud.worlds.shape import WorldFileError, members, values_of

SHAPES = {"Policy": "Policy", "ResourcePolicy": "ResourcePolicy", "Attributes": "Policy"}  # where the document stands
_SECTIONS: Mapping[str, Mapping[str, Any]] = TABLES["of a policy"]
_TABLES = {member.name: member.form for member in members("Account")}
_NAMES_A_RESOURCE = re.compile(r"arn:aws:(s3:::[a-z0-9.-]{3,63}|(?:sqs|sns):[a-z0-9-]+:\d{12}:[\w.-]+)")
_KEY = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32}")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


def resource(
    notes: Notes, shape: str, value: Mapping[str, Any], stem: str, only: str
) -> tuple[str, str, str, dict[str, Any]] | None:
    """Account, section, ARN and values of the resource that a policy is of; None, and a remark, where it is not plain.

    `stem`: the name of the policy's file; `only`: the one account there is, "" where there are several.
    """
    holder = value["Attributes"] if shape == "Attributes" and isinstance(value["Attributes"], dict) else value
    if (written := holder.get(SHAPES[shape])) is None:
        return None
    try:
        policy = values_of("key policy", written, shape)
        named = holder.get("ARN") or holder.get("QueueArn") or holder.get("TopicArn")
        arn = str(named or _subject(json.loads(policy), stem, only))
        _, _, service, region, account, name = arn.split(":", 5) if arn.count(":") >= 5 else [""] * 6
        section, entry = next(iter(_SECTIONS.get(service, {"": {}}).items()))
        account = (account if section else "") or only
        if not re.fullmatch(r"\d{12}", account) or not section:
            why = (
                "the policy of a resource that cannot be told from its text or its file's name, or of no known account"
            )
            notes.remark(shape, why)
            return None
        filled = {
            "{name}": name, "{bucket}": name.partition("/")[0], "{key}": name.removeprefix("key/"), "{arn}": arn,
            "{secret}": re.sub("^secret:|-[A-Za-z0-9]{6}$", "", name), "{policy}": policy,
            "{material}": base64.b64encode(hashlib.sha256(name.encode()).digest()).decode(),
        }  # fmt: skip
        made = {key: filled.get(str(each), each) for key, each in entry.items()}
        return account, section, arn, values_of(_TABLES[section], {"Region": region or "us-east-1", **made}, shape)
    except WorldFileError as error:
        notes.remark("", str(error))
        return None


def names_its_resource(document: Mapping[str, Any]) -> str:
    """The ARN of a bucket, queue or topic that a policy with principals speaks of; "" where it is not that."""
    letting = [each for each in objects(document.get("Statement")) if "Principal" in each or "NotPrincipal" in each]
    texts = [str(text) for each in letting for text in as_list(each.get("Resource"))]
    return next((match[0] for match in map(_NAMES_A_RESOURCE.match, texts) if match), "")


def _subject(document: Mapping[str, Any], stem: str, only: str) -> str:
    """The ARN of the resource that a policy is of: from its statements, or from the name of the file."""
    if named := names_its_resource(document):
        return named
    if _KEY.fullmatch(stem) and only:
        return f"arn:aws:kms:us-east-1:{only}:key/{stem}"
    return f"arn:aws:s3:::{stem}" if _BUCKET.fullmatch(stem) else ""
