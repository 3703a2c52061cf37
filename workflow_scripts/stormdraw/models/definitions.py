"""Where a model's configuration stands: a file of its name, or one that serves several names."""

from pathlib import Path

from stormdraw.variables import STATE_VARIABLES


def definition_file(name: str, *folders: Path) -> Path:
    """The file of a model's configuration, in the first of these folders that has it.

    It is named in the last one if none has.
    """
    paths = [folder / f"{name}.yaml" for folder in folders]
    return next((path for path in paths if find_definition(path)[0].exists()), paths[-1])


def find_definition(path: str | Path) -> tuple[Path, str | None]:
    """The file of a configuration, and for which variable it is taken, if that is in its name.

    Where `downscaler_d2m.yaml` is not there, it is `downscaler.yaml` beside it, for D2M. A file
    that is nowhere is given back as it was asked for.
    """
    path = Path(path)
    base, _, last = path.stem.rpartition("_")
    shared = path.with_name(f"{base}{path.suffix}")
    if not path.exists() and last.upper() in STATE_VARIABLES and shared.exists():
        return shared, last.upper()
    return path, None
