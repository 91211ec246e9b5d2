"""CloudFormation acts with its caller's permissions, handler by handler.

Source: CloudFormation user guide, "Control CloudFormation access with IAM" (without a service role a temporary session of the caller's own
credentials is used); CloudFormation CLI user guide, resource type schema, `handlers.permissions`; global condition keys aws:CalledVia and
aws:ViaAWSService.
"""

from ministack.core import iam_evaluator
from ministack.core.iam_actions import identity_denial_message
from ministack.core.responses import get_account_id, get_region
from ministack.services.cloudformation.provisioners import _RESOURCE_HANDLERS

from .handler import handler_error
from .needs import ATTACHED, HANDLERS, needed

SERVICES = {"s3": ("S3", 403), "iam": ("Iam", 403), "secretsmanager": ("SecretsManager", 400)}


def install() -> None:
    for type_name in HANDLERS:
        if type_name in _RESOURCE_HANDLERS:
            _RESOURCE_HANDLERS[type_name] = judged(type_name, _RESOURCE_HANDLERS[type_name])


def judged(type_name: str, old: dict) -> dict:
    """The same handlers, each asking first whether its caller may."""

    def create(logical_id, props, stack_name):
        require(type_name, "create", {}, props, f"{stack_name}-{logical_id}")
        return old["create"](logical_id, props, stack_name)

    def update(physical_id, old_props, new_props, *rest):
        require(type_name, "update", old_props, new_props, physical_id)
        return old["update"](physical_id, old_props, new_props, *rest)

    def delete(physical_id, props):
        require(type_name, "delete", props, {}, physical_id)
        return old["delete"](physical_id, props)

    def imported(identifier):
        require(type_name, "read", {}, identifier, next(iter(identifier.values())))
        return old["import"](identifier)

    wrapped = {"create": create, "update": update, "delete": delete, "import": imported}
    return {name: wrapped.get(name, handler) for name, handler in old.items()}


def require(type_name: str, handler: str, old: dict, new: dict, physical_id: str) -> None:
    """Raise what CloudFormation reports when the caller lacks a permission."""
    key = iam_evaluator._verified_key.get()  # of the request that CloudFormation was called by; none for root, who may do all
    if key == "":
        return
    old, new = without_system_tags(old), without_system_tags(new)
    props = new or old
    for action in needed(type_name, handler, old, new):
        for resource in resources(type_name, action, props, physical_id):
            service = action.partition(":")[0]
            refused = iam_evaluator.enforce(key, action, service, get_region(), resource, context(props))
            if refused is not None:
                raise handler_error(message(refused, action, resource), *SERVICES.get(service, (service, 403)), "AccessDenied")


def without_system_tags(props: dict) -> dict:
    """CloudFormation's own tags are its own affair."""
    if not isinstance(props.get("Tags"), list):
        return props
    return {**props, "Tags": [tag for tag in props["Tags"] if not str(tag.get("Key", "")).startswith("aws:")]}


def message(refused, action: str, resource: str) -> str:
    if isinstance(refused, iam_evaluator.AuthError):
        return refused.message
    named = f'"{resource}"' if action.startswith("s3:") else resource
    if refused.resource_policy_arn:
        return f"User: {refused.principal_arn} is not authorized to perform: {action} on resource: {named} with an explicit deny in a resource-based policy"
    return identity_denial_message(action, refused.principal_arn, named, refused.decision == "Deny")


def context(props: dict) -> dict:
    tags = {tag["Key"]: tag["Value"] for tag in props.get("Tags") or [] if isinstance(tag, dict)}
    keys = {f"aws:RequestTag/{key}": value for key, value in tags.items()}
    if tags:
        keys["aws:TagKeys"] = list(tags)
    if props.get("PermissionsBoundary"):
        keys["iam:PermissionsBoundary"] = props["PermissionsBoundary"]
    return {**keys, "aws:CalledVia": ["cloudformation.amazonaws.com"], "aws:ViaAWSService": "true"}


def resources(type_name: str, action: str, props: dict, physical_id: str) -> list[str]:
    """ARNs that an action is on. Source: service authorization reference, resource types of S3, IAM and Secrets Manager."""
    account = get_account_id()
    operation = action.partition(":")[2]
    if type_name.startswith("AWS::S3::"):
        bucket = props.get("BucketName") or props.get("Bucket") or physical_id.lower()
        return ["*"] if operation.startswith("ListAll") or not action.startswith("s3:") else [f"arn:aws:s3:::{bucket}"]
    if type_name == "AWS::IAM::User":
        return [f"arn:aws:iam::{account}:user{props.get('Path') or '/'}{props.get('UserName') or physical_id}"]
    if type_name in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
        kind = next((kind for kind in ATTACHED if kind in operation), None)
        if kind is not None:
            return [f"arn:aws:iam::{account}:{kind.lower()}/{name}" for name in props.get(ATTACHED[kind]) or []]
        name = props.get("ManagedPolicyName") or physical_id.rpartition("/")[2]
        return [f"arn:aws:iam::{account}:policy{props.get('Path') or '/'}{name}"]
    if type_name == "AWS::SecretsManager::Secret" and operation != "GetRandomPassword":
        if physical_id.startswith("arn:"):
            return [physical_id]
        # The six characters that Secrets Manager adds to a name are not known beforehand.
        return [f"arn:aws:secretsmanager:{get_region()}:{account}:secret:{props.get('Name') or physical_id}-AbCdEf"]
    return ["*"]
