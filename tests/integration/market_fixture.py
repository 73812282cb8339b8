"""A small market on a real chain, built through the use cases, for tests of the upper layers."""

from __future__ import annotations

import csv
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from ledger.app.agreements import AgreementDraft, draft_agreement, licence_no_of, sign_agreement
from ledger.app.commands import Done, run
from ledger.app.files import describe_file
from ledger.app.market import Market
from ledger.app.organisations import open_region
from ledger.app.settings import Settings
from ledger.chain.keys import KeyAccount, address_of, new_account
from ledger.domain.ids import new_id
from ledger.domain.standard_terms import DISCLAIMERS
from ledger.domain.uscc import check_character

NANJING = 320100
CHUZHOU = 341100
YEAR_SECONDS = 365 * 24 * 3600
TICKS = [item.key for item in DISCLAIMERS]
STEPS = ("accepted", "reviewed", "public_notice", "coded")


@dataclass
class Member:
    """An organisation of the market and its key."""

    organisation_id: UUID
    account: KeyAccount
    city_code: int


@dataclass
class SmallMarket:
    """The opened market, its members by name, and the ids of what was made in it."""

    market: Market
    folder: Path
    members: dict[str, Member] = field(default_factory=dict)
    datasets: dict[str, UUID] = field(default_factory=dict)
    product_id: UUID = field(default_factory=new_id)
    scheme_id: UUID = field(default_factory=new_id)
    licence_no: int = 0

    def run(self, member: str, name: str, body: dict[str, Any], **options: Any) -> Done:
        """Run a command as a member."""
        return run(self.market, self.members[member].account, name, body, **options)

    def id_of(self, member: str) -> str:
        """Return a member's organisation id as text."""
        return str(self.members[member].organisation_id)


def uscc_of(number: int) -> str:
    """Return an invented code with the right check character."""
    body = f"9132010000{number:07d}"
    return body + check_character(body)


def record_of(title: str, kind: str, uscc: str, city_code: int, **changes: Any) -> dict[str, Any]:
    """Return a valid catalogue record."""
    return {
        "resource_code": "3201-0001",
        "title_zh": f"{title}(示例)",
        "title_en": f"{title} (sample)",
        "summary_zh": "虚构的示例数据",
        "summary_en": "Invented sample data",
        "domain": "weather",
        "provider_name": "虚构单位",
        "provider_uscc": uscc,
        "provider_kind": kind,
        "city_code": city_code,
        "rights_basis": {
            "holding": True,
            "processing": True,
            "operation": False,
            "authorisation": "虚构授权书",
        },
        "source_statement": "自行采集",
        "shared_in": False,
        "open_class": "conditional",
        "open_conditions": "签订协议",
        "sensitivity": "general",
        "contains_pi": False,
        "delivery_modes": ["interface"],
        "format": "csv",
        "media_type": "text/csv",
        "fields": [{"name": "day", "type": "integer"}, {"name": "value", "type": "integer"}],
        "update_frequency": "daily",
        "quality_scores": {
            "normativity": 95,
            "completeness": 95,
            "accuracy": 90,
            "consistency": 92,
            "timeliness": 90,
            "accessibility": 99,
        },
        "contact_role": "数据管理岗",
        "contact_phone": "025-00000000",
        "is_invented": True,
    } | changes


def table_file(folder: Path, name: str, rows: int) -> Path:
    """Write a small table whose content is unique to its name."""
    path = folder / f"{name}.csv"
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["day", "value", "source"])
        writer.writerows([[day, day * 7 % 101, name] for day in range(rows)])
    return path


@contextmanager
def opened_market(
    folder: Path,
    database_url: str = "",
    *,
    statutory: bool = False,
    transport: str = "public_utility",
) -> Iterator[SmallMarket]:
    """Yield a market with members, three coded datasets, a licensed product and a log.

    With the law's clocks nothing is registered yet: a code takes weeks.
    `transport` is the kind of its second provider.
    """
    settings = Settings(home=folder / "home", keystore_scrypt_n=2, database_url=database_url)
    with Market.open(settings, bootstrap=True, statutory=statutory) as market:
        small = SmallMarket(market, folder)
        open_region(market)
        _admit_all(small, transport)
        if not statutory:
            _register_all(small, transport)
            _sell(small)
        yield small


def _admit_all(small: SmallMarket, transport: str) -> None:
    institutions = [
        ("platform", "platform", NANJING, ["platform"]),
        ("nanjing", "authority", NANJING, ["registrar", "price_authority", "handler"]),
        ("chuzhou", "authority", CHUZHOU, ["registrar", "price_authority", "handler"]),
        ("nanjing-treasury", "treasury", NANJING, ["treasury"]),
        ("chuzhou-treasury", "treasury", CHUZHOU, ["treasury"]),
        ("regulator", "regulator", NANJING, ["regulator"]),
    ]
    members = [
        ("weather", "administrative", NANJING, ["provider"], "nanjing"),
        ("transport", transport, NANJING, ["provider"], "nanjing"),
        ("labour", "administrative", CHUZHOU, ["provider"], "chuzhou"),
        ("operator", "state_enterprise", NANJING, ["operator"], "nanjing"),
        ("buyer", "enterprise", NANJING, ["buyer"], "nanjing"),
    ]
    for number, (name, kind, city, roles) in enumerate(institutions):
        _admit(small, small.market.governance, number, (name, kind, city, roles))
    for number, (name, kind, city, roles, registrar) in enumerate(members, start=50):
        _admit(small, small.members[registrar].account, number, (name, kind, city, roles))


def _admit(
    small: SmallMarket, admitter: KeyAccount, number: int, what: tuple[str, str, int, list[str]]
) -> None:
    name, kind, city_code, roles = what
    account = new_account()
    member = Member(new_id(), account, city_code)
    body = {
        "organisation_id": str(member.organisation_id),
        "kind": kind,
        "city_code": city_code,
        "name_zh": f"虚构{name}",
        "name_en": f"Invented {name}",
        "uscc": uscc_of(number),
        "signer": address_of(account),
        "is_invented": True,
    }
    run(small.market, admitter, "admit-organisation", body)
    for role in roles:
        grant = {
            "organisation_id": str(member.organisation_id),
            "role": role,
            "city_code": city_code,
        }
        run(small.market, admitter, "grant-role", grant)
    small.members[name] = member


def _register_all(small: SmallMarket, transport: str) -> None:
    for name, kind, registrar in (
        ("weather", "administrative", "nanjing"),
        ("transport", transport, "nanjing"),
        ("labour", "administrative", "chuzhou"),
    ):
        register(small, name, kind)
        approve(small, name, registrar)


def register(small: SmallMarket, name: str, kind: str, **changes: Any) -> Path:
    """Register a table of a provider under the provider's own name."""
    path = table_file(small.folder, name + changes.pop("suffix", ""), 1200)
    facts = describe_file(path)
    member = small.members[name]
    dataset_id = new_id()
    small.run(
        name,
        "register-dataset",
        {
            "dataset_id": str(dataset_id),
            "metadata": record_of(name, kind, uscc_of(50), member.city_code, **changes),
            "version": facts.as_version(),
        },
    )
    small.market.holdings.put(dataset_id, 1, path, facts.sha256)
    small.datasets[name] = dataset_id
    return path


def approve(small: SmallMarket, name: str, registrar: str) -> None:
    """Take a registration all the way."""
    body = {"dataset_id": str(small.datasets[name]), "reason": "材料齐全"}
    small.run(name, "advance-registration", body | {"to": "applied"})
    for step in STEPS:
        small.run(registrar, "advance-registration", body | {"to": step})


def _sell(small: SmallMarket) -> None:
    weights = {
        small.datasets["weather"]: ("dataset", 240_000, 120_000_000),
        small.datasets["transport"]: ("dataset", 60_000, 30_000_000),
        small.datasets["labour"]: ("dataset", 100_000, 50_000_000),
        small.members["operator"].organisation_id: ("organisation", 480_000, 240_000_000),
        small.members["platform"].organisation_id: ("organisation", 120_000, 60_000_000),
    }
    small.run(
        "operator",
        "list-product",
        {
            "product_id": str(small.product_id),
            "city_code": NANJING,
            "modes": ["interface"],
            "title_zh": "示例产品",
            "title_en": "Sample product",
            "summary_zh": "三个数据资源",
            "summary_en": "Three datasets",
            "lineage": [
                {"claimant_id": str(key), "kind": kind, "weight_ppm": weight}
                for key, (kind, weight, _) in weights.items()
            ],
        },
    )
    bands = [
        {"up_to_units": 1_000, "price_micro_yuan": 0},
        {"up_to_units": 11_000, "price_micro_yuan": 6_910_000},
        {"up_to_units": None, "price_micro_yuan": 3_690_000},
    ]
    caps = [
        {"up_to_units": 11_000, "price_micro_yuan": 8_000_000},
        {"up_to_units": None, "price_micro_yuan": 4_000_000},
    ]
    product = {"product_id": str(small.product_id)}
    small.run("nanjing", "approve-caps", product | {"caps": caps, "reason": "成本监审"})
    small.run("operator", "publish-tariff", product | {"basis": "data_records", "bands": bands})
    small.run(
        "nanjing",
        "approve-scheme",
        {
            "scheme_id": str(small.scheme_id),
            "operator_id": small.id_of("operator"),
            "city_code": NANJING,
            "year": time.gmtime(time.time() + 8 * 3600).tm_year,
            "bond_ppm": 17_500,
            "spread_ppm": 60_000,
            "surcharge_ppm": 7_200,
            "vat_ppm": 60_000,
            "tax_fen": 3_600_000,
            "hold_days": 5,
            "reason": "成本监审",
            "costs": [
                {"claimant_id": str(key), "cost_fen": cost} for key, (_, _, cost) in weights.items()
            ],
        },
    )
    small.run("platform", "open-log", {})
    small.licence_no = grant(small)


def grant(small: SmallMarket, **changes: Any) -> int:
    """Agree on a licence, both sides signing, and return its number."""
    now = small.market.now_seconds()
    fields: dict[str, Any] = {
        "product_id": str(small.product_id),
        "buyer_id": small.id_of("buyer"),
        "purpose": "industry",
        "modes": ["interface"],
        "valid_from": now - 60,
        "valid_until": now + YEAR_SECONDS,
        "quota_units": 30_000,
        "disclaimers_ticked": TICKS,
    }
    draft = draft_agreement(small.market, AgreementDraft.model_validate(fields | changes))
    signatures = {
        side: sign_agreement(small.market, small.members[side].account, draft)
        for side in ("operator", "buyer")
    }
    small.run("buyer", "grant-licence", {"agreement": draft["agreement"], **signatures})
    return licence_no_of(small.market, UUID(draft["agreement"]["agreement_id"]))


def open_shell(small: SmallMarket, patch: pytest.MonkeyPatch) -> None:
    """Let every command of the shell work on the opened market, with its members' keys."""
    for name, module in list(sys.modules.items()):
        if not name.startswith("ledger.cli."):
            continue
        if hasattr(module, "open_market"):
            patch.setattr(module, "open_market", lambda home: nullcontext(small.market))
        if hasattr(module, "account"):
            patch.setattr(module, "account", lambda market, name: small.members[name].account)
