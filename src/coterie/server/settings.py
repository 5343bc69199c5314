"""What a server is started with, and what it says when it is there."""

from __future__ import annotations

from pathlib import Path

import msgspec


class ServerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """data: the folder of everything it keeps, made where missing. database: URL of the PostgreSQL that has
    the rest, "" for a file in the folder. wakeups: addresses of a NATS with commas between them, "" where the
    PostgreSQL carries them. blobs: URL of the S3-like store for sealed files, "" for a folder in the folder.
    port 0: any free one. cert and key: PEM files, both or none (then it makes its own).
    open_signup None: open on loopback only. metrics_host, metrics_port: where health and metrics are
    told; port 0: any free one, None: nowhere. kept_longer_ms: beyond limits.KEEP_ENTRY_MS, what nobody has
    fetched. worker: its number among those that one command started, 0 where it is none of them: they share
    port and folder, and metrics_port counts up from theirs.
    """

    data: Path
    database: str = ""
    wakeups: str = ""
    blobs: str = ""
    host: str = "127.0.0.1"
    port: int = 0
    cert: Path | None = None
    key: Path | None = None
    open_signup: bool | None = None
    metrics_host: str = "127.0.0.1"
    metrics_port: int | None = 0
    kept_longer_ms: int = 0
    worker: int = 0


class ReadyLine(msgspec.Struct, frozen=True):
    """The server accepts connections. listen and metrics: HOST:PORT ("" where it
    is told nowhere); invite: the link to give to people."""

    listen: str
    invite: str
    metrics: str
