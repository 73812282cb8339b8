"""From use to money, as each way takes it: metered, anchored, billed, paid, split, remitted."""

from __future__ import annotations

import hashlib
import json
import time
from typing import Any

from ledger.app.payments import COLUMNS
from ledger.app.signing import sign_message
from ledger.domain.ids import new_id
from ledger.domain.units import yuan_text
from tests.integration.journeys import Http, Shell
from tests.integration.market_fixture import SmallMarket

METERS_LOG = 2
_PAGE = 400


def used(way: Shell | Http, small: SmallMarket, licence_no: int, rows: int) -> None:
    """Use rows of the fixture's product: by a meter's file, or through the gateway."""
    if isinstance(way, Shell):
        report = imported(way, small, [meter_row(small, licence_no, rows)])
        assert (report["taken"], report["refused"]) == (1, 0)
        return
    for cursor in range(0, rows, _PAGE):
        answer = gateway(
            way, small, licence_no, f"limit={min(_PAGE, rows - cursor)}&cursor={cursor}"
        )
        assert answer.status_code == 200, answer.text
        way.receipts = int(answer.headers["Mdl-Receipt-Index"]) + 1


def meter_row(small: SmallMarket, licence_no: int, units: int, mode: int = 2) -> dict[str, Any]:
    """Return a use that a meter counted."""
    now_ms = small.market.now_seconds() * 1000
    return {
        "meter_no": 2,
        "meter_seq": time.monotonic_ns(),
        "licence_no": licence_no,
        "mode": mode,
        "purpose": 3,
        "used_at_ms": now_ms,
        "version_no": 1,
        "status": 0,
        "units": units,
        "records": units,
        "commitment": "0x" + hashlib.sha256(str(now_ms).encode()).hexdigest(),
    }


def imported(way: Shell, small: SmallMarket, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Import a meter's file; return the report on it."""
    path = small.folder / f"{new_id()}.ndjson"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    found = way.json("log", "import", path, "--log-no", METERS_LOG, "--json")
    return dict(found["files"][0])


def gateway(way: Http, small: SmallMarket, licence_no: int, query: str) -> Any:
    """Ask the gateway for rows with a key for the licence."""
    name = f"licence {licence_no}"
    if name not in way.keys:
        path = f"/v1/api-keys/typed-data?licence_no={licence_no}"
        message = way.client.get(path).json()
        body = {
            "licence_no": licence_no,
            "issued_at": message["message"]["issuedAt"],
            "signature": sign_message(small.members["buyer"].account, message),
        }
        way.keys[name] = way.client.post("/v1/api-keys", json=body).json()["api_key"]
    path = f"/v1/use/{small.product_id}/{small.datasets['weather']}?{query}"
    return way.client.get(path, headers={"X-Api-Key": way.keys[name]})


def log_of(way: Shell | Http) -> int:
    """Return the log in which a way's use is counted."""
    return METERS_LOG if isinstance(way, Shell) else 1


def anchored(way: Shell | Http) -> None:
    """Anchor the log of the way's use."""
    if isinstance(way, Shell):
        way.json("log", "anchor", "--log-no", METERS_LOG, "--as", "platform", "--json")
        return
    way.act("platform", "anchor-log", anchor_body(way))


def anchor_body(way: Http) -> dict[str, Any]:
    """Return the anchor of the newest checkpoint, from what the log publishes."""
    heads = {row["log_no"]: row["size"] for row in way.client.get("/v1/logs").json()["items"]}
    size, deadline = 0, time.monotonic() + 10
    while size < way.receipts and time.monotonic() < deadline:
        time.sleep(0.2)
        note = way.client.get("/v1/logs/1/checkpoint").text.splitlines()
        size = int(note[1])
    proof = way.client.get(f"/v1/logs/1/consistency?old={heads[1]}&new={size}").json()
    time_ms = next(line.split()[1] for line in note if line.startswith("time_ms"))
    return {
        "log_no": 1,
        "size": size,
        "root": proof["new_root"],
        "time_ms": int(time_ms),
        "consistency_proof": proof["consistency"],
    }


def billed(way: Shell | Http, small: SmallMarket, licence_no: int) -> dict[str, Any]:
    """Bill the licence's use; return the bill."""
    body = {"scheme_id": str(small.scheme_id), "licence_no": licence_no, "log_no": log_of(way)}
    if isinstance(way, Http):
        return way.act("operator", "issue-invoice", body)
    words = ("invoice", "bill", licence_no, small.scheme_id, "--log-no", METERS_LOG)
    return dict(way.json(*words, "--as", "operator", "--json")["result"])


def paid(way: Shell | Http, small: SmallMarket, bill: dict[str, Any]) -> None:
    """Record that the bill was paid: from the bank's statement, or by the digest of its line."""
    if isinstance(way, Http):
        digest = "0x" + hashlib.sha256(bill["reference"].encode()).hexdigest()
        receipt = {"amount_fen": bill["gross_fen"], "receipt_digest": digest}
        way.act("operator", "record-payment", {"invoice_id": bill["invoice_id"]} | receipt)
        return
    yuan = yuan_text(bill["gross_fen"]).replace(",", "")
    line = f"2026-11-23,{bill['reference']},{yuan},buyer,{new_id()}"
    path = small.folder / f"{new_id()}.csv"
    path.write_text(f"{','.join(COLUMNS)}\n{line}\n", "utf-8")
    report = way.json("payment", "import", path, "--as", "operator", "--json")
    assert report["findings"] == []


def split(way: Shell | Http, small: SmallMarket, invoice_id: str) -> None:
    """Split the income."""
    if isinstance(way, Http):
        way.act("operator", "split-income", {"invoice_id": invoice_id})
    else:
        assert way.json("split", "run", small.scheme_id, "--as", "operator", "--json")


def remitted(way: Shell | Http, small: SmallMarket, payee: str, claimant: str) -> dict[str, Any]:
    """Open the batch to one payee for what is owed to a claimant; return the batch."""
    payee_id, scheme_id = small.id_of(payee), str(small.scheme_id)
    if isinstance(way, Shell):
        batches = way.json("remit", "run", scheme_id, "--as", "operator", "--json")
        return dict(next(batch for batch in batches if batch["payee_id"] == payee_id))
    rows = way.client.get("/v1/statement").json()["claimants"]
    row = next(it for it in rows if (it["claimant_id"], it["scheme_id"]) == (claimant, scheme_id))
    line = {"scheme_id": scheme_id, "claimant_id": claimant, "amount_fen": row["payable_fen"]}
    return way.act("operator", "open-remittance", {"payee_id": payee_id, "lines": [line]})
