"""What the server sees: the last frames that left this device, every field named, and why it is sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from coterie.client.events import FramesSent
from coterie.screens.board import PlainBoard
from coterie.screens.known_people import KnownPeople
from coterie.screens.moments import Calendar
from coterie.screens.page_intents import FramesRead, PageFact, ReadFrames
from coterie.screens.page_texts import FRAME_TITLES, PageText
from coterie.screens.pages import Page, PageRow
from coterie.screens.signals import Batch
from coterie.wire.frames import ClientFrame
from coterie.wire.readable import Kind, More, ReadableField, fields_of

BYTES_SPELLED: Final = 32
"""Of longer values only the beginning is spelled out."""


class FramesBoard(PlainBoard):
    """Read once, as it was when somebody looked."""

    def __init__(self, people: KnownPeople, calendar: Calendar) -> None:
        super().__init__()
        self._people = people
        self._calendar = calendar

    def open(self, batch: Batch) -> None:
        batch.ask(ReadFrames())

    def read(self, fact: PageFact, batch: Batch) -> None:
        if isinstance(fact, FramesRead):
            self._show(frames_page(fact.sent, self._people.names, self._calendar), batch)

    def act(self, key: str, action: str, batch: Batch) -> None:
        """Nothing can be done about it."""


def frames_page(sent: tuple[FramesSent, ...], names: Mapping[bytes, str], calendar: Calendar) -> Page:
    """The newest frame first. names: of account ids."""
    frames = [
        (each.at_ms, frame, each.size_bytes if len(each.frames) == 1 else 0)
        for each in reversed(sent)
        for frame in reversed(each.frames)
    ]
    rows: list[PageRow] = []
    for number, (at_ms, frame, size_bytes) in enumerate(frames):
        rows.append(_heading(number, frame, calendar.time(at_ms), size_bytes))
        rows.extend(_fields(number, frame, names))
    return Page(PageText.SERVER_SEES.value, PageText.SERVER_SEES_ABOUT.value, tuple(rows))


def _heading(number: int, frame: ClientFrame, time: str, size_bytes: int) -> PageRow:
    kind = type(frame)
    size = PageText.BYTES.value.format(count=f"{size_bytes:,}") if size_bytes else PageText.TOGETHER.value
    return PageRow(f"{number}", FRAME_TITLES[kind].value, f"{kind.__name__}, {size}", time, heading=True)


def _fields(number: int, frame: ClientFrame, names: Mapping[bytes, str]) -> Iterator[PageRow]:
    for place, field in enumerate(fields_of(frame)):
        key = f"{number}.{place}"
        match field:
            case More(path, count):
                yield PageRow(key, path, PageText.MORE.value.format(count=f"{count:,}"), "")
            case ReadableField():
                yield PageRow(key, field.path, _value(field, names), field.why)


def _value(field: ReadableField, names: Mapping[bytes, str]) -> str:
    value = field.value
    match field.kind, value:
        case Kind.SECRET, _:
            return PageText.NOT_SHOWN.value
        case Kind.SEALED, bytes():
            return PageText.SEALED.value.format(count=f"{len(value):,}")
        case _, None | b"" | "":
            return PageText.NOTHING.value
        case _, bytes():
            return _bytes(value, names.get(value))
        case _:
            return str(value)


def _bytes(value: bytes, name: str | None) -> str:
    if name is not None:
        return f"@{name}  {value.hex()}"
    if len(value) <= BYTES_SPELLED:
        return value.hex()
    return PageText.LONG.value.format(start=value[:BYTES_SPELLED].hex(), count=f"{len(value):,}")
