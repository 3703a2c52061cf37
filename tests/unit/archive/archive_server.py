"""An archive on the loopback address that can misbehave as real servers do."""

import contextlib
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@dataclass
class Archive:
    """A folder served over http.

    `unavailable` counts how often a path is still answered by 503, `breaks` how often a transfer
    still breaks off half-way. `truncates` are paths whose ranges end early without a complaint,
    `hangs` those that are never answered. `latency` is the seconds before each answer. `faults`
    give a path's answers to something else. `log` has (method, path, range) of every request.
    """

    root: Path
    address: str = ""
    unavailable: dict[str, int] = field(default_factory=dict)
    breaks: dict[str, int] = field(default_factory=dict)
    truncates: set[str] = field(default_factory=set)
    hangs: set[str] = field(default_factory=set)
    latency: float = 0.0
    faults: dict[str, "Fault"] = field(default_factory=dict)
    honours_ranges: bool = True
    stopped: threading.Event = field(default_factory=threading.Event)
    log: list[tuple[str, str, str]] = field(default_factory=list)

    def asked(self, method: str) -> list[str]:
        """The paths that were asked for."""
        return [path for verb, path, _ in self.log if verb == method]


@dataclass(frozen=True)
class Request:
    """A request that a fault answers: the range's bytes, and how to send something."""

    archive: Archive
    handler: BaseHTTPRequestHandler
    body: bytes
    whole: bytes

    @property
    def with_body(self) -> bool:
        return self.handler.command == "GET"

    def send(self, status: int, body: bytes, announced: int | None = None) -> None:
        """An answer of `body`, which may announce another length than it has."""
        self.handler.send_response(status)
        self.handler.send_header("Content-Length", str(announced or len(body)))
        self.handler.end_headers()
        if self.with_body:
            self.handler.wfile.write(body)

    def close(self) -> None:
        """End the connection after this answer."""
        self.handler.close_connection = True

    def reset(self) -> None:
        """End the connection as a crash does, by RST."""
        self.handler.wfile.flush()
        connection = self.handler.connection
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.handler.close_connection = True
        connection.close()


# Answers a request and returns True, or leaves it to the server and returns False.
Fault = Callable[[Request], bool]


class _Handler(BaseHTTPRequestHandler):
    """Answers from the folder of its server's archive."""

    server: "_Server"
    protocol_version = "HTTP/1.1"
    # An answer's headers and body in one packet, or small files wait for an acknowledgement.
    wbufsize = 1 << 16
    disable_nagle_algorithm = True

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def log_message(self, *arguments: object) -> None:
        """Quiet."""

    def handle(self) -> None:
        # Clients that give up are part of the game.
        with contextlib.suppress(OSError, ValueError):
            super().handle()

    def finish(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            super().finish()

    def _answer(self) -> None:
        archive = self.server.archive
        wanted = self.headers.get("Range", "")
        archive.log.append((self.command, self.path, wanted))
        time.sleep(archive.latency)
        if self.path in archive.hangs:
            archive.stopped.wait(20)
            return
        if archive.unavailable.get(self.path, 0) > 0:
            archive.unavailable[self.path] -= 1
            self._send(503, b"")
            return
        path = archive.root / self.path.lstrip("/")
        content = path.read_bytes() if path.is_file() else b""
        status, part = self._part(content, wanted)
        fault = archive.faults.get(self.path)
        if fault is not None and fault(Request(archive, self, part, content)):
            return
        if not path.is_file():
            self._send(404, b"")
        else:
            self._send(status, part)

    def _part(self, content: bytes, wanted: str) -> tuple[int, bytes]:
        archive = self.server.archive
        span = re.fullmatch(r"bytes=(\d+)-(\d*)", wanted)
        if not span or not archive.honours_ranges:
            return 200, content
        if int(span[1]) >= len(content):
            return 416, b""
        part = content[int(span[1]) : int(span[2]) + 1 if span[2] else len(content)]
        return 206, part[:-20] if self.path in archive.truncates else part

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        archive = self.server.archive
        if status == 206 and archive.breaks.get(self.path, 0) > 0:
            archive.breaks[self.path] -= 1
            self.wfile.write(body[: len(body) // 2])
            self.close_connection = True
            return
        self.wfile.write(body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, archive: Archive) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.archive = archive


@contextlib.contextmanager
def serving(root: Path) -> Iterator[Archive]:
    """Serve a folder until the end of the block."""
    archive = Archive(root)
    server = _Server(archive)
    archive.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield archive
    finally:
        archive.stopped.set()
        server.shutdown()
        thread.join()
        server.server_close()


def drip(request: Request) -> bool:
    """A byte every now and then, which keeps any time-out between bytes from passing."""
    if not request.with_body:
        return False
    request.handler.send_response(206)
    request.handler.send_header("Content-Length", str(len(request.body)))
    request.handler.end_headers()
    for index in range(len(request.body)):
        request.handler.wfile.write(request.body[index : index + 1])
        request.handler.wfile.flush()
        if request.archive.stopped.is_set():
            break
        time.sleep(0.05)
    request.close()
    return True
