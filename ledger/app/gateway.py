"""The access gateway: every call is one receipt, refusals too.

Rules kept here:
1. Whether a call is allowed is decided under the log's lock, against the licence's running total,
   so that parallel calls cannot pass a quota together.
2. The receipt is durable before the response leaves.
3. Rows come only from a file whose digest is the registered one.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any
from uuid import UUID

from ledger.app.errors import (
    AppError,
    PageRangeError,
    ProductMismatchError,
)
from ledger.app.keys import find_key
from ledger.app.log_keeping import GATEWAY_LOG_NO
from ledger.app.market import Market
from ledger.codec.canonical import canonical_json
from ledger.codec.digests import sha256
from ledger.codec.receipts import Receipt
from ledger.domain.codes import (
    ChargeBasis,
    ClaimantKind,
    DeliveryMode,
    LicenceState,
    OpenClass,
    ProductState,
    Purpose,
    ReceiptStatus,
    Sensitivity,
    parse_code,
)
from ledger.log.values import Appended, LicenceTally, Use
from ledger.projection import queries
from ledger.projection.api_keys import ApiKey
from ledger.projection.queries.sales import LicenceRow, ProductDetail

LIMIT_MAX = 1_000
METER_NO = 1


def receipt_headers(receipt: Receipt, index: int) -> dict[str, str]:
    """Return what tells a program of its receipt: log, index, the 96 bytes as hex."""
    return {
        "Mdl-Log": str(GATEWAY_LOG_NO),
        "Mdl-Receipt-Index": str(index),
        "Mdl-Receipt": receipt.encode().hex(),
        "Cache-Control": "no-store",
    }


class UseRefusedError(AppError):
    """A use was refused; the refusal has a receipt of its own."""

    code = "use.refused"
    status = ReceiptStatus.FAILED

    def __init__(self, appended: Appended, got: Any, expected: Any) -> None:
        reason = self.status.name.lower()
        super().__init__(
            f"the use was refused: {reason.replace('_', ' ')}",
            field=self.code.partition(".")[2],
            got=got,
            expected=expected,
        )
        self.receipt = appended.receipt
        self.index = appended.index
        self.headers = receipt_headers(appended.receipt, appended.index)


def _refusals() -> dict[ReceiptStatus, type[UseRefusedError]]:
    return {
        status: type(
            "Use" + "".join(part.capitalize() for part in status.name.split("_")) + "Error",
            (UseRefusedError,),
            {
                "code": f"use.{status.name.lower()}",
                "status": status,
                "retryable": False,
                "__doc__": f"A use was refused: {status.name.lower().replace('_', ' ')}.",
            },
        )
        for status in ReceiptStatus
        if status not in (ReceiptStatus.DELIVERED, ReceiptStatus.FAILED)
    }


REFUSALS = _refusals()
"""The error of each refusing receipt status; its code is `use.<status>`."""


@dataclass(frozen=True, slots=True)
class UsePage:
    """One delivered page: the response's bytes and its receipt."""

    body: bytes
    receipt: Receipt
    index: int
    log_no: int
    next_cursor: int | None


@dataclass(frozen=True, slots=True)
class _Verdict:
    status: ReceiptStatus
    got: Any = None
    expected: Any = None


@dataclass(frozen=True, slots=True)
class _Call:
    """One call with everything that is decided on: terms, what was asked, what would be served."""

    licence: LicenceRow
    product: ProductDetail
    closed: str
    """Why the dataset is closed whatever the licence says; empty when it is open."""
    request: dict[str, Any]
    mode: DeliveryMode
    purpose: Purpose
    version_no: int
    records: int
    body: bytes
    used_elsewhere: int
    """Units that the licence used in other logs on this machine."""

    @property
    def units(self) -> int:
        tariff = self.product.tariff
        is_per_call = tariff is not None and tariff.basis == ChargeBasis.SERVICE_CALLS
        return 1 if is_per_call else self.records

    def judged(self, used_at_ms: int, tally: LicenceTally) -> _Verdict:
        """Return whether the licence's terms admit the call, and if not, the first reason."""
        licence, used_at = self.licence, used_at_ms // 1000
        used = tally.cumulative_units + self.used_elsewhere
        remaining = max(0, licence.quota_units - used)
        state, purpose = LicenceState(licence.state), Purpose(licence.purpose)
        start, end = licence.valid_from, licence.valid_until
        listed = self.product.product.state == ProductState.LISTED and not self.closed
        is_granted = licence.modes & self.mode.bit
        rules: tuple[tuple[ReceiptStatus, bool, Any, Any], ...] = (
            (ReceiptStatus.LICENCE_TERMINATED, state == LicenceState.TERMINATED, state, "active"),
            (ReceiptStatus.LICENCE_SUSPENDED, state == LicenceState.SUSPENDED, state, "active"),
            (ReceiptStatus.PRODUCT_SUSPENDED, not listed, self.closed or "not listed", "listed"),
            (ReceiptStatus.NOT_YET_VALID, used_at < start, used_at, start),
            (ReceiptStatus.EXPIRED, used_at >= end, used_at, end),
            (ReceiptStatus.MODE_NOT_GRANTED, not is_granted, self.mode, licence.modes),
            (ReceiptStatus.PURPOSE_NOT_GRANTED, self.purpose != purpose, self.purpose, purpose),
            (ReceiptStatus.QUOTA_EXCEEDED, self.units > remaining, self.units, remaining),
        )
        for status, is_broken, got, expected in rules:
            if is_broken:
                return _Verdict(status, _named(got), _named(expected))
        return _Verdict(ReceiptStatus.DELIVERED)

    def as_use(self, used_at_ms: int, status: ReceiptStatus) -> Use:
        """Return the use to be logged; a refusal delivers nothing."""
        is_delivered = status == ReceiptStatus.DELIVERED
        return Use(
            mode=int(self.mode),
            purpose=int(self.purpose),
            meter_no=METER_NO,
            licence_no=self.licence.licence_no,
            used_at_ms=used_at_ms,
            version_no=self.version_no,
            status=int(status),
            units=self.units if is_delivered else 0,
            records=self.records if is_delivered else 0,
            request=self.request,
            response_digest=sha256(self.body) if is_delivered else bytes(32),
        )


def use(
    market: Market,
    *,
    api_key: str,
    product_id: UUID,
    dataset_id: UUID,
    mode: str = "interface",
    purpose: str | None = None,
    cursor: int = 0,
    limit: int = 100,
) -> UsePage:
    """Serve rows of one of a product's datasets under the licence of an API key.

    Args:
        market: the market.
        api_key: of the buyer's program.
        product_id: the licensed product.
        dataset_id: one of its datasets.
        mode: delivery mode by name.
        purpose: purpose by name; the licence's own when left out.
        cursor: rows to pass over.
        limit: rows at most, 1 to 1,000.

    Raises:
        ApiKeyUnknownError, ProductMismatchError, PageRangeError: the call is no use; no receipt.
        UseRefusedError: refused by the licence's terms; its receipt is in the log.
        HoldingMissingError, HoldingChangedError: the data cannot be served; no receipt.
    """
    key = find_key(market, api_key)
    licence, product = _licence_of(market, key, product_id, dataset_id)
    asked_mode = parse_code(DeliveryMode, mode, "mode")
    asked_purpose = parse_code(Purpose, purpose or int(licence.purpose), "purpose")
    page = _page(market, dataset_id, cursor, limit)
    request = {
        "product_id": str(product_id),
        "dataset_id": str(dataset_id),
        "mode": asked_mode.name.lower(),
        "purpose": asked_purpose.name.lower(),
        "cursor": cursor,
        "limit": limit,
    } | ({"signer": key.signer} if key.signer else {})
    call = _Call(
        licence,
        product,
        _closed(market, dataset_id),
        request,
        asked_mode,
        asked_purpose,
        page["version_no"],
        len(page["rows"]),
        canonical_json(page),
        market.other_logs(GATEWAY_LOG_NO).units_of([licence.licence_no])[0],
    )
    return _logged(market, call, page["next_cursor"])


def _logged(market: Market, call: _Call, next_cursor: int | None) -> UsePage:
    """Decide under the log's lock, make the receipt durable, and only then answer."""
    verdicts: list[_Verdict] = []

    def decide(tally: LicenceTally) -> Use:
        used_at_ms = max(market.now_ms(), tally.last_used_at_ms)
        verdicts.append(call.judged(used_at_ms, tally))
        return call.as_use(used_at_ms, verdicts[-1].status)

    appended = market.meter(GATEWAY_LOG_NO).append_decided(call.licence.licence_no, decide)
    verdict = verdicts[-1]
    if verdict.status != ReceiptStatus.DELIVERED:
        raise REFUSALS[verdict.status](appended, verdict.got, verdict.expected)
    return UsePage(call.body, appended.receipt, appended.index, GATEWAY_LOG_NO, next_cursor)


def _named(value: Any) -> Any:
    return value.name.lower() if isinstance(value, IntEnum) else value


def _licence_of(
    market: Market, key: ApiKey, product_id: UUID, dataset_id: UUID
) -> tuple[LicenceRow, ProductDetail]:
    if key.licence_no is None:
        raise ProductMismatchError("the API key is for reading, not for use", field="X-Api-Key")
    with market.read() as connection:
        licence = queries.licence(connection, key.licence_no)
        product = queries.product(connection, licence.product_id)
    datasets = [row.claimant_id for row in product.lineage if row.kind == ClaimantKind.DATASET]
    if licence.product_id != product_id or dataset_id not in datasets:
        raise ProductMismatchError(
            "the licence is for another product, or the dataset is not part of it",
            field="product_id" if licence.product_id != product_id else "dataset_id",
            got=product_id if licence.product_id != product_id else dataset_id,
            expected=licence.product_id if licence.product_id != product_id else datasets,
        )
    return licence, product


def _closed(market: Market, dataset_id: UUID) -> str:
    """Return why no use of a dataset is metered: 不予开放, too sensitive, or suspended."""
    with market.read() as connection:
        row = queries.dataset(connection, dataset_id).dataset
    if row.open_class == OpenClass.NOT_OPEN:
        return "dataset not open"
    if row.sensitivity != Sensitivity.GENERAL:
        return "dataset too sensitive"
    return "dataset suspended" if row.is_suspended else ""


def _page(market: Market, dataset_id: UUID, cursor: int, limit: int) -> dict[str, Any]:
    """Return the page's content: version, rows, and where the next one starts."""
    if not 1 <= limit <= LIMIT_MAX:
        raise PageRangeError(
            "limit out of range", field="limit", got=limit, expected=f"1 … {LIMIT_MAX}"
        )
    with market.read() as connection:
        version_no = queries.dataset(connection, dataset_id).dataset.latest_version_no
    rows = market.holdings.rows(dataset_id, version_no)
    if not 0 <= cursor < len(rows):
        raise PageRangeError(
            "cursor out of range", field="cursor", got=cursor, expected=f"0 … {len(rows) - 1}"
        )
    following = cursor + limit
    return {
        "dataset_id": str(dataset_id),
        "version_no": version_no,
        "cursor": cursor,
        "next_cursor": following if following < len(rows) else None,
        "total": len(rows),
        "rows": rows[cursor:following],
    }
