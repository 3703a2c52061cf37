"""Settings and files that note what a figure reads of them while it is drawn."""

from typing import Any

from pydantic import BaseModel

from stormdraw.report.figure import Files


class NotedSettings:
    """Settings that note which keys are read, as `scores.confidence`."""

    def __init__(self, settings: Any, noted: set[str], path: str = "") -> None:
        self.__dict__.update(_settings=settings, _noted=noted, _path=path)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._settings, name)
        if name not in type(self._settings).model_fields:
            return value
        path = f"{self._path}{name}"
        if isinstance(value, BaseModel):
            return NotedSettings(value, self._noted, f"{path}.")
        self._noted.add(path)
        return value


def noted_files(files: Files, noted: set[str]) -> Files:
    """The same files; `noted` are the kinds of which any is read."""

    class Noted(Files):
        def __getattribute__(self, attribute: str) -> Any:
            if attribute in Files.__dataclass_fields__ and attribute != "of":
                noted.add(attribute)
            return super().__getattribute__(attribute)

    given = Noted(**{field: getattr(files, field) for field in Files.__dataclass_fields__})
    noted.clear()
    return given
