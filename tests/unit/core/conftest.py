"""What the tests of settings share."""

import pytest
from diffusion_run import diffusion_run


@pytest.fixture
def config(root):
    """The demo with a diffusion model, compared with analyses only."""
    config = diffusion_run(root)
    del config["archive"]["truth"], config["archive"]["stations"]
    return config
