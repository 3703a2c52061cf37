"""A digest of the code that a script's result depends on."""

import ast
import functools
import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

PACKAGE = "stormdraw"
_NAME_OF_MODULE = re.compile(rf"{PACKAGE}(\.\w+)+(\.\*)?")

_CHECKED = "it checks the configuration, whose values are parameters of every rule"
# Decorators of methods that only check values.
_CHECKS = {"field_validator", "model_validator"}

# The modules that no digest contains, and why. Modules that check the configuration also compute
# values from it; these functions are in the digests of all callers.
WITHOUT_EFFECT = {
    "stormdraw.errors": "it changes what an error says, and a failed job leaves no file",
    "stormdraw.files": "it moves a finished file to its name, whatever is in it",
    "stormdraw.gpu_lease": "it chooses the GPU that a job runs on",
    "stormdraw.job": "it writes a job's log and the line that it fails with",
    "stormdraw.periods": _CHECKED,
    "stormdraw.section": _CHECKED,
    "stormdraw.settings": _CHECKED,
    "stormdraw.archive.settings": _CHECKED,
    "stormdraw.ensembles.fit": _CHECKED,
    "stormdraw.ensembles.settings": _CHECKED,
    "stormdraw.fields.settings": _CHECKED,
    "stormdraw.models.settings": _CHECKED,
    "stormdraw.models.training_settings": _CHECKED,
    "stormdraw.report.settings": _CHECKED,
    "stormdraw.scores.settings": _CHECKED,
}


def code_digest(script: Path, *modules: str) -> str:
    """A short hash of `script` and of all modules of the package it imports, directly or not.

    `modules` are those that it imports by a name from the configuration. The syntax tree is hashed,
    not the text: reformatting or commenting a file changes nothing.

    Raises ValueError if one of `modules` does not exist, since its changes would go unnoticed.
    """
    library = script.parent
    for module in modules:
        if not _is_there(module, library):
            raise ValueError(f"there is no module {module}, on which {script.name} should depend")
    digest = hashlib.sha256(_source(script).tree)
    names = set(_source(script).names)
    for module in sorted(modules_behind(script, *modules)):
        source = _source(_path(module, library))
        digest.update(module.encode())
        digest.update(source.tree)
        names.update(source.names)
    for definition in _called_of_settings(library, frozenset(names)):
        digest.update(definition.encode())
    return digest.hexdigest()[:16]


def _called_of_settings(library: Path, names: frozenset[str]) -> list[str]:
    """The functions and methods of settings that code with these names may call, sorted.

    Only names are compared, so an unrelated use of a name may rerun a rule needlessly.
    """
    checking = [name for name, why in WITHOUT_EFFECT.items() if why == _CHECKED]
    paths = [_path(name, library) for name in checking if _is_there(name, library)]
    waiting = [definition for path in paths for definition in _computing(path)]
    found: list[str] = []
    while called := [definition for definition in waiting if definition[0] in names]:
        waiting = [definition for definition in waiting if definition[0] not in names]
        for _, inner, text in called:
            names |= inner
            found.append(text)
    return sorted(found)


@functools.cache
def _computing(path: Path) -> list[tuple[str, frozenset[str], str]]:
    """Name, used names and syntax tree of each function of a file that is not a check."""
    return [
        (node.name, _names_in(ast.walk(node)), ast.dump(node))
        for node in ast.walk(_parsed(path))
        if isinstance(node, ast.FunctionDef)
        and not _CHECKS & _names_in(chain.from_iterable(map(ast.walk, node.decorator_list)))
    ]


def modules_behind(script: Path, *modules: str) -> set[str]:
    """The modules of the package that the output of `script` depends on.

    They are `modules` and everything imported from there, except WITHOUT_EFFECT and what only those
    import.
    """
    library = script.parent
    reached: set[str] = set()
    waiting = {found for module in modules for found in _with_packages(module, library)}
    waiting |= _imports(script, library)
    while waiting:
        module = waiting.pop()
        if module not in reached and module not in WITHOUT_EFFECT:
            reached.add(module)
            waiting |= _imports(_path(module, library), library)
    return reached


@dataclass(frozen=True)
class Source:
    """What a digest needs of a file: a hash of its syntax tree, and names in it.

    `names` are variables and attributes, `modules` what it imports or mentions.
    """

    tree: bytes
    names: frozenset[str]
    modules: frozenset[str]


@functools.cache
def _source(path: Path) -> Source:
    """A file, read once a process."""
    return source_of(path.read_text(encoding="utf-8"))


@functools.cache
def source_of(text: str) -> Source:
    """What a digest needs of a text. Its tree is not kept: together, they would slow Snakemake."""
    nodes: list[ast.AST] = []
    parts: list[str] = []
    _take_apart(ast.parse(text), nodes, parts)
    hashed = hashlib.sha256("\0".join(parts).encode()).digest()
    return Source(hashed, _names_in(nodes), frozenset(_modules_in(nodes)))


def _take_apart(node: ast.AST, nodes: list[ast.AST], parts: list[str]) -> None:
    """Append a node and all below it to `nodes`, and everything they consist of to `parts`.

    This is `ast.walk` and `ast.dump` in a fifth of their time, which every start of Snakemake
    takes. Each kind of node has its own fields in one order, and lists say how long they are.
    """
    nodes.append(node)
    parts.append(type(node).__name__)
    for field in node._fields:
        value = getattr(node, field)
        several = isinstance(value, list)
        if several:
            parts.append(str(len(value)))
        for one in value if several else (value,):
            if isinstance(one, ast.AST):
                _take_apart(one, nodes, parts)
            else:
                parts.append(repr(one))


def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _names_in(nodes: Iterable[ast.AST]) -> frozenset[str]:
    """All names and attributes among the nodes of a syntax tree."""
    return frozenset(
        node.attr if isinstance(node, ast.Attribute) else node.id
        for node in nodes
        if isinstance(node, ast.Attribute | ast.Name)
    )


def _modules_in(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """What may name a module among the nodes of a syntax tree.

    A string with the name of a module counts, too: `python -m` starts such a module.
    """
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            # `from package import module` names a module in its last part, or a thing in it.
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and _NAME_OF_MODULE.fullmatch(str(node.value)):
            yield str(node.value)


@functools.cache
def _imports(path: Path, library: Path) -> frozenset[str]:
    return frozenset(_find_imports(path, library))


def _find_imports(path: Path, library: Path) -> Iterator[str]:
    """Names of the package's modules that a file imports, including `__init__` of packages.

    A name that ends with a star stands for all modules of a package, which are found by their
    files.
    """
    for name in _source(path).modules:
        package, star, _ = name.partition(".*")
        yield from _with_packages(package, library)
        if star:
            for file in _path(package, library).parent.glob("[!_]*.py"):
                yield from _with_packages(f"{package}.{file.stem}", library)


def _with_packages(name: str, library: Path) -> Iterator[str]:
    """A module of the package and its parent packages; an object in a module gives the module."""
    parts = name.split(".")
    if parts[0] != PACKAGE:
        return
    for end in range(1, len(parts) + 1):
        module = ".".join(parts[:end])
        if _is_there(module, library):
            yield module


@functools.cache
def _is_there(module: str, library: Path) -> bool:
    return _path(module, library).exists()


@functools.cache
def _path(module: str, library: Path) -> Path:
    path = library.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
