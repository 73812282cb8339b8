"""Step 13, derived products (二次开发): a market price, shared with the data it was made from.

Rules kept here:
1. Outcome shares are flattened once, when a derived product is registered: the product of the
   shares along each path, summed over the paths. A diamond is paid once, by its path sum, and an
   income needs no walk. An ancestor whose share comes to nothing stays in the list: the product
   rests on it all the same.
2. What an ancestor passes on is floored to the ppm; it keeps the rest of its own share.
3. A share in ppm of whole fen is a whole number of µfen, so nothing is rounded: platform fee,
   outcome shares, and the developer takes what they leave.
4. Who operates a product, or is affiliated to its operator, may not sell what is derived from it.

Source: domain report 4.3 step 13; 公共数据资源授权运营实施规范 art. 6.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from ledger.domain.ids import ClaimantId, OrganisationId
from ledger.domain.units import PPM_WHOLE, Fen, MicroFen, Ppm, income_fen, ppm
from ledger.revenue.errors import (
    AncestorCountError,
    OperatorResellsError,
    OutcomeCapError,
)

ANCESTOR_COUNT_MAX = 16


class OutcomeShare(NamedTuple):
    """What one ancestor gets of each net income of a derived product."""

    ancestor_id: ClaimantId
    share_ppm: Ppm


@dataclass(frozen=True, slots=True)
class Source:
    """One parent of a derived product, as the upstream agreement has it.

    Attributes:
        ancestor_id: a dataset, or a product that is derived itself.
        share_ppm: the outcome share that goes to it and through it.
        passes_on: its own flattened shares; empty for a dataset.
    """

    ancestor_id: ClaimantId
    share_ppm: Ppm
    passes_on: tuple[OutcomeShare, ...] = ()


@dataclass(frozen=True, slots=True)
class OutcomeSplit:
    """One income of a derived product; the parts sum to it exactly."""

    income_micro_fen: MicroFen
    fee_micro_fen: MicroFen
    """The platform's."""
    shares_micro_fen: dict[ClaimantId, MicroFen]
    developer_micro_fen: MicroFen


def flatten(sources: Sequence[Source], cap_ppm: Ppm) -> tuple[OutcomeShare, ...]:
    """Return the share of every ancestor, ascending by id.

    Args:
        sources: the direct parents.
        cap_ppm: the most that may go up the lineage in all, by the agreement.

    Raises:
        AncestorCountError: there are more than 16 ancestors.
        OutcomeCapError: the shares exceed the cap.
    """
    total = sum(ppm(source.share_ppm, "share_ppm") for source in sources)
    if total > ppm(cap_ppm, "cap_ppm"):
        raise OutcomeCapError(
            f"outcome shares of {total} ppm exceed the agreed {cap_ppm}",
            field="sources",
            got=total,
            expected=f"at most {cap_ppm}",
        )
    shares: defaultdict[ClaimantId, int] = defaultdict(int)
    for source in sources:
        kept = int(source.share_ppm)
        for ancestor_id, share_ppm in source.passes_on:
            passed = source.share_ppm * share_ppm // PPM_WHOLE
            shares[ancestor_id] += passed
            kept -= passed
        shares[source.ancestor_id] += kept
    found = tuple(OutcomeShare(key, Ppm(shares[key])) for key in sorted(shares))
    if len(found) > ANCESTOR_COUNT_MAX:
        raise AncestorCountError(
            f"{len(found)} ancestors share in a product, at most {ANCESTOR_COUNT_MAX} may",
            field="sources",
            got=len(found),
            expected=ANCESTOR_COUNT_MAX,
        )
    return found


def split_outcome(net_fen: Fen, fee_ppm: Ppm, shares: Sequence[OutcomeShare]) -> OutcomeSplit:
    """Share the income of a derived product; it lies outside every permitted income.

    Args:
        net_fen: the income in whole fen without VAT.
        fee_ppm: the platform's fee.
        shares: what was flattened when the product was registered.

    Raises:
        OutcomeCapError: fee and shares exceed the income.
    """
    taken = ppm(fee_ppm, "fee_ppm") + sum(share.share_ppm for share in shares)
    if taken > PPM_WHOLE:
        raise OutcomeCapError(
            f"fee and outcome shares take {taken} ppm",
            field="shares",
            got=taken,
            expected=f"at most {PPM_WHOLE}",
        )
    net = income_fen(net_fen, "net_fen")
    return OutcomeSplit(
        income_micro_fen=MicroFen(net * PPM_WHOLE),
        fee_micro_fen=MicroFen(net * fee_ppm),
        shares_micro_fen={share.ancestor_id: MicroFen(net * share.share_ppm) for share in shares},
        developer_micro_fen=MicroFen(net * (PPM_WHOLE - taken)),
    )


def require_seller(
    seller_id: OrganisationId,
    operators: Collection[UUID],
    affiliates: Collection[tuple[UUID, UUID]],
) -> None:
    """Check that a seller neither operates what its product was made from nor is affiliated.

    Args:
        seller_id: who would sell the derived product.
        operators: operators of the products upstream.
        affiliates: declared pairs, in either order.

    Raises:
        OperatorResellsError: it operates it, or is affiliated to who does.
    """
    related = {seller_id}
    for one, other in affiliates:
        if seller_id in (one, other):
            related |= {OrganisationId(one), OrganisationId(other)}
    found = sorted(related & set(operators))
    if found:
        raise OperatorResellsError(
            f"{seller_id} may not sell what is derived from products of {found[0]}",
            field="seller_id",
            got=str(seller_id),
            expected=f"neither {found[0]} nor an affiliate",
        )
