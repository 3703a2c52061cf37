"""A session that answers from memory, in place of one that asks the network."""

import contextlib
from dataclasses import dataclass, field

import requests


@dataclass
class Raw:
    content: bytes

    def read1(self, size):
        part, self.content = self.content[:size], self.content[size:]
        return part


@dataclass
class Session:
    """Answers from memory, by address: (status, content); `asked` has all that was asked for."""

    files: dict
    statuses: dict = field(default_factory=dict)
    content_ranges: dict = field(default_factory=dict)
    asked: list = field(default_factory=list)

    def head(self, address, **options):
        return self._answer(address, self.statuses.get(("HEAD", address), 200), b"")

    @contextlib.contextmanager
    def _streamed(self, answer):
        yield answer

    def get(self, address, headers=None, stream=False):
        self.asked.append(address)
        content = self.files.get(address, b"")
        status = self.statuses.get(address, 200 if address in self.files else 404)
        told = (headers or {}).get("Range")
        if told and status == 200:
            first, last = told.removeprefix("bytes=").split("-")
            content = content[int(first) : int(last) + 1 if last else None]
            status = 206
        answer = self._answer(address, status, content)
        if address in self.content_ranges:
            answer.headers["Content-Range"] = self.content_ranges[address]
        return self._streamed(answer) if stream else answer

    def _answer(self, address, status, content):
        answer = requests.Response()
        answer.status_code, answer.url, answer._content = status, address, content
        answer.headers["Content-Length"] = str(len(content))
        answer.raw = Raw(content)
        return answer
