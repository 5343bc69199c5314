"""What the commands of an account share: event loop, opening the profile, waiting for the server a while."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import coterie
from coterie.base.codes import Code
from coterie.base.errors import Refused, Unavailable
from coterie.cli.arguments import Arguments
from coterie.cli.failures import Exit
from coterie.cli.secret_input import read_password
from coterie.client.api.me import Me
from coterie.screens.form_texts import FormText

PATIENCE_SECONDS = 5.0
"""How long a command that also works without the server waits for it."""
PRESENCE_SECONDS = 2.0


def run(
    job: Coroutine[Any, Any, int], loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None
) -> int:
    """Run a command's coroutine; SIGTERM and a terminal that closes end it in order, as Ctrl-C does."""
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        return runner.run(_run(job))


async def _run(job: Coroutine[Any, Any, int]) -> int:
    ended: list[Exit] = []
    task = asyncio.current_task()

    def end(code: Exit) -> None:
        ended.append(code)
        if task is not None:
            task.cancel()

    for name, code in (("SIGTERM", Exit.TERMINATED), ("SIGHUP", Exit.HUNG_UP)):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            with contextlib.suppress(NotImplementedError):
                asyncio.get_running_loop().add_signal_handler(number, end, code)
    try:
        return await job
    except asyncio.CancelledError:
        if ended:
            return ended[0]
        raise
    except BaseExceptionGroup as group:
        raise _first_of(group) from None


def _first_of(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def home_of(given: Arguments) -> Path:
    return given.home or coterie.default_home()


def password_of(given: Arguments) -> str:
    """The password of a profile that is here. Raises Refused(no-profile) without asking for one."""
    if not coterie.profiles(home_of(given)):
        raise Refused(Code.NO_PROFILE, "this home holds no profile")
    return read_password(given, FormText.PASSWORD_OR_PASSPHRASE.value)


@asynccontextmanager
async def opened(given: Arguments, password: str | None = None) -> AsyncIterator[Me]:
    """The profile that the command line means, open. password: None, it is read here."""
    chosen = password_of(given) if password is None else password
    async with coterie.open(home_of(given), profile=given.profile, password=chosen) as me:
        await _show_pending_recovery_key(me)
        yield me


async def _show_pending_recovery_key(me: Me) -> None:
    """A sign-up that died before it showed the recovery key: show it to the person now, if one is there."""
    if me.recovery_key is None or not sys.stderr.isatty():
        return
    sys.stderr.write(f"{FormText.RECOVERY_TITLE.value}: {FormText.RECOVERY_SUBTITLE.value}\n")
    sys.stderr.write(f"\n  {me.recovery_key}\n\n")
    sys.stderr.flush()
    await me.recovery_key_shown()


async def live_if_possible(me: Me, timeout_seconds: float = PATIENCE_SECONDS) -> bool:
    """Wait for the server a while. Raises what no waiting mends: Refused, SecurityStop."""
    try:
        await me.wait_live(timeout_seconds)
    except Unavailable:
        return False
    return True


async def presence_if_possible(me: Me) -> None:
    """Wait a while for the server's list of who is connected: it comes after Ready, this account in it."""

    def known() -> bool:
        myself = me.person(me.name)
        return myself is not None and myself.online

    if known():
        return
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PRESENCE_SECONDS):
            async for _ in me.events():
                if known():
                    return
