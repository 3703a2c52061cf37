"""The rules of each stage alone: from the files of the stages before, without any other rule.

The inputs are those of the finished small experiment. Outputs are removed and made again by these
rules only, in a copy of its folder; what they make must be what they made before. Snakemake and
each job are processes of their own here, as for a user.
"""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from small_experiment import CONFIG, Experiment

from stormdraw.fields.packing import packing_of
from stormdraw.scores.check.chosen import chosen_case

CHECKED = chosen_case(CONFIG["seed"], "small", ["2026060200", "2026060206"], lambda init: True)

RULES = {
    "archive_simulate": ["archive/simulated", "archive/simulated_world.nc"],
    "archive_fetch": ["archive/href/20260602/manifest.csv"],
    "archive_audit": ["archive/audit.csv"],
    "fields_normalise": ["fields/hrrr/20260602.nc"],
    "fields_static": ["fields/static.nc"],
    "fields_statistics": ["fields/statistics.nc"],
    "fields_percentiles": ["fields/percentiles.nc"],
    "fields_reference": ["fields/href/2026060206.nc"],
    "models_plan": ["models/small/plan.json"],
    "models_train": ["models/small/model.pt", "models/small/metrics.json"],
    "models_diagnose": ["models/small/diagnosis.nc"],
    "ensembles_calibrate": ["models/small/calibration_small.json"],
    "ensembles_sample": ["ensembles/small/2026060206.nc"],
    "ensembles_take": [
        f"ensembles/{system}/2026060206.nc" for system in ("href", "climatology", "perfect")
    ],
    "scores_points": ["points/2026060206.nc"],
    "scores_case": ["scores/small/2026060206.nc"],
    "scores_second_opinion": [f"scores/second_opinion/small/{CHECKED}.csv"],
    "scores_check": ["scores/check.csv"],
    "scores_summary": [
        "scores/summary.csv",
        "scores/scores.parquet",
        "scores/verdicts.csv",
        "scores/missing.csv",
        "scores/by_hour.csv",
    ],
    "report_map": ["report/maps/small.nc"],
    "report_figure": [
        f"report/figures/{name}.svg"
        for name in ("crps_maps", "archive_audit", "variables/T2M", "models/small/diagnosis")
    ],
    "report_scorecard": ["report/scorecard.html", "report/headline.json"],
    "report_winner": ["report/products/2026060206.nc", "report/products/2026060206.prob.grib2"],
    "report_products": [
        f"report/products_of/small/2026060206.{kind}"
        for kind in ("nc", "mean.grib2", "sprd.grib2", "pmmn.grib2", "prob.grib2", "prob.grib2.idx")
    ],
}


# Those that take the place of ensembles_sample when several jobs share a case.
OF_SEVERAL_JOBS = {"ensembles_part", "ensembles_join"}

# Those that write for other programs, if the configuration asks for it.
OF_EXPORTS = {
    "ensembles_export": ["ensembles/small.zarr/.cases/2026060200.json"],
    "models_export": ["models/small/package"],
}


@pytest.fixture(scope="module")
def bench(finished: Experiment, tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    """A copy of the finished experiment that rules may be run in, one after the other."""
    return finished.copy(tmp_path_factory.mktemp("bench") / "checkout")


def test_every_rule_is_tried(root):
    """Those within an `if` are tried where a configuration asks for them, in tests/workflow."""
    text = "".join(path.read_text() for path in (root / "rules").rglob("*.smk"))
    always, ever = (set(re.findall(f"^{at}rule (\\w+):", text, re.M)) for at in ("", " *"))
    assert always <= set(RULES) | OF_SEVERAL_JOBS | set(OF_EXPORTS) <= ever


# One start of Snakemake a stage. The simulated archive is older than all, and all follow from it.
TOGETHER: dict[str, list[str]] = {}
for _rule in RULES:
    _stage = _rule if _rule == "archive_simulate" else _rule.partition("_")[0]
    TOGETHER.setdefault(_stage, []).append(_rule)


@pytest.mark.parametrize("stage", TOGETHER)
def test_the_rules_of_a_stage_make_the_same_again(stage, bench, finished):
    rules = TOGETHER[stage]
    outputs = [bench.results / path for rule in rules for path in RULES[rule]]
    for output in outputs:
        shutil.rmtree(output) if output.is_dir() else output.unlink()
    targets = [path.relative_to(bench.folder) for path in outputs]
    only = ["--allowed-rules", *rules, "--rerun-triggers", "mtime"]
    run = bench.snakemake_as_typed(*targets, *only)
    assert run.returncode == 0, run.stdout
    assert {path.name for path in bench.folder.parent.iterdir()} <= {"checkout", ".cache"}
    for output in outputs:
        before = finished.results / output.relative_to(bench.results)
        assert same_content(output, before), f"{output} differs from {before}"
        if output.is_file():
            # Seconds and memory differ from run to run, and later figures show them.
            shutil.copyfile(before, output)


def test_several_jobs_draw_what_one_draws(bench, finished):
    path = "ensembles/small/2026060206.nc"
    (bench.results / path).unlink()
    config = bench.config
    bench.configure({**config, "ensembles": {**config["ensembles"], "jobs_per_case": 2}})
    try:
        only = ["--allowed-rules", *sorted(OF_SEVERAL_JOBS), "--rerun-triggers", "mtime"]
        run = bench.snakemake(f"results/{path}", *only)
    finally:
        bench.configure(config)
    assert run.returncode == 0, run.stdout
    with (
        xr.open_dataset(bench.results / path) as split,
        xr.open_dataset(finished.results / path) as whole,
    ):
        np.testing.assert_array_equal(
            split.attrs["noise_amplitude"], whole.attrs["noise_amplitude"]
        )
        # Batches of other sizes round otherwise, and so a value may be packed as its neighbour.
        # The calibration then widens that step with the spread, and packs the value again.
        allowed = {
            name: step_of(name) * (1 + np.max(whole.attrs.get(f"spread_factor_{name}", 1.0)))
            for name in ("REFC", "T2M", "D2M", "U10", "V10")
        }
        allowed["WIND10"] = float(np.hypot(allowed["U10"], allowed["V10"])) + step_of("WIND10")
        for name in whole.data_vars:
            rounding = 1e-4 * float(whole[name].std()) + 1e-6 * float(np.abs(whole[name]).max())
            difference = float(np.abs(split[name] - whole[name]).max())
            assert difference <= allowed[str(name)] + rounding, name
    assert [file.name for file in (bench.results / path).parent.glob("2026060206*")] == [
        "2026060206.nc"
    ]


def test_what_is_exported_is_what_the_run_has(bench):
    config = bench.config
    exporting = {"ensembles": {**config["ensembles"], "export": "zarr"}, "models_export": ["small"]}
    targets = [f"results/{path}" for paths in OF_EXPORTS.values() for path in paths]
    bench.configure({**config, **exporting})
    try:
        only = ["--allowed-rules", *OF_EXPORTS, "--rerun-triggers", "mtime"]
        run = bench.snakemake(*targets, *only)
    finally:
        bench.configure(config)
    assert run.returncode == 0, run.stdout
    with (
        xr.open_zarr(bench.results / "ensembles" / "small.zarr") as store,
        xr.open_dataset(bench.results / "ensembles" / "small" / "2026060200.nc") as file,
    ):
        assert set(store.data_vars) == set(file.data_vars) > {"T2M", "WIND10"}
        for name in file.data_vars:
            own = file[name].values.astype(np.float32)
            np.testing.assert_array_equal(store[name].sel(init_time="2026-06-02T00"), own)
    package = bench.results / "models" / "small" / "package"
    about = json.loads((package / "model.json").read_text())
    # Not as the calibrated system, whose members no package draws.
    assert about["how"] == {
        **{"system": "small_raw", "rho": 0.0, "noise_amplitude": [1.0]},
        **{"sampler": "dpm_solver++", "eta": 0.0},
    }
    assert about["predicted"] == ["REFC", "T2M", "D2M", "U10", "V10"]
    assert "2026-06-01T00:00" in (package / "README.md").read_text()


def step_of(variable: str) -> float:
    return float(packing_of(variable).step)


def same_content(one: Path, other: Path) -> bool:
    """Equal but for the time of writing."""
    if one.is_dir():
        names = sorted(path.relative_to(one) for path in one.rglob("*") if path.is_file())
        others = sorted(path.relative_to(other) for path in other.rglob("*") if path.is_file())
        return names == others and all(same_content(one / n, other / n) for n in names)
    if one.suffix == ".nc":
        with xr.open_dataset(one) as first, xr.open_dataset(other) as second:
            return first.drop_attrs().identical(second.drop_attrs())
    if one.suffix == ".pt":
        import torch

        first, second = (torch.load(path, weights_only=True)["state_dict"] for path in (one, other))
        return all(np.array_equal(first[name], second[name]) for name in first | second)
    if one.suffix in {".json", ".html"}:
        # They tell seconds, memory and versions: there, and of about the same size.
        return abs(one.stat().st_size - other.stat().st_size) < 0.1 * other.stat().st_size
    if one.suffix == ".svg":
        # Matplotlib numbers some clip paths by their place in memory.
        first, second = (re.sub(rb"[0-9a-f]{10}", b"", path.read_bytes()) for path in (one, other))
        return first == second
    return one.read_bytes() == other.read_bytes()
