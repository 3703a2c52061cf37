"""Members of any trained model: each hour is drawn from the one before, up to the last lead.

Each member is a separate rollout. The random numbers of member k at hour h depend only on (run
seed, system, initial time, k, h): its noise is the same whatever the batch, the number of jobs or
the order. The member is the same up to rounding, since networks sum in another order for another
batch or device.
"""

import logging
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch

from stormdraw.ensembles.files import Case, ensemble_file, why_none_starts, write_missing
from stormdraw.ensembles.joining import join_parts
from stormdraw.ensembles.member_noise import Correlate, PersistentNoise
from stormdraw.ensembles.resuming import block_path, blocks_to_draw, drawn_before
from stormdraw.ensembles.stretch import LastStates, Stretch, files_of_states
from stormdraw.errors import StormdrawError
from stormdraw.fields.states import read_grid_of, read_states
from stormdraw.files import scratch
from stormdraw.models.bounds import apply_bounds
from stormdraw.models.checkpoint import TrainedModel
from stormdraw.models.device_sums import DeviceSums
from stormdraw.models.devices import describe_device
from stormdraw.models.driving import RunDriving
from stormdraw.models.forcings import DrivingFields, Forcings, ForecastHour, forcings_of
from stormdraw.models.memory import sampling_bytes
from stormdraw.models.stored_states import StoredStates, check_finite
from stormdraw.models.white_noise import White, WhiteNoise, amplified
from stormdraw.seeds import seed_for
from stormdraw.times import format_init, hours

logger = logging.getLogger(__name__)

# Larger batches are no faster on a CPU, since their activations exceed the cache.
LARGEST_CPU_BATCH = 10

# generate(states (B, V, Y, X), condition (B, C, Y, X), white noise of the B members, a function
# that correlates it with the noise of the hour before) -> the model's output in target space (B, V,
# Y, X)
Generate = Callable[[torch.Tensor, torch.Tensor, White, Correlate], torch.Tensor]

# draw(physical states (B, V, Y, X), white noise and its correlation as above) -> the perturbed
# physical states that the next hour starts from (B, V, Y, X)
Draw = Callable[[torch.Tensor, White, Correlate], torch.Tensor]


@dataclass(frozen=True)
class Perturbation:
    """What perturbs the states before each hour: a trained model, and how it draws."""

    trained: TrainedModel
    draw: Draw


@dataclass(frozen=True)
class Rollout:
    """How many members are drawn; `batch_gigabytes` limits the memory of those drawn together.

    `rho` is the correlation of a member's noise with that of the hour before. `noise_amplitude` is
    the standard deviation of the noise, for all channels or for each; networks are trained with 1.
    `chosen` are the members to draw here, or all if None. `kept` is a folder that keeps finished
    members until all are drawn (`stormdraw.ensembles.resuming`); without it nothing is resumed.
    `stretch` are the hours to draw here, or all if None.
    """

    members: int
    run_seed: int
    batch_gigabytes: float = 2.0
    rho: float = 0.0
    noise_amplitude: tuple[float, ...] = (1.0,)
    chosen: range | None = None
    kept: Path | None = None
    stretch: Stretch | None = None

    @property
    def numbers(self) -> range:
        """The members to draw here."""
        return range(self.members) if self.chosen is None else self.chosen

    @property
    def draws(self) -> int:
        """The number of noise draws in an hour."""
        return 1


@dataclass(frozen=True)
class Inputs:
    """The files a rollout starts from; `static` may be None for a model without terrain.

    `driving` is what drives the driven models of the run, if anything does.
    """

    fields: Sequence[Path]
    static: Path | None
    driving: RunDriving | None = None


class BoundsTally:
    """Counts, on the device, the points changed by physical bounds."""

    def __init__(self, variables: tuple[str, ...]) -> None:
        self.variables = variables
        self.sums = DeviceSums()
        self.points = 0

    def add(self, changed: torch.Tensor, points: int) -> None:
        """`changed` points of each variable, (V,), out of `points`."""
        self.sums.add(changed=changed)
        self.points += points

    def shares(self) -> dict[str, np.float32]:
        """Attributes with the share of changed points of each variable."""
        counts = self.sums.totals().get("changed", [0.0] * len(self.variables))
        return {
            f"bounded_share_{name}": np.float32(changed / max(self.points, 1))
            for name, changed in zip(self.variables, counts, strict=True)
        }


class DrawnStates:
    """Records, on the device, whether drawn states are finite."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self._drawn: list[tuple[str, int, torch.Tensor]] = []

    def add(self, states: torch.Tensor, model: str, hour: int) -> None:
        """The states that a model drew for an hour of the forecast."""
        self._drawn.append((model, hour, torch.isfinite(states).all()))

    def check(self) -> None:
        """Raise StormdrawError for the first states that are not finite; waits for the device."""
        fine = torch.stack([flag for _, _, flag in self._drawn]).tolist()
        if not all(fine):
            model, hour, _ = self._drawn[fine.index(False)]
            raise StormdrawError(
                f"system {self.case.system}: model {model} drew states that are not numbers at "
                f"{format_init(self.case.init)} + {hour} h; it diverged, train it longer or with a "
                "lower learning rate"
            )
        self._drawn = []


def write_rollout(
    trained: TrainedModel,
    generate: Generate,
    inputs: Inputs,
    case: Case,
    rollout: Rollout,
    output: Path,
    settings: Mapping[str, Any],
    notes: dict[str, Any],
    perturbation: Perturbation | None = None,
) -> None:
    """Draw the members of one case and write `ensembles/{system}/{init}.nc`.

    They are drawn in blocks and then joined. Each block has its own file, which gets its name when
    it is complete. Memory thus grows with the block, not the ensemble, and a killed job keeps all
    finished blocks. Of a stretch of hours, the file has the leads among them. All members are
    missing if the archive lacks an initial state or what drives an hour, or if these have missing
    points. Raises StormdrawError if a state is missing otherwise, or if the model was trained on
    another grid, or for shorter leads.
    """
    grid = read_grid_of(inputs.fields[0])
    for model in together(trained, perturbation):
        what = f"system {case.system}: the model {model.name}"
        model.grid.check(grid, what)
        model.require_lead(max(case.leads), what)
    history, roles = trained.model.settings.history, trained.model.roles
    driving = trained.driven(inputs.driving)
    gap = why_none_starts(inputs.fields, initial_times(case.init, history), roles.predicted)
    gap = gap or why_none_starts(inputs.fields, [case.init], roles.input)
    gap = gap or _gap_of_driving(driving, case, rollout.numbers)
    stretch = rollout.stretch or Stretch(1, max(case.leads))
    case = replace(case, leads=stretch.leads_of(case.leads))
    if gap:
        write_missing(output, inputs.fields[0], case, rollout.numbers, settings, gap)
        return
    initial = read_initial(inputs.fields, roles.predicted, case.init, history)
    upper = StoredStates(inputs.fields, roles.input, [case.init], grid.shape)
    forcings = forcings_of(trained.model, grid, inputs.static, trained.terrain, upper, driving)
    device = next(trained.model.parameters()).device
    logger.info(
        "%d members from %s UTC, hours %d to %d, on %s",
        *(len(rollout.numbers), f"{case.init:%Y-%m-%d %H}", stretch.first, stretch.last),
        describe_device(device),
    )
    notes = {
        "model": trained.name,
        "rho": np.float32(rollout.rho),
        "noise_amplitude": np.array(rollout.noise_amplitude, dtype=np.float32),
        **notes,
    }
    at_once = members_at_once(together(trained, perturbation), grid.shape, rollout)
    with scratch(output) if rollout.kept is None else nullcontext(rollout.kept) as kept:
        drawn = drawn_before(kept)
        done = [member for members in drawn.values() for member in members]
        if done:
            logger.info("%d of them were drawn before", len(done))
        # Last states are kept with the members of a block until all are drawn.
        rollout = replace(rollout, stretch=replace(stretch, after=stretch.after and kept))
        for members in blocks_to_draw(rollout.numbers, done, at_once):
            tally, told = BoundsTally(tuple(case.variables)), dict(notes)
            path = block_path(kept, members)
            with ensemble_file(path, grid, case, members, settings, told, packed=True) as put:
                how = (forcings, initial, case, rollout, tally, members, perturbation)
                for member, lead, state in roll_out(trained, generate, *how):
                    put(member - members[0], lead, state)
                told |= tally.shares()
        join_parts(sorted(drawn_before(kept)), case, output, settings)
        if stretch.after is not None:
            for path in files_of_states(kept):
                shutil.copy(path, stretch.after)


def _gap_of_driving(driving: DrivingFields | None, case: Case, members: range) -> str:
    """Why no forecast can be driven, as the archive says; empty if nothing is missing."""
    if driving is None:
        return ""
    numbers = members if driving.by_member else members[:1]
    every = product(range(1, max(case.leads) + 1), numbers)
    gaps = (driving.gap(ForecastHour(case.init, *of_hour)) for of_hour in every)
    return next((gap for gap in gaps if gap), "")


def initial_times(init: datetime, history: int) -> list[datetime]:
    """The valid times of the initial states of a case, the oldest first."""
    return [init - hours(age) for age in range(history - 1, -1, -1)]


def read_initial(
    paths: Sequence[Path], variables: Sequence[str], init: datetime, history: int
) -> np.ndarray:
    """The physical states up to the initial time, (H, V, Y, X), the oldest first."""
    states = []
    for time, state in read_states(paths, variables, initial_times(init, history)):
        check_finite(state, variables, ", ".join(str(path) for path in paths), time)
        states.append(state)
    return np.stack(states)


@torch.inference_mode()
def roll_out(
    trained: TrainedModel,
    generate: Generate,
    forcings: Forcings,
    initial: np.ndarray,
    case: Case,
    rollout: Rollout,
    tally: BoundsTally,
    members: range,
    perturbation: Perturbation | None = None,
) -> Iterator[tuple[int, int, np.ndarray]]:
    """Yield (member, index of the lead, physical state (variable, y, x)) of one batch of `members`.

    `initial` are the physical states (H, V, Y, X) of the predicted variables up to the initial
    time, the oldest first; the states yielded have the diagnosed variables as well. The hours are
    those of the rollout's stretch, from the last states of the one before. A
    `perturbation` replaces the present state, also as history of later hours. Raises StormdrawError
    if a model draws NaN or infinity.
    """
    model = trained.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    device = next(model.parameters()).device
    stretch = rollout.stretch or Stretch(1, max(case.leads))
    # The last H states of each member, each (B, V, Y, X).
    if stretch.before is None:
        start = torch.from_numpy(initial).to(device)
        last = LastStates([state.expand(len(members), -1, -1, -1) for state in start], [])
    else:
        last = LastStates.read(stretch.before, members, device)
    states = last.states
    correlate = PersistentNoise(rollout.rho, rollout.draws, last.noise)
    drawn = DrawnStates(case)
    for hour in range(stretch.first, stretch.last + 1):
        known = torch.from_numpy(forcings.for_members(case.init, hour, members)).to(device)
        known = known.expand(len(members), -1, -1, -1)
        white = amplified(
            noise_of(rollout.run_seed, case, members, hour, device), rollout.noise_amplitude, device
        )
        if perturbation is not None:
            states[-1] = perturbation.draw(states[-1], white, correlate)
            drawn.add(states[-1], perturbation.trained.name, hour)
        before = torch.stack(states[:-1], dim=1) if len(states) > 1 else None
        condition = model.condition(states[-1], known, before)
        generated = generate(states[-1], condition, white, correlate)
        following, changed = apply_bounds(
            model.normalization.decode(states[-1], generated), case.variables
        )
        tally.add(changed, following[:, 0].numel())
        drawn.add(following, trained.name, hour)
        states = [*states[1:], following[:, : len(model.roles.predicted)]]
        if hour in case.leads:
            drawn.check()
            lead = list(case.leads).index(hour)
            for member, state in zip(members, following.cpu().numpy(), strict=True):
                yield member, lead, state
    if stretch.after is not None:
        LastStates(states, correlate.last).write(stretch.after, members)
    logger.info("members %d to %d of %d", members[0] + 1, members[-1] + 1, rollout.members)


def together(trained: TrainedModel, perturbation: Perturbation | None) -> list[TrainedModel]:
    """The models that alternate in a rollout."""
    return [trained] if perturbation is None else [trained, perturbation.trained]


def members_at_once(
    models: Sequence[TrainedModel], shape: tuple[int, int], rollout: Rollout
) -> int:
    """The number of members on a (y, x) grid drawn together within the memory limit.

    `models` alternate, so the largest of them counts.
    """
    one = max(sampling_bytes(each.model.settings, each.model.roles, shape) for each in models)
    fitting = max(1, int(rollout.batch_gigabytes * 1e9 // one))
    on_cpu = next(models[0].model.parameters()).device.type == "cpu"
    return min(fitting, len(rollout.numbers), LARGEST_CPU_BATCH if on_cpu else fitting)


def noise_of(
    run_seed: int, case: Case, members: Sequence[int], hour: int, device: torch.device
) -> WhiteNoise:
    """The random numbers of these members at one hour."""
    init = format_init(case.init)
    seeds = [seed_for(run_seed, case.system, init, member, hour) for member in members]
    return WhiteNoise(seeds, device)
