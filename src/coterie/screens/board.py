"""A board keeps one page: it has read what stands there, and knows what can be done about it."""

from __future__ import annotations

from typing import Protocol

from coterie.base.codes import Code
from coterie.client.events import Event
from coterie.screens.intents import Intent
from coterie.screens.page_intents import PageFact
from coterie.screens.pages import Page
from coterie.screens.prompting import page_refusal
from coterie.screens.signals import Batch, PageShown


class Board(Protocol):
    """What Paging needs of each. It is told of nothing while another page is open."""

    def open(self, batch: Batch) -> None:
        """Somebody looks at the page: have read what it shows."""
        ...

    def close(self, batch: Batch) -> None:
        """Nobody does any more."""
        ...

    def read(self, fact: PageFact, batch: Batch) -> None:
        """What a page asked for has come; perhaps what another page did."""
        ...

    def act(self, key: str, action: str, batch: Batch) -> None:
        """An action was chosen: of a row, or (key "") of the page."""
        ...

    def happened(self, event: Event, batch: Batch) -> None: ...

    def done(self, intent: Intent, batch: Batch) -> None:
        """Something was carried out."""
        ...

    def failed(self, intent: Intent, code: Code, batch: Batch) -> None:
        """Something was not."""
        ...


class PlainBoard:
    """What most boards have in common."""

    def __init__(self) -> None:
        self._page: Page | None = None

    def close(self, batch: Batch) -> None:
        del batch
        self._page = None

    def happened(self, event: Event, batch: Batch) -> None:
        """Nothing of what this page shows."""

    def done(self, intent: Intent, batch: Batch) -> None:
        """Nothing that this page shows."""

    def failed(self, intent: Intent, code: Code, batch: Batch) -> None:
        """Say so in the place of what the page is about."""
        del intent
        if self._page is not None:
            batch.show(PageShown(self._page, page_refusal(code)))

    def _show(self, page: Page, batch: Batch) -> None:
        self._page = page
        batch.show(PageShown(page))
