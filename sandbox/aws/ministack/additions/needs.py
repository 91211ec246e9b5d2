"""Which permissions of a handler one call of it needs.

A resource type's schema lists every permission that a handler may need (`handler-permissions/`). Which of them it needs depends on the
properties: those are below, the rest is needed always. Of what is listed without a reason that the documents give, nothing is asked.
"""

import json
import re
from pathlib import Path

HANDLERS = {
    published["type"]: published["handlers"]
    for published in (json.loads(file.read_text()) for file in (Path(__file__).parent / "handler-permissions").glob("*.json"))
}

#: Needed where this property is given, or changes. Source: CloudFormation template reference of the types; service authorization reference.
PROPERTY = {
    "iam:AddUserToGroup": "Groups",
    "iam:RemoveUserFromGroup": "Groups",
    "iam:AttachUserPolicy": "ManagedPolicyArns",
    "iam:DetachUserPolicy": "ManagedPolicyArns",
    "iam:CreateLoginProfile": "LoginProfile",
    "iam:UpdateLoginProfile": "LoginProfile",
    "iam:GetLoginProfile": "LoginProfile",
    "iam:DeleteLoginProfile": "LoginProfile",
    "iam:PutUserPermissionsBoundary": "PermissionsBoundary",
    "iam:DeleteUserPermissionsBoundary": "PermissionsBoundary",
    "iam:PutUserPolicy": "Policies",
    "iam:DeleteUserPolicy": "Policies",
    "iam:TagUser": "Tags",
    "iam:UntagUser": "Tags",
    "iam:ListUserTags": "Tags",
    "iam:UpdateUser": "Path",
    "s3:PutAccelerateConfiguration": "AccelerateConfiguration",
    "s3:PutAnalyticsConfiguration": "AnalyticsConfigurations",
    "s3:PutBucketAbac": "AbacStatus",
    "s3:PutBucketAcl": "AccessControl",
    "s3:PutBucketCORS": "CorsConfiguration",
    "s3:PutBucketLogging": "LoggingConfiguration",
    "s3:PutBucketNotification": "NotificationConfiguration",
    "s3:PutBucketObjectLockConfiguration": "ObjectLockConfiguration",
    "s3:PutBucketOwnershipControls": "OwnershipControls",
    "s3:PutBucketPublicAccessBlock": "PublicAccessBlockConfiguration",
    "s3:PutBucketTagging": "Tags",
    "s3:PutBucketVersioning": "VersioningConfiguration",
    "s3:PutBucketWebsite": "WebsiteConfiguration",
    "s3:DeleteBucketWebsite": "WebsiteConfiguration",
    "s3:PutEncryptionConfiguration": "BucketEncryption",
    "s3:PutIntelligentTieringConfiguration": "IntelligentTieringConfigurations",
    "s3:PutInventoryConfiguration": "InventoryConfigurations",
    "s3:PutLifecycleConfiguration": "LifecycleConfiguration",
    "s3:PutMetricsConfiguration": "MetricsConfigurations",
    "s3:PutReplicationConfiguration": "ReplicationConfiguration",
    "s3:TagResource": "Tags",
    "s3:UntagResource": "Tags",
    "iam:PassRole": "ReplicationConfiguration",
    "secretsmanager:GetRandomPassword": "GenerateSecretString",
    "secretsmanager:GetSecretValue": "GenerateSecretString",
    "secretsmanager:ReplicateSecretToRegions": "ReplicaRegions",
    "secretsmanager:RemoveRegionsFromReplication": "ReplicaRegions",
    "secretsmanager:TagResource": "Tags",
    "secretsmanager:UntagResource": "Tags",
}
#: Takes something away: needed where the property loses something.
REMOVES = ("Delete", "Detach", "Remove", "Untag")
#: AWS::IAM::Policy and ManagedPolicy act on the principals they name.
ATTACHED = {"Group": "Groups", "Role": "Roles", "User": "Users"}

#: Whether a user has a password is found out by asking, whatever the template says.
ASKED_AT_DELETION = ("iam:GetLoginProfile", "iam:DeleteLoginProfile")
#: Listed, but no document says when.
UNKNOWN = re.compile(
    "iam:DeleteAccessKey|s3tables:.*|s3:.*BucketMetadata.*TableConfiguration|s3:GetBucketAcl|s3:DeleteObject|s3:PutObjectAcl|"
    "s3:PutBucketReplication|s3:PutObjectLockConfiguration|s3:DeleteBucket(Analytics|Metrics)Configuration|"
    "s3:DeleteBucket(Cors|Encryption|Lifecycle|Replication)"
)


def needed(type_name: str, handler: str, old: dict, new: dict) -> list[str]:
    """Actions, in the order in which the schema lists them. `old` is empty at creation, `new` at deletion."""
    listed = [action for action in HANDLERS.get(type_name, {}).get(handler, []) if not UNKNOWN.fullmatch(action)]
    if handler == "read":
        return listed
    at_deletion = ASKED_AT_DELETION if handler == "delete" else ()
    return [action for action in listed if action in at_deletion or is_needed(type_name, action, old, new)]


def is_needed(type_name: str, action: str, old: dict, new: dict) -> bool:
    if type_name in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
        kind = next((kind for kind in ATTACHED if kind in action), None)
        return kind is None or bool(old.get(ATTACHED[kind]) or new.get(ATTACHED[kind]))
    name = PROPERTY.get(action)
    if name is None:
        return True
    before, after = old.get(name), new.get(name)
    if before == after:
        return False
    removes = action.partition(":")[2].startswith(REMOVES)
    return bool(before) and loses(before, after) if removes else bool(after)


def loses(before, after) -> bool:
    """Whether something named in `before` is not in `after`."""
    if not isinstance(before, list) or not isinstance(after, list):
        return not after

    def names(items):
        return {str(item.get("Key") or item.get("PolicyName") or item) if isinstance(item, dict) else str(item) for item in items}

    return not names(before) <= names(after)
