"""What an account holds besides its identities' policies: keys, passwords, MFA devices, identity providers.

A file that has them gives whoever holds it the same keys as before: they are the mock's own, and open nothing else.
Knows moto's inside.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moto.iam import models

from simlib.cloud.storage.iam_entities import backend
from simlib.cloud.storage.store import PARTITION
from simlib.cloud.worlds import identities
from simlib.cloud.worlds.identities import naive, pairs
from simlib.cloud.worlds.shape import DATE, NUMBER, TAGS, TEXT, TRUTH, WorldFileError, matching

_NAME = identities._NAME
_KEY = {
    "UserName?": _NAME,  # the root user has none
    "AccessKeyId": matching(r"AKIA[A-Z0-9]{16}", "an access key ID: AKIA and 16 letters and digits"),
    "SecretAccessKey": matching(r"[A-Za-z0-9+/=]{16,128}", "a secret access key"),
    "Status": matching("Active|Inactive", '"Active" or "Inactive"'),
    "CreateDate": DATE,
    "AccessKeyLastUsed?": {"LastUsedDate": DATE, "ServiceName": TEXT, "Region": TEXT},
}
_LOGIN = {"UserName": _NAME, "Password": TEXT, "PasswordResetRequired?": TRUTH}
_DEVICE = {
    "SerialNumber": matching(r"arn:aws:iam::\d{12}:mfa/[\x21-\x7e]+", "the ARN of a virtual MFA device"),
    "Base32StringSeed": matching("[A-Z2-7]{16,128}", "a seed in Base32"),
    "UserName?": _NAME,
    "EnableDate?": DATE,
    "LastStep?": NUMBER,
}
_OIDC = {
    "Url": matching(r"[a-z0-9.-]+(:\d+)?(/[\x21-\x7e]*)?", "the URL of an identity provider without https://"),
    "ClientIDList?": [TEXT],
    "ThumbprintList?": [TEXT],
    "CreateDate": DATE,
    "Tags?": TAGS,
}
_SAML = {"Name": _NAME, "SAMLMetadataDocument": TEXT, "CreateDate": DATE}
_PASSWORDS = {
    "AllowUsersToChangePassword": "allow_users_to_change_password",
    "HardExpiry": "hard_expiry",
    "MaxPasswordAge": "max_password_age",
    "MinimumPasswordLength": "minimum_password_length",
    "PasswordReusePrevention": "password_reuse_prevention",
    "RequireLowercaseCharacters": "require_lowercase_characters",
    "RequireNumbers": "require_numbers",
    "RequireSymbols": "require_symbols",
    "RequireUppercaseCharacters": "require_uppercase_characters",
}
_COUNTED = ("MaxPasswordAge", "MinimumPasswordLength", "PasswordReusePrevention")

SHAPE = {
    "AccountAlias?": TEXT,
    "PasswordPolicy?": {f"{name}?": NUMBER if name in _COUNTED else TRUTH for name in _PASSWORDS},
    "AccessKeys?": [_KEY],
    "LoginProfiles?": [_LOGIN],
    "VirtualMFADevices?": [_DEVICE],
    "InstanceProfiles?": [identities._PROFILE],  # those without a role
    "OpenIDConnectProviders?": [_OIDC],
    "SAMLProviders?": [_SAML],
}


def details(account: str) -> dict[str, Any]:
    iam = backend(account)
    policy = iam.account_password_policy
    return {
        "AccountAlias": next(iter(iam.account_aliases), None),
        "PasswordPolicy": policy and {name: getattr(policy, attribute) for name, attribute in _PASSWORDS.items()},
        "AccessKeys": [_of_key(key) for key in iam.access_keys.values()],
        "LoginProfiles": [_of_login(user) for user in iam.users.values() if user.password],
        "VirtualMFADevices": [_of_device(device) for device in iam.virtual_mfa_devices.values()],
        "InstanceProfiles": [identities.of_profile(p) for p in iam.instance_profiles.values() if not p.roles],
        "OpenIDConnectProviders": [_of_oidc(provider) for provider in iam.open_id_providers.values()],
        "SAMLProviders": [_of_saml(provider) for provider in iam.saml_providers.values()],
    }


def _of_key(key: Any) -> dict[str, Any]:
    used = key.last_used
    return {
        "UserName": key.user_name,
        "AccessKeyId": key.access_key_id,
        "SecretAccessKey": key.secret_access_key,
        "Status": key.status,
        "CreateDate": key.create_date,
        "AccessKeyLastUsed": used
        and {"LastUsedDate": used._timestamp, "ServiceName": used.service, "Region": used.region},
    }


def _of_login(user: Any) -> dict[str, Any]:
    required = user.password_reset_required or None
    return {"UserName": user.name, "Password": user.password, "PasswordResetRequired": required}


def _of_device(device: Any) -> dict[str, Any]:
    return {
        "SerialNumber": device.serial_number,
        "Base32StringSeed": device.base32_string_seed,
        "UserName": device.user.name if device.user else None,
        "EnableDate": device.enable_date if device.user else None,
        "LastStep": getattr(device, "last_step", None),
    }


def _of_oidc(provider: Any) -> dict[str, Any]:
    return {
        "Url": provider.url,
        "ClientIDList": provider.client_id_list,
        "ThumbprintList": provider.thumbprint_list,
        "CreateDate": provider.create_date,
        "Tags": pairs(provider.tags),
    }


def _of_saml(provider: Any) -> dict[str, Any]:
    document = provider.saml_metadata_document
    return {"Name": provider.name, "SAMLMetadataDocument": document, "CreateDate": provider.create_date}


def restore(account: str, told: Mapping[str, Any], place: str) -> None:
    """Make what `told` describes, once the account's identities are there. Raises `WorldFileError`."""
    iam = backend(account)
    if alias := told.get("AccountAlias"):
        iam.account_aliases = [alias]
    if policy := told.get("PasswordPolicy"):
        iam.account_password_policy = made = object.__new__(models.AccountPasswordPolicy)
        vars(made).update({attribute: policy.get(name) for name, attribute in _PASSWORDS.items()}, _errors=[])
    for index, key in enumerate(told.get("AccessKeys", ())):
        _restore_key(iam, account, key, f"{place}AccessKeys[{index}]")
    for index, login in enumerate(told.get("LoginProfiles", ())):
        user = _user(iam, login, f"{place}LoginProfiles[{index}]")
        user.password, user.password_reset_required = login["Password"], login.get("PasswordResetRequired", False)
    for index, device in enumerate(told.get("VirtualMFADevices", ())):
        _restore_device(iam, account, device, f"{place}VirtualMFADevices[{index}]")
    for profile in told.get("InstanceProfiles", ()):
        identities.restore_profile(iam, profile, [])
    for provider in told.get("OpenIDConnectProviders", ()):
        _restore_oidc(iam, account, provider)
    for provider in told.get("SAMLProviders", ()):
        made = iam.create_saml_provider(provider["Name"], provider["SAMLMetadataDocument"])
        made.create_date = naive(provider["CreateDate"])


def _user(iam: Any, told: Mapping[str, Any], where: str) -> Any:
    user = iam.users.get(told["UserName"])
    if user is None:
        raise WorldFileError(f"{where}.UserName: there is no user {told['UserName']} in this account.")
    return user


def _restore_key(iam: Any, account: str, told: Mapping[str, Any], where: str) -> None:
    made = models.AccessKey(told.get("UserName"), "AKIA", account, told["Status"])
    made.access_key_id, made.secret_access_key = told["AccessKeyId"], told["SecretAccessKey"]
    made.create_date = naive(told["CreateDate"])
    if used := told.get("AccessKeyLastUsed"):
        made.last_used = models.AccessKeyLastUsed(used["LastUsedDate"], used["ServiceName"], used["Region"])
    if any(made.access_key_id in models.iam_backends[other][PARTITION].access_keys for other in models.iam_backends):
        raise WorldFileError(f"{where}.AccessKeyId: there is another key {made.access_key_id}.")
    if "UserName" in told:
        _user(iam, told, where).access_keys.append(made)
    iam.access_keys[made.access_key_id] = made


def _restore_device(iam: Any, account: str, told: Mapping[str, Any], where: str) -> None:
    prefix = f"arn:aws:iam::{account}:mfa"
    if not told["SerialNumber"].startswith(f"{prefix}/"):
        raise WorldFileError(f"{where}.SerialNumber: {told['SerialNumber']} is not of account {account}.")
    made = models.VirtualMfaDevice(account, "us-east-1", told["SerialNumber"].removeprefix(prefix))
    made.base32_string_seed = told["Base32StringSeed"]
    iam.virtual_mfa_devices[made.serial_number] = made
    if "UserName" in told:
        user = _user(iam, told, where)
        iam.enable_mfa_device(user.name, made.serial_number, "", "")
        made.enable_date = naive(told.get("EnableDate", made.enable_date))
        user.mfa_devices[made.serial_number].enable_date = made.enable_date
    if "LastStep" in told:
        made.last_step = told["LastStep"]


def _restore_oidc(iam: Any, account: str, told: Mapping[str, Any]) -> None:
    tags = [{"Key": key, "Value": value} for key, value in told.get("Tags", {}).items()]
    url, thumbprints, clients = f"https://{told['Url']}", told.get("ThumbprintList", []), told.get("ClientIDList", [])
    made = iam.create_open_id_connect_provider(url, thumbprints, clients, tags)
    made.create_date = naive(told["CreateDate"])
