"""The ways into an account, as the forms of every screen use them. The SDK (module coterie) satisfies it.

Errors are those of coterie.base.errors; the forms show them by their code.
"""

from __future__ import annotations

from collections.abc import Coroutine
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Protocol

from coterie.base.ids import UserName


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

    @property
    def warning(self) -> str:
        """What is wrong with it, or empty."""
        ...


class Opened(Protocol):
    """An open account: what the forms need of it (the SDK's Me)."""

    @property
    def name(self) -> UserName: ...

    @property
    def recovery_key(self) -> str | None:
        """24 words; only right after sign-up."""
        ...

    @property
    def passphrase(self) -> str | None:
        """Six words, only right after a sign-up that asked for a generated one."""
        ...

    async def close(self) -> None: ...


class Doors(Protocol):
    """Sign-up, login and unlocking."""

    def sign_up(
        self,
        *,
        server: str,
        name: str,
        password: str | None,
        home: Path,
        profile: str | None = None,
        generate_passphrase: bool = False,
        wrap_with_password: bool = False,
        device_name: str = "",
    ) -> Coroutine[Any, Any, Opened]:
        """Make an account on the server (host:port or an invite) and this machine its first device."""
        ...

    def log_in(
        self,
        *,
        server: str,
        name: str,
        password: str,
        home: Path,
        profile: str | None = None,
        recovery_key: str | None = None,
        device_name: str = "",
    ) -> Coroutine[Any, Any, Opened]:
        """Make this machine a device of an existing account."""
        ...

    def open(
        self, home: Path, *, profile: str | None = None, password: str
    ) -> AbstractAsyncContextManager[Opened]:
        """Open a profile of this machine; works without a network."""
        ...

    def profiles(self, home: Path) -> list[str]:
        """The profiles in the folder, by name."""
        ...

    def strength(self, password: str, name: str) -> Strength: ...
