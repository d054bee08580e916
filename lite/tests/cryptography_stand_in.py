"""The package `cryptography` for a site of pieces: what the lab's lessons use of it, and nothing safe about it.

Its real build for the browser comes with Pyodide's distribution. Here RSA is the pure-Python package `rsa`, with short
keys, what Fernet seals is signed but can be read, and everything else can be imported and says, when it is used, that
it is not there.
"""

import base64
import functools
import hashlib
import hmac
import importlib
import importlib.abc
import importlib.util
import secrets
import sys
from types import ModuleType


class InvalidToken(Exception): ...


class InvalidSignature(Exception): ...


class Fernet:
    def __init__(self, key: bytes) -> None:
        self._key = key

    @staticmethod
    def generate_key() -> bytes:
        return secrets.token_bytes(32)

    def encrypt(self, content: bytes) -> bytes:
        return base64.urlsafe_b64encode(self._signature(content) + content)

    def decrypt(self, token: bytes) -> bytes:
        try:
            opened = base64.urlsafe_b64decode(token)
        except ValueError:
            raise InvalidToken from None
        if not hmac.compare_digest(opened[:32], self._signature(opened[32:])):
            raise InvalidToken
        return opened[32:]

    def _signature(self, content: bytes) -> bytes:
        return hmac.digest(self._key, content, hashlib.sha256)


class PrivateKey:
    def __init__(self) -> None:
        import rsa

        self._rsa = rsa
        self._public, self._private = rsa.newkeys(512)

    def sign(self, content: bytes, *_algorithm: object) -> bytes:
        return bytes(self._rsa.sign(content, self._private, "SHA-256"))

    def public_key(self) -> "PrivateKey":
        return self

    def verify(self, signature: bytes, content: bytes, *_algorithm: object) -> None:
        try:
            self._rsa.verify(content, signature, self._public)
        except self._rsa.VerificationError:
            raise InvalidSignature from None


class Absent(type):
    def __getattr__(cls, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        return Absent(name, (), {})

    def __call__(cls, *args: object, **kwargs: object) -> object:
        if cls.__name__ in ("PKCS1v15", "SHA256"):  # they name the algorithm that `PrivateKey` has anyway
            return cls
        raise NotImplementedError(f"{cls.__name__} of cryptography is not in a site of pieces")


PRESENT = {
    "cryptography.fernet": {"Fernet": Fernet, "InvalidToken": InvalidToken},
    "cryptography.exceptions": {"InvalidSignature": InvalidSignature},
    "cryptography.hazmat.primitives.asymmetric.rsa": {"generate_private_key": lambda **_: PrivateKey()},
}


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds every module of the package."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> object:
        found = name.startswith("cryptography.")
        return importlib.util.spec_from_loader(name, self, is_package=True) if found else None

    def create_module(self, spec: object) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        vars(module).update(PRESENT.get(module.__name__, {}))
        module.__getattr__ = functools.partial(_member, module.__name__)  # type: ignore[method-assign]


def _member(module: str, name: str) -> object:
    if name.startswith("__"):
        raise AttributeError(name)
    within = f"{module}.{name}"
    return importlib.import_module(within) if within in PRESENT else Absent(name, (), {})


sys.meta_path.append(Finder())
