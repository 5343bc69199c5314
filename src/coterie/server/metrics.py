"""What is counted, and three questions over HTTP on loopback: /healthz, /readyz, /metrics."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

from coterie.base.codes import Code

REQUEST_SECONDS = 5.0
HOST = "127.0.0.1"


class Metrics:
    """Counters since the start; gauges are asked when somebody looks."""

    def __init__(self) -> None:
        self.messages = 0
        self.deliveries = 0
        self.envelopes = 0
        self.commits = 0
        self.records = 0
        self.connections_opened = 0
        self.refusals: Counter[str] = Counter()
        self.is_ready = False
        self.gauges: dict[str, Callable[[], int]] = {}

    def refused(self, code: Code | str) -> None:
        self.refusals[str(code)] += 1

    def text(self) -> str:
        """In the text format of Prometheus 0.0.4."""
        lines = []
        for name in (
            "messages",
            "deliveries",
            "envelopes",
            "commits",
            "records",
            "connections_opened",
        ):
            lines += [f"# TYPE coterie_{name}_total counter", f"coterie_{name}_total {getattr(self, name)}"]
        lines.append("# TYPE coterie_refusals_total counter")
        lines += [
            f'coterie_refusals_total{{code="{code}"}} {count}'
            for code, count in sorted(self.refusals.items())
        ]
        for name, gauge in self.gauges.items():
            lines += [f"# TYPE coterie_{name} gauge", f"coterie_{name} {gauge()}"]
        return "\n".join(lines) + "\n"


async def serve_metrics(metrics: Metrics, port: int) -> asyncio.Server:
    """Listen on loopback; port 0: any free one."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                request = await reader.readline()
                while (await reader.readline()).strip():
                    pass
                status, body = _page(metrics, request)
                content = body.encode()
                head = (
                    f"HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
                    f"Content-Length: {len(content)}\r\nConnection: close\r\n\r\n"
                )
                writer.write(head.encode() + content)
                await writer.drain()
        except (TimeoutError, OSError, ValueError):
            pass
        finally:
            writer.close()

    return await asyncio.start_server(answer, HOST, port, limit=8192)


def _page(metrics: Metrics, request: bytes) -> tuple[str, str]:
    """Status line and body; anything but GET of the three paths is not found."""
    match request.split(b" ")[:2]:
        case [b"GET", b"/healthz"]:
            return "200 OK", "ok\n"
        case [b"GET", b"/readyz"]:
            return ("200 OK", "ready\n") if metrics.is_ready else ("503 Service Unavailable", "not ready\n")
        case [b"GET", b"/metrics"]:
            return "200 OK", metrics.text()
        case _:
            return "404 Not Found", "not found\n"
