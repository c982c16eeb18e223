"""SkyServer and the Science Archive Server on loopback, with bad habits on order."""

import hashlib
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Final, Self
from urllib.parse import parse_qs, unquote, urlsplit

from tests.fetch.sky_server import answer_of
from tests.fetch.stock import Galaxy

WAIT_SECONDS: Final = 60.0
"""Longest time for which a handler holds on; tests end it earlier."""


@dataclass(frozen=True)
class Fault:
    """How one answer goes wrong; those of a path are used up one by one."""

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    """Sent instead of the file."""
    cut_after: int | None = None
    """The connection closes after so many bytes of a longer answer."""
    hold: bool = False
    """After `cut_after` bytes nothing comes until the server ends."""
    truncate_to: int | None = None
    """A shorter file that claims to be whole."""
    flip: bool = False
    """One byte in the middle is another."""
    no_ranges: bool = False
    """Sends the whole file, whatever part was asked for."""


@dataclass(frozen=True)
class Request:
    """What a server remembers of one request."""

    path: str
    began: float
    active: int
    """Requests in progress, this one included."""
    range: str | None
    headers: Mapping[str, str]


@dataclass
class Archives:
    """Both servers at one address."""

    files: dict[str, bytes] = field(default_factory=dict)
    """By path below the address of the archive."""
    galaxies: list[Galaxy] = field(default_factory=list)
    faults: defaultdict[str, list[Fault]] = field(
        default_factory=lambda: defaultdict(list)
    )
    """By the last part of a path; `sql` for SkyServer."""
    requests: list[Request] = field(default_factory=list)
    queries: list[str] = field(default_factory=list)
    sums: bool = False
    """Whether folders publish checksums."""
    together: int = 1
    """Answers with files wait until so many requests have once been in progress."""

    def __post_init__(self) -> None:
        self._changed = threading.Condition()
        self._active = 0
        self._closing = threading.Event()
        self.held = threading.Semaphore(0)
        """Released whenever an answer begins to hold."""

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(
            ("127.0.0.1", 0), type("OfOne", (Handler,), {"archives": self})
        )
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.set()
        with self._changed:
            self._changed.notify_all()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def archive_url(self) -> str:
        return f"{self.url}/sas"

    def asked_for(self, name: str) -> list[Request]:
        """Requests whose path ends so."""
        return [request for request in self.requests if request.path.endswith(name)]

    @property
    def most_active(self) -> int:
        return max(request.active for request in self.requests)

    @contextmanager
    def remembering(self, path: str, headers: Mapping[str, str]) -> Iterator[None]:
        with self._changed:
            self._active += 1
            self.requests.append(
                Request(
                    path, time.monotonic(), self._active, headers.get("Range"), headers
                )
            )
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._active -= 1
                self._changed.notify_all()

    def wait_for_company(self) -> None:
        with self._changed:
            self._changed.wait_for(
                lambda: self.most_active >= self.together or self._closing.is_set(),
                timeout=WAIT_SECONDS,
            )

    def hold(self) -> None:
        self.held.release()
        self._closing.wait(WAIT_SECONDS)

    def fault_of(self, name: str) -> Fault:
        with self._changed:
            return self.faults[name].pop(0) if self.faults[name] else Fault()

    def listing(self, directory: str) -> bytes | None:
        names = [
            path.rpartition("/")[2]
            for path in self.files
            if path.rpartition("/")[0] == directory
        ]
        if not names:
            return None
        if self.sums:
            names.append(self.sums_name(directory))
        links = "".join(f'<a href="{name}">{name}</a>\n' for name in names)
        return f"<html><body>{links}</body></html>".encode()

    @staticmethod
    def sums_name(directory: str) -> str:
        return f"{directory.replace('/', '_')}.sha1sum"

    def sums_of(self, directory: str) -> bytes:
        lines = []
        for path, body in sorted(self.files.items()):
            folder, _, name = path.rpartition("/")
            if folder == directory:
                sha1 = hashlib.sha1(body, usedforsecurity=False).hexdigest()
                lines.append(f"{sha1}  {name}\n")
        return "".join(lines).encode()

    def body_of(self, path: str) -> bytes | None:
        directory, _, name = path.rpartition("/")
        if not name:
            return self.listing(directory)
        if self.sums and name == self.sums_name(directory):
            return self.sums_of(directory)
        return self.files.get(path)

    def answer_sql(self, sql: str) -> bytes:
        """Evaluate what a query says of the galaxies."""
        self.queries.append(sql)
        return answer_of(sql, self.galaxies)


class Handler(BaseHTTPRequestHandler):
    """Answers for one `Archives`, which a subclass names."""

    protocol_version = "HTTP/1.1"
    archives: Archives

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        path = unquote(address.path)
        with self.archives.remembering(path, dict(self.headers)):
            if path.endswith("x_results.aspx"):
                (sql,) = parse_qs(address.query)["cmd"]
                answer = self.archives.answer_sql(sql)
                self._send(answer, self.archives.fault_of("sql"))
            else:
                self._send_file(path)

    def _send_file(self, path: str) -> None:
        fault = self.archives.fault_of(path.rpartition("/")[2])
        body = self.archives.body_of(path.removeprefix("/sas/"))
        if not path.endswith(("/", ".sha1sum")):
            self.archives.wait_for_company()
        if body is None and fault.status is None:
            fault = replace(fault, status=404, body=b"not found")
        self._send(body or b"", fault)

    def _send(self, body: bytes, fault: Fault) -> None:
        body = _spoiled(body, fault)
        status, start = self._status(body, fault)
        self.send_response(status)
        if status == HTTPStatus.PARTIAL_CONTENT:
            said = f"bytes {start}-{len(body) - 1}/{len(body)}"
            self.send_header("Content-Range", said)
        if status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            self.send_header("Content-Range", f"bytes */{len(body)}")
        self.send_header("Content-Length", str(len(body[start:])))
        for name, value in fault.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[start:][: fault.cut_after])
        if fault.hold:
            self.wfile.flush()
            self.archives.hold()
        if fault.cut_after is not None:
            self.close_connection = True

    def _status(self, body: bytes, fault: Fault) -> tuple[int, int]:
        """The status, and the first byte of the body that is sent."""
        if fault.status is not None:
            return fault.status, 0
        asked = self.headers.get("Range")
        if asked is None or fault.no_ranges:
            return HTTPStatus.OK, 0
        start = int(asked.removeprefix("bytes=").removesuffix("-"))
        if start < len(body):
            return HTTPStatus.PARTIAL_CONTENT, start
        return HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, len(body)

    def log_message(self, *_: object) -> None:
        pass


def _spoiled(body: bytes, fault: Fault) -> bytes:
    if fault.body is not None:
        return fault.body
    body = body[: fault.truncate_to]
    if fault.flip:
        middle = len(body) // 2
        body = body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :]
    return body
