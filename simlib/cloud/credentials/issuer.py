"""An OpenID Connect identity provider of the lab's own: it really signs, and STS finds its key where it would look.

https://openid.net/specs/openid-connect-core-1_0.html, https://www.rfc-editor.org/rfc/rfc7519
"""

from __future__ import annotations

import base64
import binascii
import json
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

GITHUB = "https://token.actions.githubusercontent.com"
LAST_ISSUED = 50  # tokens that are remembered
LIFETIME = 300  # seconds; GitHub's tokens last as long


class Issuer:
    """An identity provider known by its URL, whose `token(…)`s an `AssumeRoleWithWebIdentity` can be made with.

    An account trusts it once `create_open_id_connect_provider(Url=issuer.url, ClientIDList=[…])` has said so. While
    `reachable` is False STS cannot fetch its key.
    """

    def __init__(self, url: str, now: Callable[[], datetime]) -> None:
        if not url.startswith("https://"):
            raise ValueError(f"The URL of an identity provider begins with https://, not {url!r}.")
        self.url, self._now = url.rstrip("/"), now
        self.reachable = True
        self.rejected: set[str] = set()
        self.issued: deque[str] = deque(maxlen=LAST_ISSUED)  # the last tokens, oldest first

    @cached_property
    def _key(self) -> Any:
        from cryptography.hazmat.primitives.asymmetric import rsa  # late: few lessons need it

        return rsa.generate_private_key(public_exponent=65_537, key_size=2048)

    def token(self, subject: str, *, audience: str = "sts.amazonaws.com", lasts: int = LIFETIME, **claims: Any) -> str:
        """A signed token (a JWT) that says who its bearer is; it is valid for `lasts` seconds from now.

        `claims` are added to it, or take the place of `iss`, `sub`, `aud`, `iat`, `exp`, `jti`.
        """
        issued = int(self._now().timestamp())
        usual = {"iss": self.url, "sub": subject, "aud": audience, "iat": issued, "exp": issued + lasts}
        parts = ({"alg": "RS256", "typ": "JWT", "kid": "lab"}, {**usual, "jti": str(uuid.uuid4()), **claims})
        signed = ".".join(_encode(json.dumps(part).encode()) for part in parts)
        token = f"{signed}.{_encode(self._key.sign(signed.encode(), *_algorithm()))}"
        self.issued.append(token)
        return token

    def workflow_token(
        self,
        repository: str,
        *,
        ref: str = "refs/heads/main",
        environment: str | None = None,
        actor: str = "octocat",
        workflow: str = "deploy",
        **claims: Any,
    ) -> str:
        """The token a GitHub Actions job gets: `repository` is "owner/name"; its subject names it and where it runs.

        https://docs.github.com/actions/reference/security/oidc
        """
        place = f"environment:{environment}" if environment else f"ref:{ref}"
        usual = {
            "repository": repository,
            "repository_owner": repository.partition("/")[0],
            "ref": ref,
            "actor": actor,
            "workflow": workflow,
            "job_workflow_ref": f"{repository}/.github/workflows/{workflow}.yml@{ref}",
            **({"environment": environment} if environment else {}),
        }
        return self.token(f"repo:{repository}:{place}", **{**usual, **claims})

    def reject(self, token: str) -> None:
        """Have the provider say, when STS asks, that a token is not to be believed any more."""
        self.rejected.add(token)

    def exported_key(self) -> bytes | None:
        """The private key this provider signs with, as DER; None while it has signed nothing."""
        from cryptography.hazmat.primitives import serialization as forms

        if "_key" not in vars(self):
            return None
        exported: bytes = self._key.private_bytes(forms.Encoding.DER, forms.PrivateFormat.PKCS8, forms.NoEncryption())
        return exported

    def import_key(self, exported: bytes) -> None:
        """Sign with the key that `exported_key` gave; raises `ValueError` for anything else."""
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import rsa

        try:
            key = serialization.load_der_private_key(exported, None)
        except Exception as error:  # each way of not being a key has an error of its own
            raise ValueError(f"The key of {self.url} cannot be read: {error}") from error
        if not isinstance(key, rsa.RSAPrivateKey):
            raise ValueError(f"The key of {self.url} is not an RSA key.")
        self._key = key

    def has_rejected(self, token: str) -> bool:
        return token in self.rejected

    def has_signed(self, token: str) -> bool:
        """Whether this provider's key has signed a token as it stands."""
        from cryptography.exceptions import InvalidSignature

        text, _, signature = token.rpartition(".")
        try:
            self._key.public_key().verify(_decode(signature), text.encode(), *_algorithm())
        except (InvalidSignature, ValueError):
            return False
        return True

    def __repr__(self) -> str:
        return f"<Issuer {self.url}>"


def decode_unverified(token: str) -> tuple[Mapping[str, Any], Mapping[str, Any]] | None:
    """Header and claims of a token, not verified; None for what is no JWT."""
    parts = token.split(".")
    try:
        header, claims = (json.loads(_decode(part)) for part in parts[:2])
    except (ValueError, RecursionError):
        return None
    well_formed = len(parts) == 3 and isinstance(header, dict) and isinstance(claims, dict)
    return (header, claims) if well_formed else None


def _algorithm() -> tuple[Any, Any]:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    return padding.PKCS1v15(), hashes.SHA256()


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode("ascii")


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from error
