"""The line of a key in a YAML file, for errors that point at it."""

import re
from collections.abc import Sequence
from pathlib import Path

import yaml
from pydantic import ValidationError

from stormdraw.section import findings

# Messages of checks begin with a key: `periods.test (...) is shorter than`.
_NAMED_KEY = re.compile(r"^[a-z_]+(?:\.[a-z_]+|\.\d+)*")


def explain_in(error: ValidationError, files: Sequence[str | Path]) -> str:
    """Pydantic's findings in one line: `file:line: key: what is wrong; file:line: ...`.

    A missing key has the line of its section.
    """
    trees = [(path, yaml.compose(Path(path).read_text("utf-8"), yaml.SafeLoader)) for path in files]
    told = []
    for location, text in findings(error):
        named = _NAMED_KEY.match(text)
        keys = location or _keys_of(named[0] if named else "")
        # A later file overrides an earlier one.
        deepest, line, path = 0, 1, trees[0][0]
        for candidate, tree in trees:
            depth, at = _line_of(keys, tree)
            if depth >= deepest:
                deepest, line, path = depth, at, candidate
        where = f"{path}:{line}" if keys else f"{path}"
        told.append(f"{where}: {text}")
    return "; ".join(told)


def located(message: str, files: Sequence[str | Path]) -> str:
    """A message that begins with a key, preceded by the file and line of that key.

    A message without a key from the files is returned unchanged.
    """
    named = _NAMED_KEY.match(message)
    keys = _keys_of(named[0] if named else "")
    for path in reversed(files):
        depth, line = _line_of(keys, yaml.compose(Path(path).read_text("utf-8"), yaml.SafeLoader))
        if depth:
            return f"{path}:{line}: {message}"
    return message


def _keys_of(named: str) -> list[str | int]:
    """`ensembles.systems.1` as keys and numbers."""
    return [int(key) if key.isdigit() else key for key in named.split(".") if key]


def _line_of(keys: Sequence[str | int], tree: yaml.Node | None) -> tuple[int, int]:
    """How many of the keys exist in the file, and the line (from 1) of the last of these.

    Pydantic puts the kind of a system between its number and its key; keys that are not in the file
    are skipped.
    """
    node, depth, line = tree, 0, 1
    for key in keys:
        if isinstance(node, yaml.MappingNode):
            pairs = [pair for pair in node.value if pair[0].value == str(key)]
            if pairs:
                line, node = pairs[-1][0].start_mark.line + 1, pairs[-1][1]
                depth += 1
        elif isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
            node = node.value[key]
            line, depth = node.start_mark.line + 1, depth + 1
    return depth, line
