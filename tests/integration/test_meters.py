"""Meters over real sockets: keys, the intake of a log, the sending client, hostile bytes."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from api.main import create_app
from api.metering import MeterService
from ledger.app.errors import ApiKeyUnknownError, NotKeeperError
from ledger.app.keys import find_key, issue_api_key
from ledger.app.log_keeping import anchor
from ledger.app.meter_keys import KeyRing, issue_meter_key, issue_meter_key_signed
from ledger.app.metering import MeterIntake
from ledger.app.signing import sign_message
from ledger.cli import meter_commands, system
from ledger.cli.main import app
from ledger.domain.errors import MalformedValueError, ValueOutOfRangeError
from ledger.log.errors import LogBusyError
from ledger.log.reader import LogReader
from ledger.projection.api_keys import ApiKeys, MeterBoundError, key_digest
from ledger.projection.errors import NotFoundError
from tests.integration.market_fixture import SmallMarket, grant, opened_market
from tests.unit.intake_story import as_json
from tests.unit.meter_story import line

pytestmark = pytest.mark.integration

LOG_NO, METER_NO = 2, 7
KILLS = 30


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallMarket]:
    """A market with a log for meters."""
    with opened_market(tmp_path_factory.mktemp("meters")) as market:
        market.run("platform", "open-log", {})
        yield market


@pytest.fixture(scope="module")
def key(small: SmallMarket) -> str:
    return issue_meter_key(small.market, small.members["platform"].account, METER_NO, LOG_NO)


@pytest.fixture(scope="module")
def address(small: SmallMarket) -> Iterator[tuple[str, int]]:
    """The market's intake on a socket."""
    intake = MeterIntake.of(small.market, LOG_NO)
    service = MeterService(intake, KeyRing(lambda key: find_key(small.market, key), LOG_NO))
    config = uvicorn.Config(
        service, loop="uvloop", http="httptools", ws="none", log_level="error", lifespan="on"
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        yield listening.getsockname()
        server.should_exit = True
        thread.join()
    signed = LogReader(small.market.log_folder(LOG_NO)).checkpoint()
    assert signed is not None
    assert signed.size == LogReader(small.market.log_folder(LOG_NO)).size


@pytest.fixture
def shell(small: SmallMarket, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """The shell on the opened market."""
    for module in (system, meter_commands):
        monkeypatch.setattr(module, "open_market", lambda home: nullcontext(small.market))
    accounts = {name: member.account for name, member in small.members.items()}
    monkeypatch.setattr(system, "account", lambda market, name: accounts[name])
    return CliRunner()


def lines(small: SmallMarket, first: int, count: int, **changes: Any) -> list[dict[str, Any]]:
    now_ms = int(time.time() * 1_000)
    given = {"meter_no": METER_NO, "licence_no": small.licence_no, "used_at_ms": now_ms} | changes
    return [line(seq, **given) for seq in range(first, first + count)]


def size_of(small: SmallMarket) -> int:
    return LogReader(small.market.log_folder(LOG_NO)).size


def test_meter_key__from_the_shell__for_the_logs_keeper_only(
    small: SmallMarket, shell: CliRunner
) -> None:
    command = ["apikey", "create", "--as", "platform", "--meter-no", "8", "--log-no", str(LOG_NO)]
    made = shell.invoke(app, [*command, "--json"])
    assert made.exit_code == 0, made.output
    held = find_key(small.market, json.loads(made.stdout)["api_key"])
    assert (held.scope, held.meter_no, held.log_no) == ("meter", 8, LOG_NO)
    command[3] = "buyer"
    refused = shell.invoke(app, [*command, "--json"])
    assert json.loads(refused.stdout)["error"]["code"] == "meter.not_keeper"
    half = shell.invoke(app, [*command[:6], "--json"])
    assert (half.exit_code, json.loads(half.stdout)["error"]["field"]) == (1, "meter_no")


def test_meter_key__signed_elsewhere__over_http(small: SmallMarket) -> None:
    client = TestClient(create_app(small.market), raise_server_exceptions=False)
    asked = {"meter_no": 9, "log_no": LOG_NO}
    message = client.get("/v1/meter-keys/typed-data", params=asked).json()
    body = asked | {"issued_at": message["message"]["issuedAt"]}
    for name, status in (("platform", 200), ("operator", 403)):
        signature = sign_message(small.members[name].account, message)
        reply = client.post("/v1/meter-keys", json=body | {"signature": signature})
        assert reply.status_code == status
        if status == 200:
            assert find_key(small.market, reply.json()["api_key"]).meter_no == 9
    wrong = client.get("/v1/meter-keys/typed-data", params=asked | {"meter_no": 1})
    assert wrong.status_code == 422


def test_meter_key__wrong_request__refused(small: SmallMarket) -> None:
    platform = small.members["platform"].account
    for error, meter_no, log_no in (
        (ValueOutOfRangeError, 1, LOG_NO),
        (ValueOutOfRangeError, 2**32, LOG_NO),
        (ValueOutOfRangeError, METER_NO, 2**32),
        (NotFoundError, 9, 99),
        (MeterBoundError, METER_NO, 1),
    ):
        if error is MeterBoundError:
            issue_meter_key(small.market, platform, meter_no, LOG_NO)
        with pytest.raises(error):
            issue_meter_key(small.market, platform, meter_no, log_no)
    with pytest.raises(NotKeeperError):
        issue_meter_key(small.market, small.members["operator"].account, 9, LOG_NO)
    with pytest.raises(MalformedValueError):
        issue_meter_key_signed(small.market, 9, LOG_NO, 1, bytes(65))


def test_meter_key__revoked_or_for_use__opens_nothing(
    small: SmallMarket, address: tuple[str, int]
) -> None:
    revoked = issue_meter_key(small.market, small.members["platform"].account, METER_NO, LOG_NO)
    ApiKeys(small.market.engine).revoke(key_digest(revoked), 5)
    with pytest.raises(ApiKeyUnknownError):
        find_key(small.market, revoked)
    url = f"http://{address[0]}:{address[1]}/v1/meters/{METER_NO}/uses"
    usual = issue_api_key(small.market, small.members["buyer"].account, small.licence_no)
    for given, status in ((revoked, 401), (usual, 403)):
        headers = {"X-Api-Key": given, "Content-Type": "application/json"}
        assert httpx.post(url, headers=headers, content=b"{}").status_code == status


@pytest.mark.parametrize("form", ["binary", "json"])
def test_send__a_file__enters_once_however_often_it_is_sent(
    small: SmallMarket, address: tuple[str, int], key: str, shell: CliRunner, form: str
) -> None:
    first = {"binary": 1_001, "json": 2_001}[form]
    rows = lines(small, first, 25) + lines(small, first + 50, 25)
    path = small.folder / f"meter-{form}.ndjson"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    url = f"http://{address[0]}:{address[1]}"
    command = ["meter", "send", str(path), "--url", url, "--key", key, "--batch", "10"]
    before = size_of(small)
    found = [
        json.loads(shell.invoke(app, [*command, "--form", form, "--json"]).stdout) for _ in "12"
    ]
    assert [(item["count"], item["repeated"]) for item in found] == [(50, 0), (0, 50)]
    assert size_of(small) == before + 50


def test_send__refused_row__said_and_nothing_of_its_batch_enters(
    small: SmallMarket, address: tuple[str, int], key: str, shell: CliRunner
) -> None:
    path = small.folder / "bad.ndjson"
    rows = [*lines(small, 3_001, 2), *lines(small, 3_003, 1, licence_no=99)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    url = f"http://{address[0]}:{address[1]}"
    before = size_of(small)
    found = shell.invoke(app, ["meter", "send", str(path), "--url", url, "--key", key, "--json"])
    assert found.exit_code == 1
    error = json.loads(found.stdout)["error"]
    assert error["code"] == "meter.send_refused"
    assert "row.licence_unknown" in error["detail"]
    assert size_of(small) == before


def test_send__nobody_answers__gives_up_after_the_tries(
    small: SmallMarket, shell: CliRunner, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = small.folder / "one.ndjson"
    path.write_text(json.dumps(lines(small, 3_100, 1)[0]))
    waited: list[float] = []
    monkeypatch.setattr(meter_commands.time, "sleep", waited.append)
    with closing(socket.create_server(("127.0.0.1", 0))) as unused:
        port = unused.getsockname()[1]
    command = ["meter", "send", str(path), "--url", f"http://127.0.0.1:{port}", "--key", key]
    found = shell.invoke(app, [*command, "--tries", "3", "--json"])
    assert json.loads(found.stdout)["error"]["code"] == "meter.send_refused"
    assert len(waited) == 2


def test_intake__parallel_clients_with_one_quota__never_passed(
    small: SmallMarket, address: tuple[str, int], key: str
) -> None:
    licence_no = grant(small, quota_units=100)
    url = f"http://{address[0]}:{address[1]}/v1/meters/{METER_NO}/uses"
    headers = {"X-Api-Key": key, "Content-Type": "application/json"}
    statuses: list[int] = []

    def send(number: int) -> None:
        with httpx.Client() as client:
            for place in range(10):
                first = 10_000 + 100 * number + 5 * place
                rows = lines(small, first, 5, licence_no=licence_no, used_at_ms=10**12 * 2)
                rows = [row | {"used_at_ms": _later_ms(small, licence_no)} for row in rows]
                reply = client.post(url, headers=headers, content=as_json(rows))
                statuses.append(reply.status_code)

    # A new licence is known to the intake within a second.
    deadline = time.monotonic() + 20
    probe = as_json(lines(small, 9_000, 1, licence_no=licence_no, used_at_ms=0))
    while True:
        rows = httpx.post(url, headers=headers, content=probe).json()["rows"]
        if rows[0]["code"] != "row.licence_unknown":
            break
        assert time.monotonic() < deadline
        time.sleep(0.05)
    threads = [threading.Thread(target=send, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(set(statuses)) == [200, 422]
    assert statuses.count(200) == 20
    tally = LogReader(small.market.log_folder(LOG_NO)).tally(licence_no)
    assert (tally.cumulative_units, tally.licence_seq) == (100, 100)


def _later_ms(small: SmallMarket, licence_no: int) -> int:
    from ledger.projection import queries

    with small.market.read() as connection:
        return 1_000 * queries.licence(connection, licence_no).valid_from + 30_000


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
        b"POST /v1/meters/7/uses HTTP/1.1\r\n" + b"a" * 100_000,
        b"POST /v1/meters/7/uses HTTP/1.1\r\nhost: x\r\ncontent-length: -5\r\n\r\n",
        b"POST /v1/meters/7/uses HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"GET /v1/meters/7/uses HTTP/9.9\r\n\r\n",
    ],
)
def test_intake__bytes_that_are_no_request__others_are_served(
    small: SmallMarket, address: tuple[str, int], key: str, sent: bytes
) -> None:
    with socket.create_connection(address, timeout=5) as stream:
        stream.sendall(sent)
        stream.shutdown(socket.SHUT_WR)
        answer = b""
        try:
            while data := stream.recv(1 << 16):
                answer += data
        except ConnectionResetError:
            pass
    assert answer == b"" or answer.split(b" ")[1][:1] == b"4"
    assert httpx.get(f"http://{address[0]}:{address[1]}/readyz").json()["ready"]


def test_serve__as_a_process_told_to_stop__signs_and_lets_the_log_go(small: SmallMarket) -> None:
    log_no = small.run("platform", "open-log", {}).result["log_no"]
    platform = small.members["platform"].account
    key = issue_meter_key(small.market, platform, 33, log_no)
    with closing(socket.create_server(("127.0.0.1", 0))) as unused:
        port = unused.getsockname()[1]
    command = [sys.executable, "-m", "ledger.cli.main", "meter", "serve", "--log-no", str(log_no)]
    command += ["--port", str(port), "--home", str(small.market.home)]
    headers = {"X-Api-Key": key, "Content-Type": "application/json"}
    body = as_json(lines(small, 1, 3, meter_no=33))
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        wait_until_ready(f"http://127.0.0.1:{port}", server)
        url = f"http://127.0.0.1:{port}/v1/meters/33/uses"
        assert httpx.post(url, headers=headers, content=body).json()["size"] == 3
        with pytest.raises(LogBusyError):
            small.market.meter(log_no)
        server.terminate()
        assert server.wait(timeout=20) in (0, -signal.SIGTERM)
    signed = small.market.meter(log_no).checkpoint()
    assert signed.size == 3


def wait_until_ready(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while True:
        assert server.poll() is None
        assert time.monotonic() < deadline
        try:
            if httpx.get(f"{url}/readyz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)


def test_intake__anchored__the_chain_has_what_meters_sent(
    small: SmallMarket, address: tuple[str, int], key: str
) -> None:
    url = f"http://{address[0]}:{address[1]}/v1/meters/{METER_NO}/uses"
    headers = {"X-Api-Key": key, "Content-Type": "application/json"}
    reply = httpx.post(url, headers=headers, content=as_json(lines(small, 20_000, 1)))
    deadline = time.monotonic() + 20
    while LogReader(small.market.log_folder(LOG_NO)).checkpoint().size < reply.json()["size"]:  # type: ignore[union-attr]
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert anchor(small.market, small.members["platform"].account, LOG_NO) is not None
    head = small.market.contracts.usage_log.head(LOG_NO, block="latest")
    assert head.size >= reply.json()["size"]


def test_kill__services_under_load__nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.integration.killed_intake"]
    found = subprocess.run(
        [*command, str(tmp_path / "log"), str(KILLS), "7"], capture_output=True, text=True
    )
    assert found.returncode == 0, found.stderr
    seen = json.loads(found.stdout)
    assert seen["kills"] == KILLS
    assert seen["answers"] > KILLS
    assert seen["tries"] > seen["answers"]
