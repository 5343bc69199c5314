"""The port for health and metrics: three paths, one request each, bounded, whoever asks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coterie.server import lookout
from coterie.server.lookout import Lookout
from coterie.server.metrics import Metrics
from tests.server.prometheus import Scrape

WAIT_SECONDS = 20.0
HOST = "127.0.0.1"


class Watch:
    """A lookout, and why it is not ready."""

    def __init__(self) -> None:
        self.reason = ""
        self.port = 0
        self.asking = 0
        self.hold = asyncio.Event()
        self.hold.set()

    async def why_not(self) -> str:
        self.asking += 1
        await self.hold.wait()
        return self.reason

    async def say(self, request: bytes, *, end: bool = False) -> bytes:
        """What comes back, to the end of the connection."""
        reader, writer = await asyncio.open_connection(HOST, self.port)
        try:
            writer.write(request)
            if end:
                writer.write_eof()
            async with asyncio.timeout(WAIT_SECONDS):
                return await reader.read()
        except ConnectionError:
            return b""
        finally:
            writer.close()

    async def get(self, path: str) -> str:
        return (await self.say(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())).decode()


@pytest_asyncio.fixture
async def watch() -> AsyncIterator[Watch]:
    watch = Watch()
    port = Lookout(Metrics(), watch.why_not)
    watch.port = await port.listen(HOST, 0)
    yield watch
    port.close()


@pytest.mark.asyncio
async def test_three_paths_are_answered_and_nothing_else(watch: Watch) -> None:
    assert (await watch.get("/healthz")).startswith("HTTP/1.1 200 OK\r\n")
    head, _, page = (await watch.get("/metrics")).partition("\r\n\r\n")
    assert "Content-Type: text/plain; version=0.0.4; charset=utf-8" in head.split("\r\n")
    assert "Connection: close" in head.split("\r\n")
    assert Scrape(page)["coterie_messages_total"] == 0
    for path in ("/", "/metrics/", "/metrics?a=1", "//metrics", "/../metrics", "http://x/metrics"):
        assert (await watch.get(path)).startswith("HTTP/1.1 404 "), path
    for line in (
        b"POST /metrics HTTP/1.1",
        b"GET /metrics",
        b"GET /metrics HTTP/2",
        b"get /metrics HTTP/1.1",
    ):
        assert (await watch.say(line + b"\r\n\r\n")).startswith(b"HTTP/1.1 404 "), line


@pytest.mark.asyncio
async def test_readiness_says_why_not(watch: Watch) -> None:
    assert "200 OK" in await watch.get("/readyz")
    watch.reason = "the disk is full"
    answer = await watch.get("/readyz")
    assert answer.startswith("HTTP/1.1 503 ")
    assert answer.endswith("\r\n\r\nthe disk is full\n")
    assert "200 OK" in await watch.get("/healthz")


@pytest.mark.asyncio
async def test_head_has_the_length_and_no_content(watch: Watch) -> None:
    answer = await watch.say(b"HEAD /healthz HTTP/1.1\r\n\r\n")
    assert b"Content-Length: 3\r\n" in answer
    assert answer.endswith(b"\r\n\r\n")


@pytest.mark.asyncio
async def test_a_connection_is_for_one_request(watch: Watch) -> None:
    answer = await watch.say(b"GET /healthz HTTP/1.1\r\n\r\n" * 2)
    assert answer.count(b"HTTP/1.1") == 1


@pytest.mark.asyncio
async def test_a_request_without_end_or_without_bound_is_cut_off(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = b"GET /healthz HTTP/1.1\r\n%s\r\n"
    assert await watch.say(whole % (b"a: b\r\n" * (lookout.REQUEST_BYTES // 8))) != b""
    assert await watch.say(whole % (b"a: b\r\n" * (lookout.REQUEST_BYTES // 2))) == b""
    monkeypatch.setattr(lookout, "REQUEST_SECONDS", 0.05)
    assert await watch.say(b"GET /healthz HTTP/1.1\r\n") == b""
    assert await watch.say(b"GET /healthz", end=True) == b""


@pytest.mark.asyncio
async def test_few_may_ask_at_a_time_and_places_come_free(watch: Watch) -> None:
    watch.hold.clear()
    async with asyncio.TaskGroup() as group:
        asking = [group.create_task(watch.get("/readyz")) for _ in range(lookout.CONNECTIONS_MAX)]
        async with asyncio.timeout(WAIT_SECONDS):
            while watch.asking < lookout.CONNECTIONS_MAX:
                await asyncio.sleep(0)
        assert await watch.get("/healthz") == ""
        watch.hold.set()
    assert all("200 OK" in answer.result() for answer in asking)
    assert "200 OK" in await watch.get("/healthz")


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300))
def test_garbage_gets_not_found_or_nothing(garbage: bytes) -> None:
    async def thrown() -> None:
        watch = Watch()
        port = Lookout(Metrics(), watch.why_not)
        watch.port = await port.listen(HOST, 0)
        answer = await watch.say(garbage + b"\r\n\r\n", end=True)
        assert not answer or answer.startswith(b"HTTP/1.1 404 ")
        assert "200 OK" in await watch.get("/healthz")
        port.close()

    asyncio.run(thrown())
