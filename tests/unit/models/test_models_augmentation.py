"""Changed samples: physics that turns with them, chance that depends on the seed only."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from synthetic_hours import make_model_settings

from stormdraw.fields.statistics import Statistics
from stormdraw.models.augmentation import Augmenter
from stormdraw.models.pairs import Batch
from stormdraw.models.physics import divergence
from stormdraw.models.ranks import Share
from stormdraw.models.training_settings import Augmentation
from stormdraw.variables import DEFAULT_STATE, variable

NEVER = {"probability": 1.0, "noise": {}, "rotation_probability": 0}
ALWAYS = {"probability": 1.0, "rotation_probability": 1.0}


def augmenter(**settings: Any) -> Augmenter:
    transforms = tuple(variable(name).transform for name in DEFAULT_STATE)
    mean = np.array([0, 290, 280, 1, 2, 10, -2], dtype=np.float32)
    std = np.array([5, 10, 8, 3, 4, 10, 2], dtype=np.float32)
    statistics = Statistics(DEFAULT_STATE, transforms, mean, std, mean, std)
    return Augmenter(Augmentation(**settings), statistics)


def batch(samples: int = 4, side: tuple[int, int] = (6, 6)) -> Batch:
    random = torch.Generator().manual_seed(1)
    scale = torch.tensor([3.0, 5, 5, 5, 5, 100, 20])[:, None, None]
    offset = torch.tensor([0.0, 290, 270, 0, 0, 500, -100])[:, None, None]
    now, following = offset + scale * torch.randn(2, samples, 7, *side, generator=random)
    forcings = torch.randn(samples, 3, *side, generator=random)
    forcings[:, 1], forcings[:, 2] = np.sin(1.0), np.cos(1.0)
    map_factor, weights = torch.rand(2, samples, *side)
    return Batch(now, following, forcings, (), map_factor=map_factor, weights=weights)


def generators(seed: int = 3) -> tuple[torch.Generator, torch.Generator]:
    return torch.Generator().manual_seed(seed), torch.Generator().manual_seed(seed + 1)


def test_off_by_default() -> None:
    assert make_model_settings().training.augmentation is None
    unchanged = batch()
    assert augmenter(probability=0.0)(unchanged, *generators()) is unchanged


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_winds_turn_with_the_fields(turns: int) -> None:
    y, x = torch.meshgrid(torch.arange(-3.0, 4), torch.arange(-3.0, 4), indexing="ij")
    states = torch.zeros(1, 7, 7, 7)
    u, v = DEFAULT_STATE.index("U10"), DEFAULT_STATE.index("V10")
    # An outflow that also turns to the left, the same from every side: nothing changes.
    states[0, u], states[0, v] = 2 * x - y, 2 * y + x
    torch.testing.assert_close(augmenter().turned(states, turns), states)
    # A jet to the east in the south, a quarter turned to the left, goes north in the east.
    states[0, u], states[0, v] = torch.where(y < -1, 10.0, 0.0), 0.0
    turned = augmenter().turned(states, 1)
    torch.testing.assert_close(turned[0, v], torch.where(x > 1, 10.0, 0.0))
    assert turned[0, u].abs().max() == 0.0
    # Speed and divergence turn as any field does.
    states[0, u : v + 1] = torch.randn(2, 7, 7)
    turned = augmenter().turned(states, turns)
    flat = torch.ones(7, 7)
    torch.testing.assert_close(
        divergence(turned[0, u], turned[0, v], flat),
        torch.rot90(divergence(states[0, u], states[0, v], flat), turns, dims=(1, 0)),
    )


def test_a_state_without_wind_turns_as_any_field_does() -> None:
    one = np.ones(1, dtype=np.float32)
    alone = Augmenter(Augmentation(noise={}), Statistics(("T2M",), ("identity",), *[one] * 4))
    states = torch.arange(9.0).reshape(1, 1, 3, 3)
    torch.testing.assert_close(alone.turned(states, 1), torch.rot90(states, 1, dims=(-1, -2)))


def test_all_fields_of_a_sample_turn_together() -> None:
    given = batch()
    turned = augmenter(**{**NEVER, "rotation_probability": 1.0, "scale": (1.0, 1.0)})(
        given, *generators()
    )
    temperature = DEFAULT_STATE.index("T2M")
    for k in range(4):
        (turns,) = [
            n
            for n in (1, 2, 3)
            if torch.equal(
                torch.rot90(given.now[k, temperature], n, dims=(1, 0)), turned.now[k, temperature]
            )
        ]
        for name in ("forcings", "map_factor", "weights"):
            expected = torch.rot90(getattr(given, name)[k], turns, dims=(-1, -2))
            assert torch.equal(getattr(turned, name)[k], expected)
    # Samples that are not square stay as they are, or stand on their heads.
    oblong = batch(side=(6, 8))
    turned = augmenter(**ALWAYS)(oblong, *generators())
    assert torch.equal(turned.map_factor, oblong.map_factor.flip(1, 2))


def test_scale_leaves_nothing_where_it_is() -> None:
    nothing = torch.tensor([-10.0, 290, 280, 0, 0, 0, 0])[:, None, None]
    torch.testing.assert_close(augmenter().scaled(nothing, 1.05), nothing)
    more = torch.tensor([10.0, 1, 2, 3, 4, 100, -20])[:, None, None]
    torch.testing.assert_close(augmenter().scaled(nothing + more, 1.05), nothing + 1.05 * more)


def test_noise_is_added_to_inputs_only_with_the_configured_deviation() -> None:
    given = batch(16, (32, 32))
    given = replace(given, now=given.now.clone(), following=given.following)
    given.now[:, 1:3] = torch.tensor([300.0, 270.0])[:, None, None]
    noisy = augmenter(**{**NEVER, "noise": {"T2M": 0.1, "D2M": 0.02}, "scale": (1.0, 1.0)})(
        given, *generators()
    )
    torch.testing.assert_close(noisy.following, augmenter()._within_bounds(given.following))
    still = [0, 3, 4, 5, 6]
    bounded = augmenter()._within_bounds(given.now)
    torch.testing.assert_close(noisy.now[:, still], bounded[:, still])
    added = noisy.now - given.now
    assert added[:, 1].std() == pytest.approx(0.1 * 10.0, rel=0.03)
    assert added[:, 2].std() == pytest.approx(0.02 * 8.0, rel=0.03)


def test_changed_states_keep_within_bounds() -> None:
    given = batch(8)
    given.now[:, 2] = given.now[:, 1] + 1.0
    changed = augmenter(**ALWAYS, noise={"T2M": 2.0, "D2M": 2.0})(given, *generators())
    for states in (changed.now, changed.following):
        assert (states[:, 2] <= states[:, 1]).all()
        for index, name in enumerate(DEFAULT_STATE):
            assert states[:, index].min() >= variable(name).lower
            assert states[:, index].max() <= variable(name).upper


def test_changes_occur_with_the_configured_probabilities() -> None:
    drawn = augmenter().draw(20_000, True, torch.Generator().manual_seed(1))
    changed = [change for change in drawn if change is not None]
    assert len(changed) / len(drawn) == pytest.approx(0.5, abs=0.015)
    share = 1 / len(changed)
    assert share * sum(c.turns > 0 for c in changed) == pytest.approx(0.3, abs=0.02)
    assert {c.turns for c in changed} == {0, 1, 2, 3}
    scales = [c.scale for c in changed]
    assert (min(scales), max(scales)) == pytest.approx((0.95, 1.05), abs=1e-3)


def test_same_seed_same_samples_on_any_number_of_devices() -> None:
    whole = batch(5)
    changed = augmenter(**ALWAYS)(whole, *generators())
    assert torch.equal(changed.now, augmenter(**ALWAYS)(whole, *generators()).now)
    assert not torch.equal(changed.now, augmenter(**ALWAYS)(whole, *generators(7)).now)
    for places in ((0, 2, 4), (1, 3)):
        share = Share(places, 5, len(places), 2)
        each = {
            name: getattr(whole, name)[list(places)]
            for name in ("now", "following", "forcings", "map_factor", "weights")
        }
        mine = augmenter(**ALWAYS)(Batch(**each, times=(), share=share), *generators())
        for name in each:
            assert torch.equal(getattr(mine, name), getattr(changed, name)[list(places)])
