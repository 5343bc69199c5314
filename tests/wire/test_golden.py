"""The bytes of every frame, pinned for protocol version 1 (docs/protocol.md 3).

After a wanted change: python -m tests.wire.test_golden writes the file anew;
its diff is the change of format.
"""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any

import pytest
from msgspec import inspect

from coterie.wire import codec
from coterie.wire.frames import Frame
from coterie.wire.refusals import SERVER_CODES
from tests.wire.frame_strategies import CLIENT_FRAMES, SERVER_FRAMES

GOLDEN = Path(__file__).parents[1] / "golden" / "frames-v1.txt"
KINDS = (*CLIENT_FRAMES, *SERVER_FRAMES)


def sample(kind: type[Frame]) -> Frame:
    """The same frame every time: numbers that rise with the fields, rows of two."""
    frame = _value(inspect.type_info(kind), count(1))
    assert isinstance(frame, kind)
    return frame


def _value(info: inspect.Type, numbers: count[int]) -> Any:
    match info:
        case inspect.StructType(cls=cls, fields=fields):
            return cls(**{field.name: _value(field.type, numbers) for field in fields})
        case inspect.BytesType(min_length=least, max_length=most):
            size = least or min(most or 4, 4)
            return bytes(range(next(numbers), 256))[:size].ljust(size, b".")
        case inspect.StrType():
            return f"text-{next(numbers)}"
        case inspect.IntType(le=most):
            return min(1000 * next(numbers), most or 0)
        case inspect.VarTupleType(item_type=item):
            return (_value(item, numbers), _value(item, numbers))
        case inspect.UnionType(types=types):
            return _value(next(each for each in types if not isinstance(each, inspect.NoneType)), numbers)
        case inspect.BoolType():
            return True
        case _:
            raise NotImplementedError(f"a field of type {info}")


def pinned() -> dict[str, bytes]:
    return {
        name: bytes.fromhex(data) for name, data in (line.split() for line in GOLDEN.read_text().splitlines())
    }


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_the_bytes_of_a_frame_stay_as_they_are(kind: type[Frame]) -> None:
    data = pinned()[kind.__name__]
    assert codec.encode(sample(kind)) == data
    decode = codec.decode_client if kind in CLIENT_FRAMES else codec.decode_server
    assert decode(data) == (sample(kind),)


def test_nothing_else_is_pinned_and_no_number_is_used_twice() -> None:
    assert list(pinned()) == [kind.__name__ for kind in KINDS]
    numbers = [kind.__struct_config__.tag for kind in KINDS]
    assert len(set(numbers)) == len(numbers)


def test_every_refusal_fits_its_field() -> None:
    assert all(len(code.value) <= 32 for code in SERVER_CODES)


if __name__ == "__main__":
    GOLDEN.write_text("".join(f"{kind.__name__} {codec.encode(sample(kind)).hex()}\n" for kind in KINDS))
