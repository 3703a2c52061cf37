"""Members of older runs of our own systems: which there are, what they cost, what is refused."""

from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import xarray as xr
from few_points import GRID
from one_system import configuration

from stormdraw.costs.computing import computing
from stormdraw.costs.disk import disk_bytes, ensemble_bytes
from stormdraw.ensembles.files import Case, ensemble_file
from stormdraw.ensembles.system import CaseToMake
from stormdraw.ensembles.time_lagging import write_time_lagged
from stormdraw.errors import StormdrawError
from stormdraw.fields.packing import packing_of
from stormdraw.models.definitions import definition_file
from stormdraw.models.settings import load_model_settings
from stormdraw.settings import Settings, load_settings
from stormdraw.simulated.plan import plan_archive

OURS = {"name": "ours", "method": "diffusion", "model": "ddpm_residual"}
INIT = datetime(2026, 6, 8, 6)
# What members in 16 bits are rounded to.
STEP = float(packing_of("T2M").step)


def lagged(**keys: Any) -> dict[str, Any]:
    given = {"name": "ours_lagged", "method": "time_lagged", "of": "ours", "ages": [0, 1]}
    return given | keys


def run_with(
    *systems: dict[str, Any], keep: bool | None = None, history: int = 1, **changes: Any
) -> Settings:
    """Cases at 00 and 06 UTC, leads of 1, 2 and 3 h."""
    usual = {"leads": [1, 2, 3], "models": ["ddpm_residual", "gnn"]}
    config = configuration(**usual | changes)
    config["periods"]["test"] = {"start": "2026-06-08T00", "end": "2026-06-08T09"}
    config["cases"] = {"every_hours": 6, "history": history}
    config["archive"] = {"source": "simulated", "reference": "href"}
    config["ensembles"] = {"members": 10, "systems": list(systems), "keep": keep}
    return load_settings(config)


def times(*texts: str) -> list[datetime]:
    return [datetime.fromisoformat(f"2026-06-{text}") for text in texts]


def value(init: datetime, member: int, lead: int) -> float:
    """A temperature that tells its run, member and valid time."""
    return 230.0 + 10.0 * (init.hour % 6) + 2.0 * member + 0.25 * lead


def write_run(path: Path, init: datetime, members: int, **notes: str) -> Path:
    """A run at 1, 2 and 3 h, missing if a note says why."""
    case = Case("ours", "diffusion", init, [1, 2, 3], ["T2M"])
    with ensemble_file(path, GRID, case, list(range(members)), {}, dict(notes)) as put:
        for member, j in np.ndindex(members, 3):
            here = np.nan if notes else value(init, member, j + 1)
            put(member, j, np.full((1, *GRID.shape), here, np.float32))
    return path


def write(folder: Path, members: int = 3, **notes: dict[str, str]) -> xr.Dataset:
    """Two members of the run of 06 UTC and one of that of 05 UTC."""
    runs = [
        write_run(folder / f"{init:%H}.nc", init, members, **notes.get(f"at_{init:%H}", {}))
        for init in times("08T06", "08T05")
    ]
    case = Case("ours_lagged", "time_lagged", INIT, [1, 2, 3], ["T2M"])
    run: Any = SimpleNamespace()
    made = CaseToMake(run, case, folder / "lagged.nc", {}, ensembles=runs)
    write_time_lagged(made, [0, 1], [2, 1])
    with xr.open_dataset(folder / "lagged.nc", decode_timedelta=False) as dataset:
        return dataset.load()


def test_all_members_are_valid_at_the_same_times(tmp_path: Path) -> None:
    dataset = write(tmp_path)
    assert list(dataset["member"].values) == [0, 1, 2]
    assert list(dataset["lead"].values) == [1, 2, 3]
    assert dataset["init"].values == np.datetime64(INIT)
    assert dataset.attrs["system"] == "ours_lagged"
    # Member 2 is the first one of 05 UTC, an hour further on; its run ends at 3 h.
    expected = [
        [230.25, 230.5, 230.75],
        [232.25, 232.5, 232.75],
        [280.5, 280.75, np.nan],
    ]
    everywhere = np.broadcast_to(np.array(expected)[..., None, None], (3, 3, *GRID.shape))
    np.testing.assert_allclose(dataset["T2M"], everywhere, rtol=0.0, atol=STEP)


def test_a_run_with_fewer_members_gives_all_of_them(tmp_path: Path) -> None:
    dataset = write(tmp_path, members=1)
    found = dataset["T2M"].isel(lead=0, y=0, x=0)
    np.testing.assert_allclose(found, [230.25, 280.5], rtol=0.0, atol=STEP)


def test_a_run_that_could_not_start_lacks_its_members_only(tmp_path: Path) -> None:
    dataset = write(tmp_path, at_05={"missing": "the archive lacks it"})
    assert "missing" not in dataset.attrs
    finite = np.isfinite(dataset["T2M"].isel(lead=0, y=0, x=0))
    assert list(finite.values) == [True, True, False]


def test_where_no_run_could_start_the_file_says_why(tmp_path: Path) -> None:
    reasons = {"at_06": {"missing": "no state of 06"}, "at_05": {"missing": "no state of 05"}}
    dataset = write(tmp_path, **reasons)
    assert dataset.attrs["missing"] == "no state of 06"
    assert np.isnan(dataset["T2M"]).all()


def test_older_runs_are_drawn_and_their_states_fetched() -> None:
    run, alone = run_with(OURS, lagged()), run_with(OURS)
    ours, both = run.ensembles.systems
    assert run.cases_of(ours) == times("07T23", "08T00", "08T05", "08T06")
    assert run.cases_of(both) == run.initial_times() == times("08T00", "08T06")
    new = set(run.analysis_times()) - set(alone.analysis_times())
    assert new == set(times("07T23", "08T05"))
    # Older runs are compared with nothing, and nothing of others is fetched or simulated for them.
    assert run.compared_times() == alone.compared_times()
    assert plan_archive(run).cases == tuple(run.initial_times())
    assert set(run.analysis_times()) < set(plan_archive(run).analyses)


def test_states_before_an_older_run_are_fetched_for_a_model_with_a_history() -> None:
    run = run_with(OURS, lagged(), history=2)
    assert set(times("07T22", "07T23", "08T04", "08T05")) <= set(run.analysis_times())


def test_a_run_that_is_a_case_anyway_is_drawn_once() -> None:
    run = run_with(OURS, lagged(ages=[0, 6]), leads=[1, 2, 3, 7, 8, 9], cases={"every_hours": 1})
    assert run.cases_of(run.ensembles.system("ours")) == times("07T18", "08T00")


def test_members_are_shared_evenly_and_newer_runs_give_one_more() -> None:
    run = run_with(OURS, lagged(ages=[0, 1, 2]))
    system = run.ensembles.system("ours_lagged")
    assert system.members_by_run(run) == [4, 3, 3]
    assert (system.most_members(run), run.members(system)) == (10, 10)
    run = run_with(OURS, lagged(members=20))
    assert run.ensembles.system("ours_lagged").members_by_run(run) == [10, 10]
    depends = run.ensembles.system("ours_lagged").depends_on(run)
    assert depends["members_by_run"] == [10, 10]
    assert (depends["of"]["model"], depends["of"]["members"]) == ("ddpm_residual", 10)


def test_a_deterministic_model_gives_a_member_for_each_run(root: Path) -> None:
    mean = {"name": "ours", "method": "one_step", "model": "gnn"}
    run = run_with(mean, lagged(ages=[0, 1, 2]))
    models = {
        name: load_model_settings(definition_file(name, root / "config" / "models"))
        for name in ("gnn", "ddpm_residual")
    }
    assert run.ensembles.system("ours_lagged").most_drawn(run, models) == 3
    drawn = run_with(OURS, lagged(ages=[0, 1, 2]))
    assert drawn.ensembles.system("ours_lagged").most_drawn(drawn, models) == 10
    # Four cases of the system are drawn in place of two, and none of the other.
    without, two = run_with(OURS), run_with(OURS, lagged())
    cost = [computing(one, models).sampling.operations for one in (without, two)]
    assert cost[1] == pytest.approx(2 * cost[0])


def test_older_runs_count_on_the_disk() -> None:
    none, some = run_with(OURS), run_with(OURS, lagged())
    # Two more runs of ten members, and two cases of ten.
    assert ensemble_bytes(some, {}) == 3 * ensemble_bytes(none, {})
    # Without keeping, one case is drawn while another is scored: of four runs, and two made of
    # them, which are six. A case waits for the run an hour before, so that three may be there.
    passing = disk_bytes(run_with(OURS, lagged(), keep=False), {})["ensembles"]
    assert passing == 3 * ensemble_bytes(some, {}) // 4
    usual = disk_bytes(run_with(OURS, keep=False), {})["ensembles"]
    assert usual == ensemble_bytes(none, {})


def test_the_page_says_which_runs_members_are_of_and_where_they_lack() -> None:
    run = run_with(OURS, lagged())
    assert run.ensembles.system("ours_lagged").caveat(run) == (
        "ours_lagged has members of ours: 5 of the newest run, 5 of the run 1 h before its cases. "
        "Older runs end earlier and are missing at leads of 3 h (run 1 h before)."
    )


@pytest.mark.parametrize(
    ("systems", "said"),
    [
        ([lagged()], "takes runs of 'ours', which is not a system: ours_lagged"),
        (
            [{"name": "ours", "method": "perfect"}, lagged()],
            "takes older runs of ours, which no model takes from hour to hour",
        ),
        ([OURS, lagged(), lagged(name="twice", of="ours_lagged")], "takes older runs of ours_lag"),
        ([OURS, lagged(ages=[1, 2])], r"of ages \[1, 2\], none of which reaches the last lead"),
        ([OURS, lagged(ages=[0, 3])], "the run of ours that is 3 h old, but that is drawn for lea"),
        ([OURS, lagged(ages=[0])], "at least 2"),
        ([OURS, lagged(ages=[0, 0])], "each age of a run once"),
        ([OURS, lagged(ages=[0, 1, 2], members=2)], "has only 2 members to take from 3 runs"),
        ([OURS, lagged(members=21)], "takes 11 members of a run of ours, which has 10; set `memb"),
        (
            [OURS, lagged(), {"name": "it", "method": "calibrated", "of": "ours_lagged"}],
            "calibrates ours_lagged, which is made from another system itself; set `of` to ours",
        ),
    ],
)
def test_what_has_no_older_runs_is_refused(systems: list[dict[str, Any]], said: str) -> None:
    with pytest.raises(StormdrawError, match=said):
        run_with(*systems)
