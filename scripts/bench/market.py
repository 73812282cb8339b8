"""A market to measure on: members, one sellable dataset, and products of any number of claimants.

All names in it are invented.
"""

from __future__ import annotations

import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from ledger.app.agreements import AgreementDraft, draft_agreement, licence_no_of, sign_agreement
from ledger.app.commands import COMMANDS, Done, parse_request, run
from ledger.app.market import Market
from ledger.app.organisations import open_region
from ledger.app.settings import Settings
from ledger.app.supplements import SupplementDraft, draft_supplement, sign_supplement
from ledger.chain.keys import KeyAccount, address_of, new_account
from ledger.domain.ids import new_id
from ledger.domain.standard_terms import DISCLAIMERS
from ledger.domain.uscc import check_character

CITY = 320100
DAY_SECONDS = 24 * 3600
MEMBERS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("platform", "platform", ("platform",)),
    ("authority", "authority", ("registrar", "price_authority", "handler")),
    ("treasury", "treasury", ("treasury",)),
    ("provider", "public_utility", ("provider",)),
    ("operator", "state_enterprise", ("operator",)),
    ("buyer", "enterprise", ("buyer",)),
)


@dataclass
class Bench:
    """An opened market with the keys and ids of its members."""

    market: Market
    keys: dict[str, KeyAccount] = field(default_factory=dict)
    ids: dict[str, UUID] = field(default_factory=dict)
    dataset_id: UUID = field(default_factory=new_id)

    def run(self, member: str, name: str, body: dict[str, Any]) -> Done:
        """Run a command as a member."""
        return run(self.market, self.keys[member], name, body)

    def direct_gas(self, member: str, name: str, body: dict[str, Any]) -> int:
        """Return the gas of a command sent by the member itself, then undo it."""
        spec = COMMANDS[name]
        planned = spec.plan(self.market, self.ids[member], parse_request(spec, body))
        contract = getattr(self.market.contracts, planned.contract)
        data = contract.encode(planned.function, *planned.args)
        node = self.market.node
        assert node is not None
        snapshot = node.snapshot()
        try:
            return self.send(address_of(self.keys[member]), contract.address, data)
        finally:
            node.revert(snapshot)

    def send(self, sender: str, to: str, data: bytes) -> int:
        """Send a transaction of an account that needs no gas price; return the gas it used."""
        node = self.market.node
        assert node is not None
        node.call("anvil_setBalance", sender, hex(10**24))
        node.call("anvil_impersonateAccount", sender)
        call = {"from": sender, "to": to, "data": "0x" + data.hex(), "gas": hex(15_000_000)}
        tx_hash = node.call("eth_sendTransaction", call)
        receipt = node.call("eth_getTransactionReceipt", tx_hash)
        while receipt is None:
            time.sleep(0.002)
            receipt = node.call("eth_getTransactionReceipt", tx_hash)
        assert receipt["status"] == "0x1", f"refused: {to} {data[:4].hex()}"
        return int(receipt["gasUsed"], 16)

    def call_gas(self, sender: str, to: str, data: bytes) -> int:
        """Return the gas that a call uses in itself, without what a transaction costs before."""
        node = self.market.node
        assert node is not None
        call = {"from": sender, "to": to, "data": "0x" + data.hex(), "gas": hex(15_000_000)}
        options = {"disableStack": True, "disableStorage": True, "enableMemory": False}
        steps = node.call("debug_traceCall", call, "latest", options)["structLogs"]
        return int(steps[0]["gas"] - steps[-1]["gas"] + steps[-1]["gasCost"])

    def both(self, member: str, name: str, body: dict[str, Any]) -> tuple[int, Done]:
        """Return the gas of a command sent directly, and the same command relayed."""
        gas = self.direct_gas(member, name, body)
        return gas, self.run(member, name, body)


@contextmanager
def opened() -> Iterator[Bench]:
    """Yield a market in a folder of its own, with one coded dataset."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            home=Path(folder), rpc_url="", database_url="", chain_id=31337, keystore_scrypt_n=2
        )
        with Market.open(settings, bootstrap=True) as market:
            bench = Bench(market)
            open_region(market)
            for number, (name, kind, roles) in enumerate(MEMBERS):
                admit(bench, name, kind, number)
                for role in roles:
                    grant = {"organisation_id": str(bench.ids[name]), "role": role}
                    run(market, market.governance, "grant-role", grant | {"city_code": CITY})
            bench.run("provider", "register-dataset", registration(bench.dataset_id))
            code(bench, bench.dataset_id)
            yield bench


def admit(bench: Bench, name: str, kind: str, number: int) -> None:
    """Admit an invented organisation, by governance or by the city's registrar."""
    bench.keys[name], bench.ids[name] = new_account(), new_id()
    stem = f"9132010000{number:07d}"
    is_member = kind not in ("platform", "authority", "treasury")
    admitter = bench.keys["authority"] if is_member else bench.market.governance
    body = {
        "organisation_id": str(bench.ids[name]),
        "kind": kind,
        "city_code": CITY,
        "name_zh": f"虚构{name}",
        "name_en": f"Invented {name}",
        "uscc": stem + check_character(stem),
        "signer": address_of(bench.keys[name]),
        "is_invented": True,
    }
    run(bench.market, admitter, "admit-organisation", body)


def code(bench: Bench, dataset_id: UUID) -> None:
    """Take a registration to CODED."""
    body = {"dataset_id": str(dataset_id), "reason": "示例"}
    bench.run("provider", "advance-registration", body | {"to": "applied"})
    for step in ("accepted", "reviewed", "public_notice", "coded"):
        bench.run("authority", "advance-registration", body | {"to": step})


def version() -> dict[str, Any]:
    """Return the facts of a file that does not exist."""
    digests = {
        key: "0x" + secrets.token_hex(32)
        for key in ("sha256_digest", "sm3_digest", "schema_digest")
    }
    return digests | {"row_count": 1_000, "byte_size": 65_536}


def registration(dataset_id: UUID) -> dict[str, Any]:
    """Return the body of a registration."""
    scores = ("normativity", "completeness", "accuracy")
    scores += ("consistency", "timeliness", "accessibility")
    stem = "91320100000000003"
    record = {
        "resource_code": "3201-0001",
        "title_zh": "虚构数据",
        "title_en": "Invented data",
        "summary_zh": "虚构的示例数据",
        "summary_en": "Invented sample data",
        "domain": "weather",
        "provider_name": "虚构单位",
        "provider_uscc": stem + check_character(stem),
        "provider_kind": "public_utility",
        "city_code": CITY,
        "rights_basis": {"holding": True, "processing": True, "operation": False}
        | {"authorisation": "虚构授权书"},
        "source_statement": "自行采集",
        "shared_in": False,
        "open_class": "conditional",
        "open_conditions": "签订协议",
        "sensitivity": "general",
        "contains_pi": False,
        "delivery_modes": ["interface"],
        "format": "csv",
        "media_type": "text/csv",
        "fields": [{"name": "day", "type": "integer"}],
        "update_frequency": "daily",
        "quality_scores": dict.fromkeys(scores, 95),
        "contact_role": "数据管理岗",
        "contact_phone": "025-00000000",
        "is_invented": True,
    }
    return {"dataset_id": str(dataset_id), "metadata": record, "version": version()}


@dataclass
class Sale:
    """A product that a buyer is licensed for, and the scheme that shares its income."""

    product_id: UUID
    scheme_id: UUID
    licence_no: int


def listing(bench: Bench, claimants: int) -> dict[str, Any]:
    """Return the body that lists a product of so many claimants, who are admitted where needed."""
    others = [f"claimant-{number}" for number in range(1, claimants)]
    for number, name in enumerate(others, start=100):
        if name not in bench.ids:
            admit(bench, name, "enterprise", number)
    keys = [(bench.dataset_id, "dataset")]
    keys += [(bench.ids[name], "organisation") for name in others]
    weights = [1_000_000 // claimants] * claimants
    weights[0] += 1_000_000 - sum(weights)
    lineage = [
        {"claimant_id": str(key), "kind": kind, "weight_ppm": weight}
        for (key, kind), weight in zip(keys, weights, strict=True)
    ]
    titles = dict.fromkeys(("title_zh", "title_en", "summary_zh", "summary_en"), "虚构 (invented)")
    about = {"product_id": str(new_id()), "city_code": CITY, "modes": ["interface"]}
    return about | titles | {"lineage": lineage}


def sell(bench: Bench, claimants: int) -> Sale:
    """List a product of so many claimants, price it, approve its scheme and licence it."""
    body = listing(bench, claimants)
    product_id, scheme_id = UUID(body["product_id"]), new_id()
    bench.run("operator", "list-product", body)
    bands = [{"up_to_units": None, "price_micro_yuan": 1_000_000}]
    product = {"product_id": str(product_id)}
    bench.run("authority", "approve-caps", product | {"caps": bands, "reason": "示例"})
    bench.run("operator", "publish-tariff", product | {"basis": "data_records", "bands": bands})
    keys = [UUID(entry["claimant_id"]) for entry in body["lineage"]]
    bench.run("authority", "approve-scheme", _scheme(bench, scheme_id, keys))
    agreement = agree(bench, product_id)
    bench.run("buyer", "grant-licence", agreement)
    agreement_id = UUID(agreement["agreement"]["agreement_id"])
    return Sale(product_id, scheme_id, licence_no_of(bench.market, agreement_id))


def _scheme(bench: Bench, scheme_id: UUID, claimants: list[UUID]) -> dict[str, Any]:
    return {
        "scheme_id": str(scheme_id),
        "operator_id": str(bench.ids["operator"]),
        "city_code": CITY,
        "year": time.gmtime(time.time() + 8 * 3600).tm_year,
        "bond_ppm": 17_500,
        "spread_ppm": 60_000,
        "surcharge_ppm": 7_200,
        "vat_ppm": 60_000,
        "tax_fen": 3_600_000,
        "hold_days": 5,
        "reason": "示例",
        "costs": [{"claimant_id": str(key), "cost_fen": 100_000_000} for key in claimants],
    }


def agree(bench: Bench, product_id: UUID) -> dict[str, Any]:
    """Return an agreement that operator and buyer signed, ready to be granted."""
    now = bench.market.now_seconds()
    draft = AgreementDraft.model_validate(
        {
            "product_id": str(product_id),
            "buyer_id": str(bench.ids["buyer"]),
            "purpose": "industry",
            "modes": ["interface"],
            "valid_from": now - 60,
            "valid_until": now + 300 * DAY_SECONDS,
            "quota_units": 10**9,
            "disclaimers_ticked": [item.key for item in DISCLAIMERS],
        }
    )
    drafted = draft_agreement(bench.market, draft)
    signatures = {
        side: sign_agreement(bench.market, bench.keys[side], drafted)
        for side in ("operator", "buyer")
    }
    return {"agreement": drafted["agreement"], **signatures}


def amend(bench: Bench, licence_no: int, quota_units: int) -> dict[str, Any]:
    """Return a supplement that operator and buyer signed, ready to be submitted."""
    until = bench.market.now_seconds() + 400 * DAY_SECONDS + quota_units % 10
    draft = SupplementDraft(licence_no=licence_no, quota_units=quota_units, valid_until=until)
    drafted = draft_supplement(bench.market, draft)
    signatures = {
        side: sign_supplement(bench.market, bench.keys[side], drafted)
        for side in ("operator", "buyer")
    }
    return {"supplement": drafted["supplement"], **signatures}
