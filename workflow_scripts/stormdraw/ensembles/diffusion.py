"""Members of a diffusion model: the next hour is drawn, and the next from it, up to the last lead.

Each member is a rollout of its own. The noise of member k at hour h depends on (run seed, system,
initial time, k, h) only, so it is the same whatever the batch, the number of jobs or the order.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from stormdraw.ensembles.bounds import apply_bounds
from stormdraw.ensembles.files import Case, ensemble_file, write_missing
from stormdraw.ensembles.samplers import Sampler, draw
from stormdraw.errors import StormdrawError
from stormdraw.fields.states import absent_times, read_grid_of, read_states
from stormdraw.models.checkpoint import TrainedModel, load_model
from stormdraw.models.devices import autocast, choose_device, describe_device
from stormdraw.models.forcings import Forcings, make_forcings
from stormdraw.models.memory import sampling_bytes
from stormdraw.models.pairs import check_finite
from stormdraw.models.settings import ModelSettings
from stormdraw.seeds import seed_for
from stormdraw.times import format_init, hours

logger = logging.getLogger(__name__)

# Larger batches are no faster on a CPU: their activations fall out of the cache.
_LARGEST_CPU_BATCH = 10


@dataclass(frozen=True)
class Sampling:
    """How members are drawn; `batch_gigabytes` bounds the memory of those drawn together."""

    members: int
    run_seed: int
    sampler: Sampler = "dpm_solver++"
    steps: int = 8
    batch_gigabytes: float = 2.0


def write_diffusion(
    checkpoint: Path,
    field_paths: Sequence[Path],
    static_path: Path | None,
    case: Case,
    sampling: Sampling,
    output: Path,
    settings: Mapping[str, Any],
    model_settings: ModelSettings | None = None,
    threads: int = 1,
) -> None:
    """Draw the members of one case from a checkpoint and write `ensembles/{system}/{init}.nc`.

    All members are missing where the archive lacks the initial state.

    `model_settings` is the model's present configuration, which the checkpoint must fit. Raises
    StormdrawError if it does not, or if the initial state is missing or has missing points.
    """
    if case.init in absent_times(field_paths):
        write_missing(output, field_paths[0], case, range(sampling.members), settings)
        return
    torch.set_num_threads(threads)
    device = choose_device()
    trained = load_model(checkpoint, device, list(case.variables), model_settings)
    _, initial = next(read_states(field_paths, case.variables, [case.init]))
    check_finite(initial, case.variables, field_paths[0], case.init)
    grid = read_grid_of(field_paths[0])
    forcings = make_forcings(trained.model.settings.forcings, grid, static_path, trained.terrain)
    logger.info(
        "%d members from %s UTC to %d h on %s",
        *(sampling.members, f"{case.init:%Y-%m-%d %H}", max(case.leads), describe_device(device)),
    )
    tally = BoundsTally(tuple(case.variables))
    notes: dict[str, Any] = {"model": trained.name, "sampler": sampling.sampler}
    notes["sampler_steps"] = np.int32(sampling.steps)
    with ensemble_file(output, grid, case, range(sampling.members), settings, notes) as put:
        for member, lead, state in draw_members(trained, forcings, initial, case, sampling, tally):
            put(member, lead, state)
        notes |= tally.shares()


class BoundsTally:
    """Counts the points that physical bounds changed."""

    def __init__(self, variables: tuple[str, ...]) -> None:
        self.variables = variables
        self.changed = np.zeros(len(variables))
        self.points = 0

    def add(self, changed: torch.Tensor, points: int) -> None:
        """`changed` points of each variable, (V,), out of `points`."""
        self.changed += changed.cpu().numpy()
        self.points += points

    def shares(self) -> dict[str, np.float32]:
        """Attributes that say which share of each variable's points was changed."""
        return {
            f"bounded_share_{name}": np.float32(changed / max(self.points, 1))
            for name, changed in zip(self.variables, self.changed, strict=True)
        }


@torch.inference_mode()
def draw_members(
    trained: TrainedModel,
    forcings: Forcings,
    initial: np.ndarray,
    case: Case,
    sampling: Sampling,
    tally: BoundsTally,
) -> Iterator[tuple[int, int, np.ndarray]]:
    """Yield (member, index of the lead, physical state (variable, y, x)) as they are drawn.

    `initial` is the physical state (variable, y, x) at the initial time. Raises StormdrawError if
    the model draws something that is not a number.
    """
    device = next(trained.model.parameters()).device
    model = trained.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    batch = members_at_once(trained, initial.shape[-2:], sampling)
    for first in range(0, sampling.members, batch):
        members = range(first, min(first + batch, sampling.members))
        states = torch.from_numpy(initial).to(device).expand(len(members), -1, -1, -1)
        for hour in range(1, max(case.leads) + 1):
            known = torch.from_numpy(forcings.at(case.init + hours(hour))).to(device)
            condition = model.condition(states, known.expand(len(members), -1, -1, -1))

            def denoise(
                noisy: torch.Tensor, timestep: torch.Tensor, condition: torch.Tensor = condition
            ) -> torch.Tensor:
                with autocast(model.settings.training.precision, device):
                    return model.network(noisy, condition, timestep)

            generated = draw(
                denoise,
                model.schedule,
                model.settings.prediction,
                sampling.sampler,
                sampling.steps,
                model.persistence(states),
                [_generator(sampling, case, member, hour) for member in members],
            )
            states, changed = apply_bounds(
                model.normalization.decode(states, generated), case.variables
            )
            tally.add(changed, states[:, 0].numel())
            _check_drawn(states, trained.name, case, hour)
            if hour in case.leads:
                lead = list(case.leads).index(hour)
                for member, state in zip(members, states.cpu().numpy(), strict=True):
                    yield member, lead, state
        logger.info("members %d to %d of %d", members[0] + 1, members[-1] + 1, sampling.members)


def members_at_once(trained: TrainedModel, shape: tuple[int, int], sampling: Sampling) -> int:
    """How many members of a (y, x) grid are drawn together within the bound on memory."""
    one = sampling_bytes(trained.model.settings, len(trained.model.variables), shape)
    fitting = max(1, int(sampling.batch_gigabytes * 1e9 // one))
    on_cpu = next(trained.model.parameters()).device.type == "cpu"
    return min(fitting, sampling.members, _LARGEST_CPU_BATCH if on_cpu else fitting)


def _generator(sampling: Sampling, case: Case, member: int, hour: int) -> torch.Generator:
    seed = seed_for(sampling.run_seed, case.system, format_init(case.init), member, hour)
    return torch.Generator().manual_seed(seed)


def _check_drawn(states: torch.Tensor, model: str, case: Case, hour: int) -> None:
    if not torch.isfinite(states).all():
        raise StormdrawError(
            f"system {case.system}: model {model} drew states that are not numbers at "
            f"{format_init(case.init)} + {hour} h; it diverged, train it longer or with a lower "
            "learning rate"
        )
