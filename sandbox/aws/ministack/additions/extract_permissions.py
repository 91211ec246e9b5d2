"""Write `handler-permissions/TYPE.json` from the schemas of resource types that the PyPI package cfn-lint carries.

pip download --no-deps cfn-lint==1.58.0 && python3 extract_permissions.py cfn_lint-1.58.0-py3-none-any.whl
"""

import json
import re
import sys
import zipfile
from pathlib import Path

TYPES = (
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Policy",
    "AWS::IAM::User",
    "AWS::S3::Bucket",
    "AWS::S3::BucketPolicy",
    "AWS::SecretsManager::Secret",
)
HANDLERS = ("create", "read", "update", "delete")


def main(wheel: str) -> None:
    version = re.search(r"cfn_lint-([0-9.]+)-", wheel)
    with zipfile.ZipFile(wheel) as package:

        def read(path: str) -> dict:
            return json.loads(package.read(f"cfnlint/data/schemas/{path}.json"))

        names = read("providers/us-east-1")
        source = f"PyPI cfn-lint {version[1] if version else '?'}, resource type schemas of {read('version')['schema_date'][:10]}"
        for type_name in TYPES:
            handlers = read(f"resources/{names[type_name]}")["handlers"]
            table = {name: handlers[name]["permissions"] for name in HANDLERS if name in handlers}
            target = Path(__file__).parent / "handler-permissions" / f"{type_name.replace('::', '-')}.json"
            target.parent.mkdir(exist_ok=True)
            target.write_text(json.dumps({"source": source, "type": type_name, "handlers": table}, indent=2) + "\n")


main(sys.argv[1])
