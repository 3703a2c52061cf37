"""The section `training` of a model's configuration, as checked types."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from stormdraw.section import Section
from stormdraw.variables import StateName

Precision = Literal["auto", "float32", "tf32", "bfloat16", "float16"]
# Modes of torch.compile, or none.
Compilation = Literal["none", "default", "reduce-overhead", "max-autotune"]
Sharding = Literal["none", "full"]
Side = Annotated[int, Field(ge=8)]


class Augmentation(Section):
    """How often training samples are changed at random, and how much.

    The numbers are those of the original recipe, without its shift in time: the state between two
    hours is unknown. `noise` is in standard deviations of each variable. Every changed sample gets
    noise and a scale.
    """

    probability: Annotated[float, Field(ge=0, le=1)] = 0.5
    noise: dict[StateName, Annotated[float, Field(ge=0)]] = {"T2M": 0.1, "D2M": 0.02}
    rotation_probability: Annotated[float, Field(ge=0, le=1)] = 0.3
    scale: tuple[Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]] = (0.95, 1.05)

    @model_validator(mode="after")
    def _scale_in_order(self) -> "Augmentation":
        if self.scale[0] > self.scale[1]:
            raise ValueError(f"scale is {list(self.scale)}; give the smaller factor first")
        return self


class Rollout(Section):
    """Training over several hours, after that over one: each hour starts from the model's own draw.

    The model is unrolled over each of `hours` for as many optimizer steps as `steps` says at its
    place. Gradients pass through at most `through` hours, or through all of them: after so many,
    the states are taken as given. With `learning_rate` the schedule of the training's own rate ends
    before these steps, and starts anew from this one; without it, it spans them.
    """

    hours: Annotated[list[Annotated[int, Field(ge=2, le=60)]], Field(min_length=1)]
    steps: Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=1)]
    through: Annotated[int, Field(ge=1)] | None = None
    learning_rate: Annotated[float, Field(gt=0)] | None = None

    @property
    def total_steps(self) -> int:
        """The optimizer steps over several hours."""
        return sum(self.steps)

    @model_validator(mode="after")
    def _steps_of_each(self) -> "Rollout":
        if len(self.steps) != len(self.hours):
            raise ValueError(
                f"hours has {len(self.hours)} numbers and steps has {len(self.steps)}; give the "
                "optimizer steps of each number of hours"
            )
        if sorted(set(self.hours)) != self.hours:
            raise ValueError(f"hours is {self.hours}; give ascending numbers")
        return self


class Training(Section):
    """How the weights are learned. The defaults are those of the original recipe."""

    epochs: Annotated[int, Field(ge=1)] | None = None
    steps: Annotated[int, Field(ge=1)] | None = None
    batch_size: Annotated[int, Field(ge=1)] = 1
    accumulation: Annotated[int, Field(ge=1)] = 8
    crop: tuple[Side, Side] | None = None
    learning_rate: Annotated[float, Field(gt=0)] = 2e-4
    learning_rate_schedule: Literal["constant", "cosine"] = "constant"
    warm_up_steps: Annotated[int, Field(ge=0)] = 0
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    gradient_clipping: Annotated[float, Field(gt=0)] | None = None
    ema_decay: Annotated[float, Field(ge=0, lt=1)] = 0.999
    precision: Precision = "auto"
    channels_last: Literal[True, False, "auto"] = "auto"
    compile: Compilation = "none"
    activation_checkpointing: Annotated[float, Field(ge=0, le=1)] = 0.0
    early_stopping_epochs: Annotated[int, Field(ge=1)] | None = None
    checkpoint_every_epochs: Annotated[int, Field(ge=1)] = 5
    augmentation: Augmentation | None = None
    rollout: Rollout | None = None
    samples_per_state: Annotated[int, Field(ge=1)] = 1
    buffer_states: Annotated[int, Field(ge=1)] | None = None
    data_gigabytes: Annotated[float, Field(ge=0)] = 4.0
    readers: Annotated[int, Field(ge=1)] = 4
    prefetch_batches: Annotated[int, Field(ge=0)] = 2
    devices: Annotated[int, Field(ge=1)] = 1
    nodes: Annotated[int, Field(ge=1)] = 1
    sharding: Sharding = "none"
    device_memory_gigabytes: Annotated[float, Field(gt=0)] | None = None
    may_shrink: bool = True

    @property
    def processes(self) -> int:
        """One for each device of each node."""
        return self.devices * self.nodes

    @property
    def hours_ahead(self) -> int:
        """The most hours that a model is unrolled over."""
        return 1 if self.rollout is None else self.rollout.hours[-1]

    @model_validator(mode="after")
    def _one_length(self) -> "Training":
        if (self.epochs is None) == (self.steps is None):
            raise ValueError("give either epochs or steps (optimizer steps), not both")
        return self

    @model_validator(mode="after")
    def _rollout_goes_with_the_rest(self) -> "Training":
        if self.rollout is None:
            return self
        for key, refused, why in (
            ("augmentation", self.augmentation is not None, "changes two hours alike, no more"),
            (
                "early_stopping_epochs",
                self.early_stopping_epochs is not None,
                "may stop before the model is unrolled",
            ),
            (
                "compile",
                self.compile in ("reduce-overhead", "max-autotune"),
                "replays graphs that overwrite the hour before; give none or default",
            ),
        ):
            if refused:
                raise ValueError(f"rollout and {key} exclude each other: {key} {why}")
        return self

    @model_validator(mode="after")
    def _warm_up_ends(self) -> "Training":
        if self.steps is not None and self.warm_up_steps >= self.steps:
            raise ValueError(
                f"warm_up_steps is {self.warm_up_steps}, but steps is {self.steps}; give fewer "
                "warm-up steps"
            )
        return self

    @model_validator(mode="after")
    def _sharding_needs_devices(self) -> "Training":
        if self.sharding == "full" and self.processes == 1:
            raise ValueError(
                "sharding: full splits a model among devices, but devices is 1; remove it, or "
                "give the number of devices"
            )
        return self

    @model_validator(mode="after")
    def _work_for_every_device(self) -> "Training":
        if self.batch_size < self.processes:
            raise ValueError(
                f"batch_size is {self.batch_size} for {self.processes} devices; give at least one "
                "sample per device"
            )
        return self
