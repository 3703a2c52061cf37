"""Files of your own: analyses or anything else that forecasts are to be compared with."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from stormdraw.archive.request import FileRequest
from stormdraw.archive.truth import Truth
from stormdraw.external.settings import ExternalFiles
from stormdraw.section import Section

if TYPE_CHECKING:
    from stormdraw.archive.settings import Archive


class TruthFiles(ExternalFiles):
    """Where the files are and how they are laid out, and what the page calls their content."""

    title: Annotated[str, Field(min_length=1)] = "analysis in files of others"


class InFiles(Section):
    """`external:` in place of the name of a truth."""

    external: TruthFiles


class ExternalTruth(Truth):
    """The truth in files of your own, which no name of `archive.truth` stands for."""

    simulated = True
    own_files: TruthFiles

    def __init__(self, files: TruthFiles) -> None:
        super().__init__("external")
        self.own_files = files
        self.variables = tuple(files.layout.variables)

    @classmethod
    def names(cls) -> tuple[str, ...]:
        return ()

    def as_given(self) -> Any:
        return {"external": self.own_files.model_dump(mode="json")}

    def title(self, archive: "Archive", name: str) -> str:
        return self.own_files.title

    def favours(self, archive: "Archive") -> str:
        return (
            ", of files that this run did not make: it favours systems that start from it or share "
            "its model"
        )

    def files(self, archive: "Archive", names: Sequence[str], valid: datetime) -> list[FileRequest]:
        return []


TRUTH = ExternalTruth
