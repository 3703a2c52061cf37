from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from state_files import TIMES, state_file, two_days

from stormdraw.errors import StormdrawError
from stormdraw.fields.percentiles import (
    Percentiles,
    label,
    nearest_percentiles,
    write_percentiles,
)

WANTED = {"T2M": [5.0, 50.0, 99.9], "WIND10": [90.0]}


@pytest.fixture
def values() -> dict[str, np.ndarray]:
    """(time, y, x); a point of T2M has half of its values, and one has none."""
    random = np.random.default_rng(0)
    values = {
        "T2M": random.normal(290, 5.0, (48, 5, 4)).astype(np.float32),
        "U10": random.normal(0, 5.0, (48, 5, 4)).astype(np.float32),
        "V10": random.normal(3, 5.0, (48, 5, 4)).astype(np.float32),
    }
    values["T2M"][::2, 1, 2] = np.nan
    values["T2M"][:, 4, 0] = np.nan
    return values


def numpys(values: np.ndarray, percentiles: Sequence[float]) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return np.nanpercentile(values, percentiles, axis=0, method="inverted_cdf")


# All rows at once; two of them, as of 30 hours; one, which is the least.
@pytest.mark.parametrize("strip_bytes", [2**20, 2 * 4 * 4 * 30 + 8, 1])
@pytest.mark.filterwarnings("ignore:All-NaN slice")
def test_percentiles_are_numpys_of_the_asked_times(
    strip_bytes: int, tmp_path: Path, values: dict[str, np.ndarray]
) -> None:
    paths, output = two_days(tmp_path, values), tmp_path / "percentiles.nc"
    write_percentiles(paths, WANTED, TIMES[:30], output, {}, strip_bytes)
    speed = np.hypot(values["U10"], values["V10"])[:30]
    expected = {"T2M": numpys(values["T2M"][:30], WANTED["T2M"]), "WIND10": numpys(speed, [90.0])}
    found = Percentiles(output)
    for name, percentiles in WANTED.items():
        for place, percentile in enumerate(percentiles):
            field = found.field(name, percentile)
            np.testing.assert_array_equal(field, expected[name][place])
    assert np.isnan(found.field("T2M", 5.0)[4, 0])
    with xr.open_dataset(output) as dataset:
        assert dataset["T2M_p99.9"].units == "K"
        assert dataset["T2M_p99.9"].long_name.endswith(": percentile 99.9")


@pytest.mark.parametrize("count", [1, 10, 7, 1000])
def test_at_least_so_many_per_cent_do_not_exceed_a_percentile(count: int) -> None:
    """By definition: of all values the smallest one that has this."""
    values = np.random.default_rng(count).integers(0, 50, count).astype(np.float32)
    asked = [0.1, 30.0, 50.0, 70.0, 99.0]
    found = nearest_percentiles(values.copy()[:, None], asked)[:, 0]
    for percentile, value in zip(asked, found, strict=True):
        enough = [one for one in values if 100 * (values <= one).sum() >= percentile * count - 1e-6]
        assert value == min(enough)


def test_a_whole_rank_stays_whole_whatever_the_percentile_is_in_binary() -> None:
    """16.1 % of 1000 values are 161, where floats have 161.00000000000003."""
    assert 16.1 * 1000 / 100 > 161
    values = np.arange(1.0, 1001.0)[:, None]
    np.testing.assert_array_equal(
        nearest_percentiles(values, [16.1, 64.4, 99.9])[:, 0], [161, 644, 999]
    )


def test_hours_that_the_archive_lacks_do_not_count(
    tmp_path: Path, values: dict[str, np.ndarray]
) -> None:
    gone = {name: np.delete(own, 5, axis=0)[:23] for name, own in values.items()}
    times, output = [*TIMES[:5], *TIMES[6:24]], tmp_path / "percentiles.nc"
    path = state_file(tmp_path / "day.nc", gone, times, absent_times=f"{TIMES[5]:%Y%m%d%H}")
    write_percentiles([path], {"U10": [50.0]}, TIMES[:24], output, {})
    np.testing.assert_array_equal(
        Percentiles(output).field("U10", 50.0), numpys(gone["U10"], [50.0])[0]
    )


def test_a_variable_without_any_value_is_refused(
    tmp_path: Path, values: dict[str, np.ndarray]
) -> None:
    values["T2M"][:] = np.nan
    output = tmp_path / "percentiles.nc"
    with pytest.raises(StormdrawError, match=r"scores\.thresholds\.T2M: no value at any training"):
        write_percentiles(two_days(tmp_path, values), WANTED, TIMES, output, {})
    assert not output.exists()


def test_training_times_that_are_all_absent_are_refused(
    tmp_path: Path, values: dict[str, np.ndarray]
) -> None:
    absent = " ".join(f"{time:%Y%m%d%H}" for time in TIMES[:3])
    later = {name: own[3:24] for name, own in values.items()}
    path = state_file(tmp_path / "day.nc", later, TIMES[3:24], absent_times=absent)
    with pytest.raises(StormdrawError, match=r"scores\.thresholds\.T2M: no value at any training"):
        write_percentiles([path], WANTED, TIMES[:3], tmp_path / "percentiles.nc", {})


def test_a_file_without_the_percentile_is_named(tmp_path: Path) -> None:
    path = tmp_path / "percentiles.nc"
    xr.Dataset({label("T2M", 5.0): (("y", "x"), np.zeros((2, 3)))}).to_netcdf(path)
    with pytest.raises(StormdrawError, match=r"percentiles\.nc: has no T2M_p95; delete it"):
        Percentiles(path).field("T2M", 95.0)


def test_a_field_is_read_once_for_a_variable(tmp_path: Path) -> None:
    path = tmp_path / "percentiles.nc"
    fields = {label("T2M", 5.0): 1.0, label("T2M", 95.0): 2.0, label("CAPE", 5.0): 3.0}
    xr.Dataset(
        {name: (("y", "x"), np.full((2, 3), own)) for name, own in fields.items()}
    ).to_netcdf(path)
    found = Percentiles(path)
    first = found.field("T2M", 5.0)
    assert found.field("T2M", 95.0)[0, 0] == 2.0
    assert found.field("T2M", 5.0) is first
    # Another variable takes their place in memory.
    assert found.field("CAPE", 5.0)[0, 0] == 3.0
    assert found.field("T2M", 5.0) is not first
