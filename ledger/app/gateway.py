"""The access gateway: every call is one receipt, refusals too.

Rules kept here:
1. Whether a call is allowed is decided under the log's lock, against the licence's running total,
   so that parallel calls cannot pass a quota together.
2. The receipt is durable before the response leaves.
3. Rows come only from a file whose digest is the registered one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from ledger.app.errors import (
    AppError,
    PageRangeError,
    ProductMismatchError,
)
from ledger.app.keys import find_key
from ledger.app.market import Market
from ledger.codec.canonical import canonical_json
from ledger.codec.digests import sha256
from ledger.codec.receipts import Receipt
from ledger.domain.codes import (
    ChargeBasis,
    ClaimantKind,
    DeliveryMode,
    LicenceState,
    ProductState,
    Purpose,
    ReceiptStatus,
    parse_code,
)
from ledger.log.values import Appended, LicenceTally, Use
from ledger.projection import queries
from ledger.projection.queries.sales import LicenceRow, ProductDetail

LIMIT_MAX = 1_000
LOG_NO = 1
METER_NO = 1


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
    licence, product = _licence_of(market, api_key, product_id, dataset_id)
    asked_mode = parse_code(DeliveryMode, mode, "mode")
    asked_purpose = parse_code(Purpose, purpose or int(licence.purpose), "purpose")
    version_no, rows = _page(market, dataset_id, cursor, limit)
    next_cursor = cursor + len(rows[0]) if cursor + len(rows[0]) < rows[1] else None
    body = canonical_json(
        {
            "dataset_id": str(dataset_id),
            "version_no": version_no,
            "cursor": cursor,
            "next_cursor": next_cursor,
            "total": rows[1],
            "rows": rows[0],
        }
    )
    units = 1 if _basis(product) == ChargeBasis.SERVICE_CALLS else len(rows[0])
    request = {
        "product_id": str(product_id),
        "dataset_id": str(dataset_id),
        "mode": asked_mode.name.lower(),
        "purpose": asked_purpose.name.lower(),
        "cursor": cursor,
        "limit": limit,
    }
    verdicts: list[_Verdict] = []

    def decide(tally: LicenceTally) -> Use:
        used_at_ms = max(market.now_ms(), tally.last_used_at_ms)
        verdict = _judge(licence, product, asked_mode, asked_purpose, used_at_ms, units, tally)
        verdicts.append(verdict)
        is_delivered = verdict.status == ReceiptStatus.DELIVERED
        return Use(
            mode=int(asked_mode),
            purpose=int(asked_purpose),
            meter_no=METER_NO,
            licence_no=licence.licence_no,
            used_at_ms=used_at_ms,
            version_no=version_no,
            status=int(verdict.status),
            units=units if is_delivered else 0,
            records=len(rows[0]) if is_delivered else 0,
            request=request,
            response_digest=sha256(body) if is_delivered else bytes(32),
        )

    appended = market.meter(LOG_NO).append_decided(licence.licence_no, decide)
    verdict = verdicts[-1]
    if verdict.status != ReceiptStatus.DELIVERED:
        raise REFUSALS[verdict.status](appended, verdict.got, verdict.expected)
    return UsePage(body, appended.receipt, appended.index, LOG_NO, next_cursor)


def _licence_of(
    market: Market, api_key: str, product_id: UUID, dataset_id: UUID
) -> tuple[LicenceRow, ProductDetail]:
    key = find_key(market, api_key)
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


def _page(
    market: Market, dataset_id: UUID, cursor: int, limit: int
) -> tuple[int, tuple[list[dict[str, Any]], int]]:
    if not 1 <= limit <= LIMIT_MAX:
        raise PageRangeError(
            "limit out of range", field="limit", got=limit, expected=f"1 … {LIMIT_MAX}"
        )
    with market.read() as connection:
        detail = queries.dataset(connection, dataset_id)
    version_no = detail.dataset.latest_version_no
    rows = market.holdings.rows(dataset_id, version_no)
    if not 0 <= cursor < len(rows):
        raise PageRangeError(
            "cursor out of range", field="cursor", got=cursor, expected=f"0 … {len(rows) - 1}"
        )
    return version_no, (rows[cursor : cursor + limit], len(rows))


def _basis(product: ProductDetail) -> ChargeBasis:
    return ChargeBasis(product.tariff.basis) if product.tariff else ChargeBasis.DATA_RECORDS


def _judge(
    licence: LicenceRow,
    product: ProductDetail,
    mode: DeliveryMode,
    purpose: Purpose,
    used_at_ms: int,
    units: int,
    tally: LicenceTally,
) -> _Verdict:
    """Return whether the licence's terms admit a use, and if not, the first reason."""
    used_at = used_at_ms // 1000
    remaining = licence.quota_units - tally.cumulative_units
    rules: tuple[tuple[ReceiptStatus, Callable[[], bool], Any, Any], ...] = (
        (
            ReceiptStatus.LICENCE_TERMINATED,
            lambda: licence.state == LicenceState.TERMINATED,
            "terminated",
            "active",
        ),
        (
            ReceiptStatus.LICENCE_SUSPENDED,
            lambda: licence.state == LicenceState.SUSPENDED,
            "suspended",
            "active",
        ),
        (
            ReceiptStatus.PRODUCT_SUSPENDED,
            lambda: product.product.state != ProductState.LISTED,
            product.product.state,
            int(ProductState.LISTED),
        ),
        (
            ReceiptStatus.NOT_YET_VALID,
            lambda: used_at < licence.valid_from,
            used_at,
            licence.valid_from,
        ),
        (
            ReceiptStatus.EXPIRED,
            lambda: used_at >= licence.valid_until,
            used_at,
            licence.valid_until,
        ),
        (
            ReceiptStatus.MODE_NOT_GRANTED,
            lambda: not licence.modes & mode.bit,
            mode.name.lower(),
            licence.modes,
        ),
        (
            ReceiptStatus.PURPOSE_NOT_GRANTED,
            lambda: purpose != licence.purpose,
            purpose.name.lower(),
            Purpose(licence.purpose).name.lower(),
        ),
        (ReceiptStatus.QUOTA_EXCEEDED, lambda: units > remaining, units, remaining),
    )
    for status, is_broken, got, expected in rules:
        if is_broken():
            return _Verdict(status, got, expected)
    return _Verdict(ReceiptStatus.DELIVERED)
