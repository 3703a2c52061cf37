"""The entries of the list `models`: the name of a configuration, or a mapping."""

from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag, model_validator

from stormdraw.section import Name, Section

WEB = ("http://", "https://")


class CrossedModel(Section):
    """A model's configuration under a separate name, for one forecaster of the run."""

    name: Name
    configuration: Name
    forecaster: Name


class GivenModel(Section):
    """A model that was trained elsewhere: its checkpoint, which takes the place of a training.

    `checkpoint` is a file, an address, or the folder of another run. `forecaster` is that of a
    perturbation model, by its name in this run.
    """

    name: Name
    checkpoint: Annotated[str, Field(min_length=1)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    forecaster: Name | None = None

    @model_validator(mode="after")
    def _web_pages_change(self) -> "GivenModel":
        if self.over_the_network and self.sha256 is None:
            raise ValueError(
                "checkpoint is an address, whose content may change; give its sha256 as well"
            )
        return self

    @property
    def over_the_network(self) -> bool:
        """Whether the checkpoint is behind an address."""
        return self.checkpoint.lower().startswith(WEB)


def _kind(entry: Any) -> str:
    if isinstance(entry, str):
        return "name"
    given = isinstance(entry, GivenModel) or (isinstance(entry, dict) and "checkpoint" in entry)
    return "given" if given else "crossed"


ModelEntry = Annotated[
    Annotated[Name, Tag("name")]
    | Annotated[CrossedModel, Tag("crossed")]
    | Annotated[GivenModel, Tag("given")],
    Discriminator(_kind),
]


def name_of(entry: str | CrossedModel | GivenModel) -> str:
    """The name of a model, which is that of its folder."""
    return entry if isinstance(entry, str) else entry.name
