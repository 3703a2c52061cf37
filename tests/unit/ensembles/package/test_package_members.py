"""Where only torch and NumPy are, packages draw the members that systems have."""

from pathlib import Path

import numpy as np
import pytest
from packages import KINDS, QUICK, drawn_here, pack
from rounding import assert_same_members

OTHERS = [kind for kind in KINDS if kind not in QUICK]


@pytest.fixture(scope="module")
def others_packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `packed`, of the other kinds."""
    return pack(tmp_path_factory.mktemp("packages"), OTHERS)


@pytest.mark.parametrize("kind", QUICK)
def test_a_package_draws_the_members_of_its_system(kind, packed):
    drawn, expected = drawn_in_both_ways(kind, packed)
    assert drawn.shape == expected.shape
    assert_same_members(drawn, expected, KINDS[kind][2].forecast)


@pytest.mark.slow
@pytest.mark.parametrize("kind", OTHERS)
def test_packages_of_other_kinds_draw_the_members_of_their_systems(kind, others_packed):
    drawn, expected = drawn_in_both_ways(kind, others_packed)
    assert drawn.shape == expected.shape
    assert_same_members(drawn, expected, KINDS[kind][2].forecast)


def drawn_in_both_ways(kind: str, packed: Path) -> tuple[np.ndarray, np.ndarray]:
    """The members of a package, and of its system, (member, hour, variable, y, x)."""
    expected = drawn_here(kind, packed / f"{kind}.pt", packed / "day.nc", packed / "static.nc")
    assert expected[:, 1].std(axis=(-2, -1)).max() > 0.1, "the forecast has no features"
    with np.load(packed / kind / "drawn.npz") as file:
        return np.stack([file[name] for name in KINDS[kind][2].forecast], axis=2), expected
