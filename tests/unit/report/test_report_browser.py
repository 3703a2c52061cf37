"""The page in Chromium. Without one these tests fail, unless they are left out on purpose."""

import io
import json
import os
from collections.abc import Iterator
from pathlib import Path

import axe_core_python
import pytest
from PIL import Image
from report_browser import CHROMIUM, Browser, browser
from report_run import Run

from stormdraw.report.matrix import matrix
from stormdraw.report.summary import load_summary
from stormdraw.scores.summary import read_summary
from stormdraw.scores.verdicts import read_verdicts

LEFT_OUT = "STORMDRAW_WITHOUT_BROWSER"

pytestmark = pytest.mark.skipif(bool(os.environ.get(LEFT_OUT)), reason=f"{LEFT_OUT} is set")

PHONE, DESKTOP = 390, 1280


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.fail(f"no Chromium: run tests/unit/report/install_chromium.sh, or set {LEFT_OUT}=1")
    with browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


def complaints(tab: Browser) -> list[str]:
    """Whatever a console would show in red, and every request that failed."""
    logged = [entry["entry"] for entry in tab.of_kind("Log.entryAdded")]
    return [
        *(entry["text"] for entry in logged if entry["level"] in ("warning", "error")),
        *(str(call["args"]) for call in tab.of_kind("Runtime.consoleAPICalled")),
        *(str(thrown) for thrown in tab.of_kind("Runtime.exceptionThrown")),
        *(str(failed) for failed in tab.of_kind("Network.loadingFailed")),
    ]


def test_the_browser_would_show_a_fault(tab: Browser, tmp_path: Path) -> None:
    # Proof that the tests below can fail: a page that asks for something it must not have.
    (tmp_path / "bad.html").write_text(
        "<!DOCTYPE html><meta http-equiv='Content-Security-Policy' content=\"default-src 'none'\">"
        "<title>bad</title><img src='http://127.0.0.1:9/x.png' alt='' width='900'>"
    )
    tab.open(tmp_path / "bad.html", PHONE)
    assert any("Content Security Policy" in text for text in complaints(tab))
    assert tab.evaluate("document.documentElement.scrollWidth") > PHONE


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_opens_without_a_fault(
    tab: Browser, demo_page: Path, demo_figures: dict[str, Path], width: int, scheme: str
) -> None:
    tab.open(demo_page, width, scheme)
    assert complaints(tab) == []
    asked = [request["request"]["url"] for request in tab.of_kind("Network.requestWillBeSent")]
    assert asked[0] == demo_page.as_uri()
    assert all(url.startswith("data:") for url in asked[1:])
    # Every figure was decoded, and nothing makes the page itself scroll sideways.
    figures = "[...document.images].filter(i => i.src.startsWith('data:image/svg'))"
    wide = tab.evaluate(f"{figures}.map(i => i.naturalWidth > 100)")
    assert len(wide) == len(demo_figures)
    assert all(wide)
    assert tab.evaluate("[...document.images].every(i => i.complete && i.naturalWidth > 0)")
    assert tab.evaluate("document.documentElement.scrollWidth") <= width


def test_all_details_open_within_the_width(tab: Browser, demo_page: Path) -> None:
    tab.open(demo_page, PHONE)
    tab.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; }); 0")
    assert tab.evaluate("document.documentElement.scrollWidth") <= PHONE


def test_tables_scroll_in_their_own_box(tab: Browser, demo_page: Path) -> None:
    tab.open(demo_page, PHONE)
    wide = "(b => b.scrollWidth > b.clientWidth)(document.querySelector('.matrix').parentNode)"
    assert tab.evaluate(wide) is True


def test_what_is_seen_is_not_blank_and_follows_the_scheme(tab: Browser, demo_page: Path) -> None:
    corners = {}
    for scheme in ("light", "dark"):
        tab.open(demo_page, DESKTOP, scheme)
        seen = Image.open(io.BytesIO(tab.screenshot())).convert("RGB")
        # Less a scroll bar.
        assert DESKTOP - 40 < seen.width <= DESKTOP
        assert seen.height > 3000
        colours = seen.getcolors(maxcolors=2**24)
        assert colours is not None
        assert len(colours) > 500
        corners[scheme] = sum(seen.getpixel((5, 5)))
    assert corners["light"] > 700
    assert corners["dark"] < 120


# In the dark only colours differ.
@pytest.mark.parametrize(
    ("scheme", "rules"), [("light", "{}"), ("dark", "{runOnly: ['color-contrast']}")]
)
def test_an_accessibility_checker_finds_nothing(
    tab: Browser, demo_page: Path, scheme: str, rules: str
) -> None:
    # Contrast, alternative texts, names of controls, headings, landmarks: axe-core's rules.
    tab.open(demo_page, PHONE, scheme)
    checker = Path(axe_core_python.__file__).parent / "axe.min.js"
    tab.evaluate(f"{checker.read_text()}; 0")
    run = (
        f"axe.run(document, {rules}).then(r => JSON.stringify("
        "[r.passes.length, r.violations.map(v => [v.id, v.nodes[0].html.slice(0, 200)])]))"
    )
    passes, violations = json.loads(tab.settle(run))
    assert passes >= (1 if scheme == "dark" else 20)
    assert violations == []


def test_links_lead_to_what_can_be_seen(tab: Browser, demo_page: Path) -> None:
    tab.open(demo_page, PHONE)
    links = tab.evaluate("[...document.links].map(a => a.getAttribute('href'))")
    assert len(links) > 50
    assert tab.evaluate(
        "[...document.links].filter(a => !a.download).every(a => document.querySelector(a.hash))"
    )
    # A row of scores stands in a closed table, which opens for it.
    link = "document.querySelector('.matrix td a')"
    tab.evaluate(f"{link}.click(); 0")
    seen = tab.settle(
        f"new Promise(r => setTimeout(() => r(document.querySelector({link}.hash)"
        ".getBoundingClientRect().height), 200))"
    )
    assert seen > 10


def frames_shown(tab: Browser) -> list[int]:
    shown = "[...document.querySelectorAll('.frame')].map((f, i) => f.offsetHeight ? i : -1)"
    return [index for index in tab.evaluate(shown) if index >= 0]


def test_the_case_plays_and_stops(tab: Browser, demo_page: Path) -> None:
    tab.open(demo_page, DESKTOP)
    assert frames_shown(tab) == [2]  # the last lead
    tab.evaluate("document.querySelector('.play').click(); 0")
    assert frames_shown(tab) == [0]
    assert tab.evaluate("document.querySelector('.play').textContent") == "Pause"
    tab.evaluate("document.querySelector('.play').click(); 0")
    tab.evaluate("document.getElementById('lead-2').click(); 0")
    assert frames_shown(tab) == [1]


@pytest.mark.parametrize("hour", [0, 1, -1])
def test_every_cell_is_that_of_the_chosen_score_and_hour(
    tab: Browser, demo_page: Path, demo_run: Run, hour: int
) -> None:
    summary, hours = load_summary(demo_run.summary), read_summary(demo_run.by_hour)
    shown = matrix(summary, hours, read_verdicts(demo_run.verdicts), demo_run.settings)
    tab.open(demo_page, DESKTOP)
    hour %= len(shown.hours)
    for score in (len(shown.labels) - 1, 0):
        tab.evaluate(
            f"for (const [id, value] of [['score', {score}], ['hour', {hour}]]) {{"
            " const one = document.getElementById(id); one.value = value;"
            " one.dispatchEvent(new Event('change')); } 0"
        )
        found = tab.evaluate(
            "JSON.stringify([...document.querySelectorAll('.matrix tbody td a')]"
            ".map(a => [a.textContent, a.title]))"
        )
        expected = [
            [text, title]
            for row, cells in zip(shown.rows, shown.cells[score][hour], strict=True)
            for scored, (text, _, title) in zip(row.scored, cells, strict=True)
            if scored
        ]
        assert json.loads(found) == expected
    assert complaints(tab) == []


def test_without_scripts_tables_and_the_sheet_are_there(tab: Browser, demo_page: Path) -> None:
    tab.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        tab.open(demo_page, PHONE)
    finally:
        tab.call("Emulation.setScriptExecutionDisabled", value=False)
    assert complaints(tab) == []
    assert tab.evaluate("document.querySelector('.matrix').offsetHeight") > 100
    assert tab.evaluate("document.querySelector('.choose').offsetHeight") == 0
    assert tab.evaluate("document.querySelector('.play').offsetHeight") == 0
    assert frames_shown(tab) == [2]
    # Leads are chosen without a script.
    tab.evaluate("document.getElementById('lead-1').checked = true; 0")
    assert frames_shown(tab) == [0]


def test_another_score_and_hour_can_be_chosen(tab: Browser, demo_page: Path) -> None:
    tab.open(demo_page, DESKTOP)
    first = "document.querySelector('.matrix tbody tr:nth-child(2) td')"
    before = tab.evaluate(f"{first}.textContent")
    tab.evaluate(
        "for (const [id, value] of [['score', 'fair CRPS'], ['hour', 'cases from 12 UTC']]) {"
        "const s = document.getElementById(id);"
        "s.value = [...s.options].find(o => o.text === value).value;"
        "s.dispatchEvent(new Event('change'));} 0"
    )
    assert tab.evaluate("document.getElementById('shown').textContent") == (
        "fair CRPS, cases from 12 UTC"
    )
    assert tab.evaluate(f"{first}.textContent") != before
    assert "fair CRPS" in tab.evaluate(f"{first}.firstElementChild.getAttribute('aria-label')")


def test_the_page_is_short_and_its_first_screen_has_verdict_and_scores(
    tab: Browser, demo_page: Path
) -> None:
    tab.open(demo_page, 1400)
    assert tab.evaluate("document.documentElement.scrollHeight") < 12_000
    assert demo_page.stat().st_size < 4_000_000
    for part in (".first-sentence", ".banner", ".matrix"):
        assert tab.evaluate(f"document.querySelector('{part}').getBoundingClientRect().top") < 900
