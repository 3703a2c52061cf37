"""How long the runs of base models are, and what is refused of what they cannot have."""

from datetime import datetime, timedelta

import pytest
from archive_mirror import settings
from base_model_runs import DAY, STATE, run_of

from stormdraw.archive.base_model import base_model
from stormdraw.archive.truth_names import truth_sentences
from stormdraw.errors import StormdrawError
from stormdraw.settings import Settings

pytestmark = pytest.mark.usefixtures("shipped_table")


def test_between_runs_alaska_has_forecasts_of_the_newest_one() -> None:
    alaska = base_model("hrrrak")
    hours_of = [alaska.state_run(DAY + timedelta(hours=hour), 0) for hour in (3, 4, 5, 6)]
    assert [(init.hour, lead) for init, lead in hours_of] == [(3, 0), (3, 1), (3, 2), (6, 0)]
    # Not of the run of the same hour, if forecasts stand in for analyses.
    assert alaska.state_run(DAY.replace(hour=6), 1) == (DAY.replace(hour=3), 3)
    (sentence,) = truth_sentences(run_of("hrrrak", ["aws"]))
    assert "HRRR-AK analysis, or forecast of up to 2 h between its runs, not obs" in sentence


@pytest.mark.parametrize(
    ("model", "start", "longest"),
    [
        ("hrrrak", "2018-07-12T06", -1),
        ("hrrrak", "2018-07-12T12", 36),
        ("hrrrak", "2018-07-12T13", -1),
        ("hrrrak", "2018-07-12T15", 18),
        ("hrrrak", "2020-12-02T12", 48),
        ("hrrrak", "2026-06-01T21", 18),
        ("rrfs", "2026-08-12T20", -1),
        ("rrfs", "2026-08-12T21", 18),
        ("rrfs", "2026-08-13T00", 84),
        ("rrfs", "2026-11-01T13", 18),
    ],
)
def test_how_long_other_models_run(model: str, start: str, longest: int) -> None:
    assert base_model(model).longest_lead(datetime.fromisoformat(start)) == longest


def test_the_lengths_of_runs_are_told() -> None:
    assert base_model("hrrr").lengths() == (
        "HRRR runs 48 h from 00, 06, 12 and 18 UTC and 18 h from other hours; before 2020-12-02 "
        "36 h and 18 h; before 2018-07-12 18 h from every hour; before 2016-08-23 15 h from every "
        "hour"
    )
    assert base_model("hrrrak").lengths() == (
        "HRRR-AK runs 48 h from 00, 06, 12 and 18 UTC and 18 h from 03, 09, 15 and 21 UTC, and "
        "from no other hour; before 2020-12-02 36 h and 18 h; it has no run before 2018-07-12 12 "
        "UTC"
    )


ONE = {"name": "x", "method": "baseline"}
OWN, SIX = {**ONE, "kind": "base_model"}, {**ONE, "kind": "lagged"}
CLOUD, MIRROR = ["aws"], {"mirror": "elsewhere"}


@pytest.mark.parametrize(
    ("archive", "start", "lead", "system", "complaint"),
    [
        ({"model": "rrfs"}, "2026-08-12T06", 1, OWN, "periods.training starts 2026-08-03"),
        ({"model": "rrfs"}, "2026-09-01T01", 19, OWN, r"the run of 2026-09-01 01 UTC has 18 h"),
        ({"model": "rrfs", "source": MIRROR}, "2026-08-01T00", 1, OWN, "RRFS has no run before"),
        ({"model": "rrfs", "source": ["google"]}, "2026-09-01T00", 1, OWN, "no RRFS; take aws or"),
        ({"model": "hrrrak"}, "2018-07-13T00", 1, OWN, "HRRR-AK has no run before 2018-07-12 12"),
        ({"model": "hrrrak", "source": ["azure"]}, "2021-01-13T00", 1, OWN, "has HRRR-AK since 2"),
        ({"model": "hrrrak"}, "2021-06-01T01", 1, OWN, "no run starts at 2021-06-01 01 UTC"),
        ({"model": "hrrrak"}, "2021-06-01T00", 1, SIX, r"started 1, 2, 4, 5 h before .* other hou"),
        ({"model": "hrrrak", "truth": "urma"}, "2021-06-01T00", 1, OWN, "truth is urma, .*hrrrak$"),
        ({"model": "hrrrak", "truth": "hrrrak_f01"}, "2021-06-01T00", 1, OWN, "take hrrrak$"),
        (
            {"model": "rrfs", "truth": "hrrr"},
            "2026-09-01T00",
            1,
            OWN,
            "take mrms or rrfs or rrfs_f01 or r",
        ),
        ({"model": "hrrrak", "reference": "refs"}, "2026-09-01T00", 1, OWN, "covers alaska; leave"),
        ({"model": "rrfs", "source": "simulated"}, "2026-09-01T00", 1, OWN, "simulated .* no rrfs"),
        ({"model": "gfs"}, "2026-09-01T00", 1, OWN, "archive.model.* 'hrrr', 'hrrrak' or 'rrfs'"),
        ({"model": "rrfs"}, "2026-09-01T00", 1, {**ONE, "kind": "hrrr"}, "write base_model or rrf"),
    ],
)
def test_what_a_model_cannot_have_is_refused_in_one_line(
    archive: dict, start: str, lead: int, system: dict, complaint: str
) -> None:
    with pytest.raises(StormdrawError, match=complaint) as error:
        a_case({"source": CLOUD} | archive, start, lead, system)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("archive", "start", "lead", "system"),
    [
        ({"model": "rrfs"}, "2026-09-01T06", 60, OWN),
        ({"model": "rrfs", "truth": "rrfs_f01"}, "2026-09-01T06", 18, {**ONE, "kind": "rrfs"}),
        ({"model": "rrfs", "reference": "refs"}, "2026-09-01T06", 12, SIX),
        ({"model": "hrrrak"}, "2021-06-01T00", 36, {**SIX, "ages": [0, 3, 6]}),
        ({"model": "hrrrak"}, "2018-08-01T12", 36, OWN),
    ],
)
def test_what_it_has_may_be_asked_for(archive: dict, start: str, lead: int, system: dict) -> None:
    run = a_case({"source": CLOUD} | archive, start, lead, system)
    assert run.archive.truth == {"default": archive.get("truth", archive["model"])}


def a_case(archive: dict, start: str, lead: int, system: dict) -> Settings:
    init = datetime.fromisoformat(start)
    before = init - timedelta(days=9)
    periods = {
        "training": {"start": before, "end": before + timedelta(hours=1)},
        "test": {"start": init, "end": init + timedelta(hours=lead)},
    }
    given = {"periods": periods, "leads": [lead], "archive": archive}
    return settings(**given, ensembles={"systems": [system]})


def test_rain_over_an_hour_needs_the_run_before_the_first_hour() -> None:
    """RRFS is there since 21 UTC; the rain until then would be of a run from 20 UTC."""
    periods = {
        "training": {"start": "2026-08-12T21:00", "end": "2026-08-12T23:00"},
        "test": {"start": "2026-08-13T06:00", "end": "2026-08-13T07:00"},
    }
    assert run_of("rrfs", ["aws"], periods=periods)
    rain = {"predicted": list(STATE), "diagnosed": ["APCP"]}
    with pytest.raises(StormdrawError, match="has no run before 2026-08-12 21 UTC"):
        run_of("rrfs", ["aws"], periods=periods, variables=rain)
