"""What the doctor finds, and what it says to do."""

import http.server
import os
import threading
from pathlib import Path

import pytest
import requests
import yaml

from stormdraw.configuration import configuration_of_file
from stormdraw.costs import gpu, network
from stormdraw.costs.examination import examine
from stormdraw.costs.fetching import wanted_files
from stormdraw.costs.finding import Finding, findings_text
from stormdraw.costs.machine import (
    check_disk,
    check_memory,
    check_packages,
    check_path,
    check_python,
)
from stormdraw.costs.network import ask, check_sources, check_stations
from stormdraw.costs.slurm import check_slurm
from stormdraw.settings import load_settings


def program(folder: Path, name: str, script: str) -> None:
    """An executable that stands in for one of the system's."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.fixture
def bin_folder(tmp_path, monkeypatch):
    """First on the path."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder


def test_lines_say_what_to_do():
    text = findings_text(
        [Finding("good", "Python", "3.11.7"), Finding("problem", "disk", "full", "buy one")]
    )
    assert text.splitlines() == [
        "good     Python         3.11.7",
        "problem  disk           full",
        "                        -> buy one",
    ]


def test_python():
    assert check_python((3, 12, 1)) == Finding("good", "Python", "3.12.1")
    assert check_python((3, 10, 4)).state == "problem"
    finding = check_python((3, 12, 1), "/home/me/my models/.venv/bin/python")
    assert finding.state == "problem"
    assert finding.to_do.startswith("move the checkout")


def test_another_library_is_a_problem(tmp_path):
    assert check_path([str(tmp_path)]).state == "good"
    (tmp_path / "stormdraw").mkdir()
    (tmp_path / "stormdraw" / "__init__.py").touch()
    finding = check_path([str(tmp_path)])
    assert (finding.state, finding.what) == ("problem", "library")
    assert finding.to_do.startswith("remove it from PYTHONPATH")


def test_packages(tmp_path):
    pins = tmp_path / "requirements.txt"
    pins.write_text(f"# a remark\nrequests=={requests.__version__}\n")
    assert check_packages(pins).state == "good"
    pins.write_text("requests==0.1\n")
    assert (
        check_packages(pins).found
        == f"not as pinned: requests {requests.__version__} instead of 0.1"
    )
    pins.write_text("no-such-package==1.0\n")
    finding = check_packages(pins)
    assert (finding.state, finding.found) == ("problem", "missing: no-such-package")
    assert finding.to_do == f"pip install --requirement {pins}"


def test_disk_and_memory(tmp_path):
    assert check_disk(tmp_path, 1).state == "good"
    assert check_disk(tmp_path, 10**18).state == "problem"
    # Results are where a link leads, or will be where it is to be made.
    (tmp_path / "elsewhere").mkdir()
    assert f"free at {tmp_path}," in check_disk(tmp_path / "results", 1).found
    (tmp_path / "results").symlink_to("elsewhere")
    assert f"free at {tmp_path}/elsewhere," in check_disk(tmp_path / "results", 1).found
    assert check_memory({"small": 5, "large": 10}, there=10).state == "good"
    finding = check_memory({"small": 5, "large": 11}, there=10)
    assert finding.state == "problem"
    assert "config/models/large.yaml" in finding.to_do


def test_no_gpu_is_only_noted(monkeypatch):
    monkeypatch.setattr(gpu, "listed_gpus", list)
    (finding,) = gpu.check_gpu({})
    assert finding.state == "note"


def test_gpus_that_the_driver_lists(bin_folder, monkeypatch):
    program(bin_folder, "nvidia-smi", 'for i in a b; do echo "GPU-$i, A100, 40960, 550.1"; done')
    monkeypatch.setattr(gpu.torch.cuda, "is_available", lambda: False)
    driver, found = gpu.check_gpu({})
    assert (driver.state, driver.found) == ("good", "550.1")
    assert found.state == "problem"
    assert "PyTorch sees none" in found.found
    monkeypatch.setattr(gpu.torch.cuda, "is_available", lambda: True)
    *_, several, too_small = gpu.check_gpu({"fits": 40 * 2**30, "large": 41 * 2**30})
    assert "workstation" in several.to_do
    assert too_small.state == "problem"
    assert "config/models/large.yaml" in too_small.to_do


def test_slurm(bin_folder, tmp_path, monkeypatch):
    profile = tmp_path / "config.yaml"
    profile.write_text(
        "default-resources: {slurm_partition: cpu}\n"
        "set-resources: {train: {slurm_partition: gpu}}\n"
    )
    monkeypatch.setenv("PATH", "/nowhere")
    assert [finding.state for finding in check_slurm(profile)] == ["note"]
    monkeypatch.setenv("PATH", f"{bin_folder}:/usr/bin:/bin")
    program(bin_folder, "sinfo", "echo 'cpu (null)'; echo 'long gpu:a100:4'")
    program(bin_folder, "sacct", "exit 1")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    plug_in, partitions, absent, accounts = check_slurm(profile)
    assert "requirements-slurm.txt" in plug_in.to_do
    assert partitions.found == "partitions: cpu, long (gpu:a100:4)"
    assert absent.found == f"{profile} names gpu, which the cluster does not have"
    assert "slurm-status-command: squeue" in accounts.to_do
    program(bin_folder, "sinfo", "exit 1")
    assert [finding.state for finding in check_slurm(profile)] == ["problem"]


class _Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/there" else 404)
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def server():
    """The address of a server on this machine that has only /there."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Answers) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{serving.server_port}"
        serving.shutdown()


def test_an_address(server):
    assert ask("aws", f"{server}/there").state == "good"
    assert ask("aws", f"{server}/away").found == f"HTTP 404 for {server}/away"
    silent = ask("aws", "http://127.0.0.1:9/there", seconds=1)
    assert silent.state == "note"
    assert silent.found.startswith("no answer from 127.0.0.1:9 (")


@pytest.fixture
def real(root):
    return yaml.safe_load((root / "config" / "config.yaml").read_text())


def test_every_source_is_asked_for_the_first_file_of_the_run(real, monkeypatch):
    real["archive"]["source"] = ["aws", "google"]
    settings = load_settings(real)
    files = {"hrrr": wanted_files(settings)["hrrr"]}
    asked = []

    def answer(what, address):
        asked.append((what, address))
        return Finding("good" if "aws" in what else "note", what, "")

    monkeypatch.setattr(network, "ask", answer)
    findings = check_sources(settings, files)
    assert sorted(what for what, _ in asked) == ["hrrr aws", "hrrr google"]
    start = settings.periods.training.start
    for _, address in asked:
        assert address.endswith(f"hrrr.{start:%Y%m%d}/conus/hrrr.t{start:%H}z.wrfsfcf00.grib2")
    assert [finding.state for finding in findings] == ["good", "note"]
    monkeypatch.setattr(network, "ask", lambda what, address: Finding("note", what, ""))
    last = check_sources(settings, files)[-1]
    assert (last.state, last.what) == ("problem", "hrrr")


def test_the_service_of_station_reports_is_asked_where_they_come_from_it(real, monkeypatch):
    assert check_stations(load_settings(real)) == []
    real["archive"]["stations"] = {"networks": ["ID_ASOS"]}
    settings = load_settings(real)
    for state, expected in (("good", "good"), ("note", "problem")):
        monkeypatch.setattr(network, "ask", lambda *asked, state=state: Finding(state, *asked))
        (finding,) = check_stations(settings)
        assert finding.state == expected
        assert finding.found == "https://mesonet.agron.iastate.edu/cgi-bin/request/asos.py?help"


def test_a_mirror_folder(real, tmp_path):
    real["archive"]["source"] = {"mirror": str(tmp_path / "none")}
    assert [f.state for f in check_sources(load_settings(real), {})] == ["problem"]
    (tmp_path / "none").mkdir()
    assert [f.state for f in check_sources(load_settings(real), {})] == ["problem"]
    (tmp_path / "none" / "hrrr.20260601").mkdir()
    (finding,) = check_sources(load_settings(real), {})
    assert finding.found == f"1 days of HRRR in {tmp_path / 'none'}"


def test_the_demo_needs_no_network(root, monkeypatch):
    needed = {"training_bytes": {"peak": 1e9, "device_peak": 1e9}}
    # Planning the demo's model takes seconds, and has tests of its own.
    monkeypatch.setattr("stormdraw.costs.examination.plan", lambda *arguments: needed)
    findings = examine(*configuration_of_file("config/demo.yaml", root), root)
    assert {"Python", "packages", "disk", "memory", "GPU", "archive", "Slurm"} <= {
        finding.what for finding in findings
    }
    archive = next(finding for finding in findings if finding.what == "archive")
    assert archive.found == "simulated: no network is needed"
