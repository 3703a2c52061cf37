"""The truth from URMA: its own variables from it, the rest from HRRR's analysis."""

import sys
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

sys.path.insert(0, str(Path(__file__).parents[1] / "archive"))

from archive_inventory import write_inventory
from archive_messages import variable_message
from archive_mirror import STATE, settings, write_analyses, write_file
from mosaic_bucket import key, write

from stormdraw.archive.base_model import base_model
from stormdraw.archive.fetch import fetch_day
from stormdraw.archive.truth import truth
from stormdraw.archive.wanted import dates, requests
from stormdraw.errors import StormdrawError
from stormdraw.fields.forecasts import Cycle, regrid_forecast
from stormdraw.fields.normalise import normalise_day
from stormdraw.fields.quality import read_findings
from stormdraw.fields.settings import Fields
from stormdraw.fields.states import absent_times, read_grid_of, read_states
from stormdraw.fields.target import Target
from stormdraw.fields.truth import TruthInputs, VariableTruth, write_truth
from stormdraw.fields.writing import Destination
from stormdraw.grids import latitude_longitude
from stormdraw.messages import opened, read_messages
from stormdraw.scores.truth import Truth
from stormdraw.simulated.mosaic_messages import NO_COVERAGE, mosaic_file

import eccodes  # isort: skip  (after stormdraw)

SEVEN = datetime(2026, 6, 1, 7)
URMA = "urma2p5.20260601/urma2p5.t07z.2dvaranl_ndfd.grb2_wexp"


MESOSCALE = {"T2M", "D2M", "U10", "V10"}

# Values in these files tell their file, and are no weather.
KEPT = Fields(suspicious="keep")


def into(output, fields=KEPT):
    return Destination(output, output.with_suffix(".csv"), fields, {})


def called(titles):
    """The truth of each variable, of a source whose value of no echo is not known."""
    return {name: VariableTruth(title) for name, title in titles.items()}


def run_with(truth, **changes):
    return settings(
        archive={"source": {"mirror": changes.pop("mirror")}, "truth": truth}, **changes
    )


@pytest.fixture
def mirror(tmp_path):
    folder = tmp_path / "mirror"
    write_analyses(folder)
    (folder / URMA).parent.mkdir(parents=True)
    content = [variable_message(name, SEVEN, 0, value=280.0) for name in ("T2M", "U10", "V10")]
    dew_point = variable_message("D2M", SEVEN, 0, value=270.0)
    (folder / URMA).write_bytes(b"".join([*content, dew_point]))
    write_inventory(folder / URMA)
    return folder


def fields_of(path):
    """{variable: values} of a file of messages."""
    found = {}
    for message in read_messages(path):
        with opened(message) as handle:
            found[eccodes.codes_get(handle, "shortName")] = eccodes.codes_get_values(handle)
    return found


def make_truth(run, folder, truths=None):
    """A day's truth, of some variables, or of the run's and URMA; their analyses are `day.nc`."""
    manifests = [folder / source / "20260601" / "manifest.csv" for source in ("hrrr", "truth")]
    for source, manifest in zip(("hrrr", "truth"), manifests, strict=True):
        fetch_day(run, source, "20260601", manifest)
    day, output = folder / "day.nc", folder / "truth.nc"
    normalise_day(manifests[0], run.variables, into(day))
    if not isinstance(truths, dict):
        names = truths or run.variables
        truths = called({n: "URMA analysis" if n in MESOSCALE else "an analysis" for n in names})
    write_truth(TruthInputs(manifests[1], [day]), truths, into(output))
    return output


def test_variables_of_urma_and_of_the_analysis(mirror, tmp_path):
    run = run_with("urma", mirror=str(mirror))
    assert dates(run, "truth") == ["20260601"]
    day, output = tmp_path / "day.nc", make_truth(run, tmp_path)
    urma = fields_of(mirror / URMA)
    with xr.open_dataset(output) as truth, xr.open_dataset(day) as analysis:
        assert truth["time"].values.astype("datetime64[h]").tolist() == [SEVEN]
        np.testing.assert_allclose(truth["T2M"].values.ravel(), urma["2t"], rtol=1e-6)
        # Winds are turned to the target's axes, which keeps their speed.
        speed = np.hypot(truth["U10"], truth["V10"]).values.ravel()
        np.testing.assert_allclose(speed, np.hypot(urma["10u"], urma["10v"]), rtol=1e-6)
        assert truth["T2M"].attrs["source"] == "URMA analysis"
        for name in ("REFC", "CAPE", "CIN"):
            np.testing.assert_array_equal(truth[name][0], analysis[name].sel(time=SEVEN))
            assert truth[name].attrs["source"] == "an analysis"
        assert truth["T2M"].shape == (1, 4, 5)
    # What the analyses hold was told when they were made.
    assert "CIN" not in set(read_findings([output.with_suffix(".csv")])["variable"])
    assert "CIN" in set(read_findings([day.with_suffix(".csv")])["variable"])


def test_reflectivity_of_radars_and_the_rest_of_the_analysis(mirror, tmp_path):
    """South of 36.04 N no radar sees; north of it are echoes of 30 dBZ."""
    seen = latitude_longitude(-97.6, -97.2, 35.9, 36.2, (31, 41))
    latitude = np.broadcast_to(np.array(seen.y)[:, None], seen.shape)
    values = np.where(latitude < 36.04, NO_COVERAGE, 30.0)
    time = SEVEN.replace(minute=2)
    write({key(time): mosaic_file(values, seen, time)}, mirror)
    run = run_with({"REFC": "mrms"}, mirror=str(mirror), fields={"suspicious": "mask"})
    mosaic = {"REFC": VariableTruth("a mosaic", codes=truth("mrms").codes)}
    titles = {name: "an analysis" for name in run.variables if name != "REFC"}
    output = make_truth(run, tmp_path, mosaic | called(titles))
    with xr.open_dataset(output) as written:
        reflectivity, north = written["REFC"][0], written["latitude"] >= 36.04
        assert 0.2 < float(north.mean()) < 0.8
        np.testing.assert_array_equal(np.isfinite(reflectivity), north)
        np.testing.assert_allclose(reflectivity.values[north.values], 30.0, rtol=1e-6)
        assert written["REFC"].attrs["source"] == "a mosaic"
        assert written["REFC"].attrs["incomplete_times"] == "2026060107"
        assert written["T2M"].attrs["incomplete_times"] == ""
        assert np.isfinite(written["T2M"]).all()


def test_a_real_forecast_as_truth_is_the_forecast(real_data, tmp_path):
    """HRRR's f01 of 16 UTC over the Sierra Nevada, as truth and as forecast, in blocks of 12 km."""
    run = settings(
        archive={"source": {"mirror": str(real_data / "hrrr_mammoth")}, "truth": "hrrr_f01"},
        variables=["T2M", "U10", "V10"],
        periods={
            "training": {"start": "2019-10-01T14:00", "end": "2019-10-01T15:00"},
            "test": {"start": "2019-10-01T16:00", "end": "2019-10-01T17:00"},
        },
        leads=[1],
        fields={"crop": {"rows": [1, 36], "columns": [2, 37]}, "coarsen": 4, "static": []},
        ensembles={"systems": [{"method": "baseline", "name": "hrrr", "kind": "hrrr"}]},
    )
    paths = {}
    for source in ("hrrr", "truth", "hrrr_forecast"):
        paths[source] = tmp_path / source / "20191001" / "manifest.csv"
        fetch_day(run, source, "20191001", paths[source])
    day, forecast, truth = (into(tmp_path / f"{n}.nc", run.fields) for n in ("day", "f01", "truth"))
    normalise_day(paths["hrrr"], run.variables, day)
    cycle = Cycle(datetime(2019, 10, 1, 16), [1], run.variables)
    target = Target.of_file(day.output, run.fields)
    regrid_forecast(
        paths["hrrr_forecast"], cycle, base_model("hrrr").run(cycle.init), "HRRR", target, forecast
    )
    titles = called(dict.fromkeys(run.variables, "HRRR 1 h forecast"))
    write_truth(TruthInputs(paths["truth"], [day.output]), titles, truth)
    with (
        xr.open_dataset(truth.output) as as_truth,
        xr.open_dataset(forecast.output) as as_forecast,
        xr.open_dataset(day.output) as analyses,
    ):
        assert as_truth["T2M"].shape == (1, 8, 8)
        for name in run.variables:
            np.testing.assert_array_equal(as_truth[name][0], as_forecast[name][0])
        # Blocks of 16 points differ from the analysis by less than points do, 0.7 to 0.9 K.
        error = as_truth["T2M"][0] - analyses["T2M"][-1]
        assert 0.3 < float(np.sqrt((error**2).mean())) < 0.8


def test_one_hour_forecasts_as_truth(tmp_path):
    run = run_with("hrrr_f01", mirror=str(tmp_path))
    (request,) = requests(run, "truth", "20260601")
    assert (request.init, request.lead) == (datetime(2026, 6, 1, 6), 1)
    assert request.variables == tuple(run.variables)


def test_an_hour_without_the_analysis_has_the_variables_of_urma(mirror, tmp_path):
    config = {"source": {"mirror": str(mirror)}, "truth": "urma", "missing": "skip"}
    run = settings(archive=config | {"missing_limit": 1.0})
    for file in mirror.glob("hrrr.20260601/conus/hrrr.t07z*"):
        file.unlink()
    output = make_truth(run, tmp_path)
    # URMA's variables are there all the same.
    assert absent_times([output]) == set()
    with xr.open_dataset(output) as truth:
        there = {name for name in run.variables if np.isfinite(truth[name]).all()}
        assert there == MESOSCALE
        assert all(np.isnan(truth[name]).all() for name in {*run.variables} - there)
    # Of its own variables alone, the truth has that hour.
    make_truth(run, tmp_path, ["T2M", "D2M"])
    assert absent_times([output]) == set()


@pytest.mark.parametrize("lacking", [{"D2M"}, {"U10", "V10"}, MESOSCALE])
def test_what_urma_lacks_costs_the_truth_of_these_variables_alone(mirror, tmp_path, lacking):
    """A component of the wind without the other is of no use."""
    names = [name for name in MESOSCALE if name not in lacking - {"V10"}]
    content = [variable_message(name, SEVEN, 0, value=280.0) for name in names]
    (mirror / URMA).write_bytes(b"".join(content))
    write_inventory(mirror / URMA)
    config = {"source": {"mirror": str(mirror)}, "truth": "urma", "missing": "skip"}
    run = settings(archive=config)
    output = make_truth(run, tmp_path)
    assert absent_times([output]) == set()
    truth = Truth([output], datetime(2026, 6, 1, 6), [1])
    missing = lacking | ({"WIND10"} if "U10" in lacking else set())
    for name in (*run.variables, "WIND10"):
        field = truth.field(name, 1)
        assert np.isnan(field).all() == (name in missing)
        assert np.isfinite(field).any() == (name not in missing)


def test_an_hour_without_truth_is_named(mirror, tmp_path):
    (mirror / URMA).unlink()
    for file in mirror.glob("hrrr.20260601/conus/hrrr.t07z*"):
        file.unlink()
    config = {"source": {"mirror": str(mirror)}, "truth": "urma", "missing": "skip"}
    run = settings(archive=config)
    output = make_truth(run, tmp_path)
    with xr.open_dataset(output) as truth:
        assert truth.sizes["time"] == 0
        assert truth.attrs["absent_times"] == "2026060107"
    assert absent_times([output]) == {SEVEN}
    assert list(read_states([output], ["T2M"], [])) == []


def test_a_day_without_any_hour_has_the_grid_of_the_terrain(mirror, tmp_path):
    write_file(
        mirror / "hrrr.20260601/conus/hrrr.t00z.wrfsfcf00.grib2",
        datetime(2026, 6, 1),
        0,
        names=(*STATE, "OROG"),
    )
    manifest, static = tmp_path / "hrrr/20260601/manifest.csv", tmp_path / "static/manifest.csv"
    run = settings(archive={"source": {"mirror": str(mirror)}, "missing": "skip"})
    fetch_day(run, "static", "20260601", static)
    for file in (mirror / "hrrr.20260601").rglob("*.grib2"):
        file.unlink()
    fetch_day(run, "hrrr", "20260601", manifest)
    day = tmp_path / "day.nc"
    with pytest.raises(StormdrawError, match="so its grid is unknown"):
        normalise_day(manifest, run.variables, into(day))
    normalise_day(manifest, run.variables, into(day), grid_manifest=static)
    assert len(absent_times([day])) == 4
    assert read_grid_of(day).shape == (4, 5)


def test_urma_has_nothing_to_say_about_storms(tmp_path):
    with pytest.raises(StormdrawError, match="urma has T2M, D2M, U10, V10 and none of REFC, CAPE"):
        run_with("urma", mirror=str(tmp_path), variables=["REFC", "CAPE"])


def test_the_analysis_is_the_truth_by_default():
    assert dates(settings(), "truth") == []


def test_a_simulated_archive_has_no_urma():
    with pytest.raises(StormdrawError, match="the simulated archive has no urma"):
        settings(archive={"source": "simulated", "truth": "urma"})
