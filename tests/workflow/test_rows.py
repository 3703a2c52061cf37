"""The whole workflow on variables that no code names, from a mirror that the test writes.

Slow: each stage has quicker tests on such rows.
"""

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from small_experiment import check_out, idaho_config, set_up

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.simulated.gribs import Encoder, Product
from stormdraw.variables import use_table, variable

pytestmark = pytest.mark.slow

GRID = HRRR.crop(slice(480, 520), slice(900, 948))
DAY = datetime(2022, 10, 14)
HOURS = range(23)

# 300 hPa is in HRRR's file of pressure levels, HPBL in that of single levels, and rain over the
# last hour in the first forecast of the run before.
WINDS = {
    f"{letter}{{level}}": {
        "levels": {300: {}},
        "long_name": f"wind along {axis} at {{level}} hPa",
        "units": "m s-1",
        "grib": {
            **{"discipline": 0, "category": 2, "number": number},
            **{"abbreviation": f"{letter}GRD", "surfaces": [100]},
        },
        **{"lower": -150, "upper": 150, "precision": 0.1, "product": "prs"},
        **({"y_component": "V{level}"} if letter == "U" else {}),
    }
    for letter, axis, number in (("U", "x", 2), ("V", "y", 3))
}
VARIABLES = ["T2M", "HPBL", "APCP", "U300", "V300"]
FILES = {"sfc": ("OROG", "T2M", "HPBL"), "prs": ("U300", "V300")}


def field(name: str, valid: datetime) -> np.ndarray:
    """A wave that travels east, with noise, between typical values of the variable."""
    low, high = {
        **{"OROG": (200, 900), "T2M": (280, 300), "HPBL": (50, 2500)},
        **{"APCP": (-6, 8), "U300": (-5, 40), "V300": (-20, 20)},
    }[name]
    hour = (valid - DAY) / timedelta(hours=1)
    rows, columns = np.indices(GRID.shape)
    wave = np.sin(columns / 7 - (0.0 if name == "OROG" else 0.4 * hour)) * np.cos(rows / 9)
    seed = [sum(map(ord, name)), int(hour) if name != "OROG" else 0]
    noise = 0.1 * np.random.default_rng(seed).standard_normal(GRID.shape)
    middle, half = (high + low) / 2, (high - low) / 2
    row = variable(name)
    return np.clip(middle + half * (wave + noise), row.lower, row.upper)


def write_mirror(folder):
    """Analyses of every hour, and the first hour of rain of every run."""
    with Encoder(GRID, 83) as encoder:
        for hour in HOURS:
            valid = DAY + timedelta(hours=hour)
            before = valid - timedelta(hours=1)
            files = [(valid, 0, product, names) for product, names in FILES.items()]
            for init, lead, product, names in (*files, (before, 1, "sfc", ("APCP",))):
                path = folder / f"hrrr.{init:%Y%m%d}/conus"
                path.mkdir(parents=True, exist_ok=True)
                messages = [
                    encoder.encode(Product.of(name), field(name, valid), init, lead)
                    for name in names
                ]
                name = f"hrrr.t{init:%H}z.wrf{product}f{lead:02d}.grib2"
                (path / name).write_bytes(b"".join(messages))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rows")
    use_table(WINDS)
    try:
        write_mirror(folder / "mirror")
        config = idaho_config() | {"variables": VARIABLES, "variable_table": WINDS}
        config["archive"] = {"source": {"mirror": str(folder / "mirror")}}
        config["periods"] = {
            "training": {"start": f"{DAY:%Y-%m-%d}T00:00", "end": f"{DAY:%Y-%m-%d}T16:00"},
            "test": {"start": f"{DAY:%Y-%m-%d}T19:00", "end": f"{DAY:%Y-%m-%d}T22:00"},
        }
        experiment = set_up(check_out(folder / "checkout"), config)
        told = experiment.snakemake()
        assert told.returncode == 0, told.stdout
        yield experiment
    finally:
        use_table(None)


def test_fields_are_those_of_all_files(run):
    with xr.open_dataset(run.results / "fields" / "hrrr" / "20221014.nc") as day:
        assert day.sizes["time"] == 17 + 4
        for name in VARIABLES:
            step = variable(name).precision
            for time in day["time"].values[[0, -1]]:
                expected = field(name, pd.Timestamp(time).to_pydatetime())
                found = day[name].sel(time=time).values
                np.testing.assert_allclose(found, expected, rtol=1e-6, atol=0.51 * step)


def test_every_row_is_scored_against_every_baseline(run):
    summary = pd.read_csv(run.results / "scores" / "summary.csv")
    assert set(summary["variable"]) == set(VARIABLES)
    assert set(summary["system"]) == {"small", "persistence", "climatology"}


def test_members_keep_to_the_bounds_of_their_rows(run):
    with xr.open_dataset(run.results / "ensembles" / "small" / "2022101419.nc") as ensemble:
        for name in VARIABLES:
            values = ensemble[name].values
            assert np.isfinite(values).all()
            assert values.min() >= variable(name).lower
            assert values.max() <= variable(name).upper


def test_the_page_names_the_truth_of_rain(run):
    page = (run.results / "report" / "scorecard.html").read_text()
    assert "The truth of APCP is the HRRR 1 h forecast" in page
    assert all(name in page for name in VARIABLES)
