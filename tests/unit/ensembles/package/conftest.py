from pathlib import Path

import pytest
from packages import QUICK, pack


@pytest.fixture(scope="session")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with packages, with members that they drew in another process."""
    return pack(tmp_path_factory.mktemp("packages"), QUICK)
