"""What AWS does and MiniStack does not, where no proxy can see it: inside CloudFormation, and where IAM decides.

MiniStack keeps a table of handlers by resource type, as CloudFormation does, and one of AWS's managed policies; additions are entered there
when it starts, and what IAM reads from a request is read more fully. MiniStack itself stays as installed. Each addition names its source,
and its test also shows that MiniStack alone lacks it.
"""

from . import account_public_access, bucket, iam_requests, managed_policies, permissions


def install() -> None:
    account_public_access.install()
    bucket.install()
    iam_requests.install()
    managed_policies.install()
    permissions.install()  # last, so that it is asked first
