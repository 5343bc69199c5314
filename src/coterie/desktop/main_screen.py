"""Between an open account and the main window: events in, intents out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo

from coterie.base.clock import Clock
from coterie.client.events import Event
from coterie.desktop.bridge import Bridge
from coterie.desktop.main_window import MainWindow
from coterie.desktop.window import Window
from coterie.screens.doors import Opened
from coterie.screens.presenter import Presenter
from coterie.screens.theme import Theme


class MainScreen:
    """The conversations of one account in the window. clock, zone: None is the machine's."""

    def __init__(
        self,
        window: Window,
        bridge: Bridge,
        me: Opened,
        *,
        clock: Clock | None = None,
        zone: tzinfo | None = None,
    ) -> None:
        self._bridge = bridge
        self._me = me
        self.presenter = Presenter(me, clock, zone)
        self.view = window.show(
            lambda parent: MainWindow(
                parent, self.presenter, window.look.theme, bridge.run, window.look.fonts
            )
        )

    def start(self) -> None:
        """Listen, then ask for everything: in this order nothing falls between."""
        self._bridge.run(self._listen())
        self.view.apply(self.presenter.begin())

    def change(self, theme: Theme) -> None:
        """Draw with another theme."""
        self.view.retheme(theme)

    def leave(self, then: Callable[[], None]) -> None:
        """Have the draft stored, then call then()."""
        left = list(self.presenter.save_draft().intents)
        if not left:
            then()
            return
        waiting = len(left)

        def stored(_fact: object) -> None:
            nonlocal waiting
            waiting -= 1
            if waiting == 0:
                then()

        def failed(error: BaseException) -> None:
            stored(error)
            raise error

        for intent in left:
            self._bridge.run(self.presenter.perform(intent), stored, failed)

    async def _listen(self) -> None:
        """In the loop, until the account is closed."""
        async for event in self._me.events():
            self._bridge.post(self._showing(event))

    def _showing(self, event: Event) -> Callable[[], None]:
        return lambda: self.view.apply(self.presenter.take(event))
