"""How many members the files of each kind of system have at most."""

from typing import Any

import pytest
from one_system import configuration

from stormdraw.settings import Settings, load_settings

TRAINING = {"training": {"start": "2026-10-01T00:00:00", "end": "2026-10-10T23:00:00"}}


@pytest.mark.parametrize(
    ("system", "members"),
    [
        ({"method": "diffusion", "model": "small"}, 100),
        ({"method": "one_step", "model": "small", "members": 7}, 7),
        ({"method": "baseline", "kind": "persistence"}, 1),
        ({"method": "baseline", "kind": "hrrr"}, 1),
        ({"method": "baseline", "kind": "lagged", "ages": [0, 6, 12]}, 3),
        # Three hours of each of ten days.
        ({"method": "baseline", "kind": "climatology"}, 30),
        ({"method": "baseline", "kind": "climatology", "climatology_members": 20}, 20),
        ({"method": "baseline", "kind": "climatology", "window_hours": 12}, 60),
        ({"method": "reference"}, 14),
        ({"method": "reference", "kind": "products"}, 0),
    ],
)
def test_most_members(system: dict[str, Any], members: int) -> None:
    run = run_of(system)
    assert run.ensembles.systems[0].most_members(run) == members


def run_of(system: dict[str, Any], **changes: Any) -> Settings:
    test = {"start": "2026-10-12T00:00", "end": "2026-10-12T02:00"}
    usual = {
        "periods": {**TRAINING, "test": test},
        "archive": {"source": ["aws"], "reference": "refs"},
        "models": ["small"],
    }
    config = configuration(system, **usual | changes)
    config["ensembles"]["members"] = 100
    return load_settings(config)


CROPPED = {"crop": {"rows": [0, 9], "columns": [0, 9]}, "coarsen": 3}
LENIENT = {"source": ["aws"], "reference": "refs", "missing": "skip"}


@pytest.mark.parametrize(
    ("system", "changes", "settings"),
    [
        ({"method": "one_step", "model": "small", "members": 7}, {}, {"members": 7}),
        ({"method": "downscale", "models": ["small"]}, {}, {"members": 100}),
        ({"method": "baseline", "kind": "climatology"}, {}, TRAINING),
        ({"method": "reference"}, {}, {"may_be_missing": False}),
        ({"method": "reference"}, {"archive": LENIENT}, {"may_be_missing": True}),
        (
            {"method": "perfect"},
            {"archive": {}, "fields": CROPPED},
            {"members": 100, "target": CROPPED},
        ),
        ({"method": "baseline", "kind": "persistence"}, {}, {}),
    ],
)
def test_a_case_depends_on_the_settings_that_its_kind_reads(
    system: dict[str, Any], changes: dict[str, Any], settings: dict[str, Any]
) -> None:
    run = run_of(system, **changes)
    (it,) = run.ensembles.systems
    found = it.depends_on(run)
    crop = found.get("target", {}).get("crop")
    if crop is not None:
        found["target"]["crop"] = {key: list(bounds) for key, bounds in crop.items()}
    assert found == settings


@pytest.mark.parametrize(
    ("system", "variables"),
    [
        ({"method": "reference", "kind": "products"}, ["T2M", "WIND10"]),
        ({"method": "reference"}, ["REFC", "T2M", "U10", "V10"]),
        ({"method": "baseline", "kind": "persistence"}, ["REFC", "T2M", "U10", "V10"]),
    ],
)
def test_mean_and_spread_are_of_what_is_published(
    system: dict[str, Any], variables: list[str]
) -> None:
    run = run_of(system, variables=["REFC", "T2M", "U10", "V10"])
    (it,) = run.ensembles.systems
    assert it.variables(run, {}) == variables
