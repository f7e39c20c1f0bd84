"""The schemas that REST exposes."""

import re

from tests.support.stack import PROJECT


def exposed_schemas() -> list[str]:
    """Read them from the project's settings."""
    line = re.search(r"^schemas = \[(.*)\]$", (PROJECT / "config.toml").read_text(), re.MULTILINE)
    assert line is not None
    return re.findall(r'"(\w+)"', line[1])
