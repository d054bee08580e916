"""Authorization IDs: what AWS puts behind a denial so that GetRequestAuthorizationDetails can tell more.

https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied-authorization-id.html: a preview, of IAM
alone so far, for callers with credentials of their own.

A choice: every such denial gets an ID, in the trail and in `aws.why().authorization_id`, but the error text shows it
only while `aws.authorization_ids` is True. AWS does not promise the ID; the sentence that carries it is twice as long
as the one it follows, and its link leads to the real AWS console, which knows nothing of the lab.
"""

from __future__ import annotations

import secrets
import string

SERVICES = ("iam",)
_ALPHABET = string.ascii_lowercase + string.digits


def new_id() -> str:
    """25 letters and digits, as the IDs that are seen."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(25))


def with_id(text: str, authorization_id: str, region: str) -> str:
    """A denial's text as AWS sends it with an ID."""
    console = f"https://{region}.console.aws.amazon.com/iam/home?region={region}#/authorization-details"
    return (
        f"{text}. Go to {console}/{authorization_id} for complete details, or call the GetRequestAuthorizationDetails "
        f"API with the following authorization id: {authorization_id}"
    )
