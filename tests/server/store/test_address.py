"""Which addresses of a database are taken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coterie.base.codes import Code
from coterie.base.errors import Refused
from coterie.server.store.address import require_address


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PGHOST", "PGSSLMODE", "PGSERVICE"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql:///coterie",
        "postgresql://coterie@localhost/coterie",
        "postgres://coterie:word@127.0.0.1:5433/coterie",
        "postgresql://coterie@[::1]:5432/coterie",
        "postgresql://coterie@%2Frun%2Fpostgresql/coterie",
        "postgresql://coterie@/coterie?host=/run/one,/run/two&port=5432,5432",
        "postgresql://coterie@db.example/coterie?sslmode=verify-full",
        "postgresql://coterie@a.example:1,b.example:2/coterie?sslmode=verify-full&sslrootcert=/etc/ca.pem",
    ],
)
def test_here_or_proven(url: str) -> None:
    require_address(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "mysql://localhost/coterie",
        "server.db",
        "postgresql://[::1/coterie",
        "postgresql://db.example/coterie",
        "postgresql://coterie@127.0.0.1,db.example/coterie",
        "postgresql://db.example/coterie?sslmode=require",
        "postgresql://db.example/coterie?sslmode=verify-full&sslmode=disable",
        "postgresql://coterie@/coterie?host=db.example",
        "postgresql://coterie@/coterie?host=/run/one,10.0.0.7",
        "postgresql://localhost@db.example/coterie",
        "postgresql:///coterie?service=elsewhere",
    ],
)
def test_anything_else_is_refused(url: str) -> None:
    with pytest.raises(Refused) as caught:
        require_address(url)
    assert caught.value.code is Code.USAGE


def test_what_the_environment_names_counts_where_the_address_names_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PGHOST", "db.example")
    with pytest.raises(Refused):
        require_address("postgresql:///coterie")
    require_address("postgresql://localhost/coterie")
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    require_address("postgresql:///coterie")
    with pytest.raises(Refused):
        require_address("postgresql:///coterie?sslmode=prefer")


@given(st.text() | st.text().map("postgresql://{}".format))
def test_garbage_is_taken_or_refused(text: str) -> None:
    try:
        require_address(text)
    except Refused as refused:
        assert refused.code is Code.USAGE
