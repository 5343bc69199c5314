"""What a person is told of an error, and how the program ends."""

from __future__ import annotations

from coterie.base.changed_by import ChangedBy
from coterie.base.codes import Code
from coterie.base.errors import PersonChanged, SecurityStop
from coterie.cli.failures import Exit, exit_of, sentence_of


def test_somebody_elses_identity_ends_with_exit_code_4_and_says_what_the_ledger_knows() -> None:
    error = PersonChanged("bob", 1_795_521_600_000, verified=False)
    assert (exit_of(error), error.code) == (Exit.SECURITY_STOP, Code.IDENTITY_CHANGED)
    assert sentence_of(error).startswith(
        "bob has another identity than before: a reset in the ledger, seen on Tue"
    )
    published = PersonChanged("bob", 1_795_521_600_000, verified=True, by=ChangedBy.DEVICE)
    assert sentence_of(published).startswith(
        "bob has another identity than before: published by an existing device on Tue"
    )
    assert "verify the new one" in sentence_of(published)
    recovered = PersonChanged("bob", 1_795_521_600_000, verified=False, by=ChangedBy.RECOVERY)
    assert "by a device that came by passphrase or recovery key" in sentence_of(recovered)
    assert sentence_of(SecurityStop(Code.IDENTITY_CHANGED)).startswith("STOP: this is not the server")
