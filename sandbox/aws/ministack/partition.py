"""An account of another partition than `aws`.

MiniStack says `arn:aws:` and `amazonaws.com` wherever it makes or reads a name. Its modules, and the additions, are compiled with the
partition's own names in their places; the files stay as installed. That costs some seconds at each start.

Source: AWS Fault Isolation Boundaries (whitepaper), "Partitions"; IAM user guide, "Amazon Resource Names (ARNs)"; CloudFormation template
reference, pseudo parameters AWS::Partition and AWS::URLSuffix.
"""

import sys
from importlib.machinery import PathFinder, SourceFileLoader

PACKAGES = ("ministack", "additions")


def install(partition: str, domain: str) -> None:
    """From here on, import `PACKAGES` as of `partition`."""
    texts = {
        "arn:aws:": f"arn:{partition}:",
        '"AWS::Partition": "aws"': f'"AWS::Partition": "{partition}"',
        '"AWS::URLSuffix": "amazonaws.com"': f'"AWS::URLSuffix": "{domain}"',
        '.partition != "aws"': f'.partition != "{partition}"',
        # After a region, so an endpoint: names of services and of XML's namespaces are the same everywhere.
        "}.amazonaws.com": f"}}.{domain}",
    }

    class Loader(SourceFileLoader):
        def get_code(self, fullname):
            path = self.get_filename(fullname)
            source = self.get_data(path).decode()
            for old, new in texts.items():
                source = source.replace(old, new)
            return compile(source, path, "exec", dont_inherit=True)

    class Finder(PathFinder):
        @classmethod
        def find_spec(cls, fullname, path=None, target=None):
            if fullname.partition(".")[0] not in PACKAGES:
                return None
            spec = super().find_spec(fullname, path, target)
            if spec is not None and isinstance(spec.loader, SourceFileLoader):
                spec.loader = Loader(spec.loader.name, spec.loader.path)
            return spec

    sys.meta_path.insert(0, Finder)
