"""The window that is measured, in a process of its own: python -m coterie.desktop.measuring.window BEGAN HOME
INVITE PEER.

BEGAN is the moment of the start, by the machine's monotonic clock. Standard input is a metronome, one beat a
line (metronome.py). Standard output gets {"ready": true} when the metronome may begin, and the figures of the
round at the end.
"""

from __future__ import annotations

import os
import sys
import tkinter as tk
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from coterie.base.clock import SystemClock
from coterie.desktop.app import App
from coterie.desktop.measuring.threads import Threads, waited_from_the_start
from coterie.desktop.sdk_doors import SdkDoors

if TYPE_CHECKING:
    from coterie.client.events import Message
    from coterie.desktop.main_window import MainWindow

FRAMES: Final = 110
STEP_PX: Final = 60
WIDTHS: Final = (1000, 900, 1010, 880, 1020)
APPENDED: Final = 1_000
IDLE_MS: Final = 4_000
SETTLE_MS: Final = 1_000
WAIT_SECONDS: Final = 60
LOOK_MS: Final = 5
PASSWORD: Final = "for measuring, and known to all"


class Measured:
    """One round. Times are milliseconds unless they say something else."""

    def __init__(self, began: float, home: Path, invite: str, peer: str) -> None:
        self._clock = SystemClock()
        self._peer = peer
        self._painted = 0.0
        self._waited = 0.0
        self.app = App(SdkDoors(), home, server=invite, on_painted=self._is_painted)
        self.root = self.app.window.root
        self.root.report_callback_exception = self._failed
        self.figures: dict[str, float] = {}
        self.app.start()
        self.until(lambda: self._painted > 0)
        self.figures["start"] = (self._painted - began) * 1000 - self._waited

    def _is_painted(self) -> None:
        self._painted = self._clock.monotonic_seconds()
        self._waited = waited_from_the_start()

    def _failed(self, kind: object, error: BaseException, trace: object) -> None:
        del kind, trace
        raise SystemExit(f"a callback failed: {type(error).__name__}") from error

    def until(self, condition: Callable[[], bool]) -> None:
        """Let the window live until the condition holds."""
        late = self._clock.monotonic_seconds() + WAIT_SECONDS
        ticking = [""]

        def tick() -> None:
            """What another thread changes makes no event: look now and then."""
            ticking[0] = self.root.after(LOOK_MS, tick)

        tick()
        while not condition():
            if self._clock.monotonic_seconds() > late:
                raise SystemExit(f"the window did not get there in time, after {[*self.figures]}")
            self.root.tk.dooneevent(0)
        self.root.after_cancel(ticking[0])

    def rest(self, milliseconds: int) -> None:
        """Let the window live for a while."""
        self.root.after(milliseconds, self.root.quit)
        self.root.mainloop()

    @property
    def view(self) -> MainWindow:
        from coterie.desktop.main_window import MainWindow

        screen = self.app.window.screen
        assert isinstance(screen, MainWindow)
        return screen

    def cpu(self, work: Callable[[], None]) -> float:
        """Processor time of this thread for the work."""
        before = self._clock.thread_seconds()
        work()
        return (self._clock.thread_seconds() - before) * 1000

    def wall(self, work: Callable[[], None]) -> float:
        """Time until the work is done, less that in which others had the processor."""
        threads = Threads()
        before = self._clock.monotonic_seconds()
        work()
        taken = (self._clock.monotonic_seconds() - before) * 1000 - threads.waited()
        threads.close()
        return taken

    def unlock(self) -> None:
        """As a person who types for longer than the imports take."""
        from coterie.desktop.app import Stage
        from coterie.desktop.forms.unlock import UnlockForm

        done: list[None] = []
        self.app.work(_nothing(), done.append)
        self.until(lambda: bool(done))
        form = self.app.window.screen
        assert isinstance(form, UnlockForm)
        form.password.put(PASSWORD)
        self.root.update()

        def work() -> None:
            form.submit()
            self.until(lambda: self.app.stage is Stage.MAIN and self.drawn())

        self.figures["unlock"] = self.wall(work)

    def drawn(self) -> bool:
        """Whether rows stand on the timeline, and nothing waits to be drawn."""
        timeline = self.view.timeline
        return not timeline.waiting and bool(timeline.canvas.find_withtag("row"))

    def live(self) -> None:
        from coterie.client.events import LinkState

        me = self.app.me
        assert me is not None
        self.until(lambda: me.link is LinkState.LIVE)
        self.rest(SETTLE_MS)

    def open(self) -> None:
        presenter, timeline = self.view.presenter, self.view.timeline

        def work() -> None:
            self.view.apply(presenter.address(self._peer))
            self.until(lambda: len(timeline.view.rows) > 100 and self.drawn())

        self.figures["open"] = self.wall(work)

    def scroll(self) -> None:
        from coterie.desktop.measuring.figures import share

        timeline = self.view.timeline

        def frame() -> None:
            timeline.scroll(-STEP_PX)
            timeline.render()
            self.root.update_idletasks()

        self.figures["scroll"] = share([self.cpu(frame) for _ in range(FRAMES)], 0.95)
        timeline.to_end()

    def resize(self) -> None:
        timeline = self.view.timeline
        taken = []

        def frame() -> None:
            timeline.render()
            self.root.update_idletasks()

        for width in WIDTHS:
            before = timeline.canvas.winfo_width()
            self.root.geometry(f"{width}x760")
            self.until(lambda before=before: timeline.canvas.winfo_width() != before and timeline.waiting)  # type: ignore[misc]  # mypy cannot type a default of a lambda
            taken.append(self.cpu(frame))
            self.until(self.drawn)
        self.figures["resize"] = sorted(taken)[len(taken) // 2]

    def append(self) -> None:
        from coterie.client.events import MessageArrived

        presenter, timeline = self.view.presenter, self.view.timeline
        pages: list[tuple[Message, ...]] = []
        self.app.work(self._newest(), pages.append)
        self.until(lambda: bool(pages) and self.drawn())
        arrived = [MessageArrived(each) for each in _copies(pages[0][-2])]

        def work() -> None:
            for event in arrived:
                self.view.apply(presenter.take(event))
            timeline.render()
            self.root.update_idletasks()

        self.figures["append"] = self.cpu(work)
        self.until(self.drawn)
        canvases = (timeline.canvas, self.view.sidebar.list, self.view.header, self.view.sidebar.menu)
        self.figures["items"] = float(sum(len(canvas.find_all()) for canvas in canvases))

    async def _newest(self) -> tuple[Message, ...]:
        """Of the conversation that is open; in the loop, where the store lives."""
        me, selected = self.app.me, self.view.presenter.selected
        assert me is not None
        assert selected is not None
        return me.history(selected, limit=2)

    def idle(self) -> None:
        self.rest(SETTLE_MS)
        before, began = self._clock.process_seconds(), self._clock.monotonic_seconds()
        self.rest(IDLE_MS)
        wall = self._clock.monotonic_seconds() - began
        self.figures["idle"] = 100 * (self._clock.process_seconds() - before) / wall
        self.figures["memory"] = _resident_mib()

    def arriving(self) -> None:
        """While the metronome beats: how late a beat is heard, and how long a key takes to be drawn."""
        from coterie.desktop.measuring.figures import share
        from coterie.desktop.measuring.metronome import Metronome

        me = self.app.me
        assert me is not None
        timeline = self.view.timeline
        self.view.composer.text.focus_force()
        self.view.apply(self.view.presenter.select(me.everyone))
        self.until(self.drawn)
        self.view.apply(self.view.presenter.newest())
        self.until(lambda: self.drawn() and timeline.view.at_end)
        first = len(timeline.view.rows)
        heard = Metronome(self.root, self.view.composer.text, self._clock)
        say(b'{"ready": true}')
        self.root.mainloop()
        heard.stop()
        self.until(lambda: self.drawn() and timeline.view.at_end)
        self.figures["echo"] = share(heard.echoes, 0.95)
        self.figures["stall"] = share(heard.late, 0.99)
        self.figures["own_echo"] = share(heard.own_echoes, 0.95)
        self.figures["own_stall"] = share(heard.own_late, 0.99)
        self.figures["arrived"] = (len(timeline.view.rows) - first) / heard.seconds

    def leave(self) -> None:
        self.app.close()
        self.root.mainloop()
        self.app.end()


async def _nothing() -> None:
    """Done when the loop has come to it."""


def _copies(message: Message) -> list[Message]:
    import msgspec

    from coterie.base.ids import MessageId

    return [
        msgspec.structs.replace(
            message,
            id=MessageId(number.to_bytes(16, "big")),
            order=message.order + number,
            sent_at_ms=message.sent_at_ms + 1000 * number,
            text=f"one of a thousand messages, the one with the number {number}",
        )
        for number in range(10, 10 + APPENDED)
    ]


def _resident_mib() -> float:
    """What of this process lies in memory now; 0 where the system does not tell."""
    status = Path("/proc/self/status")
    if not status.exists():
        return 0.0
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
    return int(lines["VmRSS"].split()[0]) / 1024


def say(line: bytes) -> None:
    """One line of standard output."""
    os.write(1, line + b"\n")


def main(words: list[str]) -> None:
    """One round; its figures as a JSON object."""
    began, home, invite, peer = float(words[0]), Path(words[1]), words[2], words[3]
    try:
        measured = Measured(began, home, invite, peer)
        steps = (
            measured.unlock,
            measured.live,
            measured.open,
            measured.scroll,
            measured.resize,
            measured.append,
            measured.idle,
            measured.arriving,
        )
        for step in steps:
            step()
        measured.leave()
    except tk.TclError as error:
        raise SystemExit(f"Tk failed: {error}") from error
    import msgspec

    say(msgspec.json.encode(measured.figures))


if __name__ == "__main__":
    main(sys.argv[1:])
