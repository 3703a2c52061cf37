"""Figures inside the page: small, as data URIs, so that the page is one file."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from markupsafe import Markup
from scour import scour

from stormdraw.report.figure import figures
from stormdraw.report.style import read_label

# What a data URI may hold between the double quotes of an attribute. Nearly all of a file is such
# characters, so this takes fewer bytes than base64, which adds a third. No slash and no bracket:
# whoever searches the page for addresses (`http://`, `url(`) finds none.
_PLAIN = " '=:;,.-_!$*+?@~|"


@dataclass(frozen=True)
class Embedded:
    """A figure on the page; `data` is None where `alternative` says why there is none."""

    name: str
    title: str
    caption: str
    alternative: str
    data: Markup | None
    width: int


def embed(name: str, path: str | Path | None) -> Embedded:
    """A figure as the page takes it in: a data URI, and the words that go with it.

    Raises StormdrawError if the file is there but not a figure of the report.
    """
    figure = figures()[name]
    if path is None:
        reason = "This figure was not made in this run."
        return Embedded(name, figure.title, figure.caption, reason, None, 0)
    label = read_label(path)
    if label.gap:
        return Embedded(name, figure.title, figure.caption, label.description, None, 0)
    # With double quotes, of which an SVG has many, it would be larger.
    data = data_uri(_reduced(Path(path).read_text()).replace('"', "'"), "image/svg+xml")
    return Embedded(name, figure.title, figure.caption, label.description, data, label.width)


def _reduced(svg: str) -> str:
    """The same picture in about 60 % of the bytes: coordinates have five digits."""
    options = scour.parse_args(
        [
            *("--enable-id-stripping", "--shorten-ids", "--indent=none", "--no-line-breaks"),
            *("--enable-comment-stripping", "--remove-metadata", "--strip-xml-prolog"),
        ]
    )
    return str(scour.scourString(svg, options))


def data_uri(text: str, kind: str) -> Markup:
    """The content of an attribute that holds a whole file of a media type."""
    # Safe as it is: no character is left that ends an attribute or begins a tag or an entity.
    return Markup(f"data:{kind}," + quote(text, safe=_PLAIN))  # noqa: S704
