"""Values that are a little, or very, wrong: read off what is there, so a new field needs no line here."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

MANY = 300
"""More than any row of frames may hold by its window, few enough to be quick."""


def mutants(value: object) -> Iterator[tuple[str, object]]:
    """Each wrong value, with the place where it is wrong. Structs change field by field, rows also in their
    first item; limits of fields do not count, msgspec checks them only where it decodes."""
    match value:
        case msgspec.Struct():
            for field in value.__struct_fields__:
                for place, wrong in mutants(getattr(value, field)):
                    yield f".{field}{place}", msgspec.structs.replace(value, **{field: wrong})
        case bool():
            yield " not", not value
        case int():
            yield from _numbers(value)
        case bytes():
            yield from _bytes(value)
        case str():
            yield from _texts(value)
        case tuple():
            yield from _rows(value)
        case None:
            yield " = 0", 0
        case _:
            raise NotImplementedError(type(value))


def _numbers(value: int) -> Iterator[tuple[str, int]]:
    yield " zero", 0
    yield " one more", value + 1
    yield " huge", 1 << 62
    yield " beyond", 1 << 63
    yield " negative", -1


def _bytes(value: bytes) -> Iterator[tuple[str, bytes]]:
    yield " longer", value + b"x"
    if value:
        yield " empty", b""
        yield " first bit", bytes((value[0] ^ 1,)) + value[1:]
        yield " last bit", value[:-1] + bytes((value[-1] ^ 1,))


def _texts(value: str) -> Iterator[tuple[str, str]]:
    yield " empty", ""
    yield " NUL", "\x00"
    yield " override", "\u202eevil"
    yield " endless", "x" * 10_000
    yield " emoji", "\U0001f600" * 20


def _rows(value: tuple[object, ...]) -> Iterator[tuple[str, tuple[object, ...]]]:
    if not value:
        return
    yield " empty", ()
    yield " twice", value + value
    yield " many", value[:1] * MANY
    for place, wrong in mutants(value[0]):
        yield f"[0]{place}", (wrong, *value[1:])


def mutant(value: object, place: str) -> object:
    """The value, wrong at that place; as it is where it has no such place."""
    return next((wrong for found, wrong in mutants(value) if found == place), value)
