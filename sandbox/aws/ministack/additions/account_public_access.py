"""Block Public Access of the whole account, which counts beside each bucket's own; and either holds for policies that stacks put, too.

Source: S3 user guide, "Blocking public access to your Amazon S3 storage" (the most restrictive combination of account and bucket applies);
S3 Control API reference, GetPublicAccessBlock, PutPublicAccessBlock, DeletePublicAccessBlock.
"""

from xml.etree.ElementTree import Element, ParseError, SubElement, fromstring

from ministack.core.responses import get_account_id
from ministack.services import s3
from ministack.services.cloudformation.provisioners import _RESOURCE_HANDLERS, _policy_document_json

from .handler import handler_error

PATH = "/v20180820/configuration/publicAccessBlock"
#: As MiniStack describes an access point's requests: name, the rest, its kind, and the permission by method.
ROUTE = (
    PATH,
    None,
    None,
    {
        "GET": "s3:GetAccountPublicAccessBlock",
        "PUT": "s3:PutAccountPublicAccessBlock",
        "DELETE": "s3:PutAccountPublicAccessBlock",
    },
)
settings: dict[str, dict[str, bool]] = {}


def install() -> None:
    is_control, route, arn = s3.is_access_point_control_path, s3.access_point_control_route, s3.access_point_arn
    handle, blocked = s3.handle_access_point_control, s3._public_access_blocked

    s3.is_access_point_control_path = lambda path: path == PATH or is_control(path)
    s3.access_point_control_route = lambda path: ROUTE if path == PATH else route(path)
    s3.access_point_arn = lambda name, *rest: "*" if name == PATH else arn(name, *rest)
    s3.handle_access_point_control = lambda method, path, headers, body, query: (
        answer(method, body) if path == PATH else handle(method, path, headers, body, query)
    )
    s3._public_access_blocked = lambda account, bucket, setting: (
        settings.get(account, {}).get(setting, False) or blocked(account, bucket, setting)
    )
    policy = _RESOURCE_HANDLERS["AWS::S3::BucketPolicy"]
    _RESOURCE_HANDLERS["AWS::S3::BucketPolicy"] = {**policy, "create": checked(policy["create"], 1), "update": checked(policy["update"], 2)}


def answer(method: str, body: bytes) -> tuple:
    account = get_account_id()
    if method == "PUT":
        try:
            settings[account] = s3._parse_pab(fromstring(body))
        except ParseError:
            return s3.s3control_error("MalformedXML", s3._MALFORMED_XML, 400)
        return 201, {}, b""
    if method == "DELETE":
        settings.pop(account, None)
        return 204, {}, b""
    if account not in settings:
        return s3.s3control_error(
            "NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found", 404, {"AccountId": account}
        )
    root = Element("PublicAccessBlockConfiguration", xmlns="http://awss3control.amazonaws.com/doc/2018-08-20/")
    for field in s3._PAB_FIELDS:
        SubElement(root, field).text = str(settings[account].get(field, False)).lower()
    return s3._s3control_response(root)


def checked(old, position: int):
    """The handler `old`, whose argument at `position` are properties, unless their policy is public and may not be."""

    def handler(*args):
        props = args[position]
        name, document = props.get("Bucket", ""), props.get("PolicyDocument")
        if document and s3._public_access_blocked(get_account_id(), name, "BlockPublicPolicy"):
            if s3._policy_is_public(_policy_document_json(props)):
                raise handler_error(
                    "public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.", "S3", 403, "AccessDenied"
                )
        return old(*args)

    return handler
