"""AWS::S3::Bucket: OwnershipControls and Tags count, and a bucket that is not empty is not deleted.

Source: CloudFormation template reference, AWS::S3::Bucket ("You can only delete empty buckets. Deletion fails for buckets that have
contents", OwnershipControls, Tags).
"""

from xml.etree.ElementTree import Element, SubElement, tostring

from ministack.services import s3
from ministack.services.cloudformation.provisioners import _RESOURCE_HANDLERS, _STACK_TAG_PROPERTY

from .handler import handler_error

TYPE = "AWS::S3::Bucket"


def install() -> None:
    _STACK_TAG_PROPERTY[TYPE] = ("Tags", "list")  # a stack's own tags reach its buckets, too
    old = _RESOURCE_HANDLERS[TYPE]

    def create(logical_id, props, stack_name):
        name, attributes = old["create"](logical_id, props, stack_name)
        try:
            apply(name, {}, props)
        except ValueError:
            old["delete"](name, props)
            raise
        return name, attributes

    def update(physical_id, old_props, new_props, stack_name):
        name, attributes = old["update"](physical_id, old_props, new_props, stack_name)
        apply(name, old_props if name == physical_id else {}, new_props)
        return name, attributes

    def delete(physical_id, props):
        status, _headers, body = s3._delete_bucket(physical_id)
        if status == 409:
            message = "The bucket you tried to delete is not empty"
            if s3._bucket_versioning.get(physical_id):
                message += ". You must delete all versions in the bucket."
            raise handler_error(message, "S3", 409, "GeneralServiceException")
        old["delete"](physical_id, props)

    _RESOURCE_HANDLERS[TYPE] = {**old, "create": create, "update": update, "delete": delete}


def apply(name: str, old_props: dict, props: dict) -> None:
    """Through the same calls as a client's, so that both are judged alike."""
    ownership = props.get("OwnershipControls")
    if ownership:
        call(s3._put_bucket_ownership_controls, name, ownership_xml(ownership))
    elif old_props.get("OwnershipControls"):
        call(s3._delete_bucket_ownership_controls, name)
    if props.get("Tags"):
        call(s3._put_bucket_tagging, name, tags_xml(props["Tags"]))
    elif old_props.get("Tags"):
        call(s3._delete_bucket_tagging, name)


def call(operation, *args) -> None:
    status, _headers, body = operation(*args)
    if status >= 400:
        raise handler_error(text_of(body, "Message"), "S3", status, "InvalidRequest")


def ownership_xml(controls: dict) -> bytes:
    root = Element("OwnershipControls", xmlns=s3.S3_NS)
    for rule in controls.get("Rules") or []:
        SubElement(SubElement(root, "Rule"), "ObjectOwnership").text = str(rule.get("ObjectOwnership", ""))
    return tostring(root)


def tags_xml(tags: list) -> bytes:
    root = Element("Tagging", xmlns=s3.S3_NS)
    tag_set = SubElement(root, "TagSet")
    for tag in tags:
        element = SubElement(tag_set, "Tag")
        SubElement(element, "Key").text = str(tag["Key"])
        SubElement(element, "Value").text = str(tag["Value"])
    return tostring(root)


def text_of(body: bytes, name: str) -> str:
    text = body.decode("utf-8", "replace")
    return text.partition(f"<{name}>")[2].partition(f"</{name}>")[0]
