"""What handlers of resource types have in common."""

import uuid


def handler_error(message: str, service: str, status: int, code: str) -> ValueError:
    """A failure as CloudFormation reports it of a resource's handler."""
    request = uuid.uuid4()
    return ValueError(
        f'Resource handler returned message: "{message} (Service: {service}, Status Code: {status}, Request ID: {request})" '
        f"(RequestToken: {uuid.uuid4()}, HandlerErrorCode: {code})"
    )
