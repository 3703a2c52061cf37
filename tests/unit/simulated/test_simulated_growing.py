"""The simulated archive of forecasts: made by the first that looks, anew if it lacks something."""

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from small_experiment import CONFIG

from stormdraw.forecasts.configuration import forecast_configuration, verified_configuration
from stormdraw.settings import Settings, load_settings
from stormdraw.simulated import growing
from stormdraw.simulated.growing import grown_archive

pytestmark = pytest.mark.usefixtures("calibrated")


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders that archives were written into; a stand-in writes them."""
    folders: list[Path] = []

    def write(run: Settings, folder: Path, world: Path, report: Any) -> None:
        time.sleep(0.1)
        folders.append(folder)
        (folder / f"file_{len(folders)}").touch()

    monkeypatch.setattr(growing, "write_archive", write)
    return folders


def run(now: str, verify: bool = False, **archive: Any) -> Settings:
    simulated = {**CONFIG["archive"]["simulated"], "now": now}
    config = {**CONFIG, "cycle": [2026060206]}
    config["archive"] = {**CONFIG["archive"], **archive, "simulated": simulated}
    made = verified_configuration if verify else forecast_configuration
    return load_settings(made(config))


def test_it_is_made_once_and_again_by_a_later_clock_or_for_the_truth(
    made: list[Path], tmp_path: Path
) -> None:
    folder = tmp_path / "archive" / "simulated"
    for times, wanted in ((1, run("2026-06-02T07:00")), (2, run("2026-06-02T08:00"))):
        for _ in range(2):
            assert grown_archive(wanted, folder) == folder
        assert len(made) == times
        assert [path.name for path in folder.glob("file_*")] == [f"file_{times}"]
    grown_archive(run("2026-06-02T08:00", verify=True), folder)
    assert len(made) == 3


def test_jobs_at_the_same_time_wait_for_the_one_that_makes_it(
    made: list[Path], tmp_path: Path
) -> None:
    wanted, folder = run("2026-06-02T07:00"), tmp_path / "archive" / "simulated"
    threads = [threading.Thread(target=grown_archive, args=(wanted, folder)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert (folder / "file_1").exists()


def test_a_study_and_another_archive_have_none(made: list[Path], tmp_path: Path) -> None:
    folder = tmp_path / "simulated"
    assert grown_archive(load_settings(CONFIG), folder) is None
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    assert grown_archive(run("2026-06-02T07:00", source={"mirror": str(mirror)}), folder) is None
    assert made == []
