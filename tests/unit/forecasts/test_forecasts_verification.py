"""Which cycles can be verified: by the simulated clock, and by what is in the folder."""

import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from small_experiment import CONFIG

from stormdraw.archive.manifest import ABSENT, OK, ManifestRow, write_manifest
from stormdraw.errors import StormdrawError
from stormdraw.forecasts.configuration import forecast_configuration, verified_configuration
from stormdraw.forecasts.cycles import sighting
from stormdraw.forecasts.verification import verification_of
from stormdraw.settings import load_settings

# A cycle of the reference, and the last valid time of its forecast.
CYCLE, LAST = datetime(2026, 6, 2, 6), datetime(2026, 6, 2, 8)
FOLDER = Path("results/forecasts")

pytestmark = pytest.mark.usefixtures("calibrated")


def configuration(now: datetime | None = None, **late: int) -> dict[str, Any]:
    """The study with a clock; files of some hours, as `at_08=3`, are so many hours late."""
    world = dict(CONFIG["archive"]["simulated"])
    if now is not None:
        delays = {CYCLE.replace(hour=int(key[3:])): count for key, count in late.items()}
        world |= {"now": now, "late": delays}
    return {**CONFIG, "archive": {**CONFIG["archive"], "simulated": world}}


def touch(*paths: str) -> None:
    for path in map(FOLDER.joinpath, paths):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def drawn(*inits: str) -> None:
    touch(*(f"ensembles/small/{init}.nc" for init in inits))


def verified(config: dict[str, Any]) -> tuple[list[int], list[str]]:
    start = verification_of(config, [], looks=True)
    return start.config["cycle"], start.remarks


def refused(config: dict[str, Any]) -> str:
    with pytest.raises(StormdrawError) as error:
        verification_of(config, [], looks=True)
    return str(error.value)


def test_a_cycle_waits_until_truth_and_reference_are_there() -> None:
    # A stretch of another cycle, which is being drawn, is no ensemble.
    drawn("2026060206", "2026060207.hours_001_001")
    # The simulated archive has an analysis an hour after its time.
    early = refused(configuration(LAST))
    assert "2026-06-02 06 UTC waits for 1 of 23 files: hrrr sfc of 2026-06-02 08 UTC + 0 h" in early
    assert verified(configuration(LAST + timedelta(hours=1))) == ([2026060206], [])
    late = configuration(LAST + timedelta(hours=3), at_08=3)
    assert "waits for 1 of 23 files" in refused(late)
    assert verified(configuration(LAST + timedelta(hours=4), at_08=3)) == ([2026060206], [])
    # The reference's newest members are of the cycle itself, of its models and its two products.
    late = configuration(LAST + timedelta(hours=3), at_06=9)
    assert "2026-06-02 06 UTC waits for" in refused(late)


def test_what_has_not_come_in_a_day_is_left_out_but_not_an_analysis() -> None:
    drawn("2026060206")
    almost = LAST + timedelta(hours=23)
    # The six-hour-old members come with the run of midnight.
    assert "waits for" in refused(configuration(almost, at_00=99))
    cycles, (remark,) = verified(configuration(LAST + timedelta(hours=24), at_00=99))
    assert cycles == [2026060206]
    assert remark.startswith("2026-06-02 06 UTC is verified without ")
    assert remark.endswith("which never came")
    never = refused(configuration(LAST + timedelta(hours=24), at_08=99))
    assert "2026-06-02 06 UTC is left out: it lacks 1 of 23 files: hrrr sfc" in never


def test_a_cycle_without_a_run_of_the_reference_or_without_members_is_left_out() -> None:
    drawn("2026060205", "2026060206")
    touch("scores/href/2026060207.nc")
    cycles, (first, second) = verified(configuration(LAST + timedelta(hours=9)))
    assert cycles == [2026060206]
    assert first.startswith("2026-06-02 05 UTC is left out: ")
    assert "HREF" in first
    assert second == "2026-06-02 07 UTC is left out: it has no members of small"


def test_a_scored_cycle_stays_when_its_members_are_gone_and_is_asked_nothing() -> None:
    drawn("2026060206")
    names = ("small", "href", "href_mean_spread", "persistence")
    touch(*(f"scores/{name}/2026060200.nc" for name in names))
    # Its files are late for years, and no one looks for them.
    config = configuration(LAST + timedelta(hours=1), at_00=99_999)
    config["ensembles"] = {**config["ensembles"]}
    del config["archive"]["reference"]
    config["ensembles"]["systems"] = [
        one for one in config["ensembles"]["systems"] if not one["name"].startswith("href")
    ]
    config["scores"] = {**config["scores"], "reference": "persistence"}
    assert verified(config) == ([2026060200, 2026060206], [])


def test_without_a_cycle_that_has_members_there_is_nothing_to_verify() -> None:
    message = refused(configuration(LAST))
    assert message == (
        "verify: results/forecasts has no cycle with members whose truth has come; forecast first, "
        "with --config cycle=latest, or wait"
    )
    names = ("small", "href", "href_mean_spread", "persistence")
    touch(*(f"scores/{name}/2026060206.nc" for name in names))
    assert refused(configuration(LAST + timedelta(days=2))).startswith("verify: ")


def test_a_radar_mosaic_is_there_if_one_is_near_the_hour(tmp_path: Path) -> None:
    config = configuration() | {"cycle": [2026060206]}
    world = {"source": {"mirror": str(tmp_path)}, "truth": {"REFC": "mrms"}}
    config["archive"] = {"truth_tolerance_minutes": 3, **world}
    config["ensembles"] = {"systems": config["ensembles"]["systems"][:1]}
    config["scores"] = {}
    run = load_settings(verified_configuration(config))
    product = "MergedReflectivityQCComposite_00.50"
    folder = tmp_path / "CONUS" / product / "20260602"
    folder.mkdir(parents=True)
    # Of 7 and 8 UTC: a minute early, and four minutes late.
    for time in ("065900", "080400"):
        (folder / f"MRMS_{product}_20260602-{time}.grib2.gz").touch()
    absent = [file for file in sighting(run, CYCLE, LAST).absent if file.series is not None]
    assert [file.init for file in absent] == [LAST]


def test_reports_of_stations_have_three_hours_to_come_in() -> None:
    drawn("2026060206")
    config = configuration(LAST + timedelta(hours=2))
    config["archive"]["stations"] = {}
    assert "waits for reports of stations, for 3 h" in refused(config)
    config = configuration(LAST + timedelta(hours=3))
    config["archive"]["stations"] = {}
    assert verified(config)[0] == [2026060206]


def row(status: Any) -> ManifestRow:
    return ManifestRow("a", "T2M", "", CYCLE, 0, "", 0, 0, "", "", status)


def test_a_file_that_was_absent_is_asked_for_again_once_it_is_there() -> None:
    drawn("2026060206")
    manifest = FOLDER / "archive/href/2026060206/manifest.csv"
    for status, stays in ((ABSENT, False), (OK, True)):
        manifest.parent.mkdir(parents=True)
        write_manifest(manifest, [row(OK), row(status)])
        assert refused(configuration(LAST)).startswith("verify: ")
        start = verification_of(configuration(LAST + timedelta(hours=1)), [], looks=True)
        assert start.outdated == ([] if stays else [manifest])
        # A dry run looks as well, and removes nothing.
        assert manifest.exists()
        shutil.rmtree(manifest.parent)


def test_a_cycle_that_is_named_is_refused() -> None:
    drawn("2026060206")
    config = configuration(LAST + timedelta(hours=1)) | {"cycle": "latest"}
    assert refused(config) == "cycle=latest: verify takes all cycles that were drawn; leave it out"


def test_a_job_takes_the_cycles_that_the_run_found() -> None:
    config = configuration(LAST) | {"cycle": [2026060206], "verify": True}
    assert verification_of(config, [], looks=False).config["cycle"] == [2026060206]


def test_states_are_those_of_the_forecast_and_what_needs_training_is_left_out() -> None:
    """Members that are there must not be drawn again, or differ in what they start from."""
    config = configuration(LAST) | {"cycle": [2026060206]}
    lagged = {"name": "lagged", "method": "time_lagged", "of": "small", "ages": [0, 1]}
    systems = [*config["ensembles"]["systems"], lagged]
    config["ensembles"] = {**config["ensembles"], "systems": systems}
    made = verified_configuration(config)
    run, forecast = load_settings(made), load_settings(forecast_configuration(config))
    assert run.verify
    assert not forecast.verify
    names = [system.name for system in run.ensembles.systems]
    assert names == ["small", "href", "href_mean_spread", "persistence"]
    assert (run.archive.reference, run.scores.reference) == ("href", "href")
    assert run.archive.missing == "skip"
    # Percentiles are of a training period.
    assert [one.given for one in run.scores.thresholds["T2M"]] == ["<=290"]
    assert forecast.analysis_times() == [CYCLE]
    config["archive"] = {**config["archive"], "driving": {"model": "gfs"}}
    assert load_settings(forecast_configuration(config)).driving_forecasts() != []
    assert load_settings(verified_configuration(config)).driving_forecasts() == []
    assert run.analysis_times() == [CYCLE, CYCLE + timedelta(hours=1), LAST]


def test_a_reference_that_needs_training_is_none() -> None:
    config = configuration(LAST) | {"cycle": [2026060206]}
    config["scores"] = {**config["scores"], "reference": "climatology"}
    assert load_settings(verified_configuration(config)).scores.reference is None
