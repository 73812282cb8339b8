"""What a log's intake takes over HTTP: two processes, a log each, and the sender beside them.

The sender is one thread on raw sockets with bodies that are built before, so that most of the two
cores is left to the intakes. Each connection is a meter of its own that waits for each answer.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import numpy as np

from ledger.codec.receipts import RECEIPT_DTYPE, RECEIPT_FORMAT
from ledger.log.admission import LicenceTerms
from ledger.log.reader import LogReader
from ledger.log.writer import LogWriter
from ledger.projection.api_keys import ApiKey
from scripts.bench.figures import Figure, less, more

WORKERS = 2
LICENCES = 10_000
FIRST_METER = 2
USED_AT_MS = 1_800_000_000_000
START_SECONDS_MAX = 30.0
Build = Callable[[int], tuple[str, bytes]]
"""First number → query and body of a request."""


@dataclass(frozen=True, slots=True)
class Form:
    """One way to send: rows of a request, connections to each process, receipts by default."""

    name: str
    rows: int
    connections: int
    receipts: int
    media_type: str


SINGLE = Form("log.http_single", 1, 256, 60_000, "application/json")
JSON_100 = Form("log.http_json100", 100, 32, 1_500_000, "application/json")
BINARY_1000 = Form("log.http_binary1000", 1_000, 32, 16_000_000, "application/octet-stream")
FORMS = (SINGLE, JSON_100, BINARY_1000)


def measure(scale: float = 1.0) -> list[Figure]:
    """Return the figures of all forms, with so many receipts by their default."""
    figures: list[Figure] = []
    for form in FORMS:
        figures += measure_form(form, int(form.receipts * scale))
    return figures


def measure_form(form: Form, receipts: int) -> list[Figure]:
    """Return receipts a second and the slowest answers of one form."""
    with tempfile.TemporaryDirectory() as folder:
        logs = [Path(folder) / str(number) for number in range(1, WORKERS + 1)]
        servers = [_start(log, number) for number, log in enumerate(logs, 1)]
        try:
            ports = [_port(server) for server in servers]
            seconds, latencies = _Load(form, ports, receipts).run()
        finally:
            for server in servers:
                server.send_signal(signal.SIGTERM)
                server.wait()
        held = sum(LogReader(log).size for log in logs)
    sent = len(latencies) * form.rows
    if held != sent:
        raise RuntimeError(f"{sent} receipts were acknowledged, the logs hold {held}")
    ordered = sorted(latencies)
    note = f"{WORKERS} processes, {form.connections} connections each, {sent:,} receipts"
    return [
        more(f"{form.name}_per_s", [sent / seconds], "receipts/s", note=note, receipts=sent),
        less(f"{form.name}_p50_ms", [1_000 * ordered[len(ordered) // 2]], "ms", receipts=sent),
        less(
            f"{form.name}_p99_ms",
            [1_000 * ordered[len(ordered) * 99 // 100]],
            "ms",
            receipts=sent,
        ),
    ]


def _start(folder: Path, log_no: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "scripts.bench.intake", str(folder), str(log_no)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _port(server: subprocess.Popen[str]) -> int:
    assert server.stdout is not None
    port = int(server.stdout.readline())
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.02)
        else:
            return port
    raise RuntimeError("an intake does not come up")


@dataclass(slots=True)
class _Connection:
    """One meter's connection and where its request stands."""

    socket: socket.socket
    meter_no: int
    build: Build
    next_seq: int = 1
    began: float = 0.0
    rest: memoryview = field(default_factory=lambda: memoryview(b""))
    answer: bytes = b""


class _Load:
    """Sends until so many receipts were acknowledged."""

    def __init__(self, form: Form, ports: list[int], receipts: int) -> None:
        self._form = form
        self._left = receipts // form.rows
        self._latencies: list[float] = []
        self._selector = selectors.DefaultSelector()
        self._connections = [
            self._connect(port, place) for port in ports for place in range(form.connections)
        ]

    def run(self) -> tuple[float, list[float]]:
        """Return the seconds from the first request to the last answer, and each answer's."""
        began = time.perf_counter()
        under_way = 0
        for connection in self._connections:
            under_way += self._begin(connection)
        while under_way:
            for key, _ in self._selector.select():
                connection = key.data
                if connection.rest:
                    self._push(connection)
                elif self._is_answered(connection):
                    under_way += self._begin(connection) - 1
        seconds = time.perf_counter() - began
        for connection in self._connections:
            connection.socket.close()
        return seconds, self._latencies

    def _connect(self, port: int, place: int) -> _Connection:
        made = socket.create_connection(("127.0.0.1", port))
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 18)
        made.setblocking(False)
        meter_no = FIRST_METER + place
        connection = _Connection(made, meter_no, _builder(self._form, place, meter_no))
        self._selector.register(made, selectors.EVENT_READ, connection)
        return connection

    def _begin(self, connection: _Connection) -> bool:
        if not self._left:
            return False
        self._left -= 1
        query, body = connection.build(connection.next_seq)
        connection.next_seq += self._form.rows
        head = (
            f"POST /v1/meters/{connection.meter_no}/uses{query} HTTP/1.1\r\nhost: intake\r\n"
            f"content-type: {self._form.media_type}\r\nx-api-key: {connection.meter_no}\r\n"
            f"content-length: {len(body)}\r\n\r\n"
        )
        connection.began = time.perf_counter()
        connection.rest = memoryview(head.encode() + body)
        connection.answer = b""
        self._push(connection)
        return True

    def _push(self, connection: _Connection) -> None:
        try:
            sent = connection.socket.send(connection.rest)
        except BlockingIOError:
            sent = 0
        connection.rest = connection.rest[sent:]
        wanted = selectors.EVENT_WRITE if connection.rest else selectors.EVENT_READ
        self._selector.modify(connection.socket, wanted, connection)

    def _is_answered(self, connection: _Connection) -> bool:
        connection.answer += connection.socket.recv(1 << 16)
        if not connection.answer.endswith(b"}"):
            return False
        whole = connection.answer.startswith(b"HTTP/1.1 200")
        if not whole or b'"count":%d,' % self._form.rows not in connection.answer:
            raise RuntimeError(f"not taken: {connection.answer!r}")
        self._latencies.append(time.perf_counter() - connection.began)
        return True


def _builder(form: Form, place: int, meter_no: int) -> Build:
    """Return how a connection's requests are built: uses of licences that are its own."""
    count = LICENCES // form.connections
    licences = 1 + place * count + np.random.default_rng(place).integers(0, count, form.rows)
    if form is BINARY_1000:
        block = np.zeros(form.rows, RECEIPT_DTYPE)
        block["format"], block["mode"], block["purpose"] = RECEIPT_FORMAT, 2, 3
        block["meter_no"], block["licence_no"] = meter_no, licences
        block["used_at_ms"], block["version_no"] = USED_AT_MS, 1
        block["units"] = block["records"] = 100
        block["commitment"] = np.frombuffer(os.urandom(32 * form.rows), np.uint8).reshape(-1, 32)
        receipts = block.tobytes()
        return lambda first: (f"?first_seq={first}", receipts)
    uses = [
        {
            "licence_no": int(licence_no),
            "mode": 2,
            "purpose": 3,
            "used_at_ms": USED_AT_MS,
            "version_no": 1,
            "status": 0,
            "units": 100,
            "records": 100,
            "commitment": "0x" + os.urandom(32).hex(),
        }
        for licence_no in licences
    ]
    if form is SINGLE:
        rest = json.dumps(uses[0])[1:].encode()
        return lambda first: ("", b'{"seq": %d, ' % first + rest)
    many = json.dumps(uses).encode()
    return lambda first: ("", b'{"first_seq": %d, "uses": ' % first + many + b"}")


def _serve(folder: Path, log_no: int) -> None:
    """Be one intake: the product's own, with licences and keys that are invented."""
    import uvicorn

    from api.metering import MeterService
    from ledger.app.meter_keys import SCOPE_METER, KeyRing
    from ledger.app.metering import MeterIntake

    everyone = UUID(int=1)
    ones = np.ones(LICENCES, np.uint64)
    terms = LicenceTerms(
        licence_no=np.arange(1, LICENCES + 1),
        modes=127 * ones,
        purpose=3 * ones,
        valid_from_ms=0 * ones,
        valid_until_ms=USED_AT_MS * 2 * ones,
        quota_units=ones << np.uint64(62),
    )
    intake = MeterIntake(
        log_no,
        lambda: LogWriter.open(folder, origin=f"bench/log/{log_no}", log_no=log_no),
        lambda: terms,
        1.0,
    )
    keys = KeyRing(
        lambda key: ApiKey(b"", everyone, None, SCOPE_METER, 0, None, int(key), log_no), log_no
    )
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    print(port, flush=True)
    uvicorn.run(
        MeterService(intake, keys),
        port=port,
        loop="uvloop",
        http="httptools",
        ws="none",
        proxy_headers=False,
        log_level="warning",
        access_log=False,
    )


if __name__ == "__main__":
    _serve(Path(sys.argv[1]), int(sys.argv[2]))
