"""The file of a model's configuration, and the file that it extends, if it does."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stormdraw.errors import StormdrawError
from stormdraw.settings import load_yaml
from stormdraw.variables import names_of

SHIPPED = Path(__file__).parents[3] / "config" / "models"


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


def read_definition(path: Path) -> tuple[dict[str, Any], list[Path]]:
    """A model's keys, and the files that they come from, of which a later one has the last word.

    `extends` names the model whose keys hold where the file has none: beside it, else one of
    stormdraw's own. Raises StormdrawError for a file that is not there or extends itself.
    """
    content, files = load_yaml(path), [path]
    while (name := content.pop("extends", None)) is not None:
        base = definition_file(str(name), files[0].parent, SHIPPED)
        if base.resolve() in (file.resolve() for file in files):
            raise StormdrawError(f"{files[0]}: extends {name}, which extends it in turn")
        if not base.exists():
            raise StormdrawError(
                f"{files[0]}: extends {name}, but neither its folder nor {SHIPPED} has {name}.yaml"
            )
        content, files = _merged(load_yaml(base), content), [base, *files]
    return content, files


def _merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Sections are merged key by key, all else is replaced."""
    both = {
        key: _merged(base[key], change)
        for key, change in changes.items()
        if isinstance(change, dict) and isinstance(base.get(key), dict)
    }
    return {**base, **changes, **both}
