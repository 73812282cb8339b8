"""Deployment, relayed commands and refusals on a real node."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from ledger.chain.client import Chain, ChainUnreachableError
from ledger.chain.contracts import decode_calldata
from ledger.chain.deploy import ORDER, DeploymentError, deploy, load_deployment, save_deployment
from ledger.chain.errors import RpcRefusedError, WrongChainError
from ledger.chain.forwarder import (
    RequestExpiredError,
    RequestReplayedError,
    SignatureMismatchError,
    recover_signer,
    sign_typed_data,
)
from ledger.chain.keys import KeystoreError, address_of, load_keystore, write_keystore
from ledger.chain.reverts import ChainRefusedError
from ledger.chain.sender import IdempotencyConflictError, Intent, ReceiptTimeoutError, Sender
from ledger.domain.errors import MalformedValueError
from ledger.domain.ids import new_id
from ledger.projection.database import migrate, open_engine
from ledger.projection.outbox import SqlOutbox
from tests.integration.ledger_home import CHAIN_ID, GOVERNANCE, STRANGER, Home, open_home

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with open_home(tmp_path_factory.mktemp("home")) as opened:
        yield opened


def test_deploy__fresh_chain__all_contracts_stand_and_governance_governs(home: Home) -> None:
    assert list(home.deployment.addresses) == list(ORDER)
    assert all(home.chain.code(a, block="latest") for a in home.deployment.addresses.values())
    manager = home.contracts.access_manager
    assert manager.is_admin(address_of(GOVERNANCE), block="latest")
    assert not manager.is_admin(home.sender.account, block="latest")


def test_deploy__again__returns_the_record_and_sends_nothing(home: Home) -> None:
    before = home.relayer_nonce()
    again = deploy(home.chain, home.sender, address_of(GOVERNANCE), home.record)
    assert again == home.deployment == load_deployment(home.record)
    assert home.relayer_nonce() == before


def test_deploy__record_lost__is_written_again_from_the_outbox(home: Home) -> None:
    home.record.unlink()
    before = home.relayer_nonce()
    assert deploy(home.chain, home.sender, address_of(GOVERNANCE), home.record) == home.deployment
    assert home.relayer_nonce() == before


def test_load_deployment__half_a_file__is_refused(home: Home) -> None:
    broken = home.folder / "broken.json"
    save_deployment(broken, home.deployment)
    broken.write_text(broken.read_text("utf-8")[:-20], "utf-8")
    with pytest.raises(DeploymentError):
        load_deployment(broken)


def test_execute__relayed_command__acts_as_its_signer(home: Home) -> None:
    before = home.contracts.directory.event_count(block="latest")
    outcome = home.govern("openCity", 320100)
    assert outcome.gas_used > 21_000
    assert home.contracts.directory.event_count(block=outcome.block_number) == before + 1


def test_execute__refused_by_the_contract__typed_and_no_nonce_burnt(home: Home) -> None:
    before = home.relayer_nonce()
    with pytest.raises(ChainRefusedError) as unknown_city:
        home.govern("admit", new_id(), 1, 329999, bytes(32), address_of(STRANGER))
    with pytest.raises(ChainRefusedError) as unauthorised:
        home.govern("openCity", 1, account=STRANGER)
    assert unknown_city.value.code == "directory.unknown_city"
    assert unknown_city.value.params == {"city_code": 329999}
    assert unauthorised.value.code == "chain.access_managed_unauthorized"
    assert unauthorised.value.params == {"caller": address_of(STRANGER)}
    assert home.relayer_nonce() == before


def test_execute__arguments_that_do_not_fit__are_refused_before_the_chain(home: Home) -> None:
    for function, args in (("openCity", [-1]), ("openCity", []), ("noSuch", [])):
        with pytest.raises(MalformedValueError):
            home.relay.prepare(address_of(GOVERNANCE), home.contracts.directory, function, args)


def test_submit__signed_elsewhere__is_relayed_once(home: Home) -> None:
    request = home.relay.prepare(
        address_of(GOVERNANCE), home.contracts.directory, "openCity", [320301]
    )
    message = home.relay.typed_data(request)
    signature = sign_typed_data(GOVERNANCE, message)
    assert recover_signer(message, signature) == address_of(GOVERNANCE)
    first = home.relay.submit(request, signature, idempotency_key="a", body_digest=bytes(32))
    again = home.relay.submit(request, signature, idempotency_key="a", body_digest=bytes(32))
    assert first == again
    before = home.relayer_nonce()
    with pytest.raises(IdempotencyConflictError):
        home.relay.submit(request, signature, idempotency_key="a", body_digest=b"\x01" * 32)
    with pytest.raises(RequestReplayedError) as replayed:
        home.relay.submit(request, signature, idempotency_key="b", body_digest=bytes(32))
    assert replayed.value.got == request.nonce
    assert home.relayer_nonce() == before


def test_submit__wrong_key_or_changed_request__is_refused(home: Home) -> None:
    request = home.relay.prepare(
        address_of(GOVERNANCE), home.contracts.directory, "openCity", [320302]
    )
    message = home.relay.typed_data(request)
    good = sign_typed_data(GOVERNANCE, message)
    changed = replace(request, data=home.contracts.directory.encode("openCity", 320303))
    attempts = (
        (request, sign_typed_data(STRANGER, message)),
        (request, b"\x00" * 65),
        (request, good[:-1]),
        (changed, good),
    )
    for attempt, signature in attempts:
        with pytest.raises(SignatureMismatchError):
            home.relay.submit(
                attempt, signature, idempotency_key=str(new_id()), body_digest=bytes(32)
            )


def test_submit__deadline_passed__is_refused(home: Home) -> None:
    request = home.relay.prepare(
        address_of(GOVERNANCE), home.contracts.directory, "openCity", [320304]
    )
    late = replace(request, deadline=home.chain.head().time - 1)
    signature = sign_typed_data(GOVERNANCE, home.relay.typed_data(late))
    with pytest.raises(RequestExpiredError):
        home.relay.submit(late, signature, idempotency_key="late", body_digest=bytes(32))


def test_execute__many_at_once_by_one_key__all_arrive(home: Home) -> None:
    before = home.contracts.directory.event_count(block="latest")
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda i: home.govern("openCity", 330000 + i), range(8)))
    assert len({outcome.tx_hash for outcome in outcomes}) == 8
    assert home.contracts.directory.event_count(block="latest") == before + 8


def test_submit__mined_but_refused_inside__gives_the_inner_reason(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The state changes between the trial and the block: here the trial is left out."""
    city = 340000
    contract = home.contracts.directory
    request = home.relay.prepare(address_of(GOVERNANCE), contract, "openCity", [city])
    data = contract.encode("admit", new_id(), 1, 329998, bytes(32), address_of(STRANGER))
    doomed = replace(request, data=data)
    signature = sign_typed_data(GOVERNANCE, home.relay.typed_data(doomed))
    monkeypatch.setattr(home.relay, "_try", lambda *_: None)
    for _ in range(2):
        with pytest.raises(ChainRefusedError) as caught:
            home.relay.submit(doomed, signature, idempotency_key="d", body_digest=bytes(32))
        assert caught.value.code == "directory.unknown_city"


def test_submit__relayer_without_gas__stays_stored_and_says_why(home: Home) -> None:
    engine = open_engine(f"sqlite:///{home.folder}/poor.db")
    migrate(engine)
    outbox = SqlOutbox(engine)
    poor = Sender(home.chain, outbox, STRANGER, timeout_seconds=0.1, resend_seconds=0.02)
    intent = Intent(new_id(), "poor", "k", bytes(32), home.sender.account, b"", 21_000)
    with pytest.raises(ReceiptTimeoutError, match=r"(?i)insufficient funds"):
        poor.submit(intent)
    assert [entry.state for entry in outbox.open_entries(poor.account)] == ["signed"]
    home.node.fund(poor.account)
    assert poor.submit(intent).gas_used == 21_000


def test_decode_calldata__what_was_encoded__comes_back(home: Home) -> None:
    organisation_id = new_id()
    data = home.contracts.directory.encode("grantRole", organisation_id, 3, 320100)
    assert decode_calldata("Directory", data) == (
        "grantRole",
        {"organisation_id": organisation_id, "role": 3, "city_code": 320100},
    )


def test_chain__wrong_chain_id__stops(home: Home) -> None:
    with pytest.raises(WrongChainError) as caught:
        Chain([home.node.url], 1).head()
    assert (caught.value.got, caught.value.expected) == (CHAIN_ID, 1)


def test_chain__first_endpoint_dead_or_talking_nonsense__takes_the_next(home: Home) -> None:
    with nonsense_server() as nonsense:
        urls = ["http://127.0.0.1:9", nonsense, home.node.url]
        chain = Chain(urls, CHAIN_ID, timeout_seconds=2.0)
        assert chain.head() == home.chain.head()
        with pytest.raises(ChainUnreachableError) as caught:
            Chain(urls[:2], CHAIN_ID, timeout_seconds=2.0).head()
    assert caught.value.retryable


def test_chain__node_refuses__is_not_taken_for_unreachable(home: Home) -> None:
    with pytest.raises(RpcRefusedError):
        Chain(["http://127.0.0.1:9", home.node.url], CHAIN_ID).request("no_such_method")


def test_keystore__written__opens_with_its_password_only(home: Home) -> None:
    file = home.folder / "keys" / "buyer.json"
    write_keystore(file, STRANGER, "secret", scrypt_n=2)
    assert load_keystore(file, "secret").address == STRANGER.address
    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(KeystoreError):
        load_keystore(file, "wrong")
    with pytest.raises(KeystoreError):
        write_keystore(file, STRANGER, "again", scrypt_n=2)


class nonsense_server:  # noqa: N801
    """Answers every request with something that is not JSON."""

    def __enter__(self) -> str:
        self.server = http.server.HTTPServer(("127.0.0.1", 0), _Nonsense)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self.server.server_port}"

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


class _Nonsense(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "result": "0x1"})[:-5].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return
