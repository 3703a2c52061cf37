"""Members with fine values around the block means of a coarser forecast, from trained downscalers.

A forecast is standardised and averaged over blocks of points; a downscaler draws the deviations
from the mean within each block, given the means of all variables over it. The mean of each draw is
subtracted, so that each whole block keeps the mean of the forecast. This holds in standardised
units, before physical bounds are applied.

Blocks are drawn independently of their neighbours, so the field jumps at their edges. Variables are
drawn separately too: given the block means, they are independent.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from stormdraw.ensembles.files import Case, Put, ensemble_file
from stormdraw.ensembles.forecasts import Forecasts
from stormdraw.ensembles.rollout import BoundsTally
from stormdraw.ensembles.sampler_steps import DEFAULT_STEPS, Sampler
from stormdraw.ensembles.samplers import draw
from stormdraw.errors import StormdrawError
from stormdraw.models.blocks import Blocks
from stormdraw.models.bounds import apply_bounds
from stormdraw.models.checkpoint import TrainedModel, load_model
from stormdraw.models.devices import autocast, choose_device, describe_device
from stormdraw.models.downscaling import DownscalingModel
from stormdraw.models.memory import sampling_bytes
from stormdraw.models.white_noise import White, WhiteNoise, amplified
from stormdraw.roles import Roles
from stormdraw.seeds import seed_for
from stormdraw.times import format_init

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Downscaling:
    """How many members are drawn, and how; `batch_gigabytes` limits the blocks drawn together.

    `noise_amplitude` is the standard deviation of the noise; the models are trained with 1.
    """

    members: int
    run_seed: int
    batch_gigabytes: float = 2.0
    sampler: Sampler = "dpm_solver++"
    steps: int = DEFAULT_STEPS
    eta: float = 0.0
    noise_amplitude: float = 1.0


@dataclass(frozen=True)
class Downscaler:
    """A trained model of one variable, and the blocks that cover the grid."""

    name: str
    model: DownscalingModel
    blocks: Blocks

    @property
    def variable(self) -> str:
        """The downscaled variable."""
        return self.model.loss_names[0]


def write_downscaled(
    checkpoints: Sequence[Path],
    forecasts: Path,
    only: Sequence[str] | None,
    state: Sequence[str],
    case: Case,
    how: Downscaling,
    output: Path,
    settings: Mapping[str, Any],
    threads: int = 1,
) -> None:
    """Draw the members of one case and write `ensembles/{system}/{init}.nc`.

    `forecasts` is a file of one forecast (lead, y, x) or several (member, lead, y, x); `only`
    selects some of its members. It has all variables of the `state`. The case's variables are those
    that one of `checkpoints` downscales. Member k is made from forecast k modulo their number. It
    is missing if that forecast is missing, and in each block that has a missing point.

    Raises StormdrawError if a checkpoint is not a downscaler, or has other variables or another
    grid; if the grid is smaller than a block; or for a lead that the forecasts lack.
    """
    torch.set_num_threads(threads)
    with Forecasts(forecasts, state, only) as source:
        downscalers = load_downscalers(checkpoints, state, case, source)
        tally = BoundsTally(tuple(case.variables))
        notes: dict[str, Any] = {
            "model": " ".join(one.name for one in downscalers),
            "downscaled_forecasts": " ".join(source.names),
            "block_points": np.array([one.blocks.size for one in downscalers], dtype=np.int32),
            "not_downscaled": " ".join(n for n in state if n not in case.variables) or "none",
            "sampler": how.sampler,
            "sampler_steps": np.int32(how.steps),
            "noise_amplitude": np.float32(how.noise_amplitude),
        }
        if how.sampler == "ddim":
            notes["sampler_eta"] = np.float32(how.eta)
        with ensemble_file(output, source.grid, case, range(how.members), settings, notes) as put:
            for index, lead in enumerate(case.leads):
                for number in range(min(len(source.names), how.members)):
                    members = range(number, how.members, len(source.names))
                    coarse = torch.from_numpy(source.state(number, lead))
                    _write_members(downscalers, coarse, case, index, members, how, tally, put)
                logger.info("%d members at %d h", how.members, lead)
            notes |= tally.shares()


def load_downscalers(
    checkpoints: Sequence[Path], state: Sequence[str], case: Case, source: Forecasts
) -> list[Downscaler]:
    """The downscalers of a case's variables, in their order; errors as for `write_downscaled`."""
    device = choose_device()
    by_variable = {}
    for path in checkpoints:
        trained = load_model(path, device, Roles(predicted=tuple(state)))
        one = _downscaler(trained, case.system, source)
        by_variable[one.variable] = one
    lacking = [name for name in case.variables if name not in by_variable]
    if lacking:
        raise StormdrawError(
            f"system {case.system}: none of {', '.join(str(path) for path in checkpoints)} "
            f"downscales {', '.join(lacking)}; delete the one that should, to train it again"
        )
    logger.info(
        "downscaling %s of %s on %s",
        *(", ".join(case.variables), source.path, describe_device(device)),
    )
    return [by_variable[name] for name in case.variables]


def _downscaler(trained: TrainedModel, system: str, source: Forecasts) -> Downscaler:
    origin = f"system {system}: the model {trained.name}"
    model = trained.model
    if not isinstance(model, DownscalingModel):
        raise StormdrawError(
            f"{origin} does not downscale (target: {model.settings.target}); name one with "
            "target: block in `models` of the system"
        )
    trained.grid.check(source.grid, origin)
    size = model.network.block
    if min(source.grid.shape) < size:
        raise StormdrawError(
            f"{origin} draws blocks of {size} x {size} points, but the fields have only "
            f"{source.grid.shape[0]} x {source.grid.shape[1]}; take a larger part of the grid"
        )
    return Downscaler(trained.name, model, Blocks(size, source.grid.shape))


def _write_members(
    downscalers: Sequence[Downscaler],
    forecast: torch.Tensor,
    case: Case,
    index: int,
    members: Sequence[int],
    how: Downscaling,
    tally: BoundsTally,
    put: Put,
) -> None:
    """Draw and write the members of one forecast (variable, y, x) at the lead with this index."""
    for group in _groups(downscalers, members, how):
        fields = [
            draw_fields(one, forecast, case, case.leads[index], group, how) for one in downscalers
        ]
        states, changed = apply_bounds(torch.stack(fields, dim=1).cpu(), case.variables)
        tally.add(changed, states[:, 0].numel())
        for member, state in zip(group, states.numpy(), strict=True):
            put(member, index, state)


def _groups(
    downscalers: Sequence[Downscaler], members: Sequence[int], how: Downscaling
) -> Iterator[Sequence[int]]:
    """Members that are drawn together: as many as fit into memory with all their blocks."""
    size = min(max(1, blocks_at_once(one, how) // len(one.blocks)) for one in downscalers)
    for first in range(0, len(members), size):
        yield members[first : first + size]


def blocks_at_once(downscaler: Downscaler, how: Downscaling) -> int:
    """The number of blocks drawn together within the memory limit."""
    model, size = downscaler.model, downscaler.blocks.size
    one = sampling_bytes(model.settings, model.roles, (size, size))
    return max(1, int(how.batch_gigabytes * 1e9 // one))


@torch.inference_mode()
def draw_fields(
    downscaler: Downscaler,
    forecast: torch.Tensor,
    case: Case,
    lead: int,
    members: Sequence[int],
    how: Downscaling,
) -> torch.Tensor:
    """The downscaled variable of each member in physical units, before bounds, (B, Y, X).

    `forecast` (V, Y, X) is physical too. Raises StormdrawError if the model draws NaN or infinity.
    """
    model, blocks = downscaler.model, downscaler.blocks
    forecast = forecast.to(model.normalization.mean.device)
    standardised = model.normalization.standardise(forecast[None])[0]
    coarse = blocks.cut(standardised).mean(dim=(2, 3)).T  # (n, V)
    complete = torch.isfinite(coarse).all(dim=1).nonzero().flatten().tolist()
    wanted = [(member, block) for member in members for block in complete]
    fine = torch.full((len(members), len(blocks), blocks.size, blocks.size), torch.nan)
    fine = fine.to(coarse.device)
    step = blocks_at_once(downscaler, how)
    for first in range(0, len(wanted), step):
        batch = wanted[first : first + step]
        white = _noise(how, case, lead, downscaler, batch)
        numbers = torch.tensor([block for _, block in batch], device=coarse.device)
        deviations = _draw(model, coarse[numbers], white, how)
        deviations = deviations - deviations.mean(dim=(1, 2), keepdim=True)
        places = torch.tensor([members.index(member) for member, _ in batch], device=coarse.device)
        means = coarse[numbers, model.downscaled]
        fine[places, numbers] = means[:, None, None] + deviations
    if not torch.isfinite(fine[:, complete]).all():
        raise StormdrawError(
            f"system {case.system}: model {downscaler.name} drew values that are not numbers at "
            f"{format_init(case.init)} + {lead} h; train it longer or with a lower learning rate"
        )
    return model.physical_field(blocks.join(fine))


def _draw(
    model: DownscalingModel,
    coarse: torch.Tensor,
    white: White,
    how: Downscaling,
) -> torch.Tensor:
    """Deviations from the mean in blocks (B, size, size), given the coarse values (B, V)."""

    def denoise(given: torch.Tensor, time: torch.Tensor) -> torch.Tensor:
        with autocast(model.settings.training.precision, given.device):
            return model.network(given, coarse, time)

    size = model.network.block
    guess = torch.zeros((len(coarse), 1, size, size), device=coarse.device)
    return draw(
        denoise,
        *(model.formulation, how.sampler, how.steps, guess, white),
        eta=how.eta,
    )[:, 0]


def _noise(
    how: Downscaling, case: Case, lead: int, downscaler: Downscaler, drawn: list[tuple[int, int]]
) -> White:
    """The random numbers for one variable of these (member, block) pairs at a lead."""
    labels = (case.system, format_init(case.init))
    seeds = [
        seed_for(how.run_seed, *labels, member, lead, downscaler.variable, block)
        for member, block in drawn
    ]
    device = downscaler.model.normalization.mean.device
    return amplified(WhiteNoise(seeds, device), (how.noise_amplitude,), device)
