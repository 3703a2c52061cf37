import contextlib
import copy
import io
import os
import tracemalloc
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from message_extents import find_messages
from pyproj import CRS
from report_run import Run

import stormdraw  # noqa: F401 - before ecCodes
from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.archive.herbie_library import herbie
from stormdraw.errors import StormdrawError
from stormdraw.grids import Grid
from stormdraw.report.chosen_products import choose_products
from stormdraw.report.grib_products import encode, inventory_columns
from stormdraw.report.product import Product, kinds, products_of
from stormdraw.report.product_files import compute, write_products
from stormdraw.report.products.probability import Probability, scaled_limit
from stormdraw.scores.statistics.probability_matched_mean import probability_matched_mean
from stormdraw.scores.summary import read_summary, write_summary
from stormdraw.scores.threshold import Threshold
from stormdraw.settings import Settings, load_settings

import cfgrib  # isort: skip
import eccodes  # isort: skip

# Code table 4.3.
NCEP_MATCHED_MEAN, NCEP_LOCAL_MATCHED_MEAN = 193, 200

PATCH = 4
KINDS = list(kinds())
PROBABILITIES = ("probability", "neighbourhood_probability")
MATCHED, LOCAL = "probability_matched_mean", "local_probability_matched_mean"


def product_of(kind: str, name: str, members: int, threshold: float) -> Product:
    """A product of that kind, a probability that of one threshold, the first percentile."""
    found, *_ = kinds()[kind].of(name, members, [Threshold(threshold)])
    return found


@pytest.fixture(scope="module")
def written(demo_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The products of the first case, one point of it absent in one member."""
    folder = tmp_path_factory.mktemp("products")
    path = folder / "ddpm_residual" / "ensemble.nc"
    path.parent.mkdir()
    with xr.open_dataset(demo_run.ensembles["ddpm_residual"][0], decode_timedelta=False) as given:
        changed = given.load()
    changed["T2M"][3, 0, 2, 4] = np.nan
    changed.to_netcdf(path)
    gribs = {kind: folder / f"{kind}.grib2" for kind in KINDS}
    thresholds = demo_run.settings.scores.thresholds
    write_products(path, thresholds, PATCH, folder / "products.nc", gribs)
    return folder


@pytest.fixture(scope="module")
def members(written: Path) -> xr.Dataset:
    with xr.open_dataset(written / "ddpm_residual" / "ensemble.nc", decode_timedelta=False) as file:
        return file.load()


def test_netcdf_products_are_statistics_of_members(written: Path, members: xr.Dataset) -> None:
    with xr.open_dataset(written / "products.nc", decode_timedelta=False) as products:
        states = members["T2M"].values
        np.testing.assert_allclose(products["T2M_mean"], states.mean(axis=0), rtol=1e-6)
        np.testing.assert_allclose(
            products["T2M_spread"], states.std(axis=0, ddof=1), rtol=1e-4, atol=1e-6
        )
        shares = 100.0 * (members["REFC"].values >= 30.0).mean(axis=0)
        np.testing.assert_allclose(products["REFC_probability_30"], shares, rtol=1e-6)
        assert products["REFC_probability_30"].attrs["units"] == "%"
        assert "standard_name" not in products["T2M_spread"].attrs
        assert products["T2M_mean"].attrs["cell_methods"] == "realization: mean"
        assert np.isnan(products["T2M_pmm"].values[0, 2, 4])
        assert np.isnan(products["T2M_lpmm"].values[0, 2, 4])
        assert products.attrs["title"] == "Products of the ensemble ddpm_residual"
        assert Grid.of(products) == Grid.of(members)


def test_the_matched_mean_has_the_strength_of_members(written: Path, members: xr.Dataset) -> None:
    with xr.open_dataset(written / "products.nc", decode_timedelta=False) as products:
        matched = products["REFC_pmm"].values[1]
    pooled = np.sort(members["REFC"].values[:, 1].ravel())
    np.testing.assert_array_equal(np.sort(matched.ravel()), pooled[10::20])


def test_the_local_matched_mean_is_matched_within_three_patches(
    written: Path, members: xr.Dataset
) -> None:
    with xr.open_dataset(written / "products.nc", decode_timedelta=False) as products:
        corner = products["REFC_lpmm"].values[1, :PATCH, :PATCH]
    nearby = members["REFC"].values[:, 1, : 2 * PATCH, : 2 * PATCH]
    matched = probability_matched_mean(nearby.reshape(len(nearby), -1))
    expected = matched.reshape(nearby.shape[1:])[:PATCH, :PATCH]
    np.testing.assert_array_equal(corner, expected)


@pytest.mark.parametrize(
    ("kind", "label", "digits"),
    [("mean", "mean", 2), ("spread", "spread", 2), (MATCHED, "pmm", 2), (LOCAL, "lpmm", 2)],
)
def test_cfgrib_reads_back_what_was_written(
    written: Path, kind: str, label: str, digits: int
) -> None:
    keys = {"typeOfLevel": "heightAboveGround", "level": 10}
    read = xr.open_dataset(
        written / f"{kind}.grib2",
        engine="cfgrib",
        backend_kwargs={"filter_by_keys": keys, "indexpath": ""},
    )
    with xr.open_dataset(written / "products.nc", decode_timedelta=False) as products:
        for name, own in (("u10", "U10"), ("v10", "V10"), ("si10", "WIND10")):
            assert read[name].dims == ("step", "y", "x")
            np.testing.assert_allclose(
                read[name], products[f"{own}_{label}"], atol=0.6 * 10.0**-digits
            )
        np.testing.assert_allclose(read["latitude"], products["latitude"], atol=1e-4)
        assert read["time"].values == products["init"].values
        np.testing.assert_array_equal(read["step"] / np.timedelta64(1, "h"), products["lead"])


def test_missing_points_are_missing_in_grib(written: Path) -> None:
    keys = {"typeOfLevel": "heightAboveGround", "level": 2}
    read = xr.open_dataset(
        written / "mean.grib2",
        engine="cfgrib",
        backend_kwargs={"filter_by_keys": keys, "indexpath": ""},
    )
    absent = np.argwhere(np.isnan(read["t2m"].values))
    assert absent.tolist() == [[0, 2, 4]]


def test_cfgrib_opens_every_file(written: Path) -> None:
    # Of the others, messages differ by their threshold or percentile alone.
    for kind in set(KINDS) - {*PROBABILITIES, "percentile"}:
        names = {
            str(name)
            for dataset in cfgrib.open_datasets(str(written / f"{kind}.grib2"), indexpath="")
            for name in dataset.data_vars
        }
        assert names == {"refc", "t2m", "u10", "v10", "si10"}


def test_probabilities_are_found_by_their_threshold(written: Path) -> None:
    read = xr.open_dataset(
        written / "probability.grib2",
        engine="cfgrib",
        backend_kwargs={
            "filter_by_keys": {"scaledValueOfLowerLimit": 30},
            "read_keys": ["scaledValueOfLowerLimit"],
            "indexpath": "",
        },
    )
    with xr.open_dataset(written / "products.nc", decode_timedelta=False) as products:
        np.testing.assert_allclose(read["refc"], products["REFC_probability_30"], atol=0.051)


def test_percentiles_are_found_by_their_number(written: Path) -> None:
    for percent in (10, 50, 90):
        read = xr.open_dataset(
            written / "percentile.grib2",
            engine="cfgrib",
            backend_kwargs={
                "filter_by_keys": {"percentileValue": percent, "shortName": "refc"},
                "read_keys": ["percentileValue"],
                "indexpath": "",
            },
        )
        with xr.open_dataset(written / "products.nc", decode_timedelta=False) as products:
            np.testing.assert_allclose(read["refc"], products[f"REFC_p{percent}"], atol=0.06)
    assert set(headers(written / "percentile.grib2", ("productDefinitionTemplateNumber",))) == {
        (6,)
    }


def test_herbie_finds_and_opens_each_kind(
    written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Products:
        def template(self: Any) -> None:
            self.DESCRIPTION, self.DETAILS = "Products of a stormdraw run", {}
            self.PRODUCTS = dict.fromkeys(KINDS, "")
            self.SOURCES = {"local": str(written / f"{self.product}.grib2")}
            self.LOCALFILE = f"{self.product}.grib2"

    monkeypatch.setattr(herbie().models, "stormdraw", Products, raising=False)
    with xr.open_dataset(written / "products.nc", decode_timedelta=False) as products:
        for kind, search, name, label, step in (
            ("mean", ":TMP:2 m above ground:2 hour", "t2m", "T2M_mean", 0.006),
            ("spread", ":UGRD:10 m above.*:2 hour.*:ens spread", "u10", "U10_spread", 0.006),
            (MATCHED, ":REFC:.*:2 hour", "refc", "REFC_pmm", 0.06),
            (LOCAL, ":REFC:.*:2 hour.*process=200", "refc", "REFC_lpmm", 0.06),
            ("probability", ":REFC:.*:2 hour.*:prob >30:", "refc", "REFC_probability_30", 0.051),
            ("percentile", ":REFC:.*:2 hour.*:90% level", "refc", "REFC_p90", 0.06),
        ):
            init = products["init"].values.astype("datetime64[s]").item()
            with contextlib.redirect_stdout(io.StringIO()):
                found = herbie().Herbie(
                    init, model="stormdraw", product=kind, fxx=2, save_dir=tmp_path, verbose=False
                )
                read = found.xarray(search)
            assert read[name].dims == ("y", "x")
            given = products[label].sel(lead=2)
            np.testing.assert_allclose(read[name], given, atol=step)
            projection = CRS.from_cf(read["gribfile_projection"].attrs).coordinate_operation
            assert projection.method_name.startswith("Lambert Conic Conformal")


def test_inventories_number_probabilities_as_wgrib2_does(written: Path) -> None:
    lines = (written / "probability.grib2.idx").read_text().splitlines()
    assert [line.split(":", 6)[6] for line in lines[:3]] == [
        f"prob >{limit}:prob fcst {place}/3" for place, limit in ((1, 20), (2, 30), (3, 40))
    ]
    assert [line.split(":")[1] for line in lines] == [
        str(extent.offset) for extent in find_messages(written / "probability.grib2")
    ]


def test_grib_headers_identify_each_product(written: Path) -> None:
    keys = ("productDefinitionTemplateNumber", "typeOfGeneratingProcess", "centre:l")
    derived = ("derivedForecast", "numberOfForecastsInEnsemble")
    assert set(headers(written / "mean.grib2", (*keys, *derived))) == {(2, 4, 7, 0, 20)}
    assert set(headers(written / "spread.grib2", (*keys, *derived))) == {(2, 4, 7, 4, 20)}
    assert set(headers(written / f"{MATCHED}.grib2", (*keys, *derived))) == {
        (2, NCEP_MATCHED_MEAN, 7, 0, 20)
    }
    assert set(headers(written / f"{LOCAL}.grib2", (*keys, *derived))) == {
        (2, NCEP_LOCAL_MATCHED_MEAN, 7, 0, 20)
    }
    probability = (
        "productDefinitionTemplateNumber",
        "typeOfGeneratingProcess",
        "probabilityType",
        "forecastProbabilityNumber",
        "totalNumberOfForecastProbabilities",
        "scaledValueOfLowerLimit",
    )
    assert set(headers(written / "probability.grib2", probability)) == {
        (5, 5, 3, place, 3, limit) for place, limit in ((1, 20), (2, 30), (3, 40))
    }


def headers(path: Path, keys: tuple[str, ...]) -> list[tuple]:
    """The values of some keys in each message of a file."""
    found = []
    content = path.read_bytes()
    for extent in find_messages(path):
        handle = eccodes.codes_new_from_message(
            content[extent.offset : extent.offset + extent.length]
        )
        values = (eccodes.codes_get_long(handle, key.removesuffix(":l")) for key in keys)
        found.append(tuple(values))
        eccodes.codes_release(handle)
    return found


@pytest.mark.parametrize(
    ("threshold", "scale", "value"),
    [
        (30.0, 0, 30),
        (0.25, 2, 25),
        (-5.5, 1, -55),
        (1000, 0, 1000),
        (10000 / 3, 5, 333333333),
        (-2000 / 3, 5, -66666667),
    ],
)
def test_thresholds_keep_their_decimals(threshold: float, scale: int, value: int) -> None:
    assert scaled_limit(threshold) == (scale, value)


@pytest.mark.parametrize("kind", KINDS)
def test_the_largest_numbers_are_read_as_they_were_written(kind: str, tmp_path: Path) -> None:
    """254 members, the last of 254 thresholds, and a threshold of many digits."""
    product = kinds()[kind].of("CAPE", 254, 254 * [Threshold(10000 / 3)])[-1]
    grid = HRRR.crop(slice(480, 484), slice(880, 885))
    values = np.zeros(grid.shape, np.float32)
    path = tmp_path / "one.grib2"
    path.write_bytes(encode(product, grid, datetime(2026, 6, 8), 60, values))
    if kind in PROBABILITIES:
        keys = ("forecastProbabilityNumber", "totalNumberOfForecastProbabilities")
        limit = ("scaleFactorOfLowerLimit", "scaledValueOfLowerLimit")
        assert headers(path, (*keys, *limit)) == [(254, 254, 5, 333333333)]
    elif kind == "percentile":
        assert headers(path, ("percentileValue",)) == [(90,)]
    else:
        assert headers(path, ("numberOfForecastsInEnsemble",)) == [(254,)]


def test_a_probability_of_at_most_says_so(tmp_path: Path) -> None:
    """wgrib2 calls probability type 4, of being below an upper limit, prob <."""
    thresholds = [Threshold.parse(given) for given in (5000, "<= 1600")]
    last = Probability.of("VIS", 4, thresholds)[-1]
    assert last.in_netcdf == "VIS_probability_at_most_1600"
    assert last.long_name == "share of members of at most 1600 m"
    members = np.array([[[500.0, 9000.0]], [[1600.0, 9000.0]], [[1601.0, 9000.0]], [[2000.0, 0.0]]])
    probability = compute(members.astype(np.float32), last, 20)
    np.testing.assert_array_equal(probability, [[50.0, 25.0]])
    init = datetime(2026, 6, 8)
    assert inventory_columns(last, init, 3).endswith(":3 hour fcst:prob <1600:prob fcst 2/2")
    grid, path = HRRR.crop(slice(480, 484), slice(880, 885)), tmp_path / "one.grib2"
    path.write_bytes(encode(last, grid, init, 3, np.zeros(grid.shape, np.float32)))
    keys = ("probabilityType", "scaleFactorOfUpperLimit", "scaledValueOfUpperLimit")
    assert headers(path, keys) == [(4, 0, 1600)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_product_takes_one_copy_of_the_members_at_most(kind: str) -> None:
    """As planned: 4 bytes a member and point besides them, and sums."""
    members = np.random.default_rng(0).normal(280.0, 3.0, (60, 100, 150)).astype(np.float32)
    tracemalloc.start()
    compute(members, product_of(kind, "T2M", 60, 280.0), 20)
    measured = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert measured <= (4 * 60 + 120) * 100 * 150


def test_one_member_has_no_spread() -> None:
    (spread,) = (one for one in products_of("T2M", 1, []) if one.kind() == "spread")
    np.testing.assert_array_equal(compute(np.ones((1, 2, 2), np.float32), spread, 20), 0.0)


def test_an_ensemble_without_members_is_refused(demo_run: Run, tmp_path: Path) -> None:
    path, gribs = demo_run.ensembles["href_mean_spread"][0], {k: tmp_path / k for k in KINDS}
    with pytest.raises(StormdrawError, match=r"\.nc: no members, which products need"):
        write_products(path, {}, PATCH, tmp_path / "products.nc", gribs)
    assert not list(tmp_path.iterdir())


def two_candidates(demo_run: Run, folder: Path, **report: Any) -> tuple[Settings, Path, Path]:
    """Two models, their products of one case, a summary in which `worse` loses; and an output."""
    config = copy.deepcopy(demo_run.config)
    config["ensembles"]["systems"].append(
        {"name": "worse", "method": "diffusion", "model": "ddpm_small"}
    )
    for system in ("ddpm_residual", "worse"):
        path = folder / "products_of" / system / "2026060806.nc"
        path.parent.mkdir(parents=True)
        path.write_text(f"of {system}")
    table = read_summary(demo_run.summary)
    lost = table[table["system"] == "ddpm_residual"].assign(system="worse")
    lost["value"] *= 2
    write_summary(pd.concat([table, lost]), folder / "summary.csv")
    output = folder / "products" / "2026060806.nc"
    return load_settings({**config, "report": report}), folder / "summary.csv", output


@pytest.mark.parametrize(
    ("report", "chosen"), [({}, "ddpm_residual"), ({"products_of": "worse"}, "worse")]
)
def test_the_products_of_the_run_are_those_of_the_winner_or_the_one_named(
    demo_run: Run, tmp_path: Path, report: dict[str, str], chosen: str
) -> None:
    settings, summary, output = two_candidates(demo_run, tmp_path, **report)
    choose_products(settings, summary, tmp_path / "products_of", [output])
    assert output.read_text() == f"of {chosen}"
    # Snakemake makes again what is older than the summary and the products that it is made of.
    inputs = [summary, *(tmp_path / "products_of").glob("*/*.nc")]
    assert all(output.stat().st_mtime_ns >= path.stat().st_mtime_ns for path in inputs)


def test_where_files_cannot_be_linked_they_are_copied(
    demo_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise OSError("links are not supported here")

    monkeypatch.setattr(os, "link", refuse)
    settings, summary, output = two_candidates(demo_run, tmp_path)
    choose_products(settings, summary, tmp_path / "products_of", [output])
    assert output.read_text() == "of ddpm_residual"


def test_a_system_without_members_is_refused(demo_run: Run) -> None:
    with pytest.raises(StormdrawError, match="name a system with members"):
        load_settings({**demo_run.config, "report": {"products_of": "href_mean_spread"}})
