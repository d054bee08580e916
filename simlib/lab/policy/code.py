"""A policy and the call that stores it, as code to take along: boto3, the AWS CLI, Terraform – for any text.

Text that is JSON is written as such, readable and in ASCII where invisible signs are in it; other text is quoted whole.
Terraform: https://developer.hashicorp.com/terraform/language/expressions/strings (`${` is doubled there, so that a
policy variable is not taken for one of Terraform's) and https://registry.terraform.io/providers/hashicorp/aws.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from typing import Any

from botocore import xform_name

from .places import Written

LANGUAGES = {"boto3": "boto3", "cli": "AWS CLI", "terraform": "Terraform"}


def code(written: Written, text: str, language: str) -> str:
    """The program, command or configuration that stores this text at its place; a sentence where nothing can.

    `language` is a key of `LANGUAGES`; raises `ValueError` for another.
    """
    if language not in LANGUAGES:
        raise ValueError(f"language must be one of {', '.join(LANGUAGES)}, not {language!r}")
    if written.call is None:
        return written.reason
    return {"boto3": _boto3, "cli": _cli, "terraform": _terraform}[language](written, text)


def _object(text: str) -> dict[str, Any] | None:
    """The JSON object that a text is, if writing it anew changes nothing of what it says."""
    try:
        found = json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a name stands twice")
    return dict(pairs)


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


# -- Python ------------------------------------------------------------------------------------------------------------


def _boto3(written: Written, text: str) -> str:
    call = written.call
    assert call is not None
    outer, _, inner = call.document.partition(".")
    region = f", region_name={_python(call.region)}" if call.region else ""
    given = [f"    {name}={_python(value)}," for name, value in call.parameters.items()]
    policy = f'{{"{inner}": POLICY}}' if inner else "POLICY"
    return "\n".join(
        [
            *("import boto3", "", f"POLICY = {_python_block(text)}", ""),
            f"client = boto3.client({_python(call.service)}{region})",
            *(f"client.{call.operation}(", *given, f"    {outer}={policy},", ")", ""),
        ]
    )


def _python(value: Any) -> str:
    """A value as Python writes it, with double quotes where nothing has to be escaped for that."""
    shown = repr(value)
    return f'"{shown[1:-1]}"' if shown[0] == "'" and not set('"\\') & set(shown) else shown


def _python_block(text: str) -> str:
    """A text over several lines, the text between three quotes; what cannot be seen is escaped."""
    seen = "".join(
        sign if sign.isprintable() or sign == "\n" else repr(sign)[1:-1] for sign in text.replace("\\", r"\\")
    )
    return f'"""{_BEFORE_QUOTES.sub(_escaped, seen)}"""'


_BEFORE_QUOTES = re.compile('"(?="")|"$')


def _escaped(found: re.Match[str]) -> str:
    return '\\"'


# -- the AWS CLI, in a POSIX shell -------------------------------------------------------------------------------------


def _cli(written: Written, text: str) -> str:
    call = written.call
    assert call is not None
    policy = _object(text)
    line = ["aws", {"s3": "s3api"}.get(call.service, call.service), call.operation.replace("_", "-")]
    line += ["--region", call.region] if call.region else []
    if policy is None:  # the CLI takes "file://…" for a file, and a shell cannot pass every sign
        whole = json.dumps(call.given(text))
        return " ".join([*line, "--cli-input-json", shlex.quote(whole)]) + "\n"
    given = call.given(json.dumps(policy))
    return " \\\n  ".join([" ".join(line), *(_option(name, value) for name, value in given.items())]) + "\n"


def _option(name: str, value: Any) -> str:
    option = f"--{xform_name(name, '-')}"
    if value is True:
        return option
    text = json.dumps(value) if isinstance(value, Mapping) else str(value)
    return f"{option}{'=' if text.startswith('-') else ' '}{shlex.quote(text)}"


# -- Terraform ---------------------------------------------------------------------------------------------------------


def _terraform(written: Written, text: str) -> str:
    resource = written.terraform
    assert resource is not None
    place, policy = written.place, _object(text)
    label = re.sub(r"\W+", "_", place.name or place.owner.rpartition(":")[2].rpartition("/")[2], flags=re.ASCII)
    label = label if re.match(r"[A-Za-z_]", label) else f"_{label}"
    width = max(map(len, resource.arguments))
    lines = [f"  {name:<{width}} = {_hcl(value)}" for name, value in resource.arguments.items()]
    value = _hcl(text) if policy is None else f"jsonencode({_hcl(policy, '  ')})"
    return "\n".join(
        [f'resource "{resource.type}" "{label}" {{', *lines, "", f"  {resource.document} = {value}", "}", ""]
    )


def _hcl(value: Any, indent: str = "") -> str:
    """A value as Terraform's language writes it."""
    within = f"{indent}  "
    if isinstance(value, dict):
        pairs = [f"{within}{_hcl_name(name)} = {_hcl(each, within)}\n" for name, each in value.items()]
        return f"{{\n{''.join(pairs)}{indent}}}" if pairs else "{}"
    if isinstance(value, list):
        items = [f"{within}{_hcl(each, within)},\n" for each in value]
        return f"[\n{''.join(items)}{indent}]" if items else "[]"
    return _hcl_string(value) if isinstance(value, str) else json.dumps(value)


def _hcl_name(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", name) else _hcl_string(name)


def _hcl_string(text: str) -> str:
    return '"' + re.sub(r"[$%]+(?=\{)", _hcl_literal, "".join(map(_hcl_sign, text))) + '"'


def _hcl_literal(found: re.Match[str]) -> str:
    """`${` as text: doubled, as everybody knows it; by number where signs before it would be counted in."""
    signs = found[0]
    return signs * 2 if len(signs) == 1 else "".join(f"\\u{ord(sign):04x}" for sign in signs)


def _hcl_sign(sign: str) -> str:
    known = {"\n": r"\n", "\r": r"\r", "\t": r"\t", '"': r"\"", "\\": r"\\"}
    if sign in known or sign.isprintable():
        return known.get(sign, sign)
    return f"\\u{ord(sign):04x}" if ord(sign) < 0x10000 else f"\\U{ord(sign):08x}"
