"""The desktop application: which screen comes first, what follows it, and a clean end.

Little more than Tk is imported before the first screen is painted: asyncio and the client code come after,
the latter in the loop's thread, while the person types.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from enum import Enum
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from coterie.base.errors import Unavailable
from coterie.desktop.daylight import Daylight
from coterie.desktop.forms.entrance import Entrance
from coterie.desktop.sdk_doors import SdkDoors
from coterie.desktop.window import ACCOUNT_WIPED, Window, open_root
from coterie.screens.form_texts import refusal_text
from coterie.screens.theme import Appearance, theme

if TYPE_CHECKING:
    from coterie.desktop.bridge import Bridge, Job
    from coterie.desktop.main_screen import MainScreen
    from coterie.screens.doors import Doors, Opened, Profile

T = TypeVar("T")

CLOSE_MS: Final = 6_000
"""For the account to close itself; what is stored is safe either way."""
TOGGLE: Final = "<<ToggleAppearance>>"
"""Any widget may generate it on the window; Ctrl+Shift+L does."""


class Stage(Enum):
    """Where a person is."""

    ENTRANCE = "a form"
    MAIN = "the conversations"
    CLOSING = "the window is gone, the account is being closed"


class App:
    """One window on one folder. run() returns the exit code."""

    def __init__(
        self,
        doors: Doors,
        home: Path,
        *,
        server: str = "",
        profile: str | None = None,
        on_painted: Callable[[], None] | None = None,
    ) -> None:
        self.daylight = Daylight()
        root = open_root()
        self.stage = Stage.ENTRANCE
        self.window = Window(root, theme(self.daylight.settle()), self.close)
        self.bridge: Bridge | None = None
        """Made after the first painting, or by the first work."""
        self.me: Opened | None = None
        self.profiles: Sequence[Profile] = ()
        self._main: MainScreen | None = None
        self._profile = profile
        self._on_painted = on_painted
        self._entrance = Entrance(self.window.look, self.work, doors, home, server, self._opened)

    def run(self) -> int:
        """Until the window is closed."""
        try:
            self.start()
            self.window.root.mainloop()
        finally:
            self.end()
        return 0

    def start(self) -> None:
        """Show the first screen."""
        root = self.window.root
        root.bind(TOGGLE, lambda _event: self.toggle())
        root.bind(ACCOUNT_WIPED, lambda _event: self._wiped())
        root.bind("<Control-L>", lambda _event: self.toggle())
        self._first_screen()
        self._when_seen(self._painted)

    def _when_seen(self, call: Callable[[], None]) -> None:
        """Have call() run once the screen is on the display and drawn."""
        screen = self.window.screen
        assert screen is not None
        seen: list[str] = []

        def exposed(_event: object) -> None:
            if not seen:
                seen.append(self.window.root.after_idle(drawn))

        def drawn() -> None:
            self.window.root.update_idletasks()
            call()

        screen.bind("<Expose>", exposed, add="+")

    def end(self) -> None:
        """Stop the loop and let the window go."""
        if self.bridge is not None:
            self.bridge.stop()
        self.window.destroy()

    def work(
        self,
        work: Coroutine[Any, Any, T],
        done: Callable[[T], None] | None = None,
        failed: Callable[[BaseException], None] | None = None,
    ) -> Job:
        """Bridge.run, over the bridge that is made when it is first needed."""
        return self._bridge().run(work, done, failed)

    def _bridge(self) -> Bridge:
        if self.bridge is None:
            from coterie.desktop.bridge import Bridge

            self.bridge = Bridge(self.window.root)
            self.bridge.start()
        return self.bridge

    def toggle(self) -> None:
        """From dark to light or back, whatever the system says."""
        self._change(self.daylight.toggle())

    def close(self) -> None:
        """Hide the window, close the account, end. A second call ends at once."""
        root = self.window.root
        if self.stage is Stage.CLOSING:
            root.quit()
            return
        self.stage = Stage.CLOSING
        root.withdraw()
        if self.me is None:
            root.quit()
            return
        root.after(CLOSE_MS, root.quit)
        me = self.me
        if self._main is None:
            self._close_account(me, root.quit)
        else:
            self._main.leave(lambda: self._close_account(me, root.quit))

    def _close_account(self, me: Opened, then: Callable[[], None]) -> None:
        def failed(error: BaseException) -> None:
            then()
            raise error

        self.work(me.close(), lambda _nothing: then(), failed)

    # which screen

    def _first_screen(self) -> None:
        """Unlock what is here, else sign up."""
        wanted = self._profile
        try:
            found = self._entrance.doors.profiles(self._entrance.home)
        except Unavailable as error:
            found = ()
            self.window.notice(refusal_text(error.code))
        self.profiles = [each for each in found if wanted is None or wanted in (each.name, each.folder.name)]
        if self.profiles:
            self.show_unlock()
        else:
            self.show_sign_up()

    def _painted(self) -> None:
        """The first screen stands: now there is time for what costs some."""
        if self._on_painted is not None:
            self._on_painted()
        self.window.root.after(1, self.window.set_icon)
        self.work(self._prepare())
        self.daylight.watch(self.window.root, self.work, self._change)

    async def _prepare(self) -> None:
        """Import what comes after the form, while the person is typing."""
        self._entrance.doors.prepare()
        import_module("coterie.desktop.main_screen")

    def show_unlock(self) -> None:
        from coterie.desktop.forms.unlock import UnlockForm

        self.window.show(
            lambda parent: UnlockForm(
                parent,
                self._entrance,
                profiles=self.profiles,
                on_other=self.show_log_in,
            )
        )

    def show_sign_up(self) -> None:
        from coterie.desktop.forms.sign_up import SignUpForm

        back = self.show_unlock if self.profiles else None
        self.window.show(
            lambda parent: SignUpForm(parent, self._entrance, on_log_in=self.show_log_in, back=back)
        )

    def show_log_in(self) -> None:
        from coterie.desktop.forms.log_in import LogInForm

        back = self.show_unlock if self.profiles else self.show_sign_up
        self.window.show(
            lambda parent: LogInForm(
                parent,
                self._entrance,
                on_sign_up=self.show_sign_up,
                on_approval=self.show_approval,
                back=back,
            )
        )

    def show_approval(self) -> None:
        from coterie.desktop.forms.approval import ApprovalForm

        self.window.show(lambda parent: ApprovalForm(parent, self._entrance, back=self.show_log_in))

    def _opened(self, me: Opened) -> None:
        """A door opened. Where the window was closed meanwhile, the account is closed again."""
        if self.stage is Stage.CLOSING:
            self._close_account(me, self.window.root.quit)
            return
        self.me = me
        if me.recovery_key is None:
            self._enter(me)
            return
        from coterie.desktop.forms.recovery import RecoveryForm

        words, passphrase = me.recovery_key, me.passphrase
        self.window.show(
            lambda parent: RecoveryForm(
                parent,
                self._entrance,
                recovery_key=words,
                passphrase=passphrase,
                on_kept=lambda: self._kept(me),
            )
        )

    def _kept(self, me: Opened) -> None:
        me.passphrase = None
        self.work(me.recovery_key_shown())
        self._enter(me)

    def _enter(self, me: Opened) -> None:
        """Show the conversations."""
        self.stage = Stage.MAIN
        self.window.title(me.name)
        from coterie.desktop.main_screen import MainScreen

        self._main = MainScreen(self.window, self._bridge(), me)
        self._main.start()

    def _wiped(self) -> None:
        """The account is gone from this machine, closed by itself: begin anew with what else is here."""
        self.me = self._main = None
        self.stage = Stage.ENTRANCE
        self.window.title()
        self._profile = None
        self._first_screen()

    def _change(self, appearance: Appearance) -> None:
        self.window.change(theme(appearance))
        if self._main is not None:
            self._main.change(theme(appearance))


def run(home: Path, server: str | None, profile: str | None) -> int:
    """The window on a folder of accounts, until it is closed. server: what the first screen offers.

    Returns the exit code. Raises Unavailable where there is no display.
    """
    return App(SdkDoors(server), home, server=server or "", profile=profile).run()
