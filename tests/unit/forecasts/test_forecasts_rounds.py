"""Rounds that draw the newest cycle: what they note, refuse and remove. Snakemake is a stand-in."""

import fcntl
import json
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from small_experiment import CONFIG

from stormdraw.errors import StormdrawError
from stormdraw.forecasts.rounds import one_round

NOON = datetime(2026, 6, 2, 12)
# It writes a page and members of the cycle, which is its last argument.
DRAWS = (
    "import pathlib, sys; init = sys.argv[-1].removeprefix('cycle=')\n"
    "for path in (f'forecasts/{init}/index.html', f'forecasts/ensembles/small/{init}.nc',\n"
    "             f'forecasts/fields/hrrr/{init}.nc',\n"
    "             f'forecasts/fields/quality/hrrr/{init}.csv',\n"
    "             f'forecasts/archive/hrrr/{init}/manifest.csv',\n"
    "             f'logs/draw/small/{init}.part0.log',\n"
    "             f'benchmarks/draw/small/{init}.tsv'):\n"
    "    path = pathlib.Path('results', path)\n"
    "    path.parent.mkdir(parents=True, exist_ok=True); path.touch()\n"
)


@pytest.fixture(autouse=True)
def in_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def configuration(now: datetime, keep_days: int | None = None, **late: int) -> dict[str, Any]:
    (drawn,) = [one for one in CONFIG["ensembles"]["systems"] if one["name"] == "small"]
    delays = {f"{NOON.replace(hour=int(key[3:])):%Y-%m-%dT%H:%M}": n for key, n in late.items()}
    since = f"{NOON - timedelta(days=9):%Y-%m-%dT%H:%M}"
    world = {**CONFIG["archive"]["simulated"], "since": since, "late": delays}
    return {
        **{key: CONFIG[key] for key in ("title", "variables", "leads", "models")},
        "archive": {"source": "simulated", "simulated": {**world, "now": f"{now:%Y-%m-%dT%H:%M}"}},
        "ensembles": {"systems": [{**drawn, "calibrate": False}]},
        "forecast": {} if keep_days is None else {"keep_days": keep_days},
    }


def a_round(config: dict[str, Any], script: str = DRAWS) -> tuple[int, list[str]]:
    said: list[str] = []
    snakemake = [sys.executable, "-c", script]
    return one_round(config, [], snakemake, said.append), said


def notes() -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path("results/forecasts/rounds.jsonl").open()]


def test_the_newest_whole_cycle_is_drawn_once_and_noted() -> None:
    status, said = a_round(configuration(NOON, at_11=2))
    assert (status, said[-1]) == (0, "the newest cycle is 2026-06-02 10 UTC, 2 h old")
    assert said[1].startswith("skipping the cycle 2026-06-02 11 UTC lacks 1 of 1 files")
    (note,) = notes()
    assert (note["cycle"], note["state"], note["told"]) == ("2026060210", "drawn", said)
    again = a_round(configuration(NOON, at_11=2), "raise SystemExit('not again')")
    assert again == (0, [*said, "the page of 2026060210 is there already"])
    assert len(notes()) == 1


def test_a_cycle_that_fails_is_noted_and_removes_nothing() -> None:
    for days in (0, 3):
        a_round(configuration(NOON + timedelta(days=days)))
    later = configuration(NOON + timedelta(days=4), keep_days=1)
    assert a_round(later, "raise SystemExit(7)")[0] == 7
    assert [note["state"] for note in notes()] == ["drawn", "drawn", "failed"]
    assert Path("results/forecasts/2026060211").exists()


def test_an_archive_without_a_cycle_is_noted() -> None:
    config = configuration(NOON)
    config["archive"]["simulated"]["since"] = "2026-06-02T12:00"
    status, (said,) = a_round(config)
    assert status == 1
    assert (notes()[0]["state"], notes()[0]["told"]) == ("nothing to draw", [said])


def test_a_second_round_leaves_the_cycle_to_the_first() -> None:
    Path("results/forecasts").mkdir(parents=True)
    with open("results/forecasts/.lock", "a") as held:
        fcntl.flock(held, fcntl.LOCK_SH)
        with pytest.raises(StormdrawError, match=r"\.lock: another round is at work"):
            a_round(configuration(NOON), "raise SystemExit('not now')")
    assert a_round(configuration(NOON))[0] == 0


def test_old_cycles_go_with_all_that_is_theirs_but_what_was_scored() -> None:
    for days in (2, 1):
        a_round(configuration(NOON - timedelta(days=days), keep_days=1))
    # A day before the newest, and no more.
    assert len(list(Path("results").rglob("2026053111*"))) == 7
    # What a verification adds, of the cycle and of the hour after it.
    scores = [f"results/forecasts/scores/{name}/2026053111.nc" for name in ("href", "small")]
    added = ["points/2026053111.nc", "fields/href/2026053111.nc", "fields/truth/2026053112.nc"]
    added = [f"results/forecasts/{path}" for path in added]
    # What later cycles need: an earlier state, and the truth of an hour that has no cycle.
    needed = ["archive/hrrr/2026060110/manifest.csv", "fields/truth/2026060112.nc"]
    needed = [f"results/forecasts/{path}" for path in [*needed, "archive/simulated/.made_for"]]
    # A study's files of a day and of a case, which are no forecast's.
    of_study = [f"results/{path}" for path in ("fields/hrrr/20260531.nc", "scores/s/2026053111.nc")]
    for path in map(Path, [*scores, *added, *needed, *of_study]):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    _, said = a_round(configuration(NOON, keep_days=1) | {"cases": {"history": 2}})
    assert said[-1] == "removed the cycle 2026-05-31 11 UTC: forecast.keep_days"
    left = sorted(str(path) for path in Path("results").rglob("20260531*"))
    assert left == sorted([*scores, *of_study])
    assert all(Path(path).exists() for path in needed)
    for kept in ("2026060111", "2026060211"):
        assert len(list(Path("results").rglob(f"{kept}*"))) == 7


def test_a_round_without_a_configuration_is_told_in_a_line(root: Path) -> None:
    script = root / "workflow_scripts" / "forecast_next.py"
    run = subprocess.run([sys.executable, script], capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (
        *(1, "stormdraw forecast_next: give the file of a configuration\n"),
    )
