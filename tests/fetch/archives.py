"""SkyServer and the Science Archive Server on loopback, with bad habits on order."""

import ast
import bz2
import hashlib
import io
import operator
import re
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np
from astropy.io import fits

from al_service.fetch.sample import COLUMNS

WAIT_SECONDS: Final = 60.0
"""Longest time for which a handler holds on; tests end it earlier."""

Galaxy = Mapping[str, str]


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
        """Evaluate what the query says: order, page, size."""
        self.queries.append(sql)
        size = int(re.match(r"\s*SELECT TOP (\d+) ", sql)[1])  # type: ignore[index]  # a wrong query is a wrong test
        order = re.search(r"TOP \d+ (.*?) AS drawn", sql)[1]  # type: ignore[index]
        x = re.search(r"CROSS APPLY \(SELECT (.*?) AS x\)", sql)[1]  # type: ignore[index]
        after = re.search(r">= (\d+) ORDER BY", sql)
        rows = sorted(
            (
                int_sql(order, row | {"x": str(int_sql(x, row))}),
                int(row["specObjID"]),
                row,
            )
            for row in map(dict, self.galaxies)
        )
        lines = ["#Table1", ",".join(("drawn", *COLUMNS, "ends"))]
        lines += [
            ",".join((str(drawn), *(row[name] for name in COLUMNS), "1"))
            for drawn, _, row in rows
            if after is None or drawn >= int(after[1])
        ][:size]
        return ("\n".join(lines) + "\n").encode()


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


_LARGEST_BIGINT: Final = 2**63 - 1
_OPERATORS: Final[Mapping[type[ast.operator], Callable[[int, int], int]]] = {
    ast.Add: operator.add,
    ast.Mult: operator.mul,
    ast.Mod: operator.mod,
}


def int_sql(expression: str, row: Galaxy) -> int:
    """An integer expression of SQL Server; an overflow fails as it would there."""
    bare = re.sub(r"CAST\((.*?) AS bigint\)", r"\1", expression)
    tree = ast.parse(re.sub(r"\b[so]\.", "", bare), mode="eval")

    def value(node: ast.expr) -> int:
        if isinstance(node, ast.BinOp):
            number = _OPERATORS[type(node.op)](value(node.left), value(node.right))
            assert 0 <= number <= _LARGEST_BIGINT, "bigint overflow"
            return number
        if isinstance(node, ast.Name):
            return int(row[node.id])
        assert isinstance(node, ast.Constant)
        return int(node.value)  # type: ignore[arg-type]  # digits

    return value(tree.body)


def galaxy(plate: int, mjd: int, fiber: int, *, number: int) -> Galaxy:
    """A row as SkyServer has it; `number` decides field and position."""
    run2d = "26" if plate < 3510 else "v5_13_2"
    code = 26 if run2d == "26" else (5 - 5) * 10000 + 13 * 100 + 2
    spec = plate << 50 | fiber << 38 | (mjd - 50000) << 24 | code << 10
    run, camcol, at = 94 + number // 4, 1 + number % 6, 100 + number // 2
    photo = 1 << 60 | 301 << 48 | run << 32 | camcol << 29 | at << 16 | 40 + number
    known: dict[str, Any] = {
        "specObjID": spec, "bestObjID": photo, "plate": plate, "mjd": mjd,
        "fiberID": fiber, "run2d": run2d, "ra": 150 + number / 10, "dec": 2.2,
        "class": "GALAXY", "z": 0.1, "zErr": 1e-5, "zWarning": 0, "snMedian": 12.0,
        "run": run, "rerun": 301, "camcol": camcol, "field": at,
    }  # fmt: skip
    return {name: str(known.get(name, 1.5)) for name in COLUMNS}


def frame_bytes(seed: int) -> bytes:
    """A frame in small: an image with header, compressed as the archive does."""
    pixels = np.random.default_rng(seed).normal(0, 0.03, (32, 48)).astype(np.float32)
    unpacked = io.BytesIO()
    fits.PrimaryHDU(pixels).writeto(unpacked)
    return bz2.compress(unpacked.getvalue())


def stock(archives: Archives, spectra: list[Path], *, bands: str = "ugriz") -> None:
    """Put real spectra where DR17 has them, and a frame in every band beside them."""
    for number, path in enumerate(spectra):
        plate, mjd, fiber = (int(part) for part in path.stem.split("-")[1:])
        row = galaxy(plate, mjd, fiber, number=number)
        archives.galaxies.append(row)
        survey = "sdss" if row["run2d"] == "26" else "eboss"
        lite = f"dr17/{survey}/spectro/redux/{row['run2d']}/spectra/lite/{plate:04d}"
        archives.files[f"{lite}/{path.name}"] = path.read_bytes()
        run, camcol, at = (int(row[name]) for name in ("run", "camcol", "field"))
        frames = f"dr17/eboss/photoObj/frames/301/{run}/{camcol}"
        for band in bands:
            name = f"frame-{band}-{run:06d}-{camcol}-{at:04d}.fits.bz2"
            archives.files[f"{frames}/{name}"] = frame_bytes(number)
