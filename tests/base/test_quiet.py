"""What is secret never shows in a repr."""

from __future__ import annotations

from coterie.base.quiet import Quiet


class Secret(Quiet, frozen=True):
    words: str


def test_a_repr_is_a_name_and_nothing_else() -> None:
    secret = Secret("hush")
    assert repr(secret) == str(secret) == f"{secret}" == "<Secret>"
    assert "hush" not in repr((secret, [secret], {"secret": secret}))
