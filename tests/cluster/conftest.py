import os
import shutil
import signal
from collections.abc import Iterator

import pytest
from slurm_cluster import SlurmCluster


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlurmCluster]:
    """A Slurm for these tests."""
    if not shutil.which("slurmctld", path=f"{os.environ['PATH']}:/usr/sbin"):
        pytest.skip("no Slurm here; `make test-cluster` installs it")
    # Whoever ends the tests ends the cluster with them.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with SlurmCluster(tmp_path_factory.mktemp("slurm") / "cluster") as started:
        yield started
