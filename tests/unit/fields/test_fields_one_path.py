"""The same field as analysis, as member and as truth: one way to the target grid for all."""

from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stormdraw.archive.base_model import base_model
from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.curvilinear import CurvilinearGrid, extent
from stormdraw.errors import StormdrawError
from stormdraw.fields.forecasts import Cycle, regrid_forecast, regrid_members
from stormdraw.fields.normalise import normalise_day, normalise_static
from stormdraw.fields.quality import read_findings
from stormdraw.fields.settings import Crop
from stormdraw.fields.source_fields import SourceField
from stormdraw.fields.target import Checks, Target
from stormdraw.fields.truth import TruthInputs, VariableTruth, write_truth
from stormdraw.grids import Grid, latitude_longitude
from stormdraw.membership import Member

ARCHIVE = HRRR.crop(slice(480, 503), slice(880, 909))
VALID = datetime(2026, 6, 8, 7)
INIT = datetime(2026, 6, 8, 6)
STATE = ["REFC", "T2M", "U10", "V10", "CAPE"]
RUN = Member("hrrr_00h", "hrrr", "sfc", 0, 48)


def rough(name, random):
    """A field with storms, or noise, point by point."""
    # Within the bounds of the table: 80 dBZ at most.
    noise = np.clip(random.normal(size=ARCHIVE.shape), -3, 3)
    storms = np.where(noise > 0.8, 25 * noise, 0.0)
    return {"REFC": storms - 10, "T2M": 285 + 9 * noise, "CAPE": 90 * storms}.get(name, 6 * noise)


def message(name, values, init, lead, grid=ARCHIVE, **labels):
    orientation = {"longitude_of_orientation": 262.5, "latitude_of_tangency": 38.5}
    content = {"grid": grid, "values": values, "name": name, "init": init, "lead": lead}
    return {"message": {**content, **orientation}, **labels}


def all_ways(folder, write_manifest, destination, fields, grid=ARCHIVE, **options):
    """{what the field is taken for: the opened file that is made of it}, all valid at VALID."""
    manifests = {
        "analysis": [message(name, values, VALID, 0) for name, values in fields.items()],
        "member": [
            message(name, values, INIT, 1, grid, member=RUN.name) for name, values in fields.items()
        ],
        "truth": [message(name, values, INIT, 1, grid) for name, values in fields.items()],
    }
    paths = {kind: write_manifest(folder / kind, rows) for kind, rows in manifests.items()}
    to = {kind: destination(folder / kind, **options) for kind in (*paths, "forecast")}
    names = list(fields)
    normalise_day(paths["analysis"], names, to["analysis"])
    analyses = to["analysis"].output
    target = Target.of_file(analyses, to["analysis"].fields)
    cycle = Cycle(INIT, [1], names)
    regrid_members(paths["member"], cycle, [RUN], "the ensemble", target, to["member"])
    regrid_forecast(
        paths["member"], cycle, base_model("hrrr").run(cycle.init), "HRRR", target, to["forecast"]
    )
    truths = dict.fromkeys(names, VariableTruth("HRRR 1 h forecast"))
    write_truth(TruthInputs(paths["truth"], [analyses]), truths, to["truth"])
    return {kind: xr.open_dataset(one.output) for kind, one in to.items()}


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    corner=st.tuples(st.integers(0, 9), st.integers(0, 9)),
    size=st.tuples(st.integers(10, 14), st.integers(10, 20)),
    factor=st.integers(1, 5),
    seed=st.integers(0, 2**32),
)
def test_one_field_comes_out_equal_however_it_is_taken(
    corner, size, factor, seed, tmp_path_factory, write_manifest, destination
):
    random = np.random.default_rng(seed)
    fields = {name: rough(name, random) for name in STATE}
    rows, columns = ((first, first + points) for first, points in zip(corner, size, strict=True))
    made = all_ways(
        tmp_path_factory.mktemp("ways"),
        *(write_manifest, destination, fields),
        crop=Crop(rows=rows, columns=columns),
        coarsen=factor,
    )
    shape = size[0] // factor, size[1] // factor
    for name, values in fields.items():
        analysis = made["analysis"][name].values[0]
        # By hand: whole blocks from the crop's first point on; reflectivity as power.
        part = values[slice(*rows), slice(*columns)][: shape[0] * factor, : shape[1] * factor]
        power = 10 ** (part / 10) if name == "REFC" else part
        means = power.reshape(shape[0], factor, shape[1], factor).mean(axis=(1, 3))
        expected = 10 * np.log10(means) if name == "REFC" else means
        assert np.allclose(analysis, expected, atol=2e-3)
        for kind in ("member", "forecast", "truth"):
            other = made[kind][name].values.squeeze()
            np.testing.assert_array_equal(other, analysis, f"{name} as {kind}")
    for axis, own in (("x", ARCHIVE.x[slice(*columns)]), ("y", ARCHIVE.y[slice(*rows)])):
        middles = np.reshape(own[: len(own) // factor * factor], (-1, factor)).mean(axis=1)
        for file in made.values():
            assert np.allclose(file[axis], middles, atol=1.0)


def test_a_header_that_differs_in_its_last_digit_changes_nothing(
    tmp_path, write_manifest, destination
):
    """A microdegree is 0.11 m; without room for it, a whole row and column would be lost."""
    x, y = np.array(ARCHIVE.x) - 0.1, np.array(ARCHIVE.y) + 0.1
    shifted = Grid(ARCHIVE.crs, tuple(x), tuple(y))
    fields = {name: rough(name, np.random.default_rng(0)) for name in STATE}
    made = all_ways(tmp_path, write_manifest, destination, fields, shifted)
    for name in STATE:
        for kind in ("member", "truth"):
            np.testing.assert_array_equal(
                made[kind][name].values.squeeze(), made["analysis"][name].values[0]
            )


def test_rows_may_be_stored_from_north_to_south(tmp_path, write_manifest, destination):
    field = rough("T2M", np.random.default_rng(0))
    made = []
    for southwards in (False, True):
        entry = message("T2M", field, VALID, 0)
        entry["message"]["southwards"] = southwards
        to = destination(tmp_path / str(southwards))
        normalise_day(write_manifest(tmp_path / str(southwards), [entry]), ["T2M"], to)
        made.append(xr.open_dataset(to.output)["T2M"])
    np.testing.assert_array_equal(made[0].values, made[1].values)
    assert np.allclose(made[0]["y"], made[1]["y"], atol=1.0)


def test_another_models_floor_is_raised_to_the_targets(tmp_path, write_manifest, destination):
    """RRFS writes -20 dBZ where HRRR writes -10; power is averaged after the floor is raised."""
    echo = np.full(ARCHIVE.shape, -20.0)
    echo[:2, :2] = [[40.0, -12.0], [-10.0, -20.0]]
    options = {"coarsen": 2, "suspicious": "mask"}
    made = all_ways(tmp_path, write_manifest, destination, {"REFC": echo}, **options)
    for kind, file in made.items():
        values = file["REFC"].values.squeeze()
        assert values[0, 0] == pytest.approx(10 * np.log10((10**4 + 3 * 0.1) / 4), abs=1e-4)
        assert values[1:] == pytest.approx(-10.0, abs=1e-5)
        assert file["REFC"].attrs["suspicious_points"] == 0
        # 11 x 14 blocks of 4 points, of which 2 are not below.
        assert file["REFC"].attrs["raised_points"] == 11 * 14 * 4 - 2
        (row,) = read_findings([tmp_path / kind / "quality.csv"]).to_dict("records")
        assert (row["treatment"], row["suspicious"]) == ("floor", 11 * 14 * 4 - 2)
        assert (row["lowest"], row["highest"]) == (-20.0, 40.0)


def test_only_what_decibels_measure_is_raised(tmp_path, write_manifest, destination):
    """A negative CAPE is no other model's floor: it cannot be."""
    fields = {"CAPE": np.full(ARCHIVE.shape, -50.0), "T2M": np.full(ARCHIVE.shape, 285.0)}
    made = all_ways(tmp_path, write_manifest, destination, fields, suspicious="keep")
    for file in made.values():
        assert file["CAPE"].attrs["suspicious_points"] == ARCHIVE.shape[0] * ARCHIVE.shape[1]
        assert float(file["CAPE"].max()) == -50.0


def test_every_way_is_checked(tmp_path, write_manifest, destination):
    dew_point = np.full(ARCHIVE.shape, 285.0)
    dew_point[3, 4] = 192.12
    made = all_ways(tmp_path, write_manifest, destination, {"D2M": dew_point})
    for kind, file in made.items():
        assert np.argwhere(np.isnan(file["D2M"].values.squeeze())).tolist() == [[3, 4]]
        (row,) = read_findings([tmp_path / kind / "quality.csv"]).to_dict("records")
        assert row["valid"] == f"{VALID:%Y%m%d%H}"
        assert row["member"] == (RUN.name if kind in ("member", "forecast") else "")


def test_the_terrain_is_checked(tmp_path, write_manifest, destination):
    terrain = np.full(ARCHIVE.shape, 300.0)
    terrain[0, 0] = 9999.0
    manifest = write_manifest(tmp_path, [message("OROG", terrain, VALID, 0)])
    normalise_static(manifest, ["OROG"], "HRRR", destination(tmp_path))
    (row,) = read_findings([tmp_path / "quality.csv"]).to_dict("records")
    assert (row["variable"], row["suspicious"]) == ("OROG", 1)


def test_where_the_truth_ends_it_is_missing_and_told(tmp_path, write_manifest, destination, caplog):
    smaller = ARCHIVE.crop(slice(0, 20), slice(0, 29))
    fields = {"T2M": np.full(ARCHIVE.shape, 285.0)}
    day = write_manifest(tmp_path / "day", [message("T2M", fields["T2M"], VALID, 0)])
    truth = [message("T2M", fields["T2M"][:20], INIT, 1, smaller)]
    to = destination(tmp_path / "day"), destination(tmp_path / "truth")
    normalise_day(day, ["T2M"], to[0])
    manifest = write_manifest(tmp_path / "truth", truth)
    write_truth(
        TruthInputs(manifest, [to[0].output]), {"T2M": VariableTruth("URMA analysis")}, to[1]
    )
    with xr.open_dataset(to[1].output) as made:
        assert np.isfinite(made["T2M"].values[0, :20]).all()
        assert np.isnan(made["T2M"].values[0, 20:]).all()
    assert "URMA analysis has no value at 87 of 667 points" in caplog.text


def field_of(name, values, grid):
    return SourceField(name, np.asarray(values, np.float32), grid, "somewhere")


def test_any_reader_may_feed_the_path():
    """A field on degrees, as radar and external ensembles have it: linear, so exact by hand."""
    degrees = latitude_longitude(west=255.0, east=265.0, south=33.0, north=43.0, shape=(201, 201))
    longitude, latitude = degrees.longitude_latitude()
    target = Target(HRRR.crop(slice(500, 520), slice(850, 880)))
    field = field_of("T2M", 280 + longitude / 10 + latitude / 7, degrees)
    placed, findings = target.place([field], Checks(VALID, "keep"))
    longitude, latitude = target.grid.longitude_latitude()
    assert np.allclose(placed["T2M"], 280 + (longitude + 360) / 10 + latitude / 7, atol=1e-4)
    assert findings == []


def test_a_field_on_the_target_grid_is_not_averaged_again():
    target = Target(HRRR.crop(slice(0, 8), slice(0, 6)), 3)
    values = np.random.default_rng(0).normal(285, 3, (8, 6))
    placed, _ = target.place([field_of("T2M", values, target.grid)], Checks(VALID, "keep"))
    np.testing.assert_array_equal(placed["T2M"], values.astype(np.float32))


def test_a_component_of_the_wind_alone_is_an_error():
    target = Target(ARCHIVE)
    alone = [field_of("U10", np.zeros(ARCHIVE.shape), ARCHIVE)]
    with pytest.raises(StormdrawError, match="somewhere: U10 and V10 are needed together"):
        target.place(alone, Checks(VALID, "keep"))


def test_components_on_two_grids_are_an_error():
    other = HRRR.crop(slice(479, 502), slice(880, 909))
    wind = [field_of(n, np.zeros(ARCHIVE.shape), g) for n, g in (("U10", ARCHIVE), ("V10", other))]
    with pytest.raises(StormdrawError, match="U10 and V10 are not on the same grid"):
        Target(ARCHIVE).place(wind, Checks(VALID, "keep"))


def test_components_along_different_axes_are_an_error():
    u = field_of("U10", np.zeros(ARCHIVE.shape), ARCHIVE)
    v = replace(u, name="V10", grid_relative_winds=False)
    with pytest.raises(StormdrawError, match="U10 and V10 are not on the same grid"):
        Target(ARCHIVE).place([u, v], Checks(VALID, "keep"))


@pytest.mark.parametrize(
    "beyond",
    [
        latitude_longitude(west=40.0, east=50.0, south=33.0, north=43.0, shape=(11, 21)),
        CurvilinearGrid(*HRRR.crop(slice(0, 11), slice(0, 21)).longitude_latitude()),
    ],
    ids=["a map", "places"],
)
def test_a_field_that_covers_no_point_of_the_target_is_an_error(beyond):
    field = field_of("T2M", np.full(beyond.shape, 285.0), beyond)
    said = f"^somewhere: T2M is on a grid of {extent(beyond)}, beyond all of .* {extent(ARCHIVE)};"
    with pytest.raises(StormdrawError, match=said):
        Target(ARCHIVE).place([field], Checks(VALID, "keep"))


def test_a_field_that_covers_one_point_of_the_target_is_put_there():
    corner = HRRR.crop(slice(470, 481), slice(870, 881))
    field = field_of("T2M", np.full(corner.shape, 285.0), corner)
    placed, _ = Target(ARCHIVE).place([field], Checks(VALID, "keep"))
    assert np.argwhere(np.isfinite(placed["T2M"])).tolist() == [[0, 0]]


def test_a_spread_is_held_against_no_bounds():
    """A spread of 5 dBZ is above the floor, one of 3 K far below the lowest temperature."""
    fields = [field_of(n, np.full(ARCHIVE.shape, v), ARCHIVE) for n, v in (("T2M", 3), ("CIN", 40))]
    placed, findings = Target(ARCHIVE).place(fields, Checks(VALID, "mask", bounded=False))
    assert findings == []
    assert np.array_equal(placed["T2M"], np.full(ARCHIVE.shape, 3))
    assert np.array_equal(placed["CIN"], np.full(ARCHIVE.shape, 40))


@pytest.mark.parametrize("name", ["REFC", "CAPE", "CIN"])
def test_where_the_table_has_a_floor_no_new_value_is_made(name):
    half = Grid(ARCHIVE.crs, tuple(x + 1000 for x in ARCHIVE.x), tuple(y + 900 for y in ARCHIVE.y))
    values = np.where(np.random.default_rng(0).random(half.shape) < 0.5, 0.0, -8.0)
    placed, _ = Target(ARCHIVE).place([field_of(name, values, half)], Checks(VALID, "keep"))
    found = placed[name][np.isfinite(placed[name])]
    assert found.size > 0
    assert set(np.unique(found)) == {0.0, -8.0}
