"""Nothing leaves a client that is not named with its reason; what proves who somebody is is never shown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from msgspec import inspect

from coterie.wire.frames import Ack, ClientFrame, LoginProve, Ping, SignUp
from coterie.wire.frames.shared import Position
from coterie.wire.readable import FIELDS, SHOWN_EACH, Kind, More, ReadableField, blanked, fields_of
from tests.wire.frame_strategies import CLIENT_FRAMES, client_frames


def structs(kind: inspect.Type) -> Iterator[type[msgspec.Struct]]:
    """Every struct of which a value of this type can be made."""
    match kind:
        case inspect.StructType(cls=cls, fields=fields):
            yield cls
            for field in fields:
                yield from structs(field.type)
        case inspect.VarTupleType(item_type=item):
            yield from structs(item)
        case inspect.UnionType(types=types):
            for each in types:
                yield from structs(each)
        case inspect.Metadata(type=inner):
            yield from structs(inner)
        case inspect.IntType() | inspect.StrType() | inspect.BytesType() | inspect.NoneType():
            return
        case _:
            raise AssertionError(f"a type that no frame had before: {kind}")


def test_every_field_of_everything_a_client_says_is_named() -> None:
    """A new field or frame needs its line in wire/readable.py: somebody has to say why the server gets it."""
    said = {each for frame in get_args(ClientFrame) for each in structs(inspect.type_info(frame))}
    assert set(FIELDS) == said
    for struct in said:
        assert tuple(FIELDS[struct]) == struct.__struct_fields__, struct
        assert all(field.why for field in FIELDS[struct].values())


@given(client_frames())
def test_every_frame_is_spelled_out_without_what_could_log_in(frame: ClientFrame) -> None:
    spelled = fields_of(frame)
    shown = [each for each in spelled if isinstance(each, ReadableField)]
    names = {each.path.split(".")[0].split("[")[0] for each in spelled}
    empty = {name for name in frame.__struct_fields__ if getattr(frame, name) == ()}
    assert names == set(frame.__struct_fields__) - empty
    assert all(each.value is None for each in shown if each.kind is Kind.SECRET)
    assert fields_of(blanked(frame)) == spelled


@pytest.mark.parametrize("kind", [SignUp, LoginProve])
def test_secrets_are_not_kept(kind: type[SignUp | LoginProve]) -> None:
    secret = b"a key that opens the account...."
    rest = {"name": "alice"} | ({"manifest": b"m", "vault": b"v", "prekeys": ()} if kind is SignUp else {})
    if kind is SignUp:
        rest |= {"recovery_auth_key": secret, "token": secret}
    frame = kind(request=1, auth_key=secret, **rest)  # type: ignore[arg-type]  # each has its own fields
    kept = blanked(frame)
    assert secret not in msgspec.msgpack.encode(kept)
    assert isinstance(kept, kind)
    assert kept.name == "alice"


def test_of_many_things_the_first_are_spelled_out() -> None:
    many = Ack(tuple(Position(bytes(17), bytes(16), seq) for seq in range(SHOWN_EACH + 4)))
    spelled = fields_of(many)
    assert spelled[-1] == More("positions", 4)
    assert [each.value for each in spelled if isinstance(each, ReadableField) and "seq" in each.path] == [
        *range(SHOWN_EACH)
    ]


def test_each_kind_of_frame_is_tried() -> None:
    assert set(CLIENT_FRAMES) == set(get_args(ClientFrame))


def test_a_value_of_a_type_that_no_frame_has_is_a_bug() -> None:
    with pytest.raises(TypeError, match="nonce"):
        fields_of(Ping(1.5))  # type: ignore[arg-type]  # that is the point
