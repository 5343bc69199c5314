"""docs/protocol.md says what the code says: frames, their order, domains, refusals, bodies."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from coterie.base.codes import Code
from coterie.base.domains import Domain
from coterie.wire.blob_session import BLOB_HANDSHAKE
from coterie.wire.frames import ClientFrame, ServerFrame
from coterie.wire.frames.blobs import BlobClientFrame, BlobServerFrame
from coterie.wire.refusals import SERVER_CODES
from coterie.wire.session import HANDSHAKE

PROTOCOL = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text(encoding="utf-8")


def section(number: str) -> str:
    """The text under one heading."""
    found = re.search(rf"^#+ {re.escape(number)} .*?(?=^#+ |\Z)", PROTOCOL, re.MULTILINE | re.DOTALL)
    assert found
    return found.group()


def words(text: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", text))


def rows(text: str) -> list[list[str]]:
    """The cells of every table row below its rule."""
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("|")
    ]
    return [row for row in cells if not set(row[0]) <= {"-"} and row[0] not in {"number", "state"}]


def test_the_table_of_frames() -> None:
    frames = (*get_args(ClientFrame), *get_args(ServerFrame))
    code = {
        (
            str(frame.__struct_config__.tag),
            f"`{frame.__name__}`",
            ", ".join(f"`{name}`" for name in frame.__struct_fields__),
        )
        for frame in frames
    }
    assert {tuple(row) for row in rows(section("3.3"))} == code


def test_the_table_of_the_handshake() -> None:
    code = {(state.value, f"`{frame.__name__}`", then.value) for (state, _, frame), then in HANDSHAKE.items()}
    assert {tuple(row) for row in rows(section("3.2"))} == code


def test_the_domains() -> None:
    listed = {f"coterie {word}" for word in words(section("1.2").split("before it:")[1].split("`digest(")[0])}
    assert listed == {domain.value for domain in Domain}


def test_the_refusals() -> None:
    server, client = section("3.6").split("A client adds its own")
    assert words(server) == {code.value for code in SERVER_CODES}
    assert words(client) == {code.value for code in Code} - {code.value for code in SERVER_CODES}


def test_the_tables_of_the_second_channel() -> None:
    frames = {*get_args(BlobClientFrame), *get_args(BlobServerFrame)}
    code = {
        (
            str(frame.__struct_config__.tag),
            f"`{frame.__name__}`",
            ", ".join(f"`{name}`" for name in frame.__struct_fields__),
        )
        for frame in frames
    }
    code |= {
        (state.value, f"`{frame.__name__}`", then.value) for (state, _, frame), then in BLOB_HANDSHAKE.items()
    }
    assert {tuple(row) for row in rows(section("3.14"))} == code
