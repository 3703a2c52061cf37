"""States whose variables are in several files of the base model."""

from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest
from archive_mirror import (
    DAY,
    analyses_manifest,
    fetch_analyses,
    names_read,
    reference,
    settings,
    write_file,
)

from stormdraw.archive.wanted import requests
from stormdraw.costs.disk import disk_bytes
from stormdraw.costs.fetching import fetching, states, wanted_files
from stormdraw.costs.message_sizes import INVENTORY_BYTES, message_bytes
from stormdraw.errors import StormdrawError
from stormdraw.fields.decoding import Messages
from stormdraw.report.figures.archive_audit import day_by_hour, worst_of_each_hour
from stormdraw.settings import Settings

# Those of the state's order: two in the file of single levels, one over the last hour, two in that
# of pressure levels.
VARIABLES = ["T2M", "APCP", "T500", "T250", "Q850"]
SINGLE, ABOVE = ("T2M", "T500"), ("T250", "Q850")


def run_with(mirror: Path | str = "nowhere", **archive: object) -> Settings:
    return settings(variables=VARIABLES, archive={"source": {"mirror": str(mirror)}, **archive})


def told(run: Settings, source: str) -> list[tuple[str, int, tuple[str, ...]]]:
    """(product, lead, variables) of the first hour's or case's files."""
    wanted = requests(run, source, "20260601")
    first = wanted[0].init + pd.Timedelta(hours=wanted[0].lead)
    return [
        (file.product, file.lead, file.variables)
        for file in wanted
        if file.init + pd.Timedelta(hours=file.lead) == first
    ]


def test_each_product_is_a_file_of_an_hour() -> None:
    assert told(run_with(), "hrrr") == [
        ("sfc", 0, SINGLE),
        ("prs", 0, ABOVE),
        ("sfc", 1, ("APCP",)),
    ]
    ahead = [("sfc", 1, ("T2M", "APCP", "T500")), ("prs", 1, ABOVE)]
    assert told(run_with(truth="hrrr_f01"), "truth") == ahead


def test_the_base_models_forecasts_have_the_same_products() -> None:
    lagged = {"name": "lagged", "method": "baseline", "kind": "lagged", "ages": [0, 1]}
    run = settings(
        variables=VARIABLES,
        archive={"source": {"mirror": "nowhere"}},
        ensembles={"systems": [lagged]},
    )
    wanted = requests(run, "hrrr_lagged", "20260601")
    own = [(file.member, file.product, file.variables) for file in wanted]
    assert own == [
        (f"hrrr_{age:02d}h", product, held)
        for age in (0, 1)
        for product, held in (("sfc", ("T2M", "APCP", "T500")), ("prs", ABOVE))
    ]
    # Each run is a state of its own, whatever the number of its files.
    assert states(run, "hrrr_lagged", wanted) == 2


def test_members_of_other_models_have_one_file() -> None:
    run = reference(archive={"source": {"mirror": "nowhere"}}, variables=VARIABLES)
    wanted = requests(run, "href", "20260601")
    files = {
        model: {file.product for file in wanted if file.model == model}
        for model in ("hrrr", "nam", "hiresw")
    }
    assert files == {
        **{"hrrr": {"sfc", "prs"}, "nam": {"conusnest.hiresf"}},
        "hiresw": {"fv3_5km", "arw_5km"},
    }
    assert all(file.variables == tuple(VARIABLES) for file in wanted if file.model != "hrrr")
    assert states(run, "href", wanted) == 10


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    """HRRR's files of the hours of the run, with inventories."""
    folder = tmp_path / "mirror"
    for hour in (0, 1, 6, 7):
        valid = DAY.replace(hour=hour)
        before = valid - pd.Timedelta(hours=1)
        for init, lead, product, names in (
            (valid, 0, "sfc", SINGLE),
            (valid, 0, "prs", ABOVE),
            (before, 1, "sfc", ("T2M", "APCP", "T500")),
        ):
            name = f"hrrr.t{init:%H}z.wrf{product}f{lead:02d}.grib2"
            write_file(folder / f"hrrr.{init:%Y%m%d}/conus/{name}", init, lead, names=names)
    return folder


def test_a_day_is_read_from_all_its_files(tmp_path: Path, mirror: Path) -> None:
    table = fetch_analyses(tmp_path, run_with(mirror))
    assert set(table["status"]) == {"ok"}
    assert len(table) == 4 * len(VARIABLES)
    products = table["file"].str.extract(r"wrf(sfc|prs)f")[0]
    assert set(table["variable"][products == "prs"]) == {*ABOVE}
    for place in range(4):
        assert names_read(tmp_path, place, VARIABLES) == VARIABLES


def test_an_hour_without_one_of_its_files_lacks_only_that(tmp_path: Path, mirror: Path) -> None:
    (mirror / "hrrr.20260601/conus/hrrr.t06z.wrfprsf00.grib2").unlink()
    with pytest.raises(StormdrawError, match=r"hrrr prs of 2026-06-01 06 UTC \+ 0 h: not in the"):
        fetch_analyses(tmp_path, run_with(mirror))
    table = fetch_analyses(tmp_path, run_with(mirror, missing="skip"))
    absent = table[table["status"] == "absent"]
    assert absent["variable"].tolist() == list(ABOVE)
    assert set(absent["init"]) == {datetime(2026, 6, 1, 6)}
    messages = Messages(analyses_manifest(tmp_path))
    assert messages.by_valid_time()[2].absent() == list(ABOVE)


def test_the_plan_counts_each_files_bytes_and_each_state_once() -> None:
    run = run_with(source=["aws"])
    files = wanted_files(run)
    found = fetching(run, files["hrrr"])
    assert found.files == 3 * 4
    assert found.bytes == 4 * sum(message_bytes("hrrr", name) for name in VARIABLES)
    assert found.over_network == found.bytes + 12 * INVENTORY_BYTES
    alone = settings(variables=["T2M", "D2M", "CAPE", "CIN", "REFC"], archive={"source": ["aws"]})
    expected = disk_bytes(alone, wanted_files(alone))["fields"]
    assert disk_bytes(run, files)["fields"] == expected


def test_an_hour_is_drawn_as_the_worst_of_its_files() -> None:
    times = pd.to_datetime(["2026-06-01T00", "2026-06-01T00", "2026-06-01T01", "2026-06-01T01"])
    statuses = ["ok", "absent", "older_run", "ok"]
    files = pd.DataFrame({"valid": times, "status": statuses})
    for table in (files, files[::-1].reset_index(drop=True)):
        hours = worst_of_each_hour(table)
        assert dict(zip(hours["valid"].dt.hour, hours["status"], strict=True)) == {
            0: "absent",
            1: "older_run",
        }
        _, kinds = day_by_hour(hours)
        assert (kinds > 0).sum() == 2
