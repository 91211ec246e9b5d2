"""Requests to S3 as policies see them: `s3:if-none-match` and `s3:if-match` of an upload, and `s3:x-amz-acl` of PutObjectAcl, are conditions.

Source: S3 user guide, "Enforce conditional writes on Amazon S3 buckets"; service authorization reference, S3: s3:PutObject, s3:PutObjectAcl.
"""

from ministack.core import iam_actions

#: Headers that are conditions of the same name, by action.
HEADERS = {"s3:PutObject": ("if-none-match", "if-match"), "s3:PutObjectAcl": ("x-amz-acl",)}


def install() -> None:
    old = iam_actions.s3_service_context

    def with_conditions(iam_action, query_params, path="", headers=None):
        context = old(iam_action, query_params, path, headers)
        sent = {name.lower(): value for name, value in (headers or {}).items()}
        return {**context, **{f"s3:{name}": sent[name] for name in HEADERS.get(iam_action, ()) if sent.get(name)}}

    iam_actions.s3_service_context = with_conditions
