"""Pages of the site that stand elsewhere in the repository, or in the schema; mkdocs calls this.

It is run in the environment of the documents (envs/requirements-docs.txt), without the library.
"""

import json
import posixpath
import re
from pathlib import Path
from typing import Any

# Where a document of the repository stands on the site.
PLACES = {
    "config/README.md": "reference/configuration.md",
    "profiles/README.md": "reference/profiles.md",
    "CHANGELOG.md": "reference/changes.md",
}


def on_files(files: Any, config: Any) -> Any:
    """Adds the documents of PLACES, and the table of all keys."""
    from mkdocs.structure.files import File

    root = Path(config.config_file_path).parent
    pages = {place: (root / source).read_text() for source, place in PLACES.items()}
    pages["reference/keys.md"] = keys_page(json.loads((root / "config/schema.json").read_text()))
    for place, text in pages.items():
        files.append(File.generated(config, place, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Makes links to documents lead to where these stand on the site."""
    place = page.file.src_uri
    sources = {place: source for source, place in PLACES.items()}
    return moved_links(markdown, sources.get(place, f"docs/{place}"), place)


def on_post_page(output: str, **_: Any) -> None:
    """Refuses a page that would load something from elsewhere."""
    from mkdocs.exceptions import PluginError

    if found := re.search(r'(?:src="|<link [^>]*stylesheet[^>]* href=")https?://[^"]+', output):
        raise PluginError(f"{found[0]}: the site must not need a network")


def moved_links(text: str, source: str, place: str) -> str:
    """Relative links of a file of the repository, as they are from its place on the site."""

    def moved(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), link[1]))
        on_site = PLACES.get(target, target.removeprefix("docs/"))
        return f"]({posixpath.relpath(on_site, posixpath.dirname(place) or '.')}{link[2] or ''})"

    return re.sub(r"\]\((?!\w+:)([^)#\s]+)(#[^)\s]*)?\)", moved, text)


def keys_page(schema: dict[str, Any]) -> str:
    """A table of keys for the configuration and each of its parts, from its JSON schema."""
    lines = ["# Every key", "", "Made from `config/schema.json`, which is made from the settings."]
    lines += ["[Configuration](configuration.md) says what they mean.", ""]
    parts = {"A configuration": schema, **schema["$defs"]}
    for name, part in parts.items():
        if part.get("properties"):
            lines += [f"## {name}", "", *part.get("description", "").splitlines()[:1], ""]
            lines += ["| key | what it may be | default |", "|---|---|---|"]
            lines += [_row(key, part, of) for key, of in part["properties"].items()]
            lines.append("")
    return "\n".join(lines)


def _row(key: str, part: dict[str, Any], of: dict[str, Any]) -> str:
    default = "required" if key in part.get("required", ()) else ""
    if "default" in of and "$ref" not in of:
        default = f"`{json.dumps(of['default'])}`"
    return f"| `{key}` | {_kind(of)} | {default} |"


def _kind(of: dict[str, Any]) -> str:
    """In a few words; parts of their own are links."""
    if "$ref" in of:
        name = of["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "const" in of or "enum" in of:
        return ", ".join(f"`{value}`" for value in of.get("enum", [of.get("const")]))
    if several := of.get("anyOf", of.get("oneOf")):
        return " or ".join(dict.fromkeys(map(_kind, several)))
    if of.get("type") == "array":
        return f"a list of {_kind(of['items'])}" if of.get("items") else "a list"
    if of.get("type") == "object":
        inner = of.get("additionalProperties")
        return f"names, each with {_kind(inner)}" if isinstance(inner, dict) else "names"
    limits = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    bounds = [f"{sign} {of[limit]}" for limit, sign in limits.items() if limit in of]
    kinds = of.get("type", "anything")
    text = " or ".join(kinds) if isinstance(kinds, list) else kinds
    return " ".join([text, *bounds])
