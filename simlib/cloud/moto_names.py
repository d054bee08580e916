"""moto's inside by its names: each one that the lab uses, once, imported when it is first asked for.

moto stores and never decides; it is pinned, and `tests/cloud/test_store.py` says which of these has moved when it
changes. Nothing else of the lab imports moto. A service whose module nobody has loaded keeps nothing.
"""

from __future__ import annotations

import sys
from functools import cache
from importlib import import_module
from typing import Any

PARTITION = "aws"

NAMES = {
    name: module
    for module, names in {
        "core.base_backend": "BackendDict",
        "core.common_models": "BaseModel",
        "core.config": "default_user_config",
        "core.loaders": "create_loader",
        "core.model": "OperationModel ServiceModel",
        "core.models": "MockAWS",
        "core.parse": "PROTOCOL_PARSERS RequestParserError",
        "core.request": "PRESERVED_HEADER_NAMES_ENVIRON_KEY Request environ_key_for_header "
        "should_preserve_original_header_name",
        "core.responses": "BaseResponse",
        "core.routing": "RestRouter",
        "core.serialize": "DEFAULT_ALIAS_PROVIDERS SerializationContext XFormedAttributePicker get_serializer_class",
        "core.utils": "camelcase_to_underscores get_service_model method_names_from_class",
        "dynamodb.models": "dynamodb_backends",
        "ec2.models": "ec2_backends",
        "iam.aws_managed_policies": "aws_managed_policies_data",
        "iam.models": "AWSManagedPolicy AccessKey AccessKeyLastUsed AccountPasswordPolicy Group IAMBackend "
        "IAMPolicyDocumentValidator IAMTrustPolicyDocumentValidator InstanceProfile ManagedPolicy PolicyVersion Role "
        "User VirtualMfaDevice iam_backends",
        "iam.utils": "generate_access_key_id_from_account_id",
        "kms.models": "Grant Key",
        "organizations.models": "FakeAccount FakeOrganization FakeOrganizationalUnit FakePolicy FakeRoot "
        "organizations_backends",
        "s3.models": "FakeBucket FakeDeleteMarker FakeKey PublicAccessBlock s3_backends",
        "s3.responses": "S3Response",
        "ssm.models": "ParameterDict",
    }.items()
    for name in names.split()
}
# Modules of which the lab changes something while a world is open
MODULES = {
    "iam_models": "iam.models",
    "instance_models": "ec2.models.instances",
    "kms_responses": "kms.responses",
    "responses": "core.responses",
    "utilities": "utilities.utils",
    "utils": "core.utils",
}
EC2_TABLES = "moto.ec2.models.instance_types"
# Where services are kept that are not named as in their ARNs: module and name of the backends
_KEEPERS = {
    "lambda": ("awslambda_simple", "lambda_simple"),
    "states": ("stepfunctions", "stepfunctions"),
    "apigateway": ("apigatewayv2", "apigatewayv2"),
    "elasticfilesystem": ("efs", "efs"),
    "elasticloadbalancing": ("elbv2", "elbv2"),
    "es": ("opensearch", "opensearch"),
}


def __getattr__(name: str) -> Any:
    if name not in MODULES and name not in NAMES:
        raise AttributeError(name)
    import moto  # late: who only wants to catch an error of a world's file needs none of it

    module = import_module(f"{moto.__name__}.{MODULES.get(name) or NAMES[name]}")
    globals()[name] = module if name in MODULES else getattr(module, name)
    return globals()[name]


def loaded(name: str) -> Any:
    """What one of the names stands for, None while nobody has needed the module it is in."""
    return getattr(sys.modules.get(f"moto.{NAMES[name]}"), name, None)


@cache
def module_of_backends(service: str) -> tuple[str, str]:
    """Module and name of the backends of a service, as ARNs name it."""
    plain = service.replace("-", "")
    module, name = _KEEPERS.get(service, (plain, plain))
    return f"moto.{module}.models", f"{name}_backends"


def backends(service: str) -> Any:
    """moto's backends of a service, by account and Region; empty while it has not been used."""
    module, name = module_of_backends(service)
    return getattr(sys.modules.get(module), name, {})


def keepers(service: str, account: str) -> list[Any]:
    """The backends of a service in those Regions of an account that have been used."""
    kept = backends(service)
    return list(kept[account].values()) if account in kept else []


def keeper(service: str, account: str, region: str = "") -> Any | None:
    """The backend of a service in a Region, None while nothing of it exists there."""
    return backends(service).get(account, {}).get(region or PARTITION)
