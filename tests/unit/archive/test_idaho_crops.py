"""The crops of config/idaho.yaml, taken from a package's archive."""

import hashlib
import tarfile

import pytest
import yaml

import idaho_crops


@pytest.fixture
def package(tmp_path):
    """A source distribution with two crops of the day and other files: its address and SHA-256."""
    day = "package-1/tests/hrrr_test/hrrr.20180722"
    names = [f"{day}/a.grib2", f"{day}/b.grib2", "package-1/setup.py", f"{day[:-1]}3/a.grib2"]
    (tmp_path / "content").write_bytes(b"GRIB")
    with tarfile.open(tmp_path / "package.tar.gz", "w:gz") as archive:
        for name in names:
            archive.add(tmp_path / "content", name)
    written = (tmp_path / "package.tar.gz").read_bytes()
    return (tmp_path / "package.tar.gz").as_uri(), hashlib.sha256(written).hexdigest()


def test_crops_of_the_day_are_taken_and_nothing_else(tmp_path, package):
    assert idaho_crops.fetch_crops(tmp_path / "crops", *package) == 2
    files = sorted(path for path in (tmp_path / "crops").rglob("*") if path.is_file())
    assert files == [tmp_path / "crops" / "hrrr.20180722" / name for name in ("a.grib2", "b.grib2")]
    assert files[0].read_bytes() == b"GRIB"


def test_other_bytes_are_refused_and_leave_nothing(tmp_path, package):
    with pytest.raises(ValueError, match="other bytes than expected"):
        idaho_crops.fetch_crops(tmp_path / "crops", package[0], "0" * 64)
    assert not (tmp_path / "crops").exists()


def test_make_puts_them_where_the_configuration_looks(root):
    config = yaml.safe_load((root / "config" / "idaho.yaml").read_text())
    folder = config["archive"]["source"]["mirror"]
    assert f"\nidaho: {folder}\n{folder}: " in (root / "Makefile").read_text()
