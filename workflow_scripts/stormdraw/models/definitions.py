"""The file of a model's configuration: one of its own name, or one shared by several names."""

from pathlib import Path

from stormdraw.variables import names_of


def definition_file(name: str, *folders: Path) -> Path:
    """The file of a model's configuration, in the first of these folders that has it.

    If no folder has it, its path in the last folder.
    """
    paths = [folder / f"{name}.yaml" for folder in folders]
    return next((path for path in paths if find_definition(path)[0].exists()), paths[-1])


def find_definition(path: str | Path) -> tuple[Path, str | None]:
    """The file of a configuration, and the variable in its name, if any.

    If `downscaler_d2m.yaml` does not exist, it is `downscaler.yaml` beside it, for D2M. If neither
    exists, the path is returned unchanged.
    """
    path = Path(path)
    base, _, last = path.stem.rpartition("_")
    shared = path.with_name(f"{base}{path.suffix}")
    if not path.exists() and last.upper() in names_of("state") and shared.exists():
        return shared, last.upper()
    return path, None
