"""What AWS does and MiniStack does not, where no proxy can see it: inside CloudFormation.

MiniStack keeps a table of handlers by resource type, as CloudFormation does; additions are entered there when it starts. MiniStack itself stays as installed. Each addition names its source, and its test also shows that MiniStack alone lacks it.
"""

from . import bucket


def install() -> None:
    bucket.install()
