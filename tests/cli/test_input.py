"""Passwords and texts that come from files and standard input."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coterie.base.codes import Code
from coterie.base.errors import Refused
from coterie.base.limits import TEXT_BYTES
from coterie.cli.arguments import Arguments
from coterie.cli.parser import UsageError
from coterie.cli.secret_input import read_password, read_recovery_key
from coterie.cli.standard_input import read_lines, read_text


@pytest.fixture(autouse=True)
def no_password_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COTERIE_PASSWORD_FILE", raising=False)


def with_password_file(file: Path | str | None) -> Arguments:
    given = Arguments()
    given.password_file = None if file is None else str(file)
    return given


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The writing end of what is standard input meanwhile."""
    read, write = os.pipe()
    with os.fdopen(read, encoding="utf-8") as pipe:
        monkeypatch.setattr(sys, "stdin", pipe)
        yield write


@pytest.mark.parametrize(
    ("content", "password"),
    [
        (b"secret words\n", "secret words"),
        (b"secret words", "secret words"),
        (b" secret words \r\n", " secret words "),
        ("geheime W\u00f6rter\nsecond line\n".encode(), "geheime W\u00f6rter"),
    ],
)
def test_the_first_line_of_a_file_is_the_password(
    content: bytes, password: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "password"
    file.write_bytes(content)
    assert read_password(with_password_file(file), "?") == password
    monkeypatch.setenv("COTERIE_PASSWORD_FILE", str(file))
    assert read_password(with_password_file(None), "?", twice=True) == password


@pytest.mark.parametrize("content", [b"", b"\n", b"\nsecond line", b"\xff\xfe\n"])
def test_a_file_without_a_password_is_usage(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_bytes(content)
    with pytest.raises(UsageError):
        read_password(with_password_file(file), "?")


def test_a_file_that_is_not_there_is_usage_and_is_not_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as error:
        read_password(with_password_file(tmp_path / "none"), "?")
    assert str(tmp_path) not in error.value.hint


def test_the_words_of_a_recovery_key_stand_as_they_like(tmp_path: Path) -> None:
    file = tmp_path / "recovery"
    file.write_text("\n  abandon ability\n\table   about\n")
    assert read_recovery_key(str(file)) == "abandon ability able about"


def test_standard_input_is_one_text(stdin: int) -> None:
    os.write(stdin, b"two\nlines\n")
    os.close(stdin)
    assert read_text() == "two\nlines"


def test_a_lone_newline_is_a_text(stdin: int) -> None:
    os.write(stdin, b"\n")
    os.close(stdin)
    assert read_text() == "\n"


@pytest.mark.parametrize(("data", "code"), [(b"\xff", Code.USAGE), (b"", None)])
def test_standard_input_that_is_no_text(stdin: int, data: bytes, code: Code | None) -> None:
    os.write(stdin, data)
    os.close(stdin)
    if code is None:
        assert read_text() == ""
        return
    with pytest.raises(Refused) as error:
        read_text()
    assert error.value.code is code


def test_a_text_that_is_too_long_is_not_read_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "text"
    for size, fits in ((TEXT_BYTES, True), (TEXT_BYTES + 1, False)):
        file.write_bytes(b"x" * size + b"\n")
        with file.open() as opened:
            monkeypatch.setattr(sys, "stdin", opened)
            if fits:
                assert len(read_text()) == size
                continue
            with pytest.raises(Refused) as error:
                read_text()
            assert error.value.code is Code.TOO_LARGE


async def all_lines() -> list[bytes]:
    return [line async for lines in read_lines() for line in lines]


@pytest.mark.asyncio
async def test_lines_come_when_they_are_written(stdin: int) -> None:
    lines = read_lines()
    for number in range(3):
        os.write(stdin, b"line %d\n" % number)
        assert await anext(lines) == [b"line %d" % number]
    os.write(stdin, b"half")
    os.close(stdin)
    assert await anext(lines) == [b"half"]
    assert [more async for more in lines] == []


@pytest.mark.asyncio
async def test_waiting_for_a_line_holds_nothing_up_and_can_be_given_up(stdin: int) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await all_lines()
    os.close(stdin)
    assert await all_lines() == []


@settings(max_examples=50)
@given(st.binary(max_size=300))
def test_a_file_gives_every_line_as_it_stands(content: bytes) -> None:
    read, write = os.pipe()
    os.write(write, content)
    os.close(write)
    before = sys.stdin
    with os.fdopen(read, encoding="utf-8") as pipe:
        sys.stdin = pipe
        try:
            lines = asyncio.run(all_lines())
        finally:
            sys.stdin = before
    assert b"\n".join(lines) == content.removesuffix(b"\n")
