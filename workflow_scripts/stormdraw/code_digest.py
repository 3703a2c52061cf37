"""A digest of the code a script's result depends on."""

import ast
import functools
import hashlib
from collections.abc import Iterator
from pathlib import Path

PACKAGE = "stormdraw"

# These decide how a job runs and how a file is written, not what stands in it. Settings, of the
# whole and of each stage, reach a rule as parameters of their own.
_WITHOUT_EFFECT = {"errors", "files", "gpu_lease", "job", "periods", "section", "settings"}


def code_digest(script: Path, *modules: str) -> str:
    """A short hash of `script` and of all modules of the package it imports, directly or not.

    `modules` are those that it imports by a name from the configuration. The syntax tree is hashed,
    not the text: reformatting or commenting a file changes nothing.
    """
    library = script.parent
    files = [script, *(_path(module, library) for module in modules)]
    digest = hashlib.sha256(_tree(script).encode())
    for module in sorted(_reachable(files, library) | set(modules)):
        digest.update(module.encode())
        digest.update(_tree(_path(module, library)).encode())
    return digest.hexdigest()[:16]


def _reachable(files: list[Path], library: Path) -> set[str]:
    reached: set[str] = set()
    waiting = list(files)
    while waiting:
        for module in _imports(waiting.pop(), library):
            if module not in reached and module.rpartition(".")[2] not in _WITHOUT_EFFECT:
                reached.add(module)
                waiting.append(_path(module, library))
    return reached


@functools.cache
def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@functools.cache
def _tree(path: Path) -> str:
    return ast.dump(_parsed(path))


@functools.cache
def _imports(path: Path, library: Path) -> frozenset[str]:
    return frozenset(_find_imports(path, library))


def _find_imports(path: Path, library: Path) -> Iterator[str]:
    """Names of the package's modules that a file imports, packages' own `__init__` included."""
    for node in ast.walk(_parsed(path)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            # `from package import module` names a module in its last part, or a thing in it.
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            parts = name.split(".")
            if parts[0] != PACKAGE:
                continue
            for end in range(1, len(parts) + 1):
                module = ".".join(parts[:end])
                if _path(module, library).exists():
                    yield module


def _path(module: str, library: Path) -> Path:
    path = library.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
