"""The ways into an account, as the forms of every screen use them. The SDK (module coterie) satisfies it.

Errors are those of coterie.base.errors; the forms show them by their code.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Sequence
from pathlib import Path
from typing import Protocol

from coterie.client.events import Event
from coterie.screens.port import ChatPort


class Strength(Protocol):
    """How hard a password is to guess."""

    @property
    def score(self) -> int:
        """0 (at once) to 4 (very hard), by zxcvbn."""
        ...

    @property
    def bits(self) -> float:
        """Base-2 logarithm of the guesses needed."""
        ...


class Profile(Protocol):
    """An account that is on this machine; open() takes the name of its folder."""

    @property
    def name(self) -> str:
        """The person's name: what a screen shows."""
        ...

    @property
    def folder(self) -> Path: ...


class Opened(ChatPort, Protocol):
    """An open account (the SDK's Me)."""

    passphrase: str | None
    """The generated passphrase, only right after a sign-up that asked for one."""

    def events(self) -> AsyncIterator[Event]:
        """Everything that happens from now on."""
        ...

    async def close(self) -> None: ...


class Emoji(Protocol):
    """One emoji, and what it is called."""

    @property
    def sign(self) -> str: ...

    @property
    def name(self) -> str: ...


class Asking(Protocol):
    """A request to join an account, as long as it counts."""

    code: str
    """To be given to a device of the account."""

    async def answered(self) -> Sequence[Emoji]:
        """Wait for a device of the account: the emoji to compare; none where the code was given to it."""
        ...

    async def join(self) -> Opened:
        """The emoji are the same, or the code was given."""
        ...

    def close(self) -> None:
        """Ask no more."""
        ...


class Doors(Protocol):
    """Sign-up, login and unlocking. Called where the event loop runs, never from the screen's own thread."""

    def prepare(self) -> None:
        """Import what the doors need, while the person is still typing."""
        ...

    def sign_up(
        self,
        *,
        server: str,
        name: str,
        password: str | None,
        home: Path,
        generate_passphrase: bool = False,
        wrap_with_password: bool = False,
    ) -> Awaitable[Opened]:
        """Make an account on the server (host:port or an invite) and this machine its first device."""
        ...

    def new_passphrase(self) -> str:
        """Six random words, for a sign_up() with generate_passphrase."""
        ...

    def log_in(
        self, *, server: str, name: str, password: str, home: Path, recovery_key: str | None = None
    ) -> Awaitable[Opened]:
        """Make this machine a device of an existing account."""
        ...

    def ask_approval(self, *, server: str, name: str, password: str, home: Path) -> Awaitable[Asking]:
        """Ask the devices of an existing account; password: opens this machine's profile from then on."""
        ...

    def open(self, home: Path, *, profile: str | None = None, password: str) -> Awaitable[Opened]:
        """Open a profile of this machine; works without a network."""
        ...

    def profiles(self, home: Path) -> Sequence[Profile]:
        """The profiles in the folder, in the order of their folders."""
        ...

    def strength(self, password: str, name: str) -> Strength: ...
