"""What only the run, its models and the grid together tell is told before anything is fetched."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from stormdraw import configuration
from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.configuration import check_places, read_configuration, remarks, require_past
from stormdraw.errors import StormdrawError
from stormdraw.fields.expected_grid import archive_grid, target_grid, target_shape
from stormdraw.grids import Grid
from stormdraw.models.settings import load_model_settings
from stormdraw.settings import load_settings, load_yaml

RUN = """\
title: A run
variables: [T2M, D2M, CAPE]
periods:
  training: {start: 2026-06-01, end: 2026-06-01T05}
  test: {start: 2026-06-08, end: 2026-06-09}
leads: [1]
models: [small]
ensembles:
  systems:
    - {name: persistence, method: baseline, kind: persistence}
"""

MODEL = {
    "family": "conditional_unet",
    "prediction": "v",
    "target": "residual",
    "training": {"epochs": 1},
}


@pytest.fixture
def read(tmp_path: Path):  # type: ignore[no-untyped-def]
    """What comes of a run file and a model; files named in the test lie beside them."""

    def read(run: dict[str, Any] | None = None, model: dict[str, Any] | None = None) -> Any:
        path = tmp_path / "run.yaml"
        path.write_text(RUN + (yaml.safe_dump(run) if run else ""))
        (tmp_path / "small.yaml").write_text(yaml.safe_dump(MODEL | (model or {})))
        settings, models = read_configuration(
            load_yaml(path), [path], lambda name: tmp_path / f"{name}.yaml"
        )
        check_places(settings, models, [path])
        return settings

    return read


BLOCKS = {
    "family": "block_mlp",
    "network": {"block": 16},
    "target": "block",
    "variable": "T2M",
}
FRAMES = {
    "family": "cnn_transformer",
    "network": {"channels": [32, 32], "frames": 6},
    "prediction": "target",
    "history": 6,
}
BOX = {"west": -100, "east": -90, "south": 30, "north": 40}


@pytest.mark.parametrize(
    ("run", "model", "said"),
    [
        (
            {"fields": {"static": []}},
            {"forcings": ["terrain"]},
            r"run.yaml:12: fields.static lacks OROG, which the forcing terrain of the model small",
        ),
        (
            {"fields": {"static": ["OROG"]}},
            {"forcings": ["terrain", "land"]},
            r"run.yaml:12: fields.static lacks LAND, which the forcing land of the model small",
        ),
        ({}, BLOCKS | {"variable": "CIN"}, r"run.yaml:7: models: small downscales CIN, but the"),
        ({}, FRAMES, r"run.yaml:4: periods.training has 6 hours, but models: small learns from 7"),
        (
            {"fields": {"crop": {"rows": [0, 98], "columns": [0, 20]}}},
            {},
            r"run.yaml:1\d: fields.crop asks for rows .*0, 98.* grid has 97 x 131",
        ),
        ({"fields": {"coarsen": 49}}, {}, r"run.yaml:12: fields.coarsen is 49, but the grid has"),
        (
            {"fields": {"crop": {"rows": [0, 15], "columns": [0, 20]}}},
            BLOCKS,
            r"models: small draws blocks of 16 x 16 points, but the grid has only 15 x 20",
        ),
        (
            {"scores": {"regions": {"east": BOX | {"west": -80, "east": -70}}}},
            {},
            r"run.yaml:1\d: scores.regions.east: it contains no point of the grid",
        ),
        ({"scores": {"variogram_lags": [1, 131]}}, {}, r"scores.variogram_lags has 131 points"),
        ({"archive": {"source": {"mirror": "/no/such"}}}, {}, "run.yaml:1.: archive.source.mirror"),
    ],
)
def test_what_does_not_go_together(read, run, model, said) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(StormdrawError, match=said) as caught:
        read(run, model)
    assert "\n" not in str(caught.value)


def test_what_does_go_together(read) -> None:  # type: ignore[no-untyped-def]
    crop = {"crop": {"rows": [0, 97], "columns": [0, 131]}, "coarsen": 48}
    # The demo's world lies in Kansas.
    scores = {"regions": {"middle": BOX}, "variogram_lags": [1]}
    settings = read({"fields": crop, "scores": scores}, {"forcings": ["terrain"]})
    assert target_shape(settings) == (2, 2)
    read({}, FRAMES | {"network": {"channels": [32, 32], "frames": 5}, "history": 5})
    # A model learns nothing of the test period.
    short = {"start": "2026-06-08", "end": "2026-06-08T01"}
    run = yaml.safe_load(RUN)["periods"] | {"test": short}
    read({"periods": run}, FRAMES | {"network": {"channels": [32, 32], "frames": 5}, "history": 5})
    read({"fields": {"crop": {"rows": [0, 16], "columns": [0, 16]}}}, BLOCKS)


def test_a_region_that_is_no_file(read, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "plains.geojson"
    run = {"scores": {"regions": {"plains": {"file": str(path)}}}}
    with pytest.raises(StormdrawError, match=r"plains.geojson: cannot be read as a region"):
        read(run)
    ring = [[-103, 33], [-93, 33], [-93, 42], [-103, 42], [-103, 33]]
    path.write_text(json.dumps({"type": "Polygon", "coordinates": [ring]}))
    assert read(run).scores.regions["plains"].file == str(path)


def test_the_validation_counts_too(read) -> None:  # type: ignore[no-untyped-def]
    periods = {
        "training": {"start": "2026-06-01", "end": "2026-06-02"},
        "validation": {"start": "2026-06-04", "end": "2026-06-04T05"},
        "test": {"start": "2026-06-08", "end": "2026-06-09"},
    }
    with pytest.raises(StormdrawError, match=r"periods.validation has 6 hours, but models: small"):
        read({"periods": periods}, FRAMES)


def test_the_grid_of_a_mirror_is_that_of_its_files(read, real_data: Path) -> None:  # type: ignore[no-untyped-def]
    mirror = {"source": {"mirror": str(real_data / "hrrr_idaho")}, "analysis_lead": 1}
    assert target_grid(read({"archive": mirror})).shape == (78, 41)
    with pytest.raises(StormdrawError, match="grid has 78 x 41 points"):
        read({"archive": mirror, "fields": {"crop": {"rows": [0, 79], "columns": [0, 41]}}})


PHYSICS = {"family": "gnn", "prediction": "target", "physics": {}}
EQUAL_AREA = Grid(
    "+proj=laea +lat_0=54.9 +lon_0=-2.5 +R=6371229",
    tuple(3e5 + 3e3 * column for column in range(5)),
    tuple(3e5 + 3e3 * row for row in range(4)),
)
OBLONG = Grid(HRRR.crs, HRRR.x[::2][:5], HRRR.y[:5])


@pytest.mark.parametrize(
    ("grid", "model", "said"),
    [
        (EQUAL_AREA, {}, None),
        (EQUAL_AREA, PHYSICS, "models: small has physics, and map"),
        (OBLONG, {}, None),
        (OBLONG, PHYSICS, "models: small has physics, and cells must be square, .* 6000 x 30"),
        (HRRR.crop(slice(5), slice(5)), PHYSICS, None),
    ],
)
def test_maps_that_laws_do_not_know(  # type: ignore[no-untyped-def]
    read, monkeypatch, grid, model, said
) -> None:
    monkeypatch.setattr(configuration, "target_grid", lambda settings: grid)
    if said is None:
        assert read({}, model)
    else:
        with pytest.raises(StormdrawError, match=said):
            read({}, model)


def test_products_need_a_grid_that_grib_is_written_on(  # type: ignore[no-untyped-def]
    read, monkeypatch
) -> None:
    part = HRRR.crop(slice(20), slice(20))
    monkeypatch.setattr(configuration, "target_grid", lambda settings: part)
    drawn = {"name": "drawn", "method": "diffusion", "model": "small"}
    run = {"ensembles": {"systems": [drawn]}, "report": {"products_of": "drawn"}}
    assert read(run)
    for grid in (EQUAL_AREA, Grid(HRRR.crs.replace("6371229", "6370000"), part.x, part.y)):
        monkeypatch.setattr(configuration, "target_grid", lambda settings, grid=grid: grid)
        with pytest.raises(StormdrawError, match=r"products_of is drawn, and GRIB2 is written"):
            read(run)


def test_the_simulated_world_is_a_part_of_hrrrs_grid(read) -> None:  # type: ignore[no-untyped-def]
    assert HRRR.shape == (1059, 1799)
    whole = {"rows": [1000, 1059], "columns": [1700, 1799]}
    assert target_grid(read({"archive": {"simulated": whole}})).x[-1] == HRRR.x[-1]
    for wrong in ({"rows": [1000, 1060]}, {"columns": [1700, 1800]}, {"rows": [5, 6]}):
        with pytest.raises(StormdrawError, match=r"archive.simulated.\w+: .* of HRRR's 1\d+ "):
            read({"archive": {"simulated": wrong}})


def test_the_grid_behind_an_address_is_not_known(root: Path) -> None:
    config = yaml.safe_load((root / "config" / "idaho.yaml").read_text())
    config["archive"]["source"] = {"mirror": "https://example.org/hrrr"}
    settings = load_settings(config)
    assert archive_grid(settings) is None
    assert target_grid(settings) is None
    assert target_shape(settings) == HRRR.shape
    config["archive"]["source"] = ["aws"]
    assert archive_grid(load_settings(config)) == HRRR


@pytest.mark.parametrize(
    ("west", "east", "said"),
    [
        (-100, -90, None),
        (-180, 0, None),
        (-90, -100, "crosses the 180th meridian and is 350 degrees wide"),
        (170, -170, "crosses the 180th meridian and is 20 degrees wide"),
        (-100, 100, "is 200 degrees wide; if that is not intended, exchange its west (-100) and"),
        (-180, 180, "is 360 degrees wide"),
    ],
)
def test_boxes_whose_sides_may_be_exchanged(read, west, east, said) -> None:  # type: ignore[no-untyped-def]
    box = BOX | {"west": west, "east": east}
    config = yaml.safe_load(RUN) | {"scores": {"regions": {"box": box}}}
    told = remarks(load_settings(config), {}, datetime(2026, 12, 1))
    assert len(told) == (said is not None)
    if said is not None:
        assert told[0].startswith("scores.regions.box ")
        assert said in told[0]


def test_hours_to_come_end_the_run(root: Path) -> None:
    config = load_settings(yaml.safe_load((root / "config" / "config.yaml").read_text()))
    with pytest.raises(StormdrawError, match=r"periods.test ends 2026-09-27 18:00:00, in the futu"):
        require_past(config, datetime(2026, 9, 25))
    require_past(config, datetime(2026, 9, 28))
    demo = load_settings(yaml.safe_load((root / "config" / "demo.yaml").read_text()))
    require_past(demo, datetime(2020, 1, 1))


def test_hours_that_are_excluded_in_vain_are_remarked_on() -> None:
    config = yaml.safe_load(RUN)
    # In the training, valid in the test; before the training, between the cases.
    named = ["2026-06-01T03", "2026-06-08T01", "2026-05-31T23", "2026-06-08T12"]
    config["archive"] = {"exclude": named}
    told = remarks(load_settings(config), {}, datetime(2026, 12, 1))
    assert told == [
        f"archive.exclude names 2026-0{time}:00:00, which is not an hour of the run"
        for time in ("5-31 23", "6-08 12")
    ]


def test_a_driving_model_that_drives_nothing_is_remarked_on(root: Path) -> None:
    config = yaml.safe_load(RUN)
    config["archive"] = {"driving": {"model": "gfs"}}
    settings, now = load_settings(config), datetime(2026, 12, 1)
    own = load_model_settings(root / "config" / "models" / "crps_unet_history.yaml")
    driven = load_model_settings(root / "config" / "models" / "crps_unet_driven.yaml")
    (told,) = remarks(settings, {"own": own}, now)
    assert told.startswith("archive.driving is gfs, but no model has the forcing driving")
    assert remarks(settings, {"own": own, "driven": driven}, now) == []
    assert remarks(load_settings(yaml.safe_load(RUN)), {"own": own}, now) == []
