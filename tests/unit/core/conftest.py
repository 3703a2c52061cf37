"""What the tests of settings share."""

import pytest
import yaml


@pytest.fixture
def config(root):
    """The configuration of the demo, for tests to change copies of; compared with analyses only."""
    config = yaml.safe_load((root / "config" / "demo.yaml").read_text())
    del config["archive"]["truth"], config["archive"]["stations"]
    return config
