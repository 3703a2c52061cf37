"""What a run has not come to: models that are not trained, systems that lack an ensemble."""

from collections.abc import Iterator
from pathlib import Path

from stormdraw.ensembles.settings import ModelSystem, System
from stormdraw.left_out import LeftOut, models_needed
from stormdraw.settings import Settings
from stormdraw.times import format_init

# A reason is a line on a page, not a log.
_LONGEST_REASON = 400


def unfinished(settings: Settings, results: Path) -> LeftOut:
    """The models and systems that are not whole in `results`, each with the reason its log gives.

    Systems of such a model are not listed: they cannot be there either.
    """
    logs = results / "logs"
    models = {
        name: _why(missing, [logs / "models_train" / f"{name}.log"])
        for name in settings.model_names
        if (missing := _first_missing(_training(results, name)))
    }
    systems = {
        system.name: _why(missing, sorted(_logs_of(system, missing, logs)))
        for system in settings.ensembles.systems
        if not models.keys() & models_needed(system, settings)
        and (missing := _first_missing(_ensembles(results, system, settings)))
    }
    return LeftOut(systems=systems, models=models)


def _training(results: Path, model: str) -> Iterator[Path]:
    folder = results / "models" / model
    yield from (folder / "model.pt", folder / "metrics.json")


def _ensembles(results: Path, system: System, settings: Settings) -> Iterator[Path]:
    """What a system is scored by, one file a case, and what these are made with."""
    if isinstance(system, ModelSystem) and system.calibrate:
        yield results / "models" / system.model / f"calibration_{system.name}.json"
    for init in settings.initial_times():
        yield results / "ensembles" / system.name / f"{format_init(init)}.nc"


def _logs_of(system: System, missing: Path, logs: Path) -> Iterator[Path]:
    """The logs of the jobs that were to make an ensemble or a calibration."""
    yield from logs.glob(f"ensembles_*/{system.name}/{missing.stem}.log")
    yield from logs.glob(f"ensembles_calibrate/*/{system.name}.log")


def _first_missing(paths: Iterator[Path]) -> Path | None:
    return next((path for path in paths if not path.exists()), None)


def _why(missing: Path, logs: list[Path]) -> str:
    """That a file is not there, and the last error that the logs of its job end with."""
    written = [log for log in logs if log.exists()]
    errors = [
        line
        for log in written
        for line in log.read_text(encoding="utf-8", errors="replace").splitlines()
        if line.startswith("stormdraw ")
    ]
    if errors:
        return f"{missing} was not made ({errors[-1][:_LONGEST_REASON]})"
    if written:
        return f"{missing} was not made; {written[-1]} names no error"
    return f"{missing} was not made: its job did not begin"
