import json
from pathlib import Path

from report_run import Run

from stormdraw.report.model_cards import describe_model, flattened
from stormdraw.report.model_costs import cost_rows, memory_rows
from stormdraw.report.settings import Report
from stormdraw.report.trainings import read_training


def test_a_plan_becomes_readable_pairs() -> None:
    plan = {
        "parameters": 81111,
        "grid": [97, 131],
        "training_bytes": {"weights": 2**21},
        "sampling_bytes": {"member": 2**20, "members_at_once": 50},
        "choices": {"precision": "float32", "data_in_memory": True, "crop": None, "rate": 2e-4},
    }
    assert flattened(plan) == [
        ("parameters", "81,111"),
        ("grid", "97, 131"),
        ("training memory: weights", "2 MiB"),
        ("sampling memory: member", "1 MiB"),
        ("sampling memory: members at once", "50"),
        ("choices: precision", "float32"),
        ("choices: data in memory", "yes"),
        ("choices: crop", "none"),
        ("choices: rate", "0.0002"),
    ]


def test_a_model_card_has_training_memory_and_cost(demo_run: Run) -> None:
    name = "ddpm_residual"
    card = describe_model(
        name, {"base": 16}, demo_run.plans[name], demo_run.metrics[name], Report()
    )
    facts = dict(card.facts)
    assert facts["parameters"] == "81,127"
    assert facts["training time"] == "6.8 min"  # 8 epochs of 51 s
    assert facts["last validation loss"] == "0.4353"  # 8 ** -0.4
    assert facts["device"] == "CPU"
    assert card.definition == "base: 16\n"
    assert facts["memory planned"] == facts["memory measured, at most"] == "700 MiB"
    assert facts["measured / planned"] == "100 %"
    assert facts["device-hours to train"] == "0.113"
    assert "report.cost_per_device_hour" in facts["price or energy"]


def test_a_model_card_says_what_role_each_variable_has(demo_run: Run, tmp_path: Path) -> None:
    name = "ddpm_residual"
    plan = json.loads(demo_run.plans[name].read_text())
    path = tmp_path / "plan.json"
    given = {"predicted": ["T2M", "U10"], "diagnosed": [], "input": ["CAPE"]}
    path.write_text(json.dumps({**plan, "roles": given}))
    for of_roles, expected in [(path, ["T2M, U10", "CAPE"]), (demo_run.plans[name], [])]:
        card = describe_model(name, {}, of_roles, demo_run.metrics[name], Report())
        assert [text for label, text in card.facts if label.endswith(" variables")] == expected


def metrics(folder: Path, **changes: object) -> Path:
    epoch = {"epoch": 1, "train_loss": 1.0, "seconds": 1800.0, "device": "H100"}
    (folder / "metrics.json").write_text(json.dumps({"epochs": [epoch, {**epoch, **changes}]}))
    return folder / "metrics.json"


def test_training_has_price_and_energy_at_the_configured_rates(tmp_path: Path) -> None:
    training = read_training(metrics(tmp_path))
    report = Report(cost_per_device_hour=2.5, currency="EUR", device_watts=700)
    assert cost_rows(training, report) == [
        ("device-hours to train", "1"),
        ("price of training", "2.50 EUR at 2.5 EUR a device-hour"),
        ("energy of training", "0.7 kWh at 700 W"),
    ]


def test_measured_memory_is_compared_with_the_plan_for_its_device(tmp_path: Path) -> None:
    plan = {"training_bytes": {"device_peak": 2**30, "peak": 3 * 2**30}}
    training = read_training(metrics(tmp_path, peak_memory_bytes=2**29))
    assert memory_rows(plan, training) == [
        ("memory planned", "1 GiB"),
        ("memory measured, at most", "512 MiB"),
        ("measured / planned", "50 %"),
    ]
    on_cpu = metrics(tmp_path)
    on_cpu.write_text(on_cpu.read_text().replace("H100", "the CPU with 2 threads"))
    assert memory_rows(plan, read_training(on_cpu)) == [("memory planned", "3 GiB")]


def test_losses_by_noise_level_are_listed(tmp_path: Path) -> None:
    path = metrics(tmp_path, loss_by_noise_level={"0 to 0.1": 0.25, "0.1 to 1": 0.5})
    (tmp_path / "plan.json").write_text("{}")
    card = describe_model("m", {}, tmp_path / "plan.json", path, Report())
    assert "last validation loss" not in dict(card.facts)
    assert card.losses == [
        ("loss by noise level, last epoch", [("0 to 0.1", "0.25"), ("0.1 to 1", "0.5")])
    ]
