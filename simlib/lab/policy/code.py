"""A policy and the call that stores it, as code to take along: boto3, the AWS CLI, Terraform.

The policy is written in ASCII, so that invisible signs show. Terraform:
https://developer.hashicorp.com/terraform/language/expressions/strings (`${` is doubled there, so that a policy variable
is not taken for one of Terraform's) and https://registry.terraform.io/providers/hashicorp/aws.
"""

from __future__ import annotations

import json
import re
import shlex
import textwrap
from collections.abc import Mapping
from typing import Any

from botocore import xform_name

from .storage import Call, Resource, Storage

LANGUAGES = {"boto3": "boto3", "cli": "AWS CLI", "terraform": "Terraform"}


def code(written: Storage, policy: Mapping[str, Any], language: str) -> str:
    """The program, command or configuration that stores a policy at its place; a sentence where nothing can.

    `language` is a key of `LANGUAGES`; raises `ValueError` for another.
    """
    if language not in LANGUAGES:
        raise ValueError(f"language must be one of {', '.join(LANGUAGES)}, not {language!r}")
    if written.call is None or written.terraform is None:
        return written.reason
    if language == "terraform":
        return _terraform(written.place.name or written.place.owner, written.terraform, policy)
    return {"boto3": _boto3, "cli": _cli}[language](written.call, policy)


def _boto3(call: Call, policy: Mapping[str, Any]) -> str:
    region = f", region_name={_quoted(call.region)}" if call.region else ""
    arguments = [f"    {name}={_quoted(value)}," for name, value in call.parameters.items()]
    outer, _, inner = call.document.partition(".")
    lines = [
        *("import boto3", "", f'POLICY = r"""{json.dumps(policy, indent=2)}"""', ""),
        f"client = boto3.client({_quoted(call.service)}{region})",
        *(f"client.{call.operation}(", *arguments),
        *(f"    {outer}={f'{{{_quoted(inner)}: POLICY}}' if inner else 'POLICY'},", ")", ""),
    ]
    return "\n".join(lines)


def _cli(call: Call, policy: Mapping[str, Any]) -> str:
    """For a POSIX shell."""
    line = ["aws", {"s3": "s3api"}.get(call.service, call.service), call.operation.replace("_", "-")]
    line += ["--region", call.region] if call.region else []
    options = [_option(name, value) for name, value in call.given(json.dumps(policy)).items()]
    return " \\\n  ".join([" ".join(line), *options]) + "\n"


def _option(name: str, value: Any) -> str:
    option = f"--{xform_name(name, '-')}"
    if value is True:
        return option
    text = json.dumps(value) if isinstance(value, Mapping) else str(value)
    return f"{option}{'=' if text.startswith('-') else ' '}{shlex.quote(text)}"


def _terraform(name: str, resource: Resource, policy: Mapping[str, Any]) -> str:
    label = re.sub(r"\W+", "_", name.rpartition(":")[2].rpartition("/")[2], flags=re.ASCII)
    label = label if re.match(r"[A-Za-z_]", label) else f"_{label}"
    width = max(map(len, resource.arguments))
    lines = [f"  {argument:<{width}} = {_quoted(value)}" for argument, value in resource.arguments.items()]
    text = re.sub(r"[$%]+(?=\{)", _literal, json.dumps(policy, indent=2))
    block = [f"  {resource.document} = <<-EOT", textwrap.indent(text, "    "), "  EOT"]
    return "\n".join([f'resource "{resource.type}" "{label}" {{', *lines, "", *block, "}", ""])


def _literal(match: re.Match[str]) -> str:
    """`${` as text: doubled, as everybody knows it; by JSON's numbers where signs before it would be counted in."""
    signs = match[0]
    return signs * 2 if len(signs) == 1 else "".join(f"\\u{ord(sign):04x}" for sign in signs)


def _quoted(value: Any) -> str:
    """A name as Python and Terraform write it: names in AWS have no sign that the two escape in different ways."""
    return json.dumps(value) if isinstance(value, str) else repr(value)
