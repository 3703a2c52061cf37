"""What stands for the analysis of an hourly sum or maximum: the first hour of the run before."""

from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest
from archive_mirror import (
    DAY,
    STATE,
    analyses_manifest,
    fetch_analyses,
    names_read,
    reference,
    settings,
    write_file,
)

from stormdraw.archive.audit import audit
from stormdraw.archive.request import FileRequest
from stormdraw.archive.truth_names import truth_name, truth_sentences
from stormdraw.archive.wanted import dates, requests
from stormdraw.costs.disk import disk_bytes
from stormdraw.costs.fetching import states, wanted_files
from stormdraw.fields.decoding import Messages
from stormdraw.settings import Settings

VARIABLES = ["T2M", "APCP", "MXUPHL"]


def run_with(mirror: Path | str = "nowhere", **archive: object) -> Settings:
    """Hours 00, 01, 06 and 07 UTC of 2026-06-01."""
    return settings(variables=VARIABLES, archive={"source": {"mirror": str(mirror)}, **archive})


def of(init: datetime, lead: int, names: list[str]) -> FileRequest:
    return FileRequest("hrrr", "sfc", (), init, lead, "", tuple(names), None, whole=True)


def test_each_hour_wants_the_forecast_of_the_hour_before() -> None:
    run = run_with()
    wanted = requests(run, "hrrr", "20260601")
    assert wanted[:2] == [
        of(DAY, 0, ["T2M"]),
        of(datetime(2026, 5, 31, 23), 1, ["APCP", "MXUPHL"]),
    ]
    assert [(file.init.hour, file.lead) for file in wanted[2:]] == [
        *((1, 0), (0, 1)),
        *((6, 0), (5, 1)),
        *((7, 0), (6, 1)),
    ]
    # The run of the day before is of this day's states.
    assert dates(run, "hrrr") == ["20260601"]


def test_where_forecasts_stand_for_analyses_one_file_has_both() -> None:
    run = run_with(analysis_lead=1)
    assert dates(run, "hrrr") == ["20260531", "20260601"]
    (file,) = requests(run, "hrrr", "20260531")
    assert file == of(datetime(2026, 5, 31, 23), 1, VARIABLES)
    assert len(requests(run, "hrrr", "20260601")) == 3


def test_an_excluded_hour_excludes_both_files() -> None:
    wanted = requests(run_with(exclude=["2026-06-01T01"]), "hrrr", "20260601")
    assert [(file.init.hour, file.lead) for file in wanted if file.excluded] == [(1, 0), (0, 1)]


def test_a_truth_of_one_hour_forecasts_is_one_file() -> None:
    (file,) = requests(run_with(truth="hrrr_f01"), "truth", "20260601")
    assert (file.init, file.lead, file.variables) == (DAY.replace(hour=6), 1, tuple(VARIABLES))


def test_forecasts_hold_the_hour_that_ends_at_their_lead() -> None:
    """A member's file is asked for all variables at once."""
    run = reference(archive={"source": ["aws", "nomads"]}, variables=VARIABLES)
    for file in requests(run, "href", "20260601"):
        assert file.variables == tuple(VARIABLES)


def test_the_page_names_that_truth() -> None:
    run = run_with()
    assert truth_name(run, "T2M") == "HRRR analysis"
    assert truth_name(run, "APCP") == "HRRR 1 h forecast"
    sentences = truth_sentences(run)
    assert sentences[1].startswith("The truth of APCP, MXUPHL is the HRRR 1 h forecast, not obs")
    lead = run_with(analysis_lead=1)
    assert truth_name(lead, "APCP") == "HRRR 1 h forecast, in place of its analysis"
    assert truth_name(run_with(truth="hrrr_f01"), "T2M") == "HRRR 1 h forecast"


def path_of(mirror: Path, init: datetime, lead: int) -> Path:
    return mirror / f"hrrr.{init:%Y%m%d}/conus/hrrr.t{init:%H}z.wrfsfcf{lead:02d}.grib2"


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    """All files of the hours of the run, as HRRR has them."""
    folder = tmp_path / "mirror"
    for hour in (0, 1, 6, 7):
        valid = DAY.replace(hour=hour)
        for init, lead in ((valid, 0), (valid - pd.Timedelta(hours=1), 1)):
            names = ("T2M", "APCP", "MXUPHL")
            write_file(path_of(folder, init, lead), init, lead, names=names)
    return folder


def test_a_days_manifest_has_both_files_of_each_hour(tmp_path: Path, mirror: Path) -> None:
    table = fetch_analyses(tmp_path, run_with(mirror))
    assert set(table["status"]) == {"ok"}
    leads = {"T2M": 0, "APCP": 1, "MXUPHL": 1}
    assert table["lead"].tolist() == table["variable"].map(leads).tolist()
    listed = Messages(analyses_manifest(tmp_path)).by_valid_time()
    assert [one.valid.hour for one in listed] == [0, 1, 6, 7]
    for place in range(4):
        assert names_read(tmp_path, place, VARIABLES) == VARIABLES


def test_a_forecast_may_stand_for_one_analysis_and_be_another(tmp_path: Path, mirror: Path) -> None:
    """T2M of 01 UTC comes from 00 UTC + 1 h, as its rain does, and neither displaces the other."""
    path_of(mirror, DAY.replace(hour=1), 0).unlink()
    table = fetch_analyses(tmp_path, run_with(mirror, missing="older_run"))
    one = table[table["init"] == DAY].query("lead == 1").set_index("variable")
    assert one["status"].to_dict() == {"T2M": "older_run", "APCP": "ok", "MXUPHL": "ok"}
    assert names_read(tmp_path, 1, VARIABLES) == VARIABLES


def test_a_replaced_hour_of_rain_is_listed_at_its_own_lead(tmp_path: Path, mirror: Path) -> None:
    """Rain from 00 to 01 UTC comes from the run of 23 UTC then."""
    older = path_of(mirror, DAY, 1)
    older.unlink()
    init = datetime(2026, 5, 31, 23)
    write_file(path_of(mirror, init, 2), init, 2, names=("T2M", "APCP", "MXUPHL"))
    fetch_analyses(tmp_path, run_with(mirror, missing="older_run"))
    table = audit({"hrrr": [analyses_manifest(tmp_path)]}, lambda valid, shortest: shortest)
    (row,) = table.query("status == 'older_run'").to_dict("records")
    assert (row["valid"], row["init"], row["lead"]) == (DAY.replace(hour=1), DAY, 1)
    assert row["replaced_by"].endswith("hrrr.t23z.wrfsfcf02.grib2")


def test_states_are_counted_once() -> None:
    """Eight files for four hours; an hour's fields need room once."""
    run = run_with()
    files = wanted_files(run)
    assert (len(files["hrrr"]), states(run, "hrrr", files["hrrr"])) == (8, 4)
    alone = settings(variables=["T2M", "D2M", "CAPE"], archive={"source": {"mirror": "nowhere"}})
    expected = disk_bytes(alone, wanted_files(alone))["fields"]
    assert disk_bytes(run, files)["fields"] == expected


def test_members_are_counted_each() -> None:
    run = reference(archive={"source": "simulated"}, variables=list(STATE))
    files = wanted_files(run)["href"]
    assert states(run, "href", files) == len(files) == 10
