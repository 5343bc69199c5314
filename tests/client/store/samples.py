"""Records of every kind over a few ids, so that they meet: what the stateful test draws from."""

from __future__ import annotations

from enum import Enum
from typing import Any, get_args, get_type_hints

import msgspec
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from coterie.base.ids import (
    LOG_KIND,
    MAILBOX_KIND,
    AccountId,
    ConversationId,
    DeviceId,
    EnvelopeId,
    MessageId,
    SessionId,
    StreamId,
    UserName,
)
from coterie.client.events import ConversationKind, MessageState
from coterie.client.store.records import (
    AccountRow,
    BeginLife,
    ConversationRow,
    MessageRow,
    PeerDevice,
    PutLeaves,
    Record,
)

ACCOUNTS = [AccountId(bytes((i,)) * 32) for i in (1, 2)]
DEVICES = [DeviceId(bytes((i,)) * 16) for i in (10, 11, 12)]
CONVERSATIONS = [ConversationId(bytes((i,)) * 16) for i in (20, 21)]
MESSAGES = [MessageId(bytes((i,)) * 16) for i in range(30, 36)]
ENVELOPES = [EnvelopeId(bytes((i,)) * 16) for i in (40, 41, 42)]
SESSIONS = [SessionId(bytes((i,)) * 32) for i in (50, 51)]
STREAMS = [
    StreamId(LOG_KIND + CONVERSATIONS[0]),
    StreamId(LOG_KIND + CONVERSATIONS[1]),
    StreamId(MAILBOX_KIND + DEVICES[0]),
]
NAMES = [UserName("alice"), UserName("bob")]
ORDERS = range(1, 13)
SMALL = range(4)
"""Every other number: ids of prekeys, seqs, indexes, times."""
WORDS = ["one", "two", "twofold", "three"]

_POOLS: dict[object, SearchStrategy[Any]] = {
    AccountId: st.sampled_from(ACCOUNTS),
    DeviceId: st.sampled_from(DEVICES),
    ConversationId: st.sampled_from(CONVERSATIONS),
    MessageId: st.sampled_from(MESSAGES),
    EnvelopeId: st.sampled_from(ENVELOPES),
    SessionId: st.sampled_from(SESSIONS),
    StreamId: st.sampled_from(STREAMS),
    UserName: st.sampled_from(NAMES),
    bytes: st.sampled_from([b"", b"\x00", b"some bytes"]),
    str: st.lists(st.sampled_from(WORDS), max_size=3).map(" ".join),
    int: st.sampled_from(SMALL),
    bool: st.booleans(),
}
_BY_FIELD: dict[tuple[str, object], SearchStrategy[Any]] = {
    ("order", int): st.sampled_from(ORDERS),
    ("read_order", int): st.sampled_from(ORDERS),
    ("session", bytes): st.sampled_from([b"", *SESSIONS]),
    ("conversation", bytes): st.sampled_from([b"", *CONVERSATIONS]),
}


def records_of(kind: type[msgspec.Struct], **given: SearchStrategy[Any]) -> SearchStrategy[Any]:
    """Any record of one kind, field by field from the pools above."""
    fields = {
        name: _values_of(name, hint) for name, hint in get_type_hints(kind).items() if name not in given
    }
    return st.builds(kind, **fields, **given)


def _values_of(name: str, hint: object) -> SearchStrategy[Any]:
    if (name, hint) in _BY_FIELD:
        return _BY_FIELD[name, hint]
    if hint in _POOLS:
        return _POOLS[hint]
    if isinstance(hint, type) and issubclass(hint, Enum):
        return st.sampled_from(list(hint))
    raise TypeError(hint)


_DEVICES_OF_ACCOUNT = st.lists(records_of(PeerDevice), max_size=3, unique_by=lambda each: each.device)
_accounts = records_of(AccountRow, devices=_DEVICES_OF_ACCOUNT.map(tuple)).map(
    lambda row: msgspec.structs.replace(
        row, devices=tuple(msgspec.structs.replace(each, account=row.account) for each in row.devices)
    )
)
_leaves = records_of(PutLeaves, leaves=st.lists(st.binary(max_size=3), max_size=3).map(tuple))
_plain = (kind for kind in get_args(Record) if kind not in (AccountRow, PutLeaves, BeginLife))
any_record: SearchStrategy[Record] = st.one_of(
    _accounts, _leaves, *(records_of(kind) for kind in _plain), records_of(MessageRow)
)


def message(order: int, text: str = "hello", **changes: Any) -> MessageRow:
    """A message of the second device in the first conversation, its id made from its order."""
    row = MessageRow(
        order=order,
        conversation=CONVERSATIONS[0],
        message=MessageId(order.to_bytes(16, "big")),
        account=ACCOUNTS[1],
        device=DEVICES[1],
        own=False,
        state=MessageState.RECEIVED,
        body=b"a body",
        text=text,
        readable=True,
        sent_ms=order,
    )
    return msgspec.structs.replace(row, **changes)


def conversation(read_order: int = 0, draft: str = "") -> ConversationRow:
    return ConversationRow(CONVERSATIONS[0], ConversationKind.DIRECT, ACCOUNTS[1], read_order, draft)
