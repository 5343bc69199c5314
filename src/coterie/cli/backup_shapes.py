"""The JSON objects of backup, restore, verify-backup and rescue."""

from __future__ import annotations

from coterie.cli.shapes import Shape


class BackupShape(Shape, frozen=True, kw_only=True):
    """backup. file: as it was given."""

    file: str
    bytes: int


class RestoreShape(Shape, frozen=True, kw_only=True):
    """restore. profile: the name of its folder, as --profile takes it."""

    restored: str
    profile: str


class BackupContentsShape(Shape, frozen=True, kw_only=True):
    """verify-backup. server: HOST:PORT."""

    backup: str
    account: str
    server: str
    made_at: str
    messages: int
    conversations: int
    people: int


class RescueShape(Shape, frozen=True, kw_only=True):
    """rescue. missed: rows that were seen to be lost; kept: the damaged folder."""

    rescued: str
    messages: int
    conversations: int
    people: int
    missed: int
    kept: str
