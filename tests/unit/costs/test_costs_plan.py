"""What a user is told a run will cost."""

import dataclasses

from stormdraw.costs.plan import cost_plan, plan_text
from stormdraw.settings import load_settings


def test_the_text_of_a_plan(config, models, tmp_path):
    plan = cost_plan(load_settings(config), models)
    text = plan_text(plan, 4, 1, 2, tmp_path)
    lines = {line.split()[0]: line for line in text.splitlines()[1:]}
    assert text.startswith("Costs\n")
    assert "30   hrrr 9, static 1, href 20" in lines["files"]
    on_gpus = [line for line in text.splitlines() if line.split()[0] == "GPU-hours"]
    named = ("an RTX 4090", "an A100 of 80 GB", "an H100 of 80 GB")
    assert len(on_gpus) == len(named)
    shortest = []
    for line, name, on in zip(on_gpus, named, plan.computing.values(), strict=True):
        least, most = (f"{hours:.2g}" for hours in on.gpu_hours)
        assert f"{least} to {most}   on {name}, not measured" in line
        shortest.append(min(on.gpu_hours))
    assert shortest == sorted(shortest, reverse=True)
    assert "without a GPU" in lines["core-hours"]
    assert "4   still to run, 1 of them on a GPU" in lines["jobs"]
    assert "2   to Slurm" in lines["submissions"]
    assert "too small" not in text
    full = dataclasses.replace(plan, disk={"fields": 10**18})
    assert "The disk is too small" in plan_text(full, 4, 1, 2, tmp_path)
    assert "Ensembles go" not in text
    passing = dataclasses.replace(plan, passing_ensembles=3 * 10**12)
    text = plan_text(passing, 4, 1, 2, tmp_path)
    assert "Ensembles are deleted once they are scored: of 3 TB in all" in text


def test_the_plan_tells_of_ensembles_that_go(config, models):
    plan = cost_plan(load_settings(config), models)
    assert plan.passing_ensembles == 0
    kept = plan.disk["ensembles"]
    config["ensembles"]["keep"] = False
    assert cost_plan(load_settings(config), models).passing_ensembles == kept
