"""Roles of variables in training: what a network gets of each, how old, and what it gives back."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import pytest
import torch
import xarray as xr
from synthetic_hours import (
    HOURS,
    START,
    VARIABLES,
    make_model_settings,
    make_settings,
    small_grid,
)

from stormdraw.errors import StormdrawError
from stormdraw.fields.netcdf import written_in_parts
from stormdraw.fields.statistics import (
    Statistics,
    compute_statistics,
    read_statistics,
    write_statistics,
)
from stormdraw.grids import WHOLE_GRID, Window
from stormdraw.models.augmentation import Augmenter, Change
from stormdraw.models.batches import Delivery, OrderedBatches, ShuffledBatches
from stormdraw.models.checkpoint import load_model, save_model
from stormdraw.models.forcings import Forcings, channels_of, make_forcings
from stormdraw.models.forcings.forcing import ForecastHour
from stormdraw.models.forcings.initial_fields import AGE, InitialFields
from stormdraw.models.memory import model_without_data, sampling_bytes, training_memory
from stormdraw.models.normalization import Normalization
from stormdraw.models.pairs import Pairs, leads_at, usual_lead
from stormdraw.models.plan import plan
from stormdraw.models.ranks import Ranks
from stormdraw.models.settings import ModelSettings
from stormdraw.models.stored_states import StoredStates
from stormdraw.models.training import new_model, train
from stormdraw.models.training_data import training_data
from stormdraw.models.training_files import TrainingFiles
from stormdraw.models.training_settings import Augmentation
from stormdraw.roles import Roles
from stormdraw.times import format_init, hourly, hours

CPU = torch.device("cpu")
ROLES = Roles(predicted=("T2M",), diagnosed=("CAPE",), input=("D2M",))
GIVEN = {"predicted": ["T2M"], "diagnosed": ["CAPE"], "input": ["D2M"]}
LONGEST = 4
TIMES = list(hourly(START, START + hours(HOURS - 1)))

DIFFUSION = {"prediction": "v", "target": "residual"}
REGRESSOR = {"prediction": "target", "target": "residual"}
GENERATOR = {**REGRESSOR, "loss": {"kind": "almost_fair_crps"}}
KINDS: dict[str, dict[str, Any]] = {
    "conditional_unet": {"network": {"base_channels": 8}, **DIFFUSION},
    "deep_unet": {"network": {"channels": [8, 8]}, **DIFFUSION},
    "transformer": {
        "network": {
            **{"positions": [4, 4], "patch": 4, "hidden": 16},
            **{"layers": 1, "heads": 2, "feed_forward": 16},
        },
        **REGRESSOR,
        "loss": {"kind": "mae"},
    },
    "cnn_transformer": {
        "network": {"channels": [32, 32], "layers": 1, "frames": 3},
        "history": 3,
        **REGRESSOR,
    },
    "gnn": {"network": {"latent": 8, "layers": 1, "scales": 1}, **REGRESSOR},
    "stochastic_unet": {"network": {}, **GENERATOR},
}


def settings_of(family: str, **changes: Any) -> ModelSettings:
    return make_model_settings(**{"family": family, **KINDS[family], "forcings": [], **changes})


def statistics_of(roles: Roles, **numbers: float) -> Statistics:
    count = len(roles.every)
    values = {"mean": 0.0, "std": 1.0, "tendency_mean": 0.0, "tendency_std": 1.0, **numbers}
    arrays = {key: np.full(count, value, np.float32) for key, value in values.items()}
    return Statistics(roles.every, ("identity",) * count, **arrays)


@pytest.fixture(scope="session")
def numbered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A day file in which the value of each variable says which hour it is of."""
    path = tmp_path_factory.mktemp("numbered") / "day.nc"
    time = xr.DataArray(np.array(TIMES, dtype="datetime64[ns]"), dims="time")
    names = {name: name for name in VARIABLES}
    with written_in_parts(path, small_grid(), {"time": time}, names, {}) as file:
        for index in range(HOURS):
            for base, name in zip((260.0, 100.0, 300.0), VARIABLES, strict=True):
                file[name][index] = base + index
    return path


def initial_fields(path: Path, times: list[datetime] = TIMES) -> Forcings:
    """Those of D2M, in kelvins above 100: the number of their hour."""
    stored = StoredStates([path], ["D2M"], times, small_grid().shape, 1e9)
    of_input = Statistics(("D2M",), ("identity",), *np.float32([[100], [1], [0], [1]]))
    return make_forcings([], small_grid(), more=[InitialFields(of_input, stored)])


def numbered_pairs(path: Path, in_memory: float = 1e9, times: list[datetime] = TIMES) -> Pairs:
    return Pairs(
        *([path], ROLES.forecast, times, initial_fields(path, times), in_memory),
        diagnosed=ROLES.diagnosed,
        longest_lead=LONGEST,
    )


@pytest.mark.parametrize("in_memory", [0.0, 1e9])
def test_a_batch_has_each_variable_where_its_role_says(numbered: Path, in_memory: float) -> None:
    batch = numbered_pairs(numbered, in_memory).batch([5, 5, 2], leads=[1, 4, 2])
    # From 05 to 06 UTC, and from 02 to 03 UTC.
    assert batch.now[:, :, 0, 0].tolist() == [[265.0], [265.0], [262.0]]
    assert batch.following[:, :, 0, 0].tolist() == [[266.0, 306.0], [266.0, 306.0], [263.0, 303.0]]
    # The forecasts that have the leads started at 05, 02 and 01 UTC; their fields are then 0, 3
    # and 1 h old, and 12 h are 1.
    of_hour, age = batch.forcings[:, 0, 0, 0].tolist(), batch.forcings[:, 1, 0, 0].tolist()
    assert of_hour == [5.0, 2.0, 1.0]
    assert age == pytest.approx([0.0, 3 / 12, 1 / 12])
    cropped = numbered_pairs(numbered, in_memory).batch([5], [(slice(2, 6), slice(3, 8))], [4])
    assert cropped.forcings.shape == (1, 2, 4, 5)
    assert cropped.forcings[0, 0].unique().tolist() == [2.0]


def test_fields_of_a_whole_grid_and_of_crops_are_not_taken_for_each_other() -> None:
    """Each point has a value of its own, and each hour."""
    rows, columns = small_grid().shape
    points = np.arange(rows * columns, dtype=np.float32).reshape(1, rows, columns)

    class Numbered:
        usable = TIMES

        def read(self, time: datetime, out: object = None, window: Window = WHOLE_GRID) -> Any:
            return (points + 1000.0 * time.hour)[:, *window]

    numbers = np.float32([[0], [1], [0], [1]])
    forcing = InitialFields(Statistics(("D2M",), ("identity",), *numbers), Numbered())
    crop = (slice(2, 6), slice(3, 8))
    for hour, window in [(5, crop), (5, WHOLE_GRID), (5, crop), (6, crop), (6, WHOLE_GRID)]:
        fields = forcing.at(ForecastHour(START + hours(hour), 1), window)
        expected = (points + 1000.0 * (START + hours(hour)).hour)[:, *window]
        np.testing.assert_array_equal(fields[:1], expected)


def test_training_shows_all_ages_as_often_and_nothing_later_than_the_start(numbered: Path) -> None:
    pairs = numbered_pairs(numbered)
    batches = ShuffledBatches(pairs, 4, 3, "m", samples_per_state=200)
    found = np.zeros((HOURS - 1, LONGEST), int)
    for batch in batches:
        start = batch.now[:, 0, 0, 0] - 260.0
        of_hour = batch.forcings[:, 0, 0, 0]
        assert (of_hour <= start).all()
        torch.testing.assert_close(batch.forcings[:, 1, 0, 0] * 12.0, start - of_hour)
        for hour, old in zip(start.int().tolist(), (start - of_hour).int().tolist(), strict=True):
            found[hour, old] += 1
    # The first hours have no fields from before: no more ages than hours.
    possible = np.tri(HOURS - 1, LONGEST, dtype=bool)
    assert (found[~possible] == 0).all()
    for counts, allowed in zip(found, possible, strict=True):
        expected = 200 / allowed.sum()
        # Four standard deviations of a binomial count.
        assert np.abs(counts[allowed] - expected).max() <= 4.0 * np.sqrt(expected)


def test_ages_depend_on_seed_epoch_and_sample_and_not_on_devices(numbered: Path) -> None:
    pairs = numbered_pairs(numbered)

    def drawn(epoch: int = 0, seed: int = 3, size: int = 4, delivery: Any = None) -> list[float]:
        batches = ShuffledBatches(pairs, size, seed, "m", delivery=delivery)
        batches.sampler.set_epoch(epoch)
        order = [batch.forcings[:, 0, 0, 0].tolist() for batch in batches]
        return [of_hour for batch in order for of_hour in batch]

    assert drawn() == drawn() == drawn(size=1)
    assert len({tuple(drawn(epoch)) for epoch in range(4)}) == 4
    assert drawn(seed=4) != drawn()
    halves = [drawn(delivery=Delivery(ranks=Ranks(number, 2))) for number in (0, 1)]
    assert sorted(halves[0] + halves[1]) == sorted(drawn())


def test_validation_shows_each_hour_at_the_same_age_and_all_ages(numbered: Path) -> None:
    pairs = numbered_pairs(numbered)
    first, second = (
        [batch.forcings[:, 1, 0, 0].tolist() for batch in OrderedBatches(pairs, 2)]
        for _ in range(2)
    )
    assert first == second
    later = [START + hours(hour) for hour in range(10, 1000)]

    class Always(Forcings):
        by_lead = True

        def has(self, hour: object) -> bool:
            return True

    leads = [usual_lead(time, Always((1, 1), []), LONGEST) for time in later]
    counts = np.bincount(leads, minlength=LONGEST + 1)[1:]
    assert np.abs(counts - 990 / LONGEST).max() < 4.0 * np.sqrt(990 / LONGEST)
    # Not by the hour of the day, which a network knows as well.
    assert len({lead for time, lead in zip(later, leads, strict=True) if time.hour == 6}) == LONGEST


def test_pairs_without_the_fields_of_any_start_are_left_out(numbered: Path) -> None:
    states = TIMES[:6]
    lacking = [time for time in TIMES if time.hour not in (2, 3, 4)]
    forcings = initial_fields(numbered, lacking)
    pairs = Pairs([numbered], ROLES.forecast, states, forcings, 1e9, diagnosed=ROLES.diagnosed)
    assert [time.hour for time in pairs.times] == [0, 1]
    longer = Pairs(
        *([numbered], ROLES.forecast, states, forcings, 1e9), diagnosed=["CAPE"], longest_lead=2
    )
    # From 02 UTC on, the fields of 01 UTC are 1 h old.
    assert [time.hour for time in longer.times] == [0, 1, 2]
    assert longer.batch([2]).forcings[0, 0, 0, 0].item() == 1.0


def test_a_missing_point_of_an_input_costs_no_hour_of_the_states(
    numbered: Path, tmp_path: Path
) -> None:
    path = tmp_path / "day.nc"
    shutil.copy(numbered, path)
    with netCDF4.Dataset(path, "a") as file:
        file["D2M"][2, 0, 0] = np.nan
        file["D2M"].incomplete_times = format_init(START + hours(2))
    pairs = numbered_pairs(path)
    assert pairs.times == TIMES[:-1]
    # No forecast starts at 02 UTC, but the hour after it may be one that started earlier.
    assert leads_at(START + hours(2), pairs.forcings, LONGEST) == (2, 3)
    none = make_forcings((), small_grid())
    assert Pairs([path], ["D2M"], TIMES, none, 0.0).times == [
        time for time in TIMES[:-1] if time.hour not in (1, 2)
    ]


@pytest.mark.parametrize("family", KINDS)
def test_every_family_gives_predicted_and_diagnosed_variables(family: str, numbered: Path) -> None:
    settings = settings_of(family)
    model = new_model("m", 1, settings, statistics_of(ROLES), roles=ROLES)
    pairs = Pairs(
        *([numbered], ROLES.forecast, TIMES, initial_fields(numbered), 0.0, settings.history),
        diagnosed=ROLES.diagnosed,
        longest_lead=LONGEST,
    )
    batch = pairs.batch([0, 1])
    losses = model.training_losses(batch, torch.Generator().manual_seed(1))
    assert losses.shape == (2, 2)
    assert model.loss_names == ("T2M", "CAPE")
    model.objective(losses).backward()
    assert model.rehearse(batch.now, batch.forcings, batch.before).shape == (2, 2, 13, 10)
    # The plan is of the same network.
    counted = model_without_data(settings, ROLES)
    sizes = [[each.shape for each in one.parameters()] for one in (counted, model)]
    assert sizes[0] == sizes[1]


def test_a_condition_holds_states_then_fields_of_the_initial_time_and_their_age() -> None:
    settings = settings_of("conditional_unet", forcings=["hour_of_day"])
    assert channels_of(settings, ROLES) == ("hour_sine", "hour_cosine", "D2M", AGE)
    model = new_model("m", 1, settings, statistics_of(ROLES, mean=5.0, std=2.0), roles=ROLES)
    now, forcings = torch.full((1, 1, 4, 4), 9.0), torch.arange(4.0)[None, :, None, None]
    condition = model.condition(now, forcings.expand(1, 4, 4, 4))
    assert condition[0, :, 0, 0].tolist() == [2.0, 0.0, 1.0, 2.0, 3.0]


def test_a_residual_is_of_what_is_predicted_and_a_diagnosed_variable_is_itself() -> None:
    numbers = [np.float32(each) for each in ([10, 4], [2, 8], [1, 100], [0.5, 100])]
    statistics = Statistics(("T2M", "PWAT"), ("identity",) * 2, *numbers)
    normalization = Normalization(statistics, "residual", diagnosed=1)
    now, following = torch.full((1, 1, 2, 2), 12.0), torch.full((1, 2, 2, 2), 14.0)
    encoded = normalization.encode(now, following)
    # (14 - 12 - 1) / 0.5 and (14 - 4) / 8.
    assert encoded[0, :, 0, 0].tolist() == [2.0, 1.25]
    assert torch.equal(normalization.decode(now, encoded), following)
    members = torch.stack([encoded, 0 * encoded], dim=1)
    assert normalization.transformed(now, members)[0, :, :, 0, 0].tolist() == [[14, 14], [13, 4]]
    # The upper bound of PWAT is far above what T2M's change would allow.
    bounded = normalization.within_bounds(now, torch.full((1, 2, 2, 2), -1e3), 0.0)
    assert normalization.decode(now, bounded)[0, 1].unique().item() == pytest.approx(0.0, abs=1e-5)
    # Nothing changes, and the mean of what is not known.
    assert normalization.persistence(now)[0, :, 0, 0].tolist() == [-2.0, 0.0]


def test_fields_of_the_initial_time_turn_and_stretch_with_the_states() -> None:
    roles = Roles(predicted=("T2M",), diagnosed=("CAPE",), input=("U10", "V10"))
    statistics = statistics_of(roles, mean=1.0, std=2.0)
    augmenter = Augmenter(
        Augmentation(noise={}), statistics, roles, [(1, statistics.of(roles.input))]
    )
    forcings = torch.zeros(4, 3, 3)
    forcings[0, 0, 2], forcings[3, 0, 2] = 5.0, 7.0
    # A wind of 11 m/s to the east in the lower right corner, calm elsewhere: (v - 1) / 2.
    forcings[1:3] = -0.5
    forcings[1, 0, 2] = 5.0
    changed = augmenter._changed_forcings(forcings, Change(turns=1, scale=2.0))
    # A quarter turn to the left: to the north in the upper right corner, at twice the speed; what
    # is no field of the initial time only turns.
    assert changed[2, 2, 2].item() == pytest.approx((22.0 - 1.0) / 2.0)
    assert changed[1].unique().item() == pytest.approx(-0.5)
    assert (changed[0, 2, 2].item(), changed[3, 2, 2].item()) == (5.0, 7.0)


def test_augmented_samples_keep_their_variables(numbered: Path) -> None:
    settings = Augmentation(probability=1.0, noise={"T2M": 0.1}, scale=(1.0, 1.0))
    augmenter = Augmenter(
        settings, statistics_of(ROLES), ROLES, [(0, statistics_of(ROLES).of(ROLES.input))]
    )
    batch = numbered_pairs(numbered).batch([5, 6])
    changed = augmenter(batch, *(torch.Generator().manual_seed(seed) for seed in (1, 2)))
    assert (changed.now.shape, changed.following.shape) == (batch.now.shape, batch.following.shape)
    assert torch.equal(changed.following[:, 1], batch.following[:, 1])
    assert (changed.now - batch.now).std().item() == pytest.approx(0.1, rel=0.3)


@pytest.fixture
def files_with_roles(
    synthetic: Path, training_files: Callable[[str], TrainingFiles], tmp_path: Path
) -> Callable[[str], TrainingFiles]:
    """What a training reads and writes, with statistics in the order of the roles."""
    paths = [synthetic / "first.nc", synthetic / "second.nc"]
    statistics = tmp_path / "statistics.nc"
    write_statistics(compute_statistics(paths, ROLES.every, TIMES), statistics, {})
    return lambda name: replace(training_files(name), statistics=statistics)


def in_roles(**changes: Any) -> Any:
    return make_settings(**{"variables": GIVEN, "leads": [1, 2], **changes, "periods": PERIODS})


PERIODS = {
    "training": {"start": START, "end": START + hours(4)},
    "validation": {"start": START + hours(6), "end": START + hours(9)},
    "test": {"start": START + hours(12), "end": START + hours(15)},
}


@pytest.mark.parametrize("kind", ["conditional_unet", "cnn_transformer"])
def test_a_model_is_trained_and_read_back_with_its_roles(
    files_with_roles: Callable[[str], TrainingFiles], kind: str
) -> None:
    training = {"epochs": 1, "augmentation": {}, "crop": [8, 8]}
    model_settings = settings_of(kind, training=training, forcings=["terrain"])
    if kind == "cnn_transformer":
        model_settings = settings_of(kind, history_as="states", loss={"bounded": True})
    for name in ("one", "two"):
        train("m", in_roles(), model_settings, files_with_roles(name))
    one, two = (load_model(files_with_roles(name).model, CPU, ROLES) for name in ("one", "two"))
    assert one.model.roles == ROLES
    weights = zip(one.model.parameters(), two.model.parameters(), strict=True)
    assert all(torch.equal(first, second) for first, second in weights)
    # It knows how old what it is given may be.
    assert one.longest_lead == 2
    # Statistics of inputs come with it.
    wanted = read_statistics(files_with_roles("one").statistics).of(["D2M"])
    assert one.model.statistics.of(["D2M"]).mean.tolist() == wanted.mean.tolist()


def test_a_perturbation_model_learns_the_state_alone_from_a_forecaster_with_roles(
    files_with_roles: Callable[[str], TrainingFiles],
) -> None:
    forecaster = settings_of("cnn_transformer", training={"epochs": 1})
    train("g", in_roles(), forecaster, files_with_roles("g"))
    perturbing = make_model_settings(target="perturbed_state", forecaster="g", forcings=[])
    files = replace(files_with_roles("p"), forecaster=files_with_roles("g").model)
    train("p", in_roles(), perturbing, files)
    trained = load_model(files.model, CPU, ROLES)
    assert trained.model.roles == Roles(predicted=("T2M",))
    assert trained.longest_lead is None


def test_a_checkpoint_of_other_roles_is_refused_in_one_line(tmp_path: Path) -> None:
    statistics = statistics_of(ROLES)
    model = new_model("m", 1, settings_of("conditional_unet"), statistics, roles=ROLES)
    path = tmp_path / "model.pt"
    save_model(path, "m", model, statistics, None, small_grid())
    assert load_model(path, CPU, ROLES).model.roles == ROLES
    for other in (
        Roles(predicted=("T2M", "CAPE"), input=("D2M",)),
        Roles(predicted=("T2M",), diagnosed=("CAPE",)),
        Roles(predicted=ROLES.every),
    ):
        with pytest.raises(StormdrawError) as caught:
            load_model(path, CPU, other)
        message = str(caught.value)
        assert "\n" not in message
        assert f"trained for {ROLES}, but" in message
        assert f"are {other}; delete it" in message


def test_a_checkpoint_from_before_there_were_roles_predicts_all(tmp_path: Path) -> None:
    roles = Roles(predicted=VARIABLES)
    model = new_model("m", 1, settings_of("conditional_unet"), statistics_of(roles))
    path = tmp_path / "model.pt"
    save_model(path, "m", model, statistics_of(roles), None, small_grid())
    content = torch.load(path, weights_only=True)
    del content["roles"], content["settings"]["inputs"]
    torch.save(content, path)
    old = load_model(path, CPU, roles).model
    assert old.roles == roles
    state, forcings = torch.randn(1, 3, 8, 8), torch.empty(1, 0, 8, 8)
    assert torch.equal(old.condition(state, forcings), model.condition(state, forcings))


def test_a_model_may_leave_out_inputs_of_its_run() -> None:
    run = Roles(predicted=("T2M",), input=("D2M", "U10", "V10"))
    assert settings_of("conditional_unet").roles_of(run) == run
    assert settings_of("conditional_unet", inputs=[]).roles_of(run).input == ()
    assert settings_of("conditional_unet", inputs=["D2M"]).roles_of(run).input == ("D2M",)
    with pytest.raises(StormdrawError, match=r"inputs names CAPE, but .* input are D2M, U10, V10;"):
        settings_of("conditional_unet", inputs=["CAPE"]).roles_of(run)
    with pytest.raises(StormdrawError, match=r"inputs is U10: give U10 and V10 together"):
        settings_of("conditional_unet", inputs=["U10"]).roles_of(run)


def test_a_downscaler_takes_all_variables_of_a_forecast_alike() -> None:
    settings = make_model_settings(
        family="block_mlp", network={}, target="block", variable="CAPE", forcings=[]
    )
    assert settings.roles_of(ROLES) == Roles(predicted=("T2M", "CAPE"))
    with pytest.raises(ValueError, match="remove history, forcings and inputs"):
        make_model_settings(
            family="block_mlp", network={}, target="block", variable="CAPE", inputs=["D2M"]
        )


def test_memory_counts_inputs_and_what_is_diagnosed() -> None:
    settings, shape = settings_of("conditional_unet"), (16, 16)
    less = Roles(predicted=("T2M",))
    small, large = (sampling_bytes(settings, roles, shape) for roles in (less, ROLES))
    # The solver's four fields of CAPE, and those of D2M and its age at least.
    assert large - small >= (4 + 2) * 4 * 16 * 16
    small, large = (training_memory(settings, roles, shape).activations for roles in (less, ROLES))
    assert large > small


def test_a_plan_counts_inputs_once(tmp_path: Path) -> None:
    settings, shape = in_roles(), (8, 12)
    hours_each, field = 5 + 4, 4 * 8 * 12
    model = settings_of("conditional_unet")
    assert plan("m", settings, model, shape)["roles"] == GIVEN
    assert plan("m", settings, model, shape)["training_bytes"]["data"] == hours_each * 3 * field
    without = settings_of("conditional_unet", inputs=[])
    assert plan("m", settings, without, shape)["training_bytes"]["data"] == hours_each * 2 * field
    # If there is room for the inputs alone, the states are read from the disk.
    only = settings_of("conditional_unet", training={"data_gigabytes": 9 * field / 1e9})
    assert plan("m", settings, only, shape)["training_bytes"]["data"] == hours_each * field


def test_inputs_too_large_for_memory_leave_it_to_the_states(
    files_with_roles: Callable[[str], TrainingFiles],
) -> None:
    """The inputs of 5 + 4 hours take 9 fields, the states 2 x 5 and 2 x 4."""
    (shape, settings), field = (small_grid().shape, in_roles()), 4 * 13 * 10
    for room, planned in [(8, 8), (7, 0), (9, 9), (16, 9), (18, 17), (19, 19), (27, 27)]:
        training = {"data_gigabytes": (room + 0.5) * field / 1e9}
        of_room = settings_of("conditional_unet", training=training)
        assert plan("m", settings, of_room, shape)["training_bytes"]["data"] == planned * field
        # As a training keeps them.
        files = files_with_roles("m")
        model = new_model("m", 1, of_room, read_statistics(files.statistics), roles=ROLES)
        learnt, validated = training_data(settings, model, files, small_grid(), CPU)
        (forcing,) = learnt.forcings
        kept = forcing._fields.bytes + learnt.bytes + validated.bytes
        assert kept == planned * field


def test_one_spelling_without_roles_gives_the_same_weights(
    training_files: Callable[[str], TrainingFiles],
) -> None:
    spelled = {"list": list(VARIABLES), "mapping": {"predicted": list(VARIABLES)}}
    found = []
    for name, variables in spelled.items():
        train("m", make_settings(variables=variables), make_model_settings(), training_files(name))
        found.append(load_model(training_files(name).model, CPU).model)
    pairs = zip(*(model.parameters() for model in found), strict=True)
    assert all(torch.equal(first, second) for first, second in pairs)
