"""Which addresses of a bus are taken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coterie.base.codes import Code
from coterie.base.errors import Refused
from coterie.server.wakeups.address import require_buses


@pytest.mark.parametrize(
    "urls",
    [
        "nats://127.0.0.1:4222",
        "nats://word@localhost",
        "nats://[::1]:4222,tls://a.example",
        "tls://10.0.0.7:1",
    ],
)
def test_here_or_proven(urls: str) -> None:
    require_buses(urls)


@pytest.mark.parametrize(
    "urls",
    ["", "nats://", "nats://b.example", "tls://a.example,nats://10.0.0.7", "http://127.0.0.1", "nats://[::1"],
)
def test_anything_else_is_refused(urls: str) -> None:
    with pytest.raises(Refused) as caught:
        require_buses(urls)
    assert caught.value.code is Code.USAGE


@given(st.text() | st.text().map("nats://{}".format))
def test_garbage_is_taken_or_refused(text: str) -> None:
    try:
        require_buses(text)
    except Refused as refused:
        assert refused.code is Code.USAGE
