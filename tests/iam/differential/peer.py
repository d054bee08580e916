"""The second opinion: another program, asked line by line. It is a peer, not the truth."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
PACKAGE = "@cloud-copilot/iam-simulate"
DECISIONS = {"Allowed": "ALLOW", "ImplicitlyDenied": "IMPLICIT_DENY", "ExplicitlyDenied": "EXPLICIT_DENY"}


def folder() -> Path | str:
    """Where the peer is installed, or a sentence that says how to get it.

    Needed: node, and a scratch folder with a copy of ``oracle.mjs`` and what ``npm install`` of the package puts there.
    ``IAM_ORACLE`` names that folder; without it ``../shared/oracle`` beside the repository is looked at.
    """
    home = Path(os.environ.get("IAM_ORACLE") or ROOT.parent / "shared" / "oracle")
    if shutil.which("node") is None:
        return "the peer needs Node 20 (node is not on the PATH)"
    if not (home / "oracle.mjs").is_file():
        return f"there is no oracle.mjs in {home}; set IAM_ORACLE to the folder that has it"
    if not (home / "node_modules" / PACKAGE).is_dir():
        return (
            f"copy oracle.mjs to a scratch folder, run `npm install {PACKAGE}` there, and set IAM_ORACLE to that folder"
        )
    return home


class Peer:
    """The running program."""

    def __init__(self, home: Path) -> None:
        self.process = subprocess.Popen(
            ["node", "oracle.mjs"], cwd=home, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()

    def decide(self, scenarios: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """The peer's answers; a hundred scenarios are under way at a time."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        waiting = 0
        for each in scenarios:
            self.process.stdin.write(json.dumps(translated(each)) + "\n")
            waiting += 1
            if waiting == 100:
                self.process.stdin.flush()
                for _ in range(waiting):
                    yield json.loads(self.process.stdout.readline())
                waiting = 0
        self.process.stdin.flush()
        for _ in range(waiting):
            yield json.loads(self.process.stdout.readline())

    def decision(self, scenario: dict[str, Any]) -> str | None:
        return DECISIONS.get(next(self.decide([scenario]))["decision"])


def translated(scenario: dict[str, Any]) -> dict[str, Any]:
    """A scenario in the peer's format. A session counts as the same session whatever path its role has."""
    plain = {
        "id": "id",
        "principal": "principal",
        "action": "action",
        "resource": "resource",
        "resource_account": "resourceAccount",
        "identity_policies": "identityPolicies",
        "resource_policy": "resourcePolicy",
        "vpc_endpoint_policies": "vpcEndpointPolicies",
        "scps": "scps",
        "rcps": "rcps",
    }
    asked = {"engine": "core", **{plain[name]: value for name, value in scenario.items() if name in plain}}
    asked["context"] = {**derived(scenario), **scenario.get("context", {})}
    if scenario.get("session_policies"):
        asked["sessionPolicy"] = scenario["session_policies"][0]
    if "permissions_boundary" in scenario:
        asked["permissionBoundaries"] = [scenario["permissions_boundary"]]
    return asked


def derived(scenario: dict[str, Any]) -> dict[str, str]:
    """What AWS derives from the principal: the peer takes the context as given."""
    from simlib.iam.principals import identify

    return dict(identify(scenario["principal"], scenario.get("role_arn")).context)
