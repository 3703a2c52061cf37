"""The newest cycle: by the simulated clock, in a folder, and behind an address."""

import http.server
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from small_experiment import CONFIG

from stormdraw.archive.base_model import base_model
from stormdraw.errors import StormdrawError
from stormdraw.forecasts.configuration import forecast_configuration
from stormdraw.forecasts.cycles import needed_files, newest_cycle, require_there, sighting
from stormdraw.settings import Settings, load_settings

NOON = datetime(2026, 6, 2, 12)
HRRR = base_model("hrrr")


def runs(history: int = 1, **archive: Any) -> Callable[[datetime], Settings]:
    """The run from a cycle, whose model starts from that many states."""
    (drawn,) = [one for one in CONFIG["ensembles"]["systems"] if one["name"] == "small"]
    made = forecast_configuration(
        {
            **{key: CONFIG[key] for key in ("title", "variables", "leads", "models")},
            "cases": {"history": history},
            "archive": archive,
            "ensembles": {"systems": [{**drawn, "calibrate": False}]},
        }
    )
    return lambda cycle: load_settings({**made, "cycle": [cycle]})


def simulated(history: int = 1, **late: int) -> Callable[[datetime], Settings]:
    """The runs of some hours of the day, as `at_11=2`, are so many hours late."""
    delays = {NOON.replace(hour=int(hour[3:])): count for hour, count in late.items()}
    world = {**CONFIG["archive"]["simulated"], "since": NOON - timedelta(days=2), "late": delays}
    return runs(history, source="simulated", simulated=world)


def hour(of_day: int) -> datetime:
    return NOON.replace(hour=of_day)


def test_the_simulated_archive_has_a_run_an_hour_after_its_start() -> None:
    assert newest_cycle(simulated(), NOON)[0] == hour(11)
    assert newest_cycle(simulated(), NOON - timedelta(minutes=1))[0] == hour(10)


def test_a_late_cycle_is_said_and_skipped_until_it_is_there() -> None:
    run_of = simulated(at_11=2)
    cycle, passed = newest_cycle(run_of, NOON)
    assert cycle == hour(10)
    assert [str(one) for one in passed][1:] == [
        "2026-06-02 11 UTC lacks 1 of 1 files: hrrr sfc of 2026-06-02 11 UTC + 0 h"
    ]
    # At 13, that of 12 is there; at 14, the late one.
    assert newest_cycle(run_of, hour(13))[0] == hour(12)
    assert not sighting(run_of(hour(11)), hour(11), hour(14)).absent
    assert sighting(run_of(hour(11)), hour(11), hour(13)).absent


def test_a_cycle_is_there_in_part_if_an_earlier_state_is_late() -> None:
    run_of = simulated(history=2, at_10=3)
    cycle, passed = newest_cycle(run_of, NOON)
    assert cycle == hour(9)
    (partly,) = [one for one in passed if one.in_part and one.cycle == hour(11)]
    assert str(partly).startswith("2026-06-02 11 UTC lacks 1 of 2 files: hrrr sfc of 2026-06-02 10")
    with pytest.raises(StormdrawError, match=r"^cycle=2026-06-02 11 UTC lacks 1 of 2 .* or latest"):
        require_there(run_of, [hour(9), hour(11)], NOON)
    require_there(run_of, [hour(9)], NOON)


def test_forecasts_that_drive_are_there_after_their_latency() -> None:
    model = forecast_configuration(
        {
            **{key: CONFIG[key] for key in ("title", "variables", "leads", "models")},
            "archive": {
                "source": "simulated",
                "driving": {"model": "gfs", "latency_hours": 5},
                "simulated": {
                    **CONFIG["archive"]["simulated"],
                    "since": NOON - timedelta(days=2),
                    # The cycle of 06 drives from 11 on.
                    "late": {hour(6): 2},
                },
            },
            "ensembles": {"systems": [{"name": "s", "method": "diffusion", "model": "small"}]},
        }
    )

    def run_of(cycle: datetime) -> Settings:
        return load_settings({**model, "cycle": [cycle]})

    # That of 10 is driven by 00, those of 11 and 12 by 06, which comes at 13 in place of 11.
    assert newest_cycle(run_of, NOON)[0] == hour(10)
    assert newest_cycle(run_of, hour(13))[0] == hour(12)


def test_each_file_is_needed_once_and_that_of_terrain_too() -> None:
    assert [str(file) for file in needed_files(simulated()(NOON))] == [
        "hrrr sfc of 2026-06-02 12 UTC + 0 h"
    ]
    # Humidity aloft is in another file than terrain.
    made = forecast_configuration(
        {
            **{key: CONFIG[key] for key in ("title", "leads", "models")},
            "variables": ["Q500"],
            "archive": {"source": {"mirror": "anywhere"}},
            "ensembles": {"systems": [{"name": "s", "method": "diffusion", "model": "small"}]},
        }
    )
    run = load_settings({**made, "cycle": [NOON]})
    assert {file.product for file in needed_files(run)} == {"prs", "sfc"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A mirror with the runs of 9 and 11; that of 10 is missing."""
    for of_day in (9, 11):
        path = tmp_path / "mirror" / HRRR.path(hour(of_day), 0)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / "mirror"


def test_a_folder_is_looked_into(folder: Path) -> None:
    run_of = runs(source={"mirror": str(folder)})
    assert newest_cycle(run_of, NOON)[0] == hour(11)
    assert newest_cycle(run_of, hour(10))[0] == hour(9)
    # From two states: 10 is missing to 11, and 8 to 9.
    with pytest.raises(StormdrawError, match=r"no cycle of the last .*; 2026-06-02 12 UTC lac"):
        newest_cycle(runs(history=2, source={"mirror": str(folder)}), NOON)


def test_a_cycle_that_is_older_than_a_day_is_not_the_latest(folder: Path) -> None:
    run_of = runs(source={"mirror": str(folder)})
    day = timedelta(days=1)
    assert newest_cycle(run_of, hour(11) + day)[0] == hour(11)
    with pytest.raises(StormdrawError, match=r"^cycle=latest: no cycle of the last 24 h .*is th"):
        newest_cycle(run_of, hour(12) + day)


def test_an_earlier_cycle_may_be_asked_for(folder: Path) -> None:
    run_of = runs(source={"mirror": str(folder)})
    require_there(run_of, [hour(9)], NOON + timedelta(days=400))
    with pytest.raises(StormdrawError, match=r"^cycle=2026060210: none of its 1 files is there"):
        require_there(run_of, [hour(10)], NOON)


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def address(folder: Path) -> Iterator[str]:
    serving = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=folder))
    threading.Thread(target=serving.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{serving.server_port}"
    serving.shutdown()
    serving.server_close()


def test_over_the_network_a_file_is_there_when_its_inventory_is(folder: Path, address: str) -> None:
    run_of = runs(source={"mirror": address})
    (folder / f"{HRRR.path(hour(9), 0)}.idx").touch()
    assert newest_cycle(run_of, NOON)[0] == hour(9)
    (folder / f"{HRRR.path(hour(11), 0)}.idx").touch()
    assert newest_cycle(run_of, NOON)[0] == hour(11)
    # An inventory alone is no file.
    (folder / f"{HRRR.path(hour(10), 0)}.idx").touch()
    assert sighting(run_of(hour(10)), hour(10), NOON).absent


def test_a_server_that_does_not_answer_is_not_a_missing_cycle(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Quiet, "do_HEAD", lambda self: self.send_error(401))
    run_of = runs(source={"mirror": address})
    with pytest.raises(StormdrawError, match="did not answer as it should"):
        newest_cycle(run_of, NOON)
