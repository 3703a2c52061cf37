"""Figures embedded in the page as compact data URIs, so that the page is a single file."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from markupsafe import Markup
from scour import scour

from stormdraw.report.figure import figures
from stormdraw.report.style import read_label

# Characters that a data URI in a double-quoted attribute may hold as they are, by the URL and HTML
# standards (https://url.spec.whatwg.org). Nearly all of a file consists of them, so
# percent-encoding takes fewer bytes than base64, which adds a third.
_PLAIN = " '=:;,.-_!$*+?@~|<>/()"


@dataclass(frozen=True)
class Embedded:
    """A figure on the page. If `data` is None, `alternative` says why there is no figure."""

    title: str
    caption: str
    alternative: str
    data: Markup | None
    width: int


def embed(name: str, path: str | Path | None) -> Embedded:
    """A figure as a data URI with its title, caption and alternative text.

    Raises StormdrawError if the file exists but is not a figure of the report.
    """
    figure = figures()[name]
    if path is None:
        reason = "This run has not made this figure."
        return Embedded(figure.title, figure.caption, reason, None, 0)
    return embedded(figure.title, figure.caption, path)


def embedded(title: str, caption: str, path: str | Path) -> Embedded:
    """The same of a figure with this title and caption."""
    label = read_label(path)
    if label.gap:
        return Embedded(title, caption, label.description, None, 0)
    # Double quotes, of which an SVG has many, would have to be encoded.
    data = data_uri(_reduced(Path(path).read_text()).replace('"', "'"), "image/svg+xml")
    return Embedded(title, caption, label.description, data, label.width)


def _reduced(svg: str) -> str:
    """The same picture in half of the bytes: coordinates keep four digits, a tenth of a pixel."""
    options = scour.parse_args(
        [
            *("--enable-id-stripping", "--shorten-ids", "--indent=none", "--no-line-breaks"),
            *("--enable-comment-stripping", "--remove-metadata", "--strip-xml-prolog"),
            "--set-precision=4",
        ]
    )
    return str(scour.scourString(svg, options))


def data_uri(text: str, kind: str) -> Markup:
    """A file of a media type as a data URI, safe inside a double-quoted attribute."""
    encoded = quote(text, safe=_PLAIN)
    # A search of the page for addresses finds none.
    encoded = encoded.replace("//", "/%2F").replace("url(", "url%28")
    # Markup is safe: no character remains that ends an attribute or starts an entity.
    return Markup(f"data:{kind},{encoded}")  # noqa: S704
