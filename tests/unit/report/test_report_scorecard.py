import base64
import copy
import hashlib
import itertools
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest
import yaml
from report_page import Page, write_page
from report_run import DEMO, Run

from stormdraw.errors import StormdrawError
from stormdraw.provenance import digest
from stormdraw.report.figure import figures
from stormdraw.scores.summary import read_summary, write_summary
from stormdraw.settings import load_settings


@pytest.fixture(scope="module")
def page(demo_page: Path) -> Page:
    return Page(demo_page)


def test_no_request_can_leave_the_page(page: Page) -> None:
    policy = next(
        meta["content"]
        for meta in page.all("meta")
        if meta.get("http-equiv") == "Content-Security-Policy"
    )
    script = re.search(r"<script>(.*?)</script>", page.source, re.DOTALL)
    assert script is not None
    hashed = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    assert policy == (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
        f"script-src 'sha256-{hashed}'"
    )
    for attributes in page.all(*{tag for tag, _ in page.elements}):
        for name in ("src", "href", "srcset", "action", "data", "poster"):
            assert attributes.get(name, "#").startswith(("#", "data:"))
    assert len(page.all("script")) == 1
    assert not page.all("iframe", "object", "embed", "form", "base")
    assert "url(" not in page.source
    assert "@import" not in page.source
    assert "http://" not in page.source
    assert "https://" not in page.source


def test_links_within_the_page_resolve(page: Page) -> None:
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = [link["href"].removeprefix("#") for link in page.all("a") if "title" not in link]
    targets = [target for target in targets if not target.startswith("data:")]
    assert targets
    assert set(targets) <= set(ids)
    labelled = [section["aria-labelledby"] for section in page.all("section")]
    assert set(labelled) <= set(ids)
    assert set(labelled) <= set(targets)


def test_every_cell_of_the_matrix_leads_to_its_row(page: Page) -> None:
    rows = {row["id"] for row in page.all("tr") if "id" in row}
    cells = {
        link["href"].removeprefix("#"): link["title"] for link in page.all("a") if "title" in link
    }
    # Five systems in five variables, and the one known by mean and spread in T2M and WIND10; three
    # leads each.
    assert len(cells) == (5 * 5 + 2) * 3
    assert set(cells) <= rows


def test_all_scores_can_be_downloaded(page: Page, demo_run: Run) -> None:
    (link,) = (one for one in page.all("a") if "download" in one)
    content = unquote(link["href"].removeprefix("data:text/csv;charset=utf-8,"))
    assert content.encode() == demo_run.summary.read_bytes()


def test_pictures_say_what_they_show(page: Page, demo_figures: dict[str, Path]) -> None:
    pictures = [picture for picture in page.all("img") if "svg" in picture["src"][:20]]
    assert len(pictures) == len(demo_figures)
    for picture in pictures:
        assert len(picture["alt"]) > 30
        encoded = picture["src"].removeprefix("data:image/svg+xml,")
        root = ElementTree.fromstring(unquote(encoded))  # noqa: S314
        assert root.tag.endswith("svg")
    for figure in figures().values():
        if figure.each != "model" and not figure.over_time:
            assert " ".join(figure.caption.split()) in page.text


def test_headings_go_down_one_level_at_a_time(page: Page) -> None:
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later - before <= 1 for before, later in itertools.pairwise(levels))


def test_table_headers_have_a_scope(page: Page) -> None:
    assert len(page.all("table")) > 5
    assert len(page.all("caption")) == len(page.all("table"))
    assert {header.get("scope") for header in page.all("th")} == {"col", "colgroup", "row"}


def test_everything_promised_is_on_the_page(page: Page, demo_run: Run) -> None:
    hashed = digest(demo_run.settings.model_dump(mode="json"))
    for expected in (
        DEMO["title"],
        "reference",
        "81,127",
        "training time 6.8 min",
        "href hrrr_00h D2M, 2026-06-08 06 UTC + 1 h: absent",
        "The truth is the simulated analysis, from which the models learn.",
        "torch",
        "processor",
        hashed,
        "Known limits",
        "All scores of REFC (15 rows)",  # five systems, three leads
    ):
        assert expected in page.text


def test_the_page_has_the_full_configuration(page: Page) -> None:
    written = re.findall(r"<pre[^>]*>(.*?)</pre>", page.source, re.DOTALL)
    parsed = [yaml.safe_load(text.replace("&#39;", "'").replace("&#34;", '"')) for text in written]
    assert DEMO in parsed
    assert any("bootstrap_samples" in part.get("scores", {}) for part in parsed)


def test_the_same_run_gives_the_same_page(
    demo_page: Path,
    demo_run: Run,
    demo_figures: dict[str, Path],
    tmp_path: Path,
) -> None:
    output = tmp_path / "scorecard.html"
    again = write_page(demo_run, output, figures=demo_figures)
    assert again.read_bytes() == demo_page.read_bytes()


@pytest.fixture(scope="module")
def few_scores(demo_run: Run, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The inputs of a page that is soon written: one variable on the grid, no case's maps."""
    table = read_summary(demo_run.summary)
    path = tmp_path_factory.mktemp("few") / "summary.csv"
    write_summary(table[table["variable"] == "T2M"], path)
    return {"summary": path, "stations": {}, "maps": {}}


def test_names_are_escaped(demo_run: Run, few_scores: dict[str, Any], tmp_path: Path) -> None:
    title = "<script>alert('1')</script> & more"
    settings = load_settings({**copy.deepcopy(DEMO), "title": title})
    config = {"title": title}
    changes = {**few_scores, "settings": settings, "config": config}
    found = Page(write_page(demo_run, tmp_path / "page.html", **changes))
    assert "<script>alert" not in found.source
    assert len(found.all("script")) == 1
    assert title in found.text


def test_gaps_are_stated(demo_run: Run, demo_figures: dict[str, Path], tmp_path: Path) -> None:
    found = Page(write_page(demo_run, tmp_path / "p.html", manifests=[], maps={}))
    assert "No system has an ensemble to show." in found.text
    assert found.text.count("This run has not made this figure.") == len(demo_figures)
    assert "This page was made without manifests." in found.text


def test_no_reference_is_stated_and_no_models_have_no_section(
    demo_run: Run, tmp_path: Path
) -> None:
    config = copy.deepcopy(DEMO)
    config["scores"] = {}
    config["models"] = []
    config["ensembles"]["systems"] = config["ensembles"]["systems"][1:]
    summary = read_summary(demo_run.summary)
    write_summary(summary[~summary["metric"].str.endswith("skill")], tmp_path / "summary.csv")
    settings = load_settings(config)
    found = Page(
        write_page(
            demo_run, tmp_path / "p.html", settings=settings, summary=tmp_path / "summary.csv"
        )
    )
    assert "No reference is set" in found.text
    headings = {heading.get("id") for heading in found.all("h2")}
    assert "archive" in headings
    assert "models" not in headings
    assert "#models" not in {link.get("href") for link in found.all("a")}
    assert not [cell for cell in found.all("td") if "better" in cell.get("class", "")]


def test_texts_name_only_what_the_run_contains(demo_run: Run, tmp_path: Path) -> None:
    """Without a reference ensemble, with URMA as the truth of all variables."""
    config = copy.deepcopy(DEMO)
    config["title"] = "Another run"
    config["variables"] = ["T2M", "U10", "V10"]
    config["models"] = []
    config["archive"] = {"source": {"mirror": "/data"}, "truth": "urma"}
    config["scores"] = {}
    systems = config["ensembles"]["systems"]
    config["ensembles"]["systems"] = [one for one in systems if "baseline" in one.values()]
    summary = read_summary(demo_run.summary)
    kept = summary["system"].isin(["persistence", "climatology"]) & (summary["variable"] != "REFC")
    skills = summary["metric"].str.endswith("skill")
    write_summary(summary[kept & ~skills], tmp_path / "summary.csv")
    page = write_page(
        demo_run,
        tmp_path / "p.html",
        config=config,
        settings=load_settings(config),
        summary=tmp_path / "summary.csv",
        verdicts=None,
        missing=None,
        manifests=[],
        maps={},
    )
    text, separator, _ = Page(page).text.partition("As given")
    assert separator
    assert "The truth is the URMA analysis" in text
    for absent in ("HRRR analysis", "simulated", "HREF", "REFS", "perfect ensemble"):
        assert absent not in text


def test_an_empty_summary_is_stated(demo_run: Run, tmp_path: Path) -> None:
    summary = read_summary(demo_run.summary)
    write_summary(summary.iloc[:0], tmp_path / "summary.csv")
    found = Page(write_page(demo_run, tmp_path / "p.html", summary=tmp_path / "summary.csv"))
    assert "The summary holds no scores." in found.text


def test_a_broken_figure_leaves_no_page(
    demo_run: Run, few_scores: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "crps_maps.svg").write_text("<svg")
    broken = {"crps_maps": tmp_path / "crps_maps.svg"}
    with pytest.raises(StormdrawError, match=r"crps_maps\.svg"):
        write_page(demo_run, tmp_path / "p.html", **few_scores, figures=broken)
    assert not (tmp_path / "p.html").exists()


def contrast(one: str, other: str) -> float:
    """WCAG 2.2's contrast ratio of two colours."""

    def luminance(colour: str) -> float:
        channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_on_its_background(page: Page, scheme: str) -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    light, dark = re.findall(r":root \{(.*?)\}", page.source, re.DOTALL)
    colours = dict(re.findall(r"--([\w-]+): (#\w{6});", light if scheme == "light" else dark))
    pairs = [(text, back) for text in ("text", "soft", "link") for back in ("page", "card")]
    for tone in ("better", "worse"):
        pairs += [(f"{tone}-text", f"{tone}-{step}") for step in range(1, 6)]
    for text, back in pairs:
        assert contrast(colours[text], colours[back]) >= 4.5, (text, back)
