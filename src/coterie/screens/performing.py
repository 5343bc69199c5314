"""Carrying out what a presenter wants, where the SDK lives."""

from __future__ import annotations

from typing import assert_never

from coterie.base.errors import CoterieError
from coterie.screens.intents import (
    AROUND_ROWS,
    FOUND_ROWS,
    PAGE_ROWS,
    AroundRead,
    ConfirmDevice,
    Done,
    Fact,
    Failed,
    FindMessages,
    HistoryRead,
    Intent,
    Known,
    LaterRead,
    MessagesFound,
    ReadAll,
    ReadAround,
    ReadHistory,
    ReadLater,
    Said,
    SaveDraft,
    SayText,
    SetRead,
)
from coterie.screens.page_performing import PagePerformer
from coterie.screens.port import ChatPort


class Performer:
    """Over one open account. Everything runs where the port lives."""

    def __init__(self, port: ChatPort) -> None:
        self._port = port
        self._pages = PagePerformer(port)

    async def perform(self, intent: Intent) -> Fact:
        """Carry out one intent; an error of coterie's becomes Failed."""
        try:
            return await self._performed(intent)
        except CoterieError as error:
            return Failed(intent, error.code)

    async def _performed(self, intent: Intent) -> Fact:
        port = self._port
        match intent:
            case SayText(conversation=conversation, text=text):
                return Said(intent, await port.say(text, conversation))
            case SetRead(conversation=conversation, order=order):
                await port.mark_read(conversation, order)
                return Done(intent)
            case SaveDraft(conversation=conversation, text=text):
                await port.keep_draft(conversation, text)
                return Done(intent)
            case ConfirmDevice(device=device):
                await port.confirm_device(device)
                return Done(intent)
            case ReadHistory() | ReadAround() | ReadLater() | FindMessages() | ReadAll():
                return self._looked_up(intent)
            case _:
                return await self._pages.perform(intent)

    def _looked_up(self, intent: ReadHistory | ReadAround | ReadLater | FindMessages | ReadAll) -> Fact:
        port = self._port
        match intent:
            case ReadHistory(conversation=conversation, before=before, limit=limit):
                messages = port.history(conversation, limit=limit, before=before)
                return HistoryRead(intent, messages, port.draft(conversation))
            case ReadAround(conversation=conversation, order=order):
                earlier = port.history(conversation, limit=AROUND_ROWS, before=order + 1)
                later = port.later(conversation, after=order, limit=AROUND_ROWS)
                return AroundRead(intent, earlier, later, port.draft(conversation))
            case ReadLater(conversation=conversation, after=order):
                return LaterRead(intent, port.later(conversation, after=order, limit=PAGE_ROWS))
            case FindMessages(words=words, conversation=within, before=below):
                found = port.search(words, limit=FOUND_ROWS, conversation=within, before=below)
                return MessagesFound(intent, found)
            case ReadAll():
                return Known(
                    port.name,
                    port.account,
                    port.everyone,
                    port.people(),
                    port.conversations(),
                    port.link,
                    port.questions(),
                    port.reset_at_ms,
                )
            case _:
                assert_never(intent)
