"""A day of MRMS in a bucket, which an S3 server on the loopback address lists page by page."""

import contextlib
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from moto.s3.models import S3Backend, get_canned_acl, s3_backends
from moto.server import ThreadedMotoServer

from stormdraw.grids import Grid, latitude_longitude
from stormdraw.simulated.mosaic_messages import NO_COVERAGE, NO_ECHO, mosaic_file

BUCKET = "noaa-mrms-pds"
DAY = datetime(2026, 6, 1)
FOLDER = "CONUS/MergedReflectivityQCComposite_00.50"
KEYS_A_DAY = 1200
_ACCOUNT = "123456789012"

GRID = latitude_longitude(-115.5, -114.9, 43.5, 43.9, (41, 61))


def key(time: datetime) -> str:
    """The key of a file of that time."""
    name = f"MRMS_MergedReflectivityQCComposite_00.50_{time:%Y%m%d-%H%M%S}.grib2.gz"
    return f"{FOLDER}/{time:%Y%m%d}/{name}"


def values(value: float) -> np.ndarray:
    """A field (41, 61) of one echo, no coverage in the south-west and no echo in the north."""
    field = np.full(GRID.shape, value)
    field[0, 0] = NO_COVERAGE
    field[-1] = NO_ECHO
    return field


def file_of(time: datetime, value: float = 30.0, grid: Grid = GRID) -> bytes:
    """A file as the bucket has it."""
    return mosaic_file(values(value), grid, time)


def a_day() -> dict[str, bytes]:
    """1,200 keys, 72 s apart from 00:00:31 on, whose bytes are no files."""
    first, step = DAY + timedelta(seconds=31), timedelta(seconds=72)
    return {key(first + number * step): b"" for number in range(KEYS_A_DAY)}


def write(files: Mapping[str, bytes], folder: Path) -> None:
    """The files as a mirror folder."""
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)


@dataclass(frozen=True)
class Bucket:
    """The bucket of a server at `endpoint`, which anyone may read."""

    endpoint: str
    backend: S3Backend

    def put(self, files: Mapping[str, bytes]) -> None:
        for path, content in files.items():
            self.backend.put_object(BUCKET, path, content).set_acl(get_canned_acl("public-read"))

    def remove(self, path: str) -> None:
        self.backend.delete_object(BUCKET, path)


@contextlib.contextmanager
def serving() -> Iterator[Bucket]:
    """An S3 server that has nothing but an empty bucket."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    backend = s3_backends[_ACCOUNT]["aws"]
    try:
        backend.create_bucket(BUCKET, "us-east-1")
        host, port = server.get_host_and_port()
        yield Bucket(f"http://{host}:{port}", backend)
    finally:
        server.stop()
        # All servers of a process have the same buckets.
        backend.reset()
