"""Bad files and interruptions, met inside the workflow."""

import os
import shutil
import signal
import subprocess
import time

import pytest
import torch
import yaml

MANIFEST = "results/archive/hrrr/20260601/manifest.csv"


@pytest.fixture
def mirrored(experiment, finished, tmp_path):
    """An experiment that fetches from a mirror folder, which a test may damage; and that folder."""
    mirror = tmp_path / "mirror"
    shutil.copytree(finished.results / "archive" / "simulated", mirror)
    config = experiment.config
    config["archive"] = {"source": {"mirror": str(mirror)}, "reference": "href"}
    systems = config["ensembles"]["systems"]
    config["ensembles"]["systems"] = [s for s in systems if s["method"] != "perfect"]
    experiment.configure(config)
    return experiment, mirror


def hour_file(mirror, hour):
    return mirror / "hrrr.20260601" / "conus" / f"hrrr.t{hour:02d}z.wrfsfcf00.grib2"


def test_a_bad_file_stops_the_fetch_and_a_mended_mirror_goes_on(mirrored):
    """The other ways for a file to be bad are tried without Snakemake: tests/unit/archive."""
    experiment, mirror = mirrored
    path = hour_file(mirror, 3)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    run = experiment.snakemake(MANIFEST)
    assert run.returncode != 0
    line = next(line for line in run.stdout.splitlines() if "stormdraw archive_fetch: " in line)
    assert "hrrr.t03z.wrfsfcf00.grib2" in line
    assert "Traceback" not in run.stdout
    assert not (experiment.folder / MANIFEST).exists()
    assert not list(experiment.results.rglob("*.partial*"))
    path.write_bytes(whole)
    run = experiment.snakemake(MANIFEST)
    assert run.returncode == 0, run.stdout


def interrupt(experiment, when, with_signal):
    """Train until `when()` is true, then send a signal to all of it, as Ctrl-C does."""
    process = subprocess.Popen(
        experiment.command(*TRAINING, "--rerun-triggers", "mtime"),
        cwd=experiment.folder,
        env=experiment.environment(),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    end = time.monotonic() + 120
    while not when() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.02)
    assert process.poll() is None, "finished before it could be interrupted"
    os.killpg(process.pid, with_signal)
    output, _ = process.communicate(timeout=120)
    return process.returncode, output


TRAINING = ["results/models/small/model.pt", "--allowed-rules", "models_train"]


@pytest.fixture(scope="module")
def long_training(finished, tmp_path_factory):
    """The small model trained for long enough to be interrupted."""
    experiment = finished.copy(tmp_path_factory.mktemp("long") / "checkout")
    model = yaml.safe_load(experiment.model_path.read_text())
    model["training"] |= {"epochs": 40, "checkpoint_every_epochs": 5}
    experiment.model_path.write_text(yaml.safe_dump(model))
    run = experiment.snakemake(*TRAINING)
    assert run.returncode == 0, run.stdout
    return experiment


@pytest.mark.slow
def test_an_interrupted_training_ends_as_an_uninterrupted_one(long_training, tmp_path):
    experiment = long_training.copy(tmp_path / "checkout")
    folder = experiment.results / "models" / "small"
    before = torch.load(folder / "model.pt", weights_only=True)["state_dict"]
    (folder / "model.pt").unlink()
    metrics = folder / "metrics.json"
    for with_signal in (signal.SIGINT, signal.SIGKILL):
        metrics.unlink(missing_ok=True)
        status, output = interrupt(experiment, metrics.exists, with_signal)
        assert status != 0
        assert not (folder / "model.pt").exists()
        assert "Traceback" not in output
        # A killed Snakemake leaves its lock, which `snakemake --unlock` removes.
        shutil.rmtree(experiment.folder / ".snakemake" / "locks")
    run = experiment.snakemake(*TRAINING, "--rerun-triggers", "mtime")
    assert run.returncode == 0, run.stdout
    after = torch.load(folder / "model.pt", weights_only=True)["state_dict"]
    assert all(torch.equal(before[name], after[name]) for name in before | after)


@pytest.mark.slow
def test_a_checkpoint_that_does_not_fit(finished, tmp_path):
    experiment = finished.copy(tmp_path / "checkout")
    checkpoint = experiment.results / "models" / "small" / "model.pt"
    checkpoint.write_bytes(b"not a checkpoint")
    target = "results/ensembles/small/2026060200.nc"
    (experiment.folder / target).unlink()
    run = experiment.snakemake(target, "--allowed-rules", "ensembles_sample")
    assert run.returncode != 0
    line = next(li for li in run.stdout.splitlines() if "stormdraw ensembles_sample: " in li)
    assert "results/models/small/model.pt" in line
    assert not (experiment.folder / target).exists()
