"""What every form works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coterie.desktop.bridge import Run
    from coterie.desktop.look import Look
    from coterie.screens.doors import Doors, Opened


@dataclass(frozen=True, repr=False)
class Entrance:
    """The ways in, for one window and one folder."""

    look: Look
    run: Run
    doors: Doors
    home: Path
    server: str
    """host:port or an invite (which may hold a token: no repr), to begin with; may be empty."""
    on_open: Callable[[Opened], None]
    """Gets the account once it is open, even where the form is gone by then."""
