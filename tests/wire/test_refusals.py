"""What a server may refuse with reaches the caller as an error; anything else is a broken protocol."""

from __future__ import annotations

import pytest

from coterie.base.codes import Code
from coterie.base.errors import RemoteError
from coterie.wire.frames.shared import Refusal
from coterie.wire.refusals import SERVER_CODES, code_of, refused


@pytest.mark.parametrize("code", sorted(SERVER_CODES))
def test_what_a_server_may_say_is_a_refusal_with_its_pause(code: Code) -> None:
    error = refused(Refusal(1, code.value, 1500))
    assert (error.code, error.retry_after_seconds) == (code, 1.5)


@pytest.mark.parametrize("code", sorted(set(Code) - SERVER_CODES))
def test_what_only_this_side_may_say_is_a_broken_protocol(code: Code) -> None:
    with pytest.raises(RemoteError) as broken:
        code_of(Refusal(1, code.value))
    assert broken.value.code is Code.BAD_FRAME


@pytest.mark.parametrize("word", ["", "no-such-code", "NAME-TAKEN", "\x00"])
def test_a_code_of_no_version_is_a_broken_protocol(word: str) -> None:
    with pytest.raises(RemoteError) as broken:
        code_of(Refusal(1, word))
    assert broken.value.code is Code.BAD_FRAME
