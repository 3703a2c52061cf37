"""A model from the inside, against a Gaussian world in which all is known in closed form.

now ~ N(0, 1) and following = now + S eps, point by point and in standard units: whoever knows `now`
has S^2 to explain, whoever does not has 1 + S^2.
"""

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr
from synthetic_hours import HOURS, START, VARIABLES, make_model_settings, make_settings
from torch import nn

from stormdraw.ensembles.one_hour import hour_sampler
from stormdraw.ensembles.sampler_steps import DEFAULT_STEPS
from stormdraw.fields.states import read_grid_of
from stormdraw.fields.statistics import Statistics, read_statistics
from stormdraw.models.checkpoint import TrainedModel, load_model, save_model
from stormdraw.models.diagnosis.cases import (
    DiagnosedCase,
    central_window,
    chosen_pairs,
    condition_of,
)
from stormdraw.models.diagnosis.denoising import DenoisingTally, noise_levels
from stormdraw.models.diagnosis.diagnose import write_diagnosis
from stormdraw.models.diagnosis.hours import can_be_diagnosed, diagnosed_hours
from stormdraw.models.diagnosis.impossible import impossible_points
from stormdraw.models.diagnosis.members import MembersTally, spectra_of
from stormdraw.models.diagnosis.sampling import HourSampler
from stormdraw.models.diagnosis.sampling_path import SamplingPath
from stormdraw.models.diffusion import DiffusionModel
from stormdraw.models.noise import NoiseSchedule
from stormdraw.models.pairs import Batch
from stormdraw.models.trained_grid import TrainedGrid
from stormdraw.models.training import new_model
from stormdraw.models.white_noise import WhiteNoise
from stormdraw.roles import Roles
from stormdraw.times import hours

NAMES = ("T2M", "U10", "V10")
S = 0.5
SIDE = 64
CASES = 4


class ExactDenoiser(nn.Module):
    """v of the conditional mean of x_0: E[x_0 | x_t] = m + alpha s^2 / (alpha^2 s^2 + sigma^2)
    (x_t - alpha m), where m and s^2 are what is known without x_t."""

    role = "denoiser"

    def __init__(self, schedule: NoiseSchedule, uses_condition: bool) -> None:
        super().__init__()
        self.schedule = schedule
        self.uses_condition = uses_condition

    def forward(
        self, noisy: torch.Tensor, condition: torch.Tensor, timestep: torch.Tensor
    ) -> torch.Tensor:
        alpha = self.schedule.alpha.double()[timestep][:, None, None, None]
        sigma = self.schedule.sigma.double()[timestep][:, None, None, None]
        mean = condition.double() if self.uses_condition else torch.zeros(1).double()
        variance = S**2 if self.uses_condition else 1.0 + S**2
        gain = alpha * variance / (alpha**2 * variance + sigma**2)
        clean = mean + gain * (noisy - alpha * mean)
        return ((alpha * noisy - clean) / sigma).float()


def gaussian_model(uses_condition: bool) -> DiffusionModel:
    zeros, ones = np.zeros(3, np.float32), np.ones(3, np.float32)
    statistics = Statistics(NAMES, ("identity",) * 3, zeros, ones, zeros, ones)
    model = new_model("g", 1, make_model_settings(target="next_state", forcings=[]), statistics)
    assert isinstance(model, DiffusionModel)
    model.network = ExactDenoiser(model.formulation, uses_condition)
    return model


def gaussian_cases(model: DiffusionModel) -> list[DiagnosedCase]:
    random = torch.Generator().manual_seed(5)
    shape = (1, 3, SIDE, SIDE)
    nows = [torch.randn(shape, generator=random) for _ in range(CASES)]
    cases = []
    for number, now in enumerate(nows):
        following = now + S * torch.randn(shape, generator=random)
        batch = Batch(now, following, torch.empty(1, 0, SIDE, SIDE), (START,))
        other = Batch(nows[(number + 2) % CASES], following, batch.forcings, (START,))
        own, shuffled = condition_of(model, batch), condition_of(model, other)
        cases.append(DiagnosedCase(number, batch, own, shuffled))
    return cases


def tallied(uses_condition: bool) -> DenoisingTally:
    model = gaussian_model(uses_condition)
    tally = DenoisingTally(model, 1, "g")
    for case in gaussian_cases(model):
        tally.add(case)
    return tally


def alpha_and_sigma_squared(tally: DenoisingTally) -> tuple[np.ndarray, np.ndarray]:
    alpha_bar = np.cumprod(1.0 - tally.model.formulation.betas)[tally.levels]
    return alpha_bar, 1.0 - alpha_bar


# 4 x 64 x 64 points: a mean of squares has a sampling error of 1.1 %.
TOLERANCE = 0.045


def test_the_exact_denoiser_has_the_error_of_the_closed_form() -> None:
    tally = tallied(uses_condition=True)
    alpha, sigma = alpha_and_sigma_squared(tally)
    right, shuffled = tally.mean_errors()
    assert len(tally.levels) == 8
    expected = S**2 * sigma / (alpha * S**2 + sigma)
    np.testing.assert_allclose(right, np.repeat(expected[:, None], 3, 1), rtol=TOLERANCE)
    # Another case's `now` is off by a difference of two independent N(0, 1), of variance 2, of
    # which x_t corrects the part alpha gain.
    expected = expected + 2.0 * (sigma / (alpha * S**2 + sigma)) ** 2
    np.testing.assert_allclose(shuffled, np.repeat(expected[:, None], 3, 1), rtol=TOLERANCE)
    np.testing.assert_allclose(tally.variance(), 1.0 + S**2, rtol=TOLERANCE)


def test_who_ignores_the_condition_loses_nothing_when_it_is_shuffled() -> None:
    tally = tallied(uses_condition=False)
    right, shuffled = tally.mean_errors()
    np.testing.assert_array_equal(right, shuffled)
    # White fields: to see each point alone is all that can be done without the condition.
    np.testing.assert_allclose(right, tally.error_of_points(), rtol=TOLERANCE)


def test_noise_levels_span_the_schedule_of_any_prediction() -> None:
    for settings in (
        make_model_settings(),
        make_model_settings(
            prediction="noise", noise_schedule={"timesteps": 10, "largest_beta": 0.02}
        ),
    ):
        statistics = Statistics(NAMES, ("identity",) * 3, *[np.ones(3, np.float32)] * 4)
        model = new_model("m", 1, settings, statistics)
        assert isinstance(model, DiffusionModel)
        levels = noise_levels(model.formulation)
        assert levels == sorted(set(levels))
        assert 0 <= levels[0] < levels[-1] < settings.noise_schedule.timesteps


def drawn_from_a_gaussian(uses_condition: bool) -> MembersTally:
    """Members from what is known: N(now, S^2) or N(0, 1 + S^2)."""
    spread = S if uses_condition else (1.0 + S**2) ** 0.5

    def draw(states, condition, white, watch):  # type: ignore[no-untyped-def]
        return (condition if uses_condition else 0.0) + spread * white(states.shape[1:])

    model = gaussian_model(uses_condition)
    sampler = HourSampler(draw, lambda states, variables: states, 5, "closed form")
    tally = MembersTally(model, 1, "g", (SIDE, SIDE))
    for case in gaussian_cases(model):
        tally.add(case, sampler, batch=2)
    return tally


def test_a_perfect_ensemble_has_the_crps_of_the_closed_form() -> None:
    right, shuffled = drawn_from_a_gaussian(uses_condition=True).mean_crps()
    # E|X - y| - E|X - X'| / 2, each the mean of the absolute value of a normal difference.
    np.testing.assert_allclose(right, S / np.pi**0.5, rtol=TOLERANCE)
    expected = (2.0 + 2.0 * S**2) ** 0.5 * (2.0 / np.pi) ** 0.5 - S / np.pi**0.5
    np.testing.assert_allclose(shuffled, expected, rtol=TOLERANCE)
    tally = drawn_from_a_gaussian(uses_condition=False)
    np.testing.assert_array_equal(*tally.mean_crps())
    np.testing.assert_allclose(tally.persistence / CASES, S * (2.0 / np.pi) ** 0.5, rtol=TOLERANCE)


def test_spectra_add_up_to_the_variance() -> None:
    tally = drawn_from_a_gaussian(uses_condition=True)
    for kind, variance in (
        ("truth", 1.0 + S**2),
        ("members", 1.0 + S**2),
        ("change_truth", S**2),
        ("change_members", S**2),
    ):
        np.testing.assert_allclose(
            tally.spectra[kind].sum(axis=1) / CASES, variance, rtol=TOLERANCE
        )
    flat = spectra_of(torch.full((2, 1, 8, 8), 290.0))
    np.testing.assert_array_equal(flat, np.zeros_like(flat))


def test_members_do_not_depend_on_the_batch() -> None:
    model = gaussian_model(uses_condition=True)
    (case, *_) = gaussian_cases(model)

    def draw(states, condition, white, watch):  # type: ignore[no-untyped-def]
        return white(states.shape[1:])

    sampler = HourSampler(draw, lambda states, variables: states, 5, "noise")
    drawn = [
        MembersTally(model, 1, "g", (SIDE, SIDE)).add(case, sampler, batch) for batch in (1, 3, 5)
    ]
    # The same noise; numbers of other batches may round otherwise.
    for other in drawn[1:]:
        torch.testing.assert_close(other, drawn[0], rtol=0, atol=4 * 2.0**-21)


def test_impossible_points_counted_by_hand() -> None:
    refc = [-10.0, -10.05, -12.0, 81.0]  # two beyond the archive's 0.1 dBZ
    warm = [280.0, 280.0, 280.0, 340.0]  # the last is beyond 333 K
    dew = [280.05, 281.0, 200.0, float("nan")]  # above T2M: one visibly; too cold; not a number
    cape = [-5.0, -50.0, 0.0, 3000.0]  # packed in steps of 10 J/kg
    states = torch.tensor([refc, warm, dew, cape])[None, :, None, :]
    names = ("REFC", "T2M", "D2M", "CAPE")
    assert impossible_points(states, names).tolist() == [3, 1, 4, 2]
    assert impossible_points(states, names, tolerant=True).tolist() == [2, 1, 3, 1]
    # A dew point alone can be above no temperature.
    assert impossible_points(states[:, 2:3], ("D2M",)).tolist() == [2]


def untrained(synthetic: Path, **changes: object) -> TrainedModel:
    settings = make_model_settings(**{"forcings": ["hour_of_day"], **changes})
    statistics = read_statistics(synthetic / "statistics.nc")
    grid = TrainedGrid.of(read_grid_of(synthetic / "first.nc"))
    return TrainedModel("small", new_model("small", 3, settings, statistics).eval(), None, grid)


def test_the_way_ends_at_the_sample(synthetic: Path) -> None:
    trained = untrained(synthetic)
    model = trained.model
    assert isinstance(model, DiffusionModel)
    now = torch.full((2, 3, 13, 10), 280.0)
    path = SamplingPath(model, now)
    condition = model.condition(now, torch.zeros(2, 2, 13, 10))

    def white() -> WhiteNoise:
        return WhiteNoise([1, 2], torch.device("cpu"))

    with torch.inference_mode():
        sample = hour_sampler(trained).draw(now, condition, white(), path.watch)
    path.end(sample)
    last = np.exp(-model.formulation.log_snr()[-1])
    assert path.noise_over_signal()[0] == pytest.approx(last)
    np.testing.assert_array_equal(path.noisy()[-1], sample[0].numpy())
    state = model.normalization.decode(now, sample)[0].numpy()
    # One state of two, which may be rounded otherwise alone: kelvins in float32.
    np.testing.assert_allclose(path.estimates()[-1], state, rtol=4 * 2.0**-24)
    # The first state is the member's own white noise; the last estimate is what was drawn from it.
    noise = white()((3, 13, 10))
    np.testing.assert_allclose(path.noisy()[0], noise[0].numpy(), atol=1e-3)
    assert path.noise_over_signal()[-1] == 0.0
    assert (np.diff(path.noise_over_signal()) < 0).all()


def test_no_hour_of_the_test_period_is_looked_at() -> None:
    periods = make_settings().periods
    name, times = diagnosed_hours(periods)
    assert (name, times) == ("training", periods.training.times())
    start = datetime(2026, 5, 1)
    validation = {"start": start, "end": start + hours(3)}
    periods = make_settings(
        periods={
            "training": {"start": START, "end": START + hours(100)},
            "validation": validation,
            "test": {"start": START + hours(200), "end": START + hours(202)},
        }
    ).periods
    assert diagnosed_hours(periods) == ("validation", [start + hours(k) for k in range(4)])
    assert diagnosed_hours(periods.model_copy(update={"validation": None}))[1] == [
        START + hours(k) for k in range(76, 101)
    ]


def test_cases_are_few_and_spread_out() -> None:
    assert chosen_pairs(24) == [0, 5, 9, 14, 18, 23]
    assert chosen_pairs(2) == [0, 1]
    assert chosen_pairs(1) == [0]
    assert central_window((97, 131), None) == (slice(0, 97), slice(0, 131))
    assert central_window((1059, 1799), (300, 48)) == (slice(379, 679), slice(771, 1027))


@pytest.mark.parametrize(("target", "there"), [("residual", True), ("block", False)])
def test_only_models_of_the_next_hour_can_be_diagnosed(target: str, there: bool) -> None:
    assert can_be_diagnosed({"target": target}) == there


def diagnosed(synthetic: Path, folder: Path, **changes: object) -> xr.Dataset:
    """An untrained model's diagnosis on the synthetic training hours."""
    folder.mkdir(exist_ok=True)
    trained = untrained(synthetic, **changes)
    statistics = read_statistics(synthetic / "statistics.nc")
    save_model(
        folder / "model.pt",
        "small",
        trained.model,
        statistics,
        None,
        read_grid_of(synthetic / "first.nc"),
    )
    write_diagnosis(
        folder / "model.pt",
        [synthetic / "first.nc", synthetic / "second.nc"],
        None,
        make_settings(),
        hour_sampler,
        folder / "diagnosis.nc",
        {},
    )
    with xr.open_dataset(folder / "diagnosis.nc") as dataset:
        return dataset.load()


def test_a_diagnosis_is_written_whole(synthetic: Path, tmp_path: Path) -> None:
    found = diagnosed(synthetic, tmp_path)
    assert list(found["variable"].values) == list(VARIABLES)
    assert found.attrs["period"] == "training"
    # Pairs of eight hours, none with the first hour of the test period.
    assert found.attrs["initial_times"].split()[0] == "2026060100"
    assert found.attrs["initial_times"].split()[-1] == f"20260601{HOURS - 2:02d}"
    assert found["denoising_error"].shape == (2, 8, 3)
    for name, values in found.data_vars.items():
        assert np.isfinite(values).all(), name
    assert (found["impossible_share"].sel(stage="bounded") == 0.0).all()
    np.testing.assert_allclose(found["noise_over_signal"][[0, -1]], np.exp([-3.5, 3.0]), rtol=0.02)
    assert found["path_noisy"].shape == (DEFAULT_STEPS + 1, 3, 13, 10)


def test_what_a_model_diagnoses_has_neither_persistence_nor_a_change(
    synthetic: Path, tmp_path: Path
) -> None:
    roles = Roles(predicted=("T2M",), diagnosed=("CAPE",), input=("D2M",))
    paths = [synthetic / "first.nc", synthetic / "second.nc"]
    statistics = read_statistics(synthetic / "statistics.nc")
    model = new_model("small", 1, make_model_settings(forcings=[]), statistics, roles=roles)
    grid = read_grid_of(paths[0])
    save_model(tmp_path / "model.pt", "small", model, statistics, None, grid)
    run = make_settings(variables=roles.by_role())
    output = tmp_path / "diagnosis.nc"
    write_diagnosis(tmp_path / "model.pt", paths, None, run, hour_sampler, output, {})
    with xr.open_dataset(output) as found:
        assert list(found["variable"].values) == ["T2M", "CAPE"]
        assert np.isfinite(found["crps"]).all()
        assert np.isfinite(found["persistence_error"]).values.tolist() == [True, False]
        change = found["spectrum_change_members"].isel(wavenumber=slice(1, None))
        assert np.isfinite(change).all("wavenumber").values.tolist() == [True, False]
        assert np.isfinite(found["spectrum_members"]).all()


def test_a_model_of_one_step_has_no_noise_levels(synthetic: Path, tmp_path: Path) -> None:
    found = diagnosed(
        synthetic,
        tmp_path,
        family="stochastic_unet",
        network={"channels": [8, 8], "noise_scales": [1, 4]},
        prediction="target",
        loss={"kind": "almost_fair_crps"},
    )
    assert found.attrs["sampling"] == "one pass of the network"
    assert "denoising_error" not in found
    assert "path_noisy" not in found
    assert np.isfinite(found["crps"]).all()


def test_hours_that_do_not_follow_each_other_leave_a_gap(synthetic: Path, tmp_path: Path) -> None:
    trained = untrained(synthetic)
    statistics = read_statistics(synthetic / "statistics.nc")
    save_model(
        tmp_path / "model.pt",
        "small",
        trained.model,
        statistics,
        None,
        read_grid_of(synthetic / "first.nc"),
    )
    lone = {"start": START + hours(6), "end": START + hours(6)}
    periods = {
        "training": {"start": START, "end": START + hours(3)},
        "validation": lone,
        "test": {"start": START + hours(9), "end": START + hours(10)},
    }
    write_diagnosis(
        tmp_path / "model.pt",
        [synthetic / "second.nc"],
        None,
        make_settings(periods=periods),
        hour_sampler,
        tmp_path / "diagnosis.nc",
        {},
    )
    with xr.open_dataset(tmp_path / "diagnosis.nc") as found:
        assert "complete consecutive hours" in found.attrs["gap"]
        assert not found.data_vars
    assert load_model(tmp_path / "model.pt", torch.device("cpu")).name == "small"
