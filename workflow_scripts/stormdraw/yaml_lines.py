"""On which line of a YAML file a key stands, so that an error can point at it."""

import re
from collections.abc import Sequence
from pathlib import Path

import yaml
from pydantic import ValidationError

from stormdraw.section import findings

# A check of several keys begins by naming the first of them: `periods.test (...) is shorter than`.
_NAMED_KEY = re.compile(r"^[a-z_]+(?:\.[a-z_]+|\.\d+)*")


def explain_in(error: ValidationError, files: Sequence[str | Path]) -> str:
    """Pydantic's findings in one line: `file:line: key: what is wrong; file:line: ...`.

    A key that is missing has the line of the part it should stand in.
    """
    trees = [(path, yaml.compose(Path(path).read_text("utf-8"), yaml.SafeLoader)) for path in files]
    told = []
    for location, text in findings(error):
        named = _NAMED_KEY.match(text)
        keys = location or _keys_of(named[0] if named else "")
        # Of several files a later one overrides an earlier one.
        deepest, line, path = 0, 1, trees[0][0]
        for candidate, tree in trees:
            depth, at = _line_of(keys, tree)
            if depth >= deepest:
                deepest, line, path = depth, at, candidate
        where = f"{path}:{line}" if keys else f"{path}"
        told.append(f"{where}: {text}")
    return "; ".join(told)


def told_in(message: str, files: Sequence[str | Path]) -> str:
    """A message that begins by naming a key, with the file and line of that key before it.

    One that names none which is in the files stays as it is.
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
    """How many of the keys are there, and the line (from 1) of the last of these.

    Pydantic puts the kind of a system between its number and its key; what is not in the file is
    passed over.
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
