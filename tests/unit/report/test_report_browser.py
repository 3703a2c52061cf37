import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from report_browser import CHROMIUM, Browser, browser

from stormdraw.report.captions import CAPTIONS

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="skipped: no Chromium here (apt-get install chromium)"
)

PHONE, DESKTOP = 390, 1280


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
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
    tab: Browser, demo_page: Path, width: int, scheme: str
) -> None:
    tab.open(demo_page, width, scheme)
    assert complaints(tab) == []
    asked = [request["request"]["url"] for request in tab.of_kind("Network.requestWillBeSent")]
    assert asked[0] == demo_page.as_uri()
    assert all(url.startswith("data:") for url in asked[1:])
    # Every figure was decoded, and nothing makes the page itself scroll sideways.
    wide = tab.evaluate("[...document.images].map(i => i.naturalWidth > 100)")
    assert wide == [True] * (len(CAPTIONS) - 1)  # all but the page itself
    assert tab.evaluate("document.documentElement.scrollWidth") <= width


def test_all_details_open_within_the_width(tab: Browser, demo_page: Path) -> None:
    tab.open(demo_page, PHONE)
    tab.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; }); 0")
    assert tab.evaluate("document.documentElement.scrollWidth") <= PHONE


def test_tables_scroll_in_their_own_box(tab: Browser, demo_page: Path) -> None:
    tab.open(demo_page, PHONE)
    wide = "(b => b.scrollWidth > b.clientWidth)(document.querySelector('.headline').parentNode)"
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
