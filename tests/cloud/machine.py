"""An instance without a cloud around it: its facts, its clock and who issues its role's credentials can be changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from simlib.cloud.credentials.sessions import Session
from simlib.cloud.machines.metadata import Unavailable
from simlib.cloud.storage.stored import StoredIdentity, StoredInstance

WEB = "i-0123456789abcdef0"
_ROLE = StoredIdentity("arn:aws:iam::111111111111:role/web-role", "AROA1", "111111111111", "web-role", (), None, {})
_DETAILS = {
    "ami-id": "ami-0abc", "instance-type": "t3.micro", "local-ipv4": "10.0.0.7", "public-ipv4": "",
    "availability-zone": "us-east-1c", "user-data": "#!/bin/sh\necho grüezi\n",
}  # fmt: skip
_PROFILE = "arn:aws:iam::111111111111:instance-profile/web"
FACTS = StoredInstance(WEB, "111111111111", "us-east-1", True, _PROFILE, "AIPAEXAMPLE", _ROLE, "optional", _DETAILS)
NO_ROLE = replace(FACTS, role=None)
NO_PROFILE = replace(NO_ROLE, profile_arn=None, profile_id=None)
TOKENS_ONLY = replace(FACTS, http_tokens="required")
STOPPED = replace(FACTS, running=False)
WITH_ANOTHER_ROLE = replace(FACTS, role=replace(_ROLE, name="new-role"))


class World:
    """`clock` has the time as `now`."""

    def __init__(self, clock: Any) -> None:
        self.clock = clock
        self.facts: StoredInstance | None = FACTS
        self.minted = 0
        self.trusted = True

    def instance_facts(self, instance_id: str) -> StoredInstance | None:
        return self.facts if instance_id == WEB else None

    def mint_instance_session(self, instance_id: str) -> Session:
        if not self.trusted:
            raise Unavailable.untrusted("web-role")
        self.minted += 1
        key, now = f"ASIA{self.minted:016d}", self.clock.now
        return Session(key, "secret", f"token-{self.minted}", "EC2", "", "", "", now, now + timedelta(hours=6))
