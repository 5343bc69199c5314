"""Hypothesis strategies for frames, read off their field types: a new frame or limit needs no line here."""

from __future__ import annotations

from typing import Any, get_args

from hypothesis import strategies as st
from msgspec import inspect

from coterie.wire.frames import ClientFrame, Frame, ServerFrame

CLIENT_FRAMES: tuple[type[Frame], ...] = get_args(ClientFrame)
SERVER_FRAMES: tuple[type[Frame], ...] = get_args(ServerFrame)

MOST_ITEMS = 3
MOST_BYTES = 48


def frames_of(kind: type[Frame]) -> st.SearchStrategy[Frame]:
    """Any frame of this kind; long fields and rows are kept short, their least length is kept."""
    return _strategy(inspect.type_info(kind))


def client_frames() -> st.SearchStrategy[Frame]:
    return st.one_of([frames_of(kind) for kind in CLIENT_FRAMES])


def server_frames() -> st.SearchStrategy[Frame]:
    return st.one_of([frames_of(kind) for kind in SERVER_FRAMES])


def _strategy(info: inspect.Type) -> st.SearchStrategy[Any]:
    match info:
        case inspect.StructType(cls=cls, fields=fields):
            return st.builds(cls, **{field.name: _strategy(field.type) for field in fields})
        case inspect.BytesType(min_length=least, max_length=most):
            return st.binary(min_size=least or 0, max_size=_most(least, most, MOST_BYTES))
        case inspect.StrType(min_length=least, max_length=most):
            return st.text(min_size=least or 0, max_size=_most(least, most, MOST_BYTES))
        case inspect.IntType(ge=least, le=most):
            return st.integers(min_value=least, max_value=most)
        case inspect.VarTupleType(item_type=item, min_length=least, max_length=most):
            return st.lists(
                _strategy(item), min_size=least or 0, max_size=_most(least, most, MOST_ITEMS)
            ).map(tuple)
        case inspect.UnionType(types=types):
            return st.one_of([_strategy(each) for each in types])
        case inspect.BoolType():
            return st.booleans()
        case inspect.NoneType():
            return st.none()
        case _:
            raise NotImplementedError(f"a field of type {info}")


def _most(least: int | None, most: int | None, enough: int) -> int:
    return min(most if most is not None else enough, max(enough, least or 0))
