"""Gas of each operation: `gasUsed` of receipts on the local node.

Each figure has two forms: the organisation's own transaction, as the peers' figures are, and the
same call relayed for it (`…_relayed`), as the service sends it.
"""

from __future__ import annotations

import secrets
from functools import partial
from typing import Any

from ledger.app.log_keeping import AnchorLog, reader
from ledger.chain.keys import address_of
from ledger.codec.merkle import leaf_hash, root_of_inclusion
from ledger.codec.proof_files import CompactProof
from ledger.domain.ids import new_id
from scripts.bench.derived import ANCESTORS, develop
from scripts.bench.figures import Figure, Peer, less, say
from scripts.bench.large_tree import extension, made_up
from scripts.bench.log import a_use
from scripts.bench.market import (
    Bench,
    Sale,
    agree,
    amend,
    listing,
    opened,
    registration,
    sell,
    version,
)
from scripts.bench.objections import measure_objections

RUNS = 3
DEPTH = 28
LARGE = 2**DEPTH
BETWEEN_ANCHORS = 10_000
PEERS: dict[str, Peer] = {
    "dataset_register": Peer("Ocean 2.6 publish", 1_437_641),
    "version_add": Peer("EAS 1.9 attest, with parent reference", 294_947),
    "licence_grant": Peer("Ocean buyFromFreAndOrder, no fees", 265_414),
    "anchor": Peer("EAS 1.9 attest, 32 bytes", 200_272),
    "per_receipt_10k": Peer("Ocean reuseOrder in batches of 50", 20_668),
    "split_2": Peer("0xSplits v2 PushSplit", 67_888),
    "split_10": Peer("0xSplits v2 PushSplit", 150_668),
    "split_60": Peer("0xSplits v2 PullSplit", 631_332),
    "lineage_3": Peer("Story royalty, 3 ancestors, seven transactions", 753_800),
}
Runs = dict[str, list[tuple[int, int]]]


def measure() -> list[Figure]:
    """Return the figures of the chapter."""
    runs: Runs = {}
    with opened() as bench:
        bench.run("platform", "open-log", {})
        _registry(bench, runs)
        for claimants in (2, 10, 60):
            say(f"gas: {claimants} claimants")
            sale = sell(bench, claimants)
            _listings(bench, runs, claimants)
            if claimants == 2:
                _grants(bench, sale, runs)
                _supplements(bench, sale, runs)
            _incomes(bench, sale, runs, claimants)
        _outcomes(bench, develop(bench), runs)
        say("gas: objections")
        _objections(bench, sale, runs)
        _long_interval(bench, sale, runs)
        _anchor_large(bench, runs)
        inclusion = _inclusion(bench)
    figures = [figure for name, pairs in runs.items() for figure in _figures(name, pairs)]
    return [*figures, *_per_receipt(runs), *inclusion]


def _figures(name: str, pairs: list[tuple[int, int]]) -> list[Figure]:
    return [
        less(f"gas.{name}", [direct for direct, _ in pairs], "gas", peer=PEERS.get(name)),
        less(f"gas.{name}_relayed", [relayed for _, relayed in pairs], "gas"),
    ]


def _per_receipt(runs: Runs) -> list[Figure]:
    direct = [gas / BETWEEN_ANCHORS for gas, _ in runs["anchor_10k"]]
    peer = PEERS["per_receipt_10k"]
    return [less("gas.per_receipt_10k", direct, "gas/receipt", peer=peer)]


def _take(bench: Bench, runs: Runs, name: str, member: str, what: tuple[str, Any]) -> None:
    direct, done = bench.both(member, *what)
    runs.setdefault(name, []).append((direct, done.gas_used))


def _registry(bench: Bench, runs: Runs) -> None:
    for _ in range(RUNS + 1):
        body = registration(new_id())
        _take(bench, runs, "dataset_register", "provider", ("register-dataset", body))
        parents = [body["version"]["sha256_digest"]]
        later = {"dataset_id": body["dataset_id"], "version": version(), "parents": parents}
        _take(bench, runs, "version_add", "provider", ("add-version", later))


def _listings(bench: Bench, runs: Runs, claimants: int) -> None:
    for _ in range(RUNS):
        body = listing(bench, claimants)
        _take(bench, runs, f"product_list_{claimants}", "operator", ("list-product", body))


def _grants(bench: Bench, sale: Sale, runs: Runs) -> None:
    for _ in range(RUNS):
        body = agree(bench, sale.product_id)
        _take(bench, runs, "licence_grant", "buyer", ("grant-licence", body))


def _supplements(bench: Bench, sale: Sale, runs: Runs) -> None:
    """Change quota and end of one licence, again and again."""
    for number in range(RUNS):
        body = amend(bench, sale.licence_no, 10**9 + number)
        _take(bench, runs, "supplement", "buyer", ("supplement-licence", body))


def _incomes(bench: Bench, sale: Sale, runs: Runs, claimants: int) -> None:
    """Use, anchor, bill, pay and split, again and again; the first bill touches new storage."""
    for number in range(RUNS + 1):
        first = "first_" if number == 0 else ""
        _use(bench, sale, 10, 1_000)
        _anchor(bench, runs, "anchor")
        claim = {"scheme_id": str(sale.scheme_id), "licence_no": sale.licence_no}
        invoice_id = str(new_id())
        body = claim | {"invoice_id": invoice_id}
        _take(bench, runs, f"{first}invoice", "operator", ("issue-invoice", body))
        payment = {"invoice_id": invoice_id, "amount_fen": 1_000_000}
        payment["receipt_digest"] = "0x" + secrets.token_hex(32)
        _take(bench, runs, "payment", "operator", ("record-payment", payment))
        invoice = {"invoice_id": invoice_id}
        _take(bench, runs, "accept", "buyer", ("accept-invoice", invoice))
        _take(bench, runs, f"split_{claimants}", "operator", ("split-income", invoice))


def _outcomes(bench: Bench, sale: Sale, runs: Runs) -> None:
    """Share the incomes of a derived product; the first opens the accounts of its lineage."""
    for number in range(RUNS + 1):
        _use(bench, sale, 10, 1_000)
        _anchor(bench, runs, "anchor")
        invoice = {"invoice_id": str(new_id())}
        claim = {"scheme_id": str(sale.scheme_id), "licence_no": sale.licence_no}
        bench.run("developer", "issue-invoice", claim | invoice)
        payment = {"amount_fen": 1_000_000, "receipt_digest": "0x" + secrets.token_hex(32)}
        bench.run("developer", "record-payment", invoice | payment)
        bench.run("user", "accept-invoice", invoice)
        first = "first_" if number == 0 else ""
        _take(bench, runs, f"{first}lineage_{ANCESTORS}", "developer", ("split-income", invoice))


def _objections(bench: Bench, sale: Sale, runs: Runs) -> None:
    _use(bench, sale, 10, 1_000)
    _anchor(bench, runs, "anchor")
    claim = {"scheme_id": str(sale.scheme_id), "licence_no": sale.licence_no}
    invoice_id = str(new_id())
    bench.run("operator", "issue-invoice", claim | {"invoice_id": invoice_id})
    payment = {"invoice_id": invoice_id, "amount_fen": 1_000_000}
    payment["receipt_digest"] = "0x" + secrets.token_hex(32)
    bench.run("operator", "record-payment", payment)
    measure_objections(bench, invoice_id, RUNS, partial(_take, bench, runs))


def _use(bench: Bench, sale: Sale, receipts: int, units: int) -> None:
    bench.market.meter(1).append([a_use(sale.licence_no, units) for _ in range(receipts)])


def _anchor(bench: Bench, runs: Runs, name: str) -> None:
    signed = bench.market.meter(1).checkpoint()
    head = bench.market.contracts.usage_log.head(1, block="latest")
    request = AnchorLog(
        log_no=1,
        size=signed.size,
        root=signed.root,
        time_ms=max(signed.time_ms, head.time_ms),
        consistency_proof=list(reader(bench.market, 1).consistency_proof(head.size, signed.size)),
    )
    direct, done = bench.both("platform", "anchor-log", request.model_dump(mode="json"))
    if head.size:
        runs.setdefault(name, []).append((direct, done.gas_used))


def _long_interval(bench: Bench, sale: Sale, runs: Runs) -> None:
    for _ in range(RUNS):
        for _ in range(BETWEEN_ANCHORS // 1_000):
            _use(bench, sale, 1_000, 1)
        _anchor(bench, runs, "anchor_10k")


def _anchor_large(bench: Bench, runs: Runs) -> None:
    """Anchor logs around 2^28, whose hashes are made up: any sizes, and the longest proof."""
    for old_size, new_size in ((LARGE - 12_345, LARGE + 67_890), (LARGE - 1, LARGE + 1)):
        log_no = bench.run("platform", "open-log", {}).result["log_no"]
        large = extension(old_size, new_size)
        _anchor_head(bench, log_no, old_size, large.old_root, [])
        request = _head(bench, log_no, new_size, large.new_root, large.proof)
        _take(bench, runs, f"anchor_{DEPTH}", "platform", ("anchor-log", request))


def _anchor_head(bench: Bench, log_no: int, size: int, root: bytes, proof: list[bytes]) -> None:
    bench.run("platform", "anchor-log", _head(bench, log_no, size, root, proof))


def _head(bench: Bench, log_no: int, size: int, root: bytes, proof: list[bytes]) -> dict[str, Any]:
    request = AnchorLog(
        log_no=log_no,
        size=size,
        root=root,
        time_ms=bench.market.now_ms(),
        consistency_proof=list(proof),
    )
    return request.model_dump(mode="json")


def _inclusion(bench: Bench) -> list[Figure]:
    """Return the gas of checking a proof file in a log of 2^28, as a call and as a transaction."""
    log_no = bench.run("platform", "open-log", {}).result["log_no"]
    index = 123_456_789
    receipt, path = b"\x01" + secrets.token_bytes(95), made_up(DEPTH)
    root = root_of_inclusion(leaf_hash(receipt), index, LARGE, path)
    _anchor_head(bench, log_no, LARGE, root, [])
    log = bench.market.contracts.usage_log
    file = CompactProof(log_no, LARGE, index, receipt, tuple(path)).encode()
    data = log.encode("requireProven", file)
    sender = address_of(bench.keys["buyer"])
    calls = [bench.call_gas(sender, log.address, data) for _ in range(RUNS)]
    sent = [bench.send(sender, log.address, data) for _ in range(RUNS)]
    note = "of the call alone, storage cold; tests hold it under 30,000 from another contract"
    return [
        less(f"gas.inclusion_{DEPTH}", calls, "gas", note=note),
        less(f"gas.inclusion_{DEPTH}_transaction", sent, "gas"),
    ]
