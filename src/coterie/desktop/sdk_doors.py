"""The SDK as the forms use it. Its parts are imported when they are first used, in the loop's thread."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import coterie

if TYPE_CHECKING:
    from coterie.screens.doors import Asking, Opened, Profile, Strength


class SdkDoors:
    """screens.doors.Doors over the module coterie. server: where the person was told the server is now."""

    def __init__(self, server: str | None = None) -> None:
        self._server = server

    def prepare(self) -> None:
        """Import all of it now; takes some tenths of a second."""
        for door in ("open", "sign_up", "log_in", "strength"):
            getattr(coterie, door)

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
        return coterie.sign_up(
            server=server,
            name=name,
            password=password,
            home=home,
            generate_passphrase=generate_passphrase,
            wrap_with_password=wrap_with_password,
        )

    def new_passphrase(self) -> str:
        return coterie.new_passphrase()

    def log_in(
        self, *, server: str, name: str, password: str, home: Path, recovery_key: str | None = None
    ) -> Awaitable[Opened]:
        return coterie.log_in(
            server=server, name=name, password=password, home=home, recovery_key=recovery_key
        )

    def ask_approval(self, *, server: str, name: str, password: str, home: Path) -> Awaitable[Asking]:
        return coterie.ask_approval(server=server, name=name, password=password, home=home)

    def open(self, home: Path, *, profile: str | None = None, password: str) -> Awaitable[Opened]:
        return coterie.open(home, profile=profile, password=password, server=self._server)

    def profiles(self, home: Path) -> Sequence[Profile]:
        return coterie.profiles(home)

    def strength(self, password: str, name: str) -> Strength:
        return coterie.strength(password, name)
