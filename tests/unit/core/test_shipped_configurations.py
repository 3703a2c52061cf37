"""The configurations that come with the workflow."""

import json
import re
from datetime import datetime, timedelta

import pytest
import yaml

from stormdraw.costs.fetching import fetching, wanted_files
from stormdraw.settings import Settings, load_settings


@pytest.mark.parametrize("source", ["{mirror: /data}", "[aws, nomads]"])
def test_two_lines_make_it_href(root, source):
    text = (root / "config" / "config.yaml").read_text()
    changed, count = re.subn(r"(reference: &operational) refs", r"\1 href", text)
    changed, sources = re.subn(r"source: \[aws, google\]", f"source: {source}", changed)
    assert (count, sources) == (1, 1)
    settings = load_settings(yaml.safe_load(changed))
    assert settings.archive.reference == settings.scores.reference == "href"
    assert "href" in [system.name for system in settings.ensembles.systems]


def test_the_real_experiment_states_what_it_fetches(root):
    text = (root / "config" / "config.yaml").read_text()
    settings = load_settings(yaml.safe_load(text))
    sources = [fetching(settings, found) for found in wanted_files(settings).values()]
    files, gigabytes = re.search(
        r"(\d+) files, of which the wanted messages are ([\d.]+) GB", text
    ).groups()
    assert int(files) == sum(source.files for source in sources)
    assert abs(float(gigabytes) - sum(source.over_network for source in sources) / 1e9) < 0.1


def test_the_twin_experiment_scores_days_that_no_choice_has_seen(root):
    """Those that docs/twin.md has numbers of are no test any more."""
    text = " ".join((root / "docs" / "twin.md").read_text().split())
    seen = re.search(r"cases from (\S+) (\d\d) UTC to (\S+) (\d\d) UTC", text).groups()
    last = datetime.fromisoformat(f"{seen[2]}T{seen[3]}")
    settings = load_settings(yaml.safe_load((root / "config" / "twin.yaml").read_text()))
    # Histories reach back, and so do the lagged runs.
    assert settings.periods.test.start - timedelta(hours=24) > last
    assert [init.hour for init in settings.initial_times()] == [12, 18, 0, 6, 12, 18, 0, 6]
    assert len({init.date() for init in settings.initial_times()}) == 8


def test_editors_are_told_where_the_schema_is(root):
    """Of each configuration, as the language server for YAML reads it."""
    for path in set((root / "config").glob("*.yaml")) - {root / "config" / "variables.yaml"}:
        (said,) = re.findall(r"^# yaml-language-server: \$schema=(\S+)$", path.read_text(), re.M)
        assert (path.parent / said).name == "schema.json"
        assert (path.parent / said).exists()


@pytest.mark.parametrize("name", ["demo", "twin", "config", "conus", "idaho", "mogreps"])
def test_settings_can_be_handed_on_to_another_process(root, name):
    """The twins of calibrated systems are made again, not refused as others of the same name."""
    settings = load_settings(yaml.safe_load((root / "config" / f"{name}.yaml").read_text()))
    assert Settings.model_validate(json.loads(json.dumps(settings.as_given()))) == settings
