"""Fetches the real HRRR crops of config/idaho.yaml into a folder: `make idaho`.

They are the test data (CC0) of USDA-ARS's weather_forecast_retrieval, in its source distribution on
the Python Package Index. Nothing of that package is run or installed.
"""

import hashlib
import io
import sys
import tarfile
import urllib.request
from pathlib import Path

from stormdraw.files import replacing_folder

ADDRESS = (
    "https://files.pythonhosted.org/packages/1f/1b/"
    "67ef9e6b017dfb22e947dc9a38878779bc5591da48f94e440c81c9a27f63/"
    "weather_forecast_retrieval-0.830.tar.gz"
)
SHA256 = "51c49a0377de97e8dd9ac296a1301ebd3c71be232069c5137c4416c74b40cdce"
DAY = "hrrr.20180722"
SECONDS = 60


def fetch_crops(folder: Path, address: str = ADDRESS, sha256: str = SHA256) -> int:
    """Write the crops of the day below `folder`, in its place at once, and return how many.

    Raises ValueError for other bytes than those known, OSError if they cannot be had.
    """
    with urllib.request.urlopen(address, timeout=SECONDS) as answer:  # noqa: S310 (https, or a test's)
        content = answer.read()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ValueError("other bytes than expected, by their SHA-256")
    with tarfile.open(fileobj=io.BytesIO(content)) as archive, replacing_folder(folder) as new:
        crops = [
            member
            for member in archive.getmembers()
            if member.isfile() and Path(member.name).parent.name == DAY
        ]
        (new / DAY).mkdir()
        for member in crops:
            stream = archive.extractfile(member)
            assert stream is not None  # noqa: S101 (it is a file)
            (new / DAY / Path(member.name).name).write_bytes(stream.read())
    return len(crops)


if __name__ == "__main__":
    try:
        count = fetch_crops(Path(sys.argv[1]))
    except (OSError, ValueError) as error:
        sys.exit(
            f"stormdraw: {ADDRESS}: {error}; put the folder {DAY} of its tests/RME/gridded/"
            f"hrrr_test into {sys.argv[1]} yourself"
        )
    print(f"stormdraw: {count} real HRRR crops (CC0) in {sys.argv[1]}, from {ADDRESS}")
