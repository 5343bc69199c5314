"""The page of what the server sees: names, reasons, people by name, secrets and contents not shown."""

from __future__ import annotations

from typing import get_args

from coterie.client.events import FramesSent
from coterie.screens.page_texts import FRAME_TITLES
from coterie.screens.pages import PageId
from coterie.screens.signals import PageShown
from coterie.wire.frames import Accept, ClientFrame, LoginProve, Ping, PublishManifest, Send
from tests.screens.screen import Screen
from tests.screens.street import NOON_MS, Street


def page_of(*frames: ClientFrame) -> list[tuple[str, str, str]]:
    """Rows below the heading of each frame, sent one by one."""
    street = Street()
    street.sent_frames = [FramesSent(NOON_MS + at, (frame,), 77) for at, frame in enumerate(frames)]
    screen = Screen(street)
    screen.begin()
    screen.apply(screen.presenter.open_page(PageId.SERVER_SEES))
    page = screen.last(PageShown).page
    assert len({row.key for row in page.rows}) == len(page.rows)
    return [(row.name, row.value, row.note) for row in page.rows]


def test_every_frame_has_a_title() -> None:
    assert set(FRAME_TITLES) == set(get_args(ClientFrame))


def test_the_newest_stands_first_with_its_time_and_size() -> None:
    rows = page_of(Ping(1), Accept(2, bytes(32)))
    assert rows[0][:2] == ("Whose messages are wanted", "Accept, 77 bytes")
    assert rows[0][2]
    assert ("Still there?", "Ping, 77 bytes") in [row[:2] for row in rows]


def test_a_message_shows_its_length_and_whom_it_is_for() -> None:
    bob = Street().person("bob").account
    said = Send(3, bytes(16), bob, bytes(32), bytes(16), b"", bytes(304), bytes(32), bytes(32), 9)
    rows = {name: (value, why) for name, value, why in page_of(said)}
    assert rows["ciphertext"][0] == "sealed, 304 bytes"
    assert rows["to"][0] == f"@bob  {bob.hex()}"
    assert rows["previous"][0] == "nothing"
    assert rows["ledger_size"][0] == "9"
    assert all(why for name, (_, why) in rows.items() if name != "A message")


def test_what_could_log_in_is_not_shown_and_long_values_are_cut() -> None:
    rows = {name: value for name, value, _ in page_of(LoginProve(1, "alice", b"s" * 32))}
    assert rows["auth_key"].startswith("not shown")
    rows = {name: value for name, value, _ in page_of(PublishManifest(1, b"\xab" * 400, b"v" * 9))}
    assert rows["manifest"] == "ab" * 32 + "... (400 bytes)"
    assert rows["vault"] == "sealed, 9 bytes"
