"""Puts a module and all of the library that it imports into one file."""

import ast
from collections import Counter
from pathlib import Path

LIBRARY = Path(__file__).parents[3]

_PACKAGE = "stormdraw"


def gathered(module: str, library: Path) -> str:
    """The source of a module, after that of all modules of the library behind it.

    Imports from the library are left out, since their names are in the same file; the others are at
    its top. Raises ValueError if two modules have a name in common, or if one imports a module of
    the library as a whole.
    """
    order: list[str] = []
    _visit(module, library, order)
    imports: set[str] = set()
    parts, names = [], Counter[str]()
    for each in order:
        source = _path(each, library).read_text(encoding="utf-8")
        tree = ast.parse(source)
        own = [node for node in tree.body if not isinstance(node, ast.Import | ast.ImportFrom)]
        names.update(name for node in own for name in _defined(node))
        imports |= {
            ast.unparse(node)
            for node in tree.body
            if isinstance(node, ast.Import | ast.ImportFrom) and not _from_library(node)
        }
        parts.append(f"# From {each}\n\n{_without_imports(source, tree, each == module)}")
    twice = sorted(name for name, count in names.items() if count > 1)
    if twice:
        raise ValueError(f"{', '.join(twice)} is defined by several modules behind {module}")
    documentation = ast.get_docstring(ast.parse(_path(module, library).read_text("utf-8")), False)
    heading = f'"""{documentation}"""\n\n' + "\n".join(sorted(imports))
    return heading + "\n\n\n" + "\n\n\n".join(parts) + "\n"


def _visit(module: str, library: Path, order: list[str]) -> None:
    """Append a module to `order` after those that it imports."""
    if module in order:
        return
    for node in ast.parse(_path(module, library).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import) and _from_library(node):
            raise ValueError(f"{module} imports a module as a whole; import names from it")
        if isinstance(node, ast.ImportFrom) and _from_library(node):
            _visit(str(node.module), library, order)
    order.append(module)


def _from_library(node: ast.Import | ast.ImportFrom) -> bool:
    named = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module]
    return any(str(name).split(".")[0] == _PACKAGE for name in named)


def _defined(node: ast.stmt) -> list[str]:
    """The names that a statement of a module defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else []
    each = [name for target in targets for name in ast.walk(target)]
    return [name.id for name in each if isinstance(name, ast.Name)]


def _without_imports(source: str, tree: ast.Module, is_main: bool) -> str:
    """A module's source from the first statement that is no import, and without its docstring.

    The docstring of a module that is not the main one becomes a comment.
    """
    lines = source.splitlines()
    has_docstring = ast.get_docstring(tree) is not None
    dropped = tree.body[:1] if has_docstring else []
    dropped += [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    for node in dropped:
        for line in range(node.lineno - 1, int(node.end_lineno or node.lineno)):
            lines[line] = "\0"
    kept = "\n".join(line for line in lines if line != "\0").strip("\n")
    if is_main or not has_docstring:
        return kept
    told = str(ast.get_docstring(tree)).splitlines()
    return "\n".join(f"# {line}".rstrip() for line in told) + "\n\n" + kept


def _path(module: str, library: Path) -> Path:
    return library.joinpath(*module.split(".")).with_suffix(".py")
