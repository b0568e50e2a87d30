"""Data classes whose making costs little: what `dataclasses` makes, from the same declarations.

`dataclasses` compiles up to eight methods for every class while its module is imported, 0.3 ms a class. A command
imports a hundred classes, makes a few values of half of them and compares even fewer, so that a fifth of a short run
was spent on methods that nobody called. Here comparing, hashing and showing are functions that all classes share, and
`__init__` is compiled when many values are made. Type checkers see `dataclasses.dataclass` itself; `fields`,
`replace`, `astuple` and `asdict` of `dataclasses` work on what comes out.
"""

from __future__ import annotations

import dataclasses
from dataclasses import MISSING, Field, FrozenInstanceError, field
from inspect import get_annotations
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import dataclass
else:

    def dataclass(*, slots: bool, frozen: bool = False, order: bool = False, eq: bool = True) -> Callable[[type], type]:
        """Return what makes a data class of a declaration.

        Args:
            slots: True; there is no other kind here.
            frozen: no attribute can be set afterwards.
            order: values can be sorted.
            eq: values of the same content are equal.

        Raises:
            TypeError: the declaration asks for what only `dataclasses` can do.
        """

        def make(declared: type) -> type:
            return _made(declared, frozen=frozen, order=order, eq=eq)

        if not slots:
            raise TypeError("a data class without slots is made by 'dataclasses'")
        return make


__all__ = ["dataclass"]

# where `dataclasses` looks for the fields of a class
_FIELDS = "__dataclass_fields__"
# values that are filled field by field: compiling `__init__` takes as long as thirty of them
_FEW = 20


def _made(declared: type, *, frozen: bool, order: bool, eq: bool) -> type:
    """Return a class with slots in the place of one without."""
    content = dict(declared.__dict__)
    for gone in ("__dict__", "__weakref__"):
        content.pop(gone, None)
    own = _declared(declared, content)
    names = tuple(own)
    content |= {
        "__slots__": names,
        "__match_args__": tuple(name for name in names if own[name].init),
        _FIELDS: _Fields(declared, own),
        "__init__": _init,
        "__content__": _getter(names),
    }
    added: dict[str, Any] = {"__repr__": _repr}
    if eq:
        compared = tuple(name for name, one in own.items() if one.compare)
        added |= {"__compared__": _getter(compared), "__eq__": _eq, "__hash__": _hash if frozen else None}
    if order:
        added |= {"__lt__": _lt, "__le__": _le, "__gt__": _gt, "__ge__": _ge}
    if frozen:
        added |= {"__setattr__": _refuse, "__delattr__": _refuse}
        added |= {"__getstate__": _getstate, "__setstate__": _setstate}
    # whoever defines `__eq__` gets `__hash__ = None` from Python itself
    if content.get("__hash__", 0) is None and "__eq__" in content:
        del content["__hash__"]
    content = added | content
    content["__qualname__"] = declared.__qualname__
    return type(declared)(declared.__name__, declared.__bases__, content)


def _declared(declared: type, content: dict[str, Any]) -> dict[str, Field[Any]]:
    """Take the fields out of a class's content, and return them by name.

    Raises:
        TypeError: a base has fields, or a field is of a kind that only `dataclasses` knows.
    """
    if any(hasattr(base, _FIELDS) for base in declared.__bases__):
        raise TypeError(f"{declared.__qualname__!r} inherits fields: let 'dataclasses' make it")
    found: dict[str, Field[Any]] = {}
    for name, kind in content.get("__annotations__", {}).items():
        if kind.startswith(("ClassVar", "InitVar", "KW_ONLY")):
            raise TypeError(f"{name!r} is {kind!r}: let 'dataclasses' make {declared.__qualname__!r}")
        default = content.pop(name, MISSING)
        one: Field[Any] = default if isinstance(default, Field) else field(default=default)
        is_made = one.default_factory is not MISSING
        if not (one.init or is_made) or one.kw_only is True or isinstance(one.default, list | dict | set):
            raise TypeError(f"the field {name!r} is unusual: let 'dataclasses' make {declared.__qualname__!r}")
        found[name] = one
    return found


class _Fields:
    """The fields as `dataclasses` describes them, made when somebody asks."""

    def __init__(self, declared: type, own: dict[str, Field[Any]]) -> None:
        self.declared = declared
        self.own = own
        self.described: dict[str, Field[Any]] | None = None
        self.filled = 0

    def __get__(self, _instance: object, _owner: type) -> dict[str, Field[Any]]:
        if self.described is None:
            twin = type("_Twin", (), {"__annotations__": get_annotations(self.declared), **self.own})
            made: type = dataclasses.dataclass(init=False, repr=False, eq=False)(twin)
            self.described = vars(made)[_FIELDS]
        return self.described


def _getter(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    """Return what gives some attributes of a value as a tuple."""
    if len(names) > 1:
        return attrgetter(*names)
    # attrgetter gives one attribute alone; a staticmethod is no method of the value
    return staticmethod(lambda value: tuple(getattr(value, name) for name in names))


def _init(self: Any, *args: Any, **named: Any) -> None:
    """Fill a value; when there are many, compile what fills them and put it into the class."""
    kind = next(base for base in type(self).__mro__ if isinstance(base.__dict__.get(_FIELDS), _Fields))
    fields: _Fields = kind.__dict__[_FIELDS]
    fields.filled += 1
    given = _given(kind, fields.own, args, named) if fields.filled <= _FEW else None
    if given is None:
        compiled = _compiled(kind, fields.own)
        kind.__init__ = compiled  # type: ignore[misc] # the class is made here
        compiled(self, *args, **named)
        return
    for name, value in given.items():
        kind.__dict__[name].__set__(self, value)
    if hasattr(kind, "__post_init__"):
        self.__post_init__()


def _given(
    kind: type, own: dict[str, Field[Any]], args: tuple[Any, ...], named: dict[str, Any]
) -> dict[str, Any] | None:
    """Return the content of every field, or None where a call does not fit: what is compiled says why."""
    taken: tuple[str, ...] = kind.__dict__["__match_args__"]
    said = dict(zip(taken, args, strict=False)) | named
    if len(said) < len(args) + len(named) or not said.keys() <= set(taken):
        return None
    given = {}
    for name, one in own.items():
        if name in said:
            given[name] = said[name]
        elif one.default is not MISSING:
            given[name] = one.default
        elif one.default_factory is not MISSING:
            given[name] = one.default_factory()
        else:
            return None
    return given


def _compiled(kind: type, own: dict[str, Field[Any]]) -> Callable[..., None]:
    """Return an `__init__` that is as quick as one written by hand."""
    known: dict[str, Any] = {"_MISSING": MISSING}
    parameters, lines = ["self"], []
    for name, one in own.items():
        known[f"_set_{name}"] = kind.__dict__[name].__set__
        value = name
        if one.default is not MISSING:
            known[f"_default_{name}"] = one.default
            parameters.append(f"{name}=_default_{name}")
        elif one.default_factory is not MISSING:
            known[f"_make_{name}"] = one.default_factory
            value = f"_make_{name}()"
            if one.init:
                parameters.append(f"{name}=_MISSING")
                value += f" if {name} is _MISSING else {name}"
        else:
            parameters.append(name)
        lines.append(f"    _set_{name}(self, {value})")
    if hasattr(kind, "__post_init__"):
        lines.append("    self.__post_init__()")
    text = f"def __init__({', '.join(parameters)}):\n" + "\n".join(lines or ["    pass"])
    exec(text, known)  # noqa: S102 - made of the names of fields, as dataclasses does
    init: Callable[..., None] = known["__init__"]
    init.__qualname__ = f"{kind.__qualname__}.__init__"
    return init


@recursive_repr()
def _repr(self: Any) -> str:
    own = type(self).__dataclass_fields__
    shown = ", ".join(f"{name}={getattr(self, name)!r}" for name, one in own.items() if one.repr)
    return f"{type(self).__qualname__}({shown})"


def _eq(self: Any, other: Any) -> Any:
    if other.__class__ is not self.__class__:
        return NotImplemented
    return self.__compared__(self) == self.__compared__(other)


def _hash(self: Any) -> int:
    return hash(self.__compared__(self))


def _lt(self: Any, other: Any) -> Any:
    return self.__compared__(self) < self.__compared__(other) if other.__class__ is self.__class__ else NotImplemented


def _le(self: Any, other: Any) -> Any:
    return self.__compared__(self) <= self.__compared__(other) if other.__class__ is self.__class__ else NotImplemented


def _gt(self: Any, other: Any) -> Any:
    return self.__compared__(self) > self.__compared__(other) if other.__class__ is self.__class__ else NotImplemented


def _ge(self: Any, other: Any) -> Any:
    return self.__compared__(self) >= self.__compared__(other) if other.__class__ is self.__class__ else NotImplemented


def _refuse(_self: Any, name: str, *_value: object) -> None:
    done = "assign to" if _value else "delete"
    raise FrozenInstanceError(f"cannot {done} field {name!r}")


def _getstate(self: Any) -> list[Any]:
    return list(self.__content__(self))


def _setstate(self: Any, state: list[Any]) -> None:
    for name, value in zip(type(self).__dataclass_fields__, state, strict=True):
        object.__setattr__(self, name, value)
