from datetime import datetime

import numpy as np
import pytest
import xarray as xr

from stormdraw.archive.base_model import base_model
from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.errors import StormdrawError
from stormdraw.fields.coarsening import coarse_grid
from stormdraw.fields.forecasts import Cycle, regrid_forecast, regrid_members, regrid_products
from stormdraw.fields.quality import read_findings
from stormdraw.fields.target import Target
from stormdraw.grids import lambert
from stormdraw.membership import members_at
from stormdraw.times import hours

INIT = datetime(2026, 6, 8, 6)
TARGET = HRRR.crop(slice(480, 490), slice(880, 892))
SOURCE = lambert(
    first_latitude=35.5,
    first_longitude=258.0,
    shape=(80, 100),
    spacing=(5000.0, 5000.0),
    central_longitude=265.0,
    standard_parallels=(25.0, 25.0),
    reference_latitude=25.0,
)


def message(name, values, init, lead, **labels):
    return {
        "message": {
            "grid": SOURCE,
            "longitude_of_orientation": 265.0,
            "latitude_of_tangency": 25.0,
            "values": values,
            "name": name,
            "init": init,
            "lead": lead,
        },
        **labels,
    }


def members(manifest, leads, names, to, target=TARGET):
    """What is made of the members in a manifest: a file, and a table of what is suspicious."""
    cycle, whole = Cycle(INIT, leads, names), Target(target, to.fields.coarsen)
    regrid_members(manifest, cycle, members_at("href", INIT), "HREF", whole, to)
    return to.output, to.quality


def products(manifest, leads, names, to):
    regrid_products(manifest, Cycle(INIT, leads, names), "href", Target(TARGET), to)
    return to.output, to.quality


def test_each_member_comes_from_its_own_run(tmp_path, write_manifest, destination):
    """Member k holds 270 + k + lead / 10, so that any mix-up of run, lead or member shows."""
    messages = [
        message(
            "T2M",
            np.full(SOURCE.shape, 270.0 + k + lead / 10),
            INIT - hours(member.age),
            member.own_lead(lead),
            member=member.name,
        )
        for k, member in enumerate(members_at("href", INIT))
        for lead in (1, 3)
    ]
    manifest = write_manifest(tmp_path / "20260608", messages)
    members(manifest, [1, 3], ["T2M"], destination(tmp_path))
    with xr.open_dataset(tmp_path / "out.nc") as dataset:
        assert dataset["T2M"].shape == (10, 2, *TARGET.shape)
        assert dataset["init"].values == np.datetime64("2026-06-08T06")
        for k in range(10):
            assert np.allclose(dataset["T2M"].values[k, 0], 270.1 + k, atol=1e-3)
            assert np.allclose(dataset["T2M"].values[k, 1], 270.3 + k, atol=1e-3)


@pytest.mark.parametrize("age", [0, 1])
def test_hrrrs_forecast_is_that_of_the_run_that_began_so_many_hours_before(
    age, tmp_path, write_manifest, destination
):
    """280 K, the age in K and the lead in tenths. Where analyses are forecasts, age is theirs."""
    messages = [
        message(
            *("T2M", np.full(SOURCE.shape, 280.0 + older + lead / 10)),
            *(INIT - hours(older), lead + older),
            member=f"hrrr_{older:02d}h",
        )
        for older in (0, 1)
        for lead in (1, 2)
    ]
    manifest = write_manifest(tmp_path / "20260608", messages)
    to = destination(tmp_path)
    cycle = Cycle(INIT, [1, 2], ["T2M"])
    regrid_forecast(manifest, cycle, base_model("hrrr").run(INIT, age), "HRRR", Target(TARGET), to)
    with xr.open_dataset(to.output) as dataset:
        assert dataset["init"].values == np.datetime64("2026-06-08T06")
        for index, tenths in enumerate((0.1, 0.2)):
            assert np.allclose(dataset["T2M"].values[index], 280 + age + tenths, atol=1e-3)


def test_an_absent_member_is_missing_not_forgotten(tmp_path, write_manifest, destination):
    href = members_at("href", INIT)
    messages = [
        message(
            "T2M", np.full(SOURCE.shape, 280.0), INIT - hours(m.age), m.own_lead(1), member=m.name
        )
        for m in href[1:]
    ]
    manifest = write_manifest(tmp_path / "20260608", messages)
    members(manifest, [1], ["T2M"], destination(tmp_path))
    with xr.open_dataset(tmp_path / "out.nc") as dataset:
        assert dataset["member"].values[0] == href[0].name
        assert np.isnan(dataset["T2M"].values[0]).all()
        assert np.isfinite(dataset["T2M"].values[1:]).all()


@pytest.mark.parametrize("names", [["T2M", "U10", "V10"], ["U10", "V10", "T2M"]])
def test_what_one_file_lacks_is_missing_alone(names, tmp_path, write_manifest, destination):
    """The second member's file lacks T2M, the third's one component of the wind."""
    href = members_at("href", INIT)
    absent = {(href[1].name, "T2M"), (href[2].name, "V10")}
    messages = [
        message(
            *(name, np.full(SOURCE.shape, 280.0 if name == "T2M" else 5.0)),
            *(INIT - hours(m.age), m.own_lead(1)),
            member=m.name,
            status="absent" if (m.name, name) in absent else "ok",
        )
        for m in href
        for name in names
    ]
    manifest = write_manifest(tmp_path / "20260608", messages)
    path, _ = members(manifest, [1], names, destination(tmp_path))
    with xr.open_dataset(path) as dataset:
        missing = {name: np.isnan(dataset[name].values).all(axis=(1, 2, 3)) for name in names}
        assert np.flatnonzero(missing["T2M"]).tolist() == [1]
        # A wind is turned as a pair.
        assert np.flatnonzero(missing["U10"]).tolist() == [2]
        assert np.flatnonzero(missing["V10"]).tolist() == [2]


def test_products_are_mean_and_spread(tmp_path, write_manifest, destination):
    messages = [
        message("WIND10", np.full(SOURCE.shape, value), INIT, 2, statistic=statistic)
        for statistic, value in (("mean", 7.0), ("spread", 1.5))
    ]
    manifest = write_manifest(tmp_path / "20260608", messages)
    products(manifest, [2], ["WIND10"], destination(tmp_path))
    with xr.open_dataset(tmp_path / "out.nc") as dataset:
        assert np.allclose(dataset["WIND10_mean"].values, 7.0, atol=1e-4)
        assert np.allclose(dataset["WIND10_spread"].values, 1.5, atol=1e-4)


def test_only_the_means_of_products_are_held_against_bounds(tmp_path, write_manifest, destination):
    """A spread of 1.5 K is no temperature; a mean of 400 K cannot be."""
    messages = [
        message("T2M", np.full(SOURCE.shape, value), INIT, lead, statistic=statistic)
        for statistic, lead, value in (
            *(("mean", 1, 290.0), ("spread", 1, 1.5)),
            *(("mean", 2, 400.0), ("spread", 2, 1.5)),
        )
    ]
    manifest = write_manifest(tmp_path / "20260608", messages)
    path, quality = products(manifest, [1, 2], ["T2M"], destination(tmp_path, suspicious="mask"))
    (finding,) = read_findings([quality]).to_dict("records")
    assert (finding["member"], finding["valid"]) == ("mean", "2026060808")
    with xr.open_dataset(path) as dataset:
        assert np.isnan(dataset["T2M_mean"].values).all(axis=(1, 2)).tolist() == [False, True]
        assert (dataset["T2M_spread"].values == 1.5).all()
        assert dataset["T2M_mean"].attrs["suspicious_points"] == finding["suspicious"]


def test_an_absent_product_is_missing(tmp_path, write_manifest, destination):
    messages = [
        message("T2M", np.full(SOURCE.shape, value), INIT, 1, statistic=statistic, status=status)
        for statistic, value, status in (("mean", 290.0, "ok"), ("spread", 1.5, "absent"))
    ]
    manifest = write_manifest(tmp_path / "20260608", messages)
    path, _ = products(manifest, [1], ["T2M"], destination(tmp_path))
    with xr.open_dataset(path) as dataset:
        assert np.isfinite(dataset["T2M_mean"].values).all()
        assert np.isnan(dataset["T2M_spread"].values).all()


def test_a_product_that_was_not_looked_for_is_an_error(tmp_path, write_manifest, destination):
    manifest = write_manifest(
        tmp_path / "20260608",
        [message("T2M", np.full(SOURCE.shape, 280.0), INIT, 1, statistic="mean")],
    )
    with pytest.raises(StormdrawError, match=r"has no spread for 2026-06-08 06 UTC \+ 1 h"):
        products(manifest, [1], ["T2M"], destination(tmp_path))
    assert not (tmp_path / "out.nc").exists()


def test_members_are_averaged_over_the_blocks_of_the_analyses(
    tmp_path, write_manifest, destination
):
    """A field that is linear on the target's own map has its mean in the middle of each block."""
    x, y = TARGET.from_longitude_latitude(*SOURCE.longitude_latitude())
    field = 280 + (x - TARGET.x[0]) / 1e4 + (y - TARGET.y[0]) / 2e4
    messages = [
        message("T2M", field, INIT - hours(m.age), m.own_lead(1), member=m.name)
        for m in members_at("href", INIT)
    ]
    manifest = write_manifest(tmp_path / "20260608", messages)
    coarse = coarse_grid(TARGET, 2)
    path, _ = members(manifest, [1], ["T2M"], destination(tmp_path, 2, coarsen=2), coarse)
    x, y = np.meshgrid(coarse.x, coarse.y)
    expected = 280 + (x - TARGET.x[0]) / 1e4 + (y - TARGET.y[0]) / 2e4
    with xr.open_dataset(path) as dataset:
        assert np.allclose(dataset["T2M"].values[:, 0], expected, atol=2e-3)


def test_what_is_suspicious_is_listed_by_member(tmp_path, write_manifest, destination):
    messages = [
        message(
            "T2M",
            np.full(SOURCE.shape, 400.0 if k == 3 else 280.0),
            INIT - hours(member.age),
            member.own_lead(1),
            member=member.name,
        )
        for k, member in enumerate(members_at("href", INIT))
    ]
    manifest = write_manifest(tmp_path / "20260608", messages)
    path, quality = members(manifest, [1], ["T2M"], destination(tmp_path, suspicious="mask"))
    (finding,) = read_findings([quality]).to_dict("records")
    # It is six hours older than the cycle; the time is that of the weather.
    assert (finding["member"], finding["valid"]) == ("hrrr_06h", "2026060807")
    x, y = SOURCE.from_longitude_latitude(*TARGET.longitude_latitude())
    rows, columns = (
        # Those around, and two more on each side for areas.
        np.ceil(place.max() / 5000) - np.floor(place.min() / 5000) + 1 + 4
        for place in (y - SOURCE.y[0], x - SOURCE.x[0])
    )
    assert finding["suspicious"] == finding["points"] == rows * columns
    with xr.open_dataset(path) as dataset:
        missing = np.isnan(dataset["T2M"].values[:, 0]).all(axis=(1, 2))
        assert np.flatnonzero(missing).tolist() == [3]
