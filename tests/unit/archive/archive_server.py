"""An archive on the loopback address that can misbehave as real servers do."""

import contextlib
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@dataclass
class Archive:
    """A folder served over http.

    `unavailable` counts how often a path is still answered by 503, `breaks` how often a transfer
    still breaks off half-way. `truncates` are paths whose ranges end early without a complaint,
    `hangs` those that are never answered. `log` has (method, path, range) of every request.
    """

    root: Path
    address: str = ""
    unavailable: dict[str, int] = field(default_factory=dict)
    breaks: dict[str, int] = field(default_factory=dict)
    truncates: set[str] = field(default_factory=set)
    hangs: set[str] = field(default_factory=set)
    honours_ranges: bool = True
    log: list[tuple[str, str, str]] = field(default_factory=list)

    def asked(self, method: str) -> list[str]:
        """The paths that were asked for."""
        return [path for verb, path, _ in self.log if verb == method]


@contextlib.contextmanager
def serving(root: Path) -> Iterator[Archive]:
    """Serve a folder until the end of the block."""
    archive = Archive(root)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def do_GET(self) -> None:
            self._answer(with_body=True)

        def log_message(self, *arguments: object) -> None:
            """Quiet."""

        def _answer(self, with_body: bool) -> None:
            wanted = self.headers.get("Range", "")
            archive.log.append((self.command, self.path, wanted))
            if self.path in archive.hangs:
                time.sleep(1.5)
                return
            if archive.unavailable.get(self.path, 0) > 0:
                archive.unavailable[self.path] -= 1
                self._send(503, b"", with_body)
                return
            path = archive.root / self.path.lstrip("/")
            if not path.is_file():
                self._send(404, b"", with_body)
                return
            content = path.read_bytes()
            span = re.fullmatch(r"bytes=(\d+)-(\d*)", wanted)
            if not span or not archive.honours_ranges:
                self._send(200, content, with_body)
                return
            last = int(span[2]) + 1 if span[2] else len(content)
            part = content[int(span[1]) : last]
            if self.path in archive.truncates:
                part = part[:-20]
            self._send(206, part, with_body)

        def _send(self, status: int, body: bytes, with_body: bool) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if not with_body:
                return
            if status == 206 and archive.breaks.get(self.path, 0) > 0:
                archive.breaks[self.path] -= 1
                self.wfile.write(body[: len(body) // 2])
                self.close_connection = True
                return
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    archive.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield archive
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
