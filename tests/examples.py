"""How many examples a test of hypothesis tries where it says so itself."""

from __future__ import annotations

from hypothesis import settings


def examples(full: int) -> int:
    """That many; with the profile of `make quick` no more than it has for all others."""
    most = settings.get_profile("quick").max_examples
    return min(full, most) if settings.get_current_profile_name() == "quick" else full
