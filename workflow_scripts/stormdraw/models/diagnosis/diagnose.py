"""Diagnoses a trained model on a few pairs of hours outside the test period."""

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr

from stormdraw.errors import StormdrawError
from stormdraw.fields.states import read_grid_of
from stormdraw.files import replacing
from stormdraw.grids import Window
from stormdraw.models.checkpoint import TrainedModel, load_model
from stormdraw.models.devices import choose_device
from stormdraw.models.diagnosis.cases import central_window, chosen_pairs, diagnosed_cases
from stormdraw.models.diagnosis.denoising import DenoisingTally
from stormdraw.models.diagnosis.hours import diagnosed_hours
from stormdraw.models.diagnosis.members import STAGES, MembersTally
from stormdraw.models.diagnosis.sampling import HourSampler
from stormdraw.models.diagnosis.sampling_path import SamplingPath
from stormdraw.models.diffusion import DiffusionModel
from stormdraw.models.driving import RunDriving
from stormdraw.models.forcings import forcings_of
from stormdraw.models.memory import sampling_bytes
from stormdraw.models.pairs import Pairs
from stormdraw.models.stored_states import StoredStates
from stormdraw.provenance import attributes
from stormdraw.settings import Settings
from stormdraw.spectra import wavelengths
from stormdraw.times import format_init

logger = logging.getLogger(__name__)

CONDITIONS = ("right", "shuffled")

# Points per side of the stored fields of the sampling path, for maps.
_LARGEST_MAP = 160


def write_diagnosis(
    checkpoint: Path,
    field_paths: Sequence[Path],
    static_path: Path | None,
    run: Settings,
    sampler_of: Callable[[TrainedModel], HourSampler],
    output: Path,
    settings: Mapping[str, Any],
    threads: int = 1,
    driving_paths: Sequence[Path] = (),
) -> None:
    """Diagnose a checkpoint and write `models/{model}/diagnosis.nc`.

    `sampler_of` gives the sampler of the model; `driving_paths` are the day files of what drives
    it. If there are no two consecutive hours, the file has no data, and its attribute `gap` gives
    the reason. Raises StormdrawError if the checkpoint does not fit the run or a state has missing
    points.
    """
    torch.set_num_threads(threads)
    driving = RunDriving.of(run, driving_paths)
    trained = load_model(checkpoint, choose_device(), run.roles, driving)
    model, name = trained.model, trained.name
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    period, times = diagnosed_hours(run.periods)
    grid = read_grid_of(field_paths[0])
    inputs = StoredStates(field_paths, model.roles.input, times, grid.shape)
    forcings = forcings_of(
        model, grid, static_path, trained.terrain, inputs, trained.driven(driving)
    )
    title = f"Diagnosis of {name} on hours of the {period} period"
    notes: dict[str, Any] = dict(attributes(title, f"model {name}", settings))
    notes |= {"model": name, "period": period}
    try:
        # Read when they are needed, since they are few.
        pairs = Pairs(
            *(field_paths, model.variables, times, forcings, 0.0, model.settings.history),
            diagnosed=model.roles.diagnosed,
            longest_lead=max(run.leads),
        )
    except StormdrawError as error:
        _write(output, xr.Dataset(attrs=notes | {"gap": str(error)}))
        return
    window = central_window(pairs.shape, model.settings.training.crop)
    spacing = float(np.mean(np.abs(grid.spacing))) / 1000.0
    sampler = sampler_of(trained)
    batch = _members_at_once(trained, window, run.ensembles.batch_gigabytes)
    chosen = [format_init(pairs.times[index]) for index in chosen_pairs(len(pairs))]
    notes |= {
        "initial_times": " ".join(chosen),
        "members": sampler.members,
        "sampling": sampler.description,
        "grid_spacing_km": spacing,
    }
    dataset = _diagnosed(trained, pairs, window, sampler, batch, run.seed, spacing)
    _write(output, dataset.assign_attrs(notes))
    logger.info("%s diagnosed on %d pairs of %s hours", name, len(chosen), period)


def _members_at_once(trained: TrainedModel, window: Window, gigabytes: float) -> int:
    rows, columns = (side.stop - side.start for side in window)
    model = trained.model
    one = sampling_bytes(model.settings, model.roles, (rows, columns))
    return max(1, int(gigabytes * 1e9 // one))


def _diagnosed(
    trained: TrainedModel,
    pairs: Pairs,
    window: Window,
    sampler: HourSampler,
    batch: int,
    run_seed: int,
    spacing: float,
) -> xr.Dataset:
    """All tallies over all cases; `spacing` of the grid is in km."""
    model = trained.model
    device = next(model.parameters()).device
    shape = (window[0].stop - window[0].start, window[1].stop - window[1].start)
    members = MembersTally(model, run_seed, trained.name, shape)
    # A one-step model does not denoise.
    diffusion = model if isinstance(model, DiffusionModel) else None
    denoising = None if diffusion is None else DenoisingTally(diffusion, run_seed, trained.name)
    path_maps = xr.Dataset()
    # The last case, since a day that starts at 00 UTC has its storms late.
    last = len(chosen_pairs(len(pairs))) - 1
    for case in diagnosed_cases(model, pairs, window, device):
        if denoising is not None:
            denoising.add(case)
        path = None
        if diffusion is not None and case.number == last:
            path = SamplingPath(diffusion, case.batch.now)
        drawn = members.add(case, sampler, batch, None if path is None else path.watch)
        if path is not None and diffusion is not None:
            path.end(drawn)
            path_maps = _maps(path, diffusion, case.batch.now, case.batch.following)
    parts = [_members_part(members, spacing), path_maps]
    if denoising is not None:
        parts.append(_denoising_part(denoising))
    merged = xr.merge(parts, combine_attrs="drop")
    return merged.assign_coords(
        variable=list(model.variables),
        condition=list(CONDITIONS),
        stage=list(STAGES),
    )


def _denoising_part(tally: DenoisingTally) -> xr.Dataset:
    return xr.Dataset(
        {
            "denoising_error": (("condition", "level", "variable"), tally.mean_errors()),
            "error_of_points": (("level", "variable"), tally.error_of_points()),
            "target_variance": ("variable", tally.variance()),
        },
        coords={"noise_over_signal": ("level", tally.noise_over_signal())},
    )


def _members_part(tally: MembersTally, spacing: float) -> xr.Dataset:
    lengths = wavelengths(tally.shape, spacing)
    count = tally.cases[0]
    return xr.Dataset(
        {
            "crps": (("condition", "variable"), tally.mean_crps()),
            "persistence_error": ("variable", tally.persistence / count),
            "impossible_share": (("stage", "variable"), tally.shares_impossible()),
            **{
                f"spectrum_{kind}": (("variable", "wavenumber"), spectrum / count)
                for kind, spectrum in tally.spectra.items()
            },
        },
        coords={"wavelength": ("wavenumber", lengths, {"units": "km"})},
        attrs={},
    )


def _maps(
    path: SamplingPath, model: DiffusionModel, now: torch.Tensor, truth: torch.Tensor
) -> xr.Dataset:
    """The path from noise to sample, and the truth, on the middle of the grid."""
    target = model.normalization.encode(now, truth)[0].cpu().numpy()
    rows, columns = (
        slice((size - min(size, _LARGEST_MAP)) // 2, (size + min(size, _LARGEST_MAP)) // 2)
        for size in truth.shape[-2:]
    )
    fields = {
        "path_noisy": (("rung", "variable", "y", "x"), path.noisy()),
        "path_estimate": (("rung", "variable", "y", "x"), path.estimates()),
        "path_target": (("variable", "y", "x"), target),
        "path_truth": (("variable", "y", "x"), truth[0].cpu().numpy()),
    }
    return xr.Dataset(
        {name: (dims, values[..., rows, columns]) for name, (dims, values) in fields.items()},
        coords={
            "path_noise_over_signal": ("rung", path.noise_over_signal()),
        },
    )


def _write(output: Path, dataset: xr.Dataset) -> None:
    packed = {
        name: {"zlib": True, "complevel": 1}
        for name in dataset.data_vars
        if str(name).startswith("path_")
    }
    with replacing(output) as temporary:
        dataset.to_netcdf(temporary, engine="netcdf4", encoding=packed)
