"""How much of everything a run measures: full for docs/performance.md, quick for a look, tiny for tests."""

from __future__ import annotations

import msgspec


class Scale(msgspec.Struct, frozen=True, kw_only=True):
    """Counts; the names say of what. rounds: how often everything is measured, each time with its floor."""

    rounds: int
    pairs: int
    pair_messages: int
    few_pairs: int
    few_pair_messages: int
    loads: tuple[float, ...]
    """Messages a second."""
    open_loop_seconds: float
    turns: int
    """Messages of a real conversation in turns, each way."""
    rooms: tuple[tuple[int, int], ...]
    """Size, and messages of each speaker."""
    connections: tuple[int, ...]
    entries: tuple[int, ...]
    """Stored ones."""
    idle_connections: tuple[int, ...]
    recovering: int
    """Connections of a server that is killed."""
    storm: int
    """Connections that are lost at once."""
    waiting: int
    """Messages for somebody who comes back."""
    killed_pairs: int
    killed_messages: int
    """Of each pair, if nobody were killed."""
    idle_seconds: float
    batch: int
    """Messages sealed or opened together."""
    batches: int
    single_messages: int
    lost: int
    """Messages whose key is lost. One device is given 100 again within an hour."""
    few_devices: int
    many_devices: int
    speakers: int
    speaker_messages: int
    """Of each speaker, for somebody who sleeps."""
    ledger_accounts: int
    """Of a ledger made up for the purpose."""
    doors: int
    """Sign-ups, logins, unlocks."""
    window_rounds: int


FULL = Scale(
    rounds=5,
    pairs=80,
    pair_messages=200,
    few_pairs=10,
    few_pair_messages=300,
    loads=(200.0, 500.0, 1000.0, 2000.0, 4000.0),
    open_loop_seconds=2.0,
    turns=100,
    rooms=((10, 200), (100, 100), (1000, 30)),
    connections=(100, 1000, 5000),
    entries=(10_000, 1_000_000, 10_000_000),
    idle_connections=(500, 5000),
    recovering=500,
    storm=2000,
    waiting=1000,
    killed_pairs=40,
    killed_messages=300,
    idle_seconds=5.0,
    batch=64,
    batches=8,
    single_messages=100,
    lost=16,
    few_devices=100,
    many_devices=999,
    speakers=5,
    speaker_messages=2000,
    ledger_accounts=100_000,
    doors=5,
    window_rounds=3,
)
QUICK = Scale(
    rounds=2,
    pairs=40,
    pair_messages=40,
    few_pairs=10,
    few_pair_messages=80,
    loads=(200.0, 1000.0),
    open_loop_seconds=0.6,
    turns=20,
    rooms=((10, 40), (80, 10)),
    connections=(40, 200),
    entries=(10_000, 1_000_000),
    idle_connections=(50,),
    recovering=50,
    storm=100,
    waiting=300,
    killed_pairs=20,
    killed_messages=60,
    idle_seconds=1.0,
    batch=64,
    batches=2,
    single_messages=20,
    lost=5,
    few_devices=20,
    many_devices=79,
    speakers=2,
    speaker_messages=300,
    ledger_accounts=20_000,
    doors=1,
    window_rounds=1,
)
TINY = Scale(
    rounds=1,
    pairs=2,
    pair_messages=4,
    few_pairs=1,
    few_pair_messages=8,
    loads=(200.0, 1000.0),
    open_loop_seconds=0.04,
    turns=2,
    rooms=((3, 2), (4, 2)),
    connections=(4, 6),
    entries=(1000, 3000),
    idle_connections=(3,),
    recovering=4,
    storm=4,
    waiting=20,
    killed_pairs=2,
    killed_messages=30,
    idle_seconds=0.1,
    batch=32,
    batches=1,
    single_messages=2,
    lost=2,
    few_devices=2,
    many_devices=3,
    speakers=1,
    speaker_messages=20,
    ledger_accounts=200,
    doors=1,
    window_rounds=1,
)
SCALES = {"full": FULL, "quick": QUICK, "tiny": TINY}
