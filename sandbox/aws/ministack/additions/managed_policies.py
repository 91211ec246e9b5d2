"""AWS's managed policies that quarantine a user whose key became known.

Source: AWS managed policy reference, AWSCompromisedKeyQuarantine, V2, V3 and V4; each text's own file in `quarantine/` names where it is from.
"""

import json
from pathlib import Path

from ministack.services import iam


def install() -> None:
    for file in (Path(__file__).parent / "quarantine").glob("*.json"):
        published = json.loads(file.read_text())
        record = iam._make_aws_managed_record(published["name"], json.dumps(published["document"]), published["description"])
        version = {**record["Versions"]["v1"], "VersionId": published["version"]}
        record |= {"DefaultVersionId": published["version"], "Versions": {published["version"]: version}}
        iam._aws_managed_policies[record["Arn"]] = record
