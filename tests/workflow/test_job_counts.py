"""How many jobs an edit costs where ensembles go (`keep: false`).

No experiment is run: Snakemake is told that empty files are the results, and that they are up to
date.
"""

import copy
import shutil
from collections.abc import Callable

import pytest
import yaml
from small_experiment import CONFIG, MODEL, Experiment, check_out, edited_code, planned, set_up


@pytest.fixture(scope="module")
def over(tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    """A run that is over, whose ensembles have gone."""
    experiment = set_up(check_out(tmp_path_factory.mktemp("over") / "checkout"))
    experiment.configure(edited())
    listed = experiment.snakemake("--summary").stdout.splitlines()
    paths = [line.split("\t")[0] for line in listed if line.startswith("results/")]
    assert "results/ensembles/small/2026060200.nc" in paths
    for path in map(experiment.folder.joinpath, paths):
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix:
            path.write_text("{}")
        else:
            path.mkdir()
    touched = experiment.snakemake("--touch")
    assert touched.returncode == 0, touched.stdout
    assert not list(experiment.results.glob("ensembles/*/*.nc"))
    assert planned(experiment) == {}
    return experiment


def edited(change: Callable[[dict], None] = lambda config: None) -> dict:
    config = copy.deepcopy(CONFIG)
    config["ensembles"]["keep"] = False
    change(config)
    return config


def jobs_after(experiment: Experiment, change: Callable[[dict], None]) -> dict[str, int]:
    experiment.configure(edited(change))
    try:
        return planned(experiment)
    finally:
        experiment.configure(edited())


def test_a_title_writes_the_page(over: Experiment) -> None:
    assert jobs_after(over, lambda config: config.update(title="Another")) == {
        "report_scorecard": 1
    }


def test_another_percentile_trains_no_model(over: Experiment) -> None:
    thresholds = {"thresholds": {"T2M": ["p95"]}}
    jobs = jobs_after(over, lambda config: config["scores"].update(thresholds))
    assert jobs["fields_percentiles"] == 1
    assert "scores_case" in jobs
    assert not {"fields_statistics", "models_train", "ensembles_calibrate"} & set(jobs)


def test_percentiles_need_no_model(over: Experiment) -> None:
    def without(config: dict) -> None:
        config["models"] = []
        config["ensembles"]["systems"] = config["ensembles"]["systems"][1:]
        config["scores"]["thresholds"] = {"T2M": ["p95"]}

    jobs = jobs_after(over, without)
    assert jobs["fields_percentiles"] == 1
    assert not [name for name in jobs if name.startswith("models_")]


@pytest.mark.slow
def test_a_key_of_the_maps_draws_them_and_writes_the_page(over: Experiment) -> None:
    jobs = jobs_after(over, lambda config: config.update(report={"map_members": 2}))
    assert jobs == {"report_figure": 1, "report_scorecard": 1}


def test_colours_and_styles_run_jobs_of_the_report_only(over: Experiment) -> None:
    names = ("style", "field_colours", "stamps", "figures/member_maps")
    with edited_code(over, *(f"report/{name}.py" for name in names)):
        jobs = planned(over)
    assert set(jobs) == {"report_figure", "report_scorecard"}


def test_a_colour_in_the_table_of_variables_runs_jobs_of_the_report_only(over: Experiment) -> None:
    row = {"T2M": {"colours": "viridis"}}
    jobs = jobs_after(over, lambda config: config.update(variable_table=row))
    assert set(jobs) == {"report_figure", "report_scorecard"}


@pytest.mark.slow
def test_a_bound_in_the_table_of_variables_makes_fields_anew(over: Experiment) -> None:
    row = {"T2M": {"upper": 340}}
    jobs = jobs_after(over, lambda config: config.update(variable_table=row))
    assert {"fields_normalise", "models_train", "scores_case"} <= set(jobs)


def test_a_new_figure_is_drawn_and_shown(over: Experiment) -> None:
    figures = over.folder / "workflow_scripts" / "stormdraw" / "report" / "figures"
    added = figures / "more_maps.py"
    shutil.copy(figures / "member_maps.py", added)
    try:
        assert planned(over) == {"report_figure": 1, "report_scorecard": 1}
    finally:
        added.unlink()


@pytest.fixture
def another_model(over: Experiment) -> str:
    path = over.model_path.with_name("another.yaml")
    path.write_text(yaml.safe_dump(MODEL))
    yield "another"
    path.unlink()


@pytest.mark.parametrize("place", [0, pytest.param(-1, marks=pytest.mark.slow)])
def test_a_new_model_draws_and_scores_itself_only(
    over: Experiment, another_model: str, place: int
) -> None:
    def add(config: dict) -> None:
        """As the one that maps show, or as the last one."""
        systems = config["ensembles"]["systems"]
        system = {"name": another_model, "method": "diffusion", "model": another_model}
        systems[:] = [system, *systems] if place == 0 else [*systems, system]
        config["models"].append(another_model)

    jobs = jobs_after(over, add)
    of_models = {rule: count for rule, count in jobs.items() if rule.startswith("models_")}
    assert of_models == dict.fromkeys(of_models, 1)
    once = {"scores_second_opinion", "scores_check", "scores_summary"}
    once |= {"report_map", "report_winner", "report_scorecard"}
    figures = jobs.pop("report_figure")
    assert figures <= len(list(over.results.glob("report/figures/**/*.svg"))) + 2
    assert jobs == {
        **of_models,
        **dict.fromkeys(["ensembles_sample", "scores_case", "report_products"], 2),
        **dict.fromkeys(once, 1),
    }


@pytest.mark.slow
def test_a_ceiling_that_is_left_out_draws_nothing(over: Experiment) -> None:
    jobs = jobs_after(over, lambda config: config["ensembles"]["systems"].pop())
    assert set(jobs) == {"scores_check", "scores_summary", "report_figure", "report_scorecard"}


def test_the_code_of_the_comparison_with_other_libraries_draws_nothing(over: Experiment) -> None:
    """Only what they say of a case needs its members."""
    with edited_code(over, "scores/check/agreement.py"):
        jobs = planned(over)
    assert jobs == {"scores_check": 1, "report_scorecard": 1}


def test_a_score_of_another_kind_draws_all_cases_again(over: Experiment) -> None:
    jobs = jobs_after(over, lambda config: config["scores"].update(neighbourhoods=[1, 3]))
    assert jobs["scores_case"] == 14
    assert (jobs["ensembles_sample"], jobs["ensembles_take"]) == (4, 10)
    assert not {rule for rule in jobs if rule.startswith(("archive", "fields", "models"))}
