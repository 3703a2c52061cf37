"""What the tests of settings share."""

import pytest
import yaml


@pytest.fixture
def config(root):
    """The configuration of the demo, for tests to change copies of."""
    return yaml.safe_load((root / "config" / "demo.yaml").read_text())
