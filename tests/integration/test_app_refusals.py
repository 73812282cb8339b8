"""Bad input: a typed error with a stable code, the field, what was expected; nothing changes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ledger.app import gateway, payments
from ledger.app.commands import prepare, run, submit
from ledger.app.files import describe_file
from ledger.app.keys import issue_api_key
from ledger.chain.client import Chain
from ledger.chain.forwarder import sign_typed_data
from ledger.chain.keys import address_of, new_account
from ledger.domain.catalogue_lists import QUALITY_DIMENSIONS
from ledger.domain.errors import LedgerError, ValidationError
from ledger.domain.ids import digest_text, new_id
from ledger.projection import queries
from ledger.projection.projector import projection_digest
from tests.integration.market_fixture import (
    CHUZHOU,
    NANJING,
    SmallMarket,
    approve,
    grant,
    opened_market,
    record_of,
    register,
    uscc_of,
)

pytestmark = pytest.mark.integration

VERSION = {
    "sha256_digest": "0x" + "11" * 32,
    "sm3_digest": "0x" + "22" * 32,
    "schema_digest": "0x" + "33" * 32,
    "row_count": 1,
    "byte_size": 1,
}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallMarket]:
    with opened_market(tmp_path_factory.mktemp("refusals")) as market:
        yield market


@pytest.fixture(autouse=True)
def _ledger_unchanged(small: SmallMarket, request: pytest.FixtureRequest) -> Iterator[None]:
    """Unless a test is marked to act first, the projections are the same after it."""
    before = _digest(small)
    yield
    if "acts" not in request.keywords:
        assert _digest(small) == before


def _digest(small: SmallMarket) -> str:
    with small.market.read() as connection:
        return str(projection_digest(connection))


def _refused(call: Any) -> LedgerError:
    with pytest.raises(LedgerError) as caught:
        call()
    return caught.value


def _registration(small: SmallMarket, **changes: Any) -> dict[str, Any]:
    record = record_of("refused", "administrative", uscc_of(50), NANJING)
    return {"metadata": record | changes, "version": VERSION}


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"provider_uscc": "913201000000050000"}, "domain.malformed_value", "provider_uscc"),
        ({"city_code": 999999}, "domain.unknown_code", "city_code"),
        ({"update_frequency": "fortnightly"}, "domain.unknown_code", "update_frequency"),
        ({"title_zh": None}, "domain.malformed_value", "title_zh"),
        ({"summary_en": "a\u202eb"}, "domain.malformed_value", "summary_en"),
        ({"colour": "red"}, "domain.malformed_value", "colour"),
    ],
)
def test_register__bad_record__names_field(
    small: SmallMarket, changes: dict[str, Any], code: str, field: str
) -> None:
    body = _registration(small, **changes)
    error = _refused(lambda: small.run("weather", "register-dataset", body))
    assert isinstance(error, ValidationError)
    assert (field, code) in [(finding.field, finding.code) for finding in error.findings]


def test_register__several_faults__all_found(small: SmallMarket) -> None:
    body = _registration(small, city_code=1, provider_uscc="x", fields=[])
    error = _refused(lambda: small.run("weather", "register-dataset", body))
    assert isinstance(error, ValidationError)
    assert {finding.field for finding in error.findings} == {"city_code", "provider_uscc", "fields"}


def test_register__same_content_again__names_the_existing_version(small: SmallMarket) -> None:
    facts = describe_file(small.folder / "weather.csv")
    body = _registration(small) | {"version": facts.as_version()}
    error = _refused(lambda: small.run("weather", "register-dataset", body))
    assert error.code == "dataset_registry.content_exists"
    assert error.params["dataset_id"] == small.datasets["weather"]  # type: ignore[attr-defined]
    assert error.params["version_no"] == 1  # type: ignore[attr-defined]


def test_register__unknown_parent__names_it(small: SmallMarket) -> None:
    body = _registration(small) | {"parents": ["0x" + "44" * 32]}
    error = _refused(lambda: small.run("weather", "register-dataset", body))
    assert error.code == "dataset_registry.unknown_parent"


def test_register__by_a_buyer__role_missing(small: SmallMarket) -> None:
    error = _refused(lambda: small.run("buyer", "register-dataset", _registration(small)))
    assert error.code == "directory.role_missing"


def test_command__unknown_account__signer_unknown(small: SmallMarket) -> None:
    stranger = new_account()
    error = _refused(lambda: run(small.market, stranger, "open-log", {}))
    assert error.code == "app.signer_unknown"


def test_role__unknown_organisation__refused(small: SmallMarket) -> None:
    body = {"organisation_id": str(new_id()), "role": "buyer", "city_code": NANJING}
    error = _refused(lambda: small.run("nanjing", "grant-role", body))
    assert error.code == "directory.unknown_organisation"


def test_advance__registrar_of_another_city__refused(small: SmallMarket) -> None:
    body = {"dataset_id": str(small.datasets["weather"]), "to": "revoked", "reason": "x"}
    error = _refused(lambda: small.run("chuzhou", "advance-registration", body))
    assert error.code == "dataset_registry.other_city"
    assert (error.got, error.expected) == (CHUZHOU, NANJING)


@pytest.mark.acts
def test_product__over_a_dataset_not_open__cannot_be_listed(small: SmallMarket) -> None:
    register(small, "labour", "administrative", open_class="not_open", suffix="-closed")
    approve(small, "labour", "chuzhou")
    body = {
        "city_code": NANJING,
        "modes": ["interface"],
        "title_zh": "x",
        "title_en": "x",
        "summary_zh": "x",
        "summary_en": "x",
        "lineage": [
            {
                "claimant_id": str(small.datasets["labour"]),
                "kind": "dataset",
                "weight_ppm": 1_000_000,
            }
        ],
    }
    error = _refused(lambda: small.run("operator", "list-product", body))
    assert error.code == "dataset_registry.not_open"


def test_tariff__price_above_cap__names_band_and_cap(small: SmallMarket) -> None:
    body = {
        "product_id": str(small.product_id),
        "basis": "data_records",
        "bands": [{"up_to_units": None, "price_micro_yuan": 8_000_001}],
    }
    error = _refused(lambda: small.run("operator", "publish-tariff", body))
    assert error.code == "revenue.price_above_cap"
    assert error.got == 8_000_001


def test_tariff__by_another_organisation__not_operator(small: SmallMarket) -> None:
    body = {
        "product_id": str(small.product_id),
        "basis": "data_records",
        "bands": [{"up_to_units": None, "price_micro_yuan": 1}],
    }
    error = _refused(lambda: small.run("buyer", "publish-tariff", body))
    assert error.code == "licence_registry.not_operator"


def test_licence__free_purpose_with_quota_zero__refused_at_the_field(small: SmallMarket) -> None:
    error = _refused(
        lambda: small.run("buyer", "grant-licence", {"agreement": {}, "operator": {}, "buyer": {}})
    )
    assert isinstance(error, ValidationError)
    assert "agreement.quota_units" in {finding.field for finding in error.findings}


def test_licence__liability_below_floor__refused(small: SmallMarket) -> None:
    error = _refused(lambda: grant(small, platform_liability_ppm=499_999))
    assert error.code == "terms.liability_below_floor"


def test_submit__signed_by_the_wrong_key__refused_and_nothing_stored(small: SmallMarket) -> None:
    prepared = _prepared(small)
    signature = sign_typed_data(new_account(), prepared["typed_data"])
    error = _refused(lambda: submit(small.market, prepared, digest_text(signature), "k-wrong"))
    assert error.code == "chain.signature_mismatch"
    account = small.members["weather"].account
    assert small.market.sender.find(address_of(account), "k-wrong", bytes(32)) is None


def test_submit__changed_after_signing__refused(small: SmallMarket) -> None:
    prepared = _prepared(small)
    signature = sign_typed_data(small.members["weather"].account, prepared["typed_data"])
    prepared["request"]["gas"] += 1
    error = _refused(lambda: submit(small.market, prepared, digest_text(signature), "k-changed"))
    assert error.code == "chain.signature_mismatch"


@pytest.mark.acts
def test_submit__same_key_again__same_answer_and_replay_refused(small: SmallMarket) -> None:
    prepared = _prepared(small)
    signature = digest_text(
        sign_typed_data(small.members["weather"].account, prepared["typed_data"])
    )
    first = submit(small.market, prepared, signature, "k-same")
    assert submit(small.market, prepared, signature, "k-same") == first
    error = _refused(lambda: submit(small.market, prepared, signature, "k-other"))
    assert error.code == "chain.request_replayed"


@pytest.mark.acts
def test_run__same_key_with_another_body__conflict(small: SmallMarket) -> None:
    body = {
        "dataset_id": str(small.datasets["weather"]),
        "scores": dict.fromkeys(QUALITY_DIMENSIONS, 95),
        "report": "良好",
    }
    first = small.run("nanjing", "inspect-dataset", body, idempotency_key="grade-1")
    assert small.run("nanjing", "inspect-dataset", body, idempotency_key="grade-1") == first
    other = body | {"scores": dict.fromkeys(QUALITY_DIMENSIONS, 85)}
    error = _refused(
        lambda: small.run("nanjing", "inspect-dataset", other, idempotency_key="grade-1")
    )
    assert error.code == "chain.idempotency_conflict"


def _prepared(small: SmallMarket) -> dict[str, Any]:
    account = small.members["weather"].account
    body = {
        "dataset_id": str(small.datasets["weather"]),
        "version": VERSION | {"sha256_digest": "0x" + new_id().hex * 2},
        "parents": [],
    }
    return prepare(small.market, address_of(account), "add-version", body)


@pytest.mark.acts
def test_use__over_quota_wrong_mode_suspended__receipts_and_codes(small: SmallMarket) -> None:
    market = small.market
    licence_no = grant(small, quota_units=150)
    key = issue_api_key(market, small.members["buyer"].account, licence_no)

    def call(**changes: Any) -> gateway.UsePage:
        wanted: dict[str, Any] = {
            "product_id": small.product_id,
            "dataset_id": small.datasets["transport"],
        }
        return gateway.use(market, api_key=key, **(wanted | changes))

    assert call(limit=100).receipt.cumulative_units == 100
    over = _refused(lambda: call(limit=51))
    wrong = _refused(lambda: call(mode="download"))
    purpose = _refused(lambda: call(purpose="public_welfare"))
    suspension = {"licence_no": licence_no, "state": "suspended", "reason": "核查"}
    small.run("operator", "set-licence-state", suspension)
    suspended = _refused(call)
    codes = [error.code for error in (over, wrong, purpose, suspended)]
    assert codes == [
        "use.quota_exceeded",
        "use.mode_not_granted",
        "use.purpose_not_granted",
        "use.licence_suspended",
    ]
    assert (over.got, over.expected) == (51, 50)
    receipts = [error.receipt for error in (over, wrong, purpose, suspended)]  # type: ignore[attr-defined]
    assert [receipt.licence_seq for receipt in receipts] == [2, 3, 4, 5]
    assert {(receipt.units, receipt.cumulative_units) for receipt in receipts} == {(0, 100)}


def test_use__unknown_key__no_receipt(small: SmallMarket) -> None:
    size = small.market.meter(1).size
    error = _refused(
        lambda: gateway.use(
            small.market,
            api_key="mdl_nobody",
            product_id=small.product_id,
            dataset_id=small.datasets["weather"],
        )
    )
    assert error.code == "use.key_unknown"
    assert small.market.meter(1).size == size


@pytest.mark.parametrize("name", ["absent.csv", "broken.csv", "binary.csv"])
def test_describe__unreadable_file__says_so(small: SmallMarket, name: str) -> None:
    path: Path = small.folder / name
    if name == "broken.csv":
        path.write_text("a,b\n1\n")
    if name == "binary.csv":
        path.write_bytes(bytes(range(256)))
    error = _refused(lambda: describe_file(path))
    assert error.code == "app.file_unreadable"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("2026-11-23,no reference,1.00,x,B-1", "payment.reference_unknown"),
        ("2026-11-23,MDL000000000000,1.00,x,B-2", "payment.reference_unknown"),
        ("2026-11-23,MDL000000000000,1.001,x,B-3", "payment.line_malformed"),
        ("2026-11-23,MDL000000000000,-1.00,x,B-4", "payment.line_malformed"),
        ("2026-11-23,MDL000000000000,1e3,x,B-5", "payment.line_malformed"),
        ("2026-11-23,short", "payment.line_malformed"),
    ],
)
def test_statement__bad_line__is_a_finding(small: SmallMarket, line: str, code: str) -> None:
    text = ",".join(payments.COLUMNS) + "\n" + line + "\n"
    report = payments.import_statement(small.market, small.members["operator"].account, text)
    assert [finding.code for finding in report.findings] == [code]
    assert report.matched == []


def test_statement__other_header__refused(small: SmallMarket) -> None:
    account = small.members["operator"].account
    error = _refused(lambda: payments.import_statement(small.market, account, "a,b\n1,2\n"))
    assert error.code == "payment.line_malformed"


def test_chain__down__unreachable_and_retryable() -> None:
    error = _refused(lambda: Chain(["http://127.0.0.1:9"], 31337).head())
    assert (error.code, error.retryable) == ("chain.unreachable", True)


def test_chain__other_chain_id__refused(small: SmallMarket) -> None:
    assert small.market.node is not None
    url = small.market.node.url
    error = _refused(lambda: Chain([url], 1).head())
    assert error.code == "chain.wrong_chain_id"


def test_split__not_released__nothing_to_split(small: SmallMarket) -> None:
    with small.market.read() as connection:
        assert not queries.next_splits(connection, small.scheme_id, 1)
