"""The configurations that come with the workflow."""

import re

import yaml

from stormdraw.costs.fetching import fetching, wanted_files
from stormdraw.settings import load_settings


def test_one_line_makes_it_href(root):
    text = (root / "config" / "config.yaml").read_text()
    for reference in ("refs", "href"):
        changed, count = re.subn(r"(reference: &operational) refs", rf"\1 {reference}", text)
        assert count == 1
        settings = load_settings(yaml.safe_load(changed))
        assert settings.archive.reference == reference
        assert settings.scores.reference == reference
        assert reference in [system.name for system in settings.ensembles.systems]


def test_the_real_experiment_states_what_it_fetches(root):
    text = (root / "config" / "config.yaml").read_text()
    settings = load_settings(yaml.safe_load(text))
    sources = [fetching(settings, found) for found in wanted_files(settings).values()]
    files, gigabytes = re.search(
        r"(\d+) files, of which the wanted messages\n# are ([\d.]+) GB", text
    ).groups()
    assert int(files) == sum(source.files for source in sources)
    assert abs(float(gigabytes) - sum(source.over_network for source in sources) / 1e9) < 0.1
