"""Kinds of systems: a kind is a file in `systems/`, and its name is the file's.

The file has a `SYSTEM`, a class of `stormdraw.ensembles.system`. An entry of the list
`ensembles.systems` chooses it by its `method`, or by its `kind` if a method has several. The class
says what such a system needs, what it costs and how it is made; rules, scripts, costs and the
report ask the class and know no kind by name. Reading a configuration imports all of these files,
so they import slow modules (torch) only where needed.
"""

import functools
import importlib
import operator
import pkgutil
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, WrapValidator, create_model

from stormdraw.ensembles import systems
from stormdraw.ensembles.system import AnySystem

_FOLDER = "stormdraw.ensembles.systems"


def kinds() -> dict[str, type[AnySystem]]:
    """The class of each kind, by its name."""
    names = sorted(module.name for module in pkgutil.iter_modules(systems.__path__))
    return {name: importlib.import_module(f"{_FOLDER}.{name}").SYSTEM for name in names}


def module_of_system(system: AnySystem) -> str:
    """The module of a system's kind, which no import statement names."""
    return type(system).__module__


def any_system() -> Any:
    """The type of an entry of the list of systems: chosen by `method`, then by `kind`."""
    by_method: dict[str, list[type[AnySystem]]] = {}
    for kind in kinds().values():
        (method,) = get_args(kind.model_fields["method"].annotation)
        by_method.setdefault(method, []).append(kind)
    methods = [
        _by_kind(method, found) if "kind" in found[0].model_fields else found[0]
        for method, found in by_method.items()
    ]
    return Annotated[_any_of(methods), Field(discriminator="method")]


def _any_of(types: Sequence[Any]) -> Any:
    return functools.reduce(operator.or_, types)


def _by_kind(method: str, found: Sequence[type[AnySystem]]) -> Any:
    """The type of the systems of one method, with error locations as for a single class."""
    classes = {name: one for one in found for name in get_args(one.model_fields["kind"].annotation)}
    one_of = create_model(method, kind=(Literal[tuple(classes)], ...))  # type: ignore[arg-type]
    usual = [kind for kind, one in classes.items() if not one.model_fields["kind"].is_required()]

    def choose(given: dict[str, Any], _: Callable[[Any], AnySystem]) -> AnySystem:
        kind = given.get("kind", *usual)
        if kind not in list(classes):
            # Never valid: raises the usual error of a key with a few values.
            one_of.model_validate(given)
        own, ours = classes[kind], {}
        for key, value in given.items():
            others = {
                name: one.model_fields[key]
                for name, one in classes.items()
                if key in one.model_fields
            }
            if not others or kind in others:
                ours[key] = value
            elif any(value != field.default for field in others.values()):
                raise ValueError(f"{key} applies only to kind: {' or '.join(others)}; remove it")
        return own.model_validate(ours)

    return Annotated[_any_of(found), WrapValidator(choose)]
