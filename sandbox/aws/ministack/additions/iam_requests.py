"""Requests to IAM as policies see them: a user's ARN has its path, and `iam:PermissionsBoundary` is a condition.

Source: IAM user guide, "IAM identifiers" (a path is part of the ARN); service authorization reference, IAM: `iam:PermissionsBoundary`, and the
actions that have it.
"""

from ministack.core import iam_actions
from ministack.services import iam

#: The boundary that the request sets.
SETS = ("CreateUser", "CreateRole", "PutUserPermissionsBoundary", "PutRolePermissionsBoundary")
#: The boundary of the user or role that the request is about.
HAS = tuple(
    verb.format(kind)
    for kind in ("User", "Role")
    for verb in ("Attach{}Policy", "Detach{}Policy", "Put{}Policy", "Delete{}Policy", "Delete{}PermissionsBoundary")
)


def install() -> None:
    resource_arn = iam_actions.extract_resource_arn
    tag_context = iam_actions.request_tag_context

    def with_path(service, method, path, headers, body, query_params, region, account_id):
        arn = resource_arn(service, method, path, headers, body, query_params, region, account_id)
        return user_arn(query_params, arn) if service == "iam" and ":user/" in arn else arn

    def with_boundary(service, iam_action, body, params):
        return {**tag_context(service, iam_action, body, params), **(boundary_context(iam_action, params) if service == "iam" else {})}

    iam_actions.extract_resource_arn = with_path
    iam_actions.request_tag_context = with_boundary


def user_arn(params: dict, arn: str) -> str:
    name = iam_actions._query_param(params, "UserName")
    user = iam._users.get(name)
    if user is not None:
        return user["Arn"]
    if iam_actions._query_param(params, "Action") != "CreateUser":
        return arn
    return arn.replace(":user/", f":user{iam_actions._query_param(params, 'Path') or '/'}", 1)


def boundary_context(iam_action: str, params: dict) -> dict:
    operation = iam_action.partition(":")[2]
    if operation in SETS:
        boundary = iam_actions._query_param(params, "PermissionsBoundary")
    elif operation in HAS:
        kind, store = ("UserName", iam._users) if "User" in operation else ("RoleName", iam._roles)
        boundary = (store.get(iam_actions._query_param(params, kind)) or {}).get("PermissionsBoundary")
    else:
        boundary = None
    return {"iam:PermissionsBoundary": boundary} if boundary else {}
