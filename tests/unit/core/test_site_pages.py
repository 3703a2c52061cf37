"""The documents as a site; `make docs` builds it and checks its links."""

import re
import sys
from types import SimpleNamespace

import pytest
import yaml

from site_pages import PLACES, keys_page, moved_links, on_post_page


@pytest.mark.parametrize(
    ("source", "place", "written", "read"),
    [
        ("config/README.md", "reference/configuration.md", "../docs/truth.md", "../truth.md"),
        ("config/README.md", "reference/configuration.md", "#models", "#models"),
        ("docs/a.md", "a.md", "../config/README.md#x", "reference/configuration.md#x"),
        ("docs/how-to/a.md", "how-to/a.md", "../exports.md", "../exports.md"),
        ("docs/a.md", "a.md", "https://a.org/b.md#c", "https://a.org/b.md#c"),
    ],
)
def test_links_lead_to_where_documents_stand_on_the_site(source, place, written, read):
    assert moved_links(f"see [it]({written}).", source, place) == f"see [it]({read})."


def test_a_key_has_what_it_may_be_and_its_default():
    period = {"properties": {"end": {"type": "string"}}, "required": ["end"]}
    leads = {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": 60}}
    keys = {
        "leads": {**leads, "default": [1]},
        "test": {"anyOf": [{"$ref": "#/$defs/Period"}, {"type": "null"}], "default": None},
        "missing": {"enum": ["fail", "skip"], "default": "fail"},
    }
    page = keys_page({"properties": keys, "$defs": {"Period": period}}).splitlines()
    assert "| `leads` | a list of integer ≥ 1 ≤ 60 | `[1]` |" in page
    assert "| `test` | [Period](#period) or null | `null` |" in page
    assert '| `missing` | `fail`, `skip` | `"fail"` |' in page
    assert page.index("## Period") < page.index("| `end` | string | required |")


def test_every_document_is_in_the_navigation_and_every_rule_of_the_picture_is_there(root):
    site = yaml.safe_load((root / "mkdocs.yml").read_text())
    entries = [page for one in site["nav"] for page in ([one] if isinstance(one, str) else [])]
    for one in site["nav"]:
        entries += [] if isinstance(one, str) else next(iter(one.values()))
    documents = {str(path.relative_to(root / "docs")) for path in (root / "docs").rglob("*.md")}
    assert set(entries) == documents | {*PLACES.values(), "reference/keys.md"}
    assert all((root / source).exists() for source in PLACES)
    drawn = set(re.findall(r">(\w+)</text>", (root / "docs" / "rules.svg").read_text()))
    rules = re.findall(r"^ *rule (\w+):", "".join(map(_text, root.glob("rules/*.smk"))), re.M)
    assert {"archive_fetch", "scores_case"} <= drawn
    assert drawn <= {*rules, "all"}


def _text(path):
    return path.read_text()


def test_a_page_that_loads_something_from_elsewhere_is_refused(monkeypatch):
    # mkdocs is in the environment of the documents alone.
    exceptions = SimpleNamespace(PluginError=RuntimeError)
    monkeypatch.setitem(sys.modules, "mkdocs", SimpleNamespace(exceptions=exceptions))
    monkeypatch.setitem(sys.modules, "mkdocs.exceptions", exceptions)
    on_post_page('<a href="https://a.org"><img src="a.png">')
    with pytest.raises(RuntimeError, match=r"https://a\.org/a\.js: the site must not need"):
        on_post_page('<script src="https://a.org/a.js">')
