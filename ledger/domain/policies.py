"""ODRL 2.2 policies: the offer of a product, and the agreement on a licence (own profile).

Rules kept here:
1. An agreement's canonical digest (SHA-256 of RFC 8785) is the licence's terms digest; a nonce in
   it keeps the digest from being guessed.
2. Constraints are purpose, deliveryChannel, count, dateTime; duties are compensate, attribute,
   delete. Codes, quantities beyond 2^53 and instants are text.
3. What ODRL has no word for stands under `mdl:`.

Source: W3C ODRL Information Model 2.2 (15 February 2018).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from ledger.domain.calendar import instant_text
from ledger.domain.codes import DeliveryMode, Purpose

PROFILE = "urn:metro-data-ledger:odrl:1"
CONTEXT: list[Any] = [
    "http://www.w3.org/ns/odrl.jsonld",
    {"mdl": f"{PROFILE}#", "xsd": "http://www.w3.org/2001/XMLSchema#"},
]
NONCE = "mdl:nonce"


@dataclass(frozen=True, slots=True)
class Grant:
    """What a policy permits.

    Attributes:
        product_id: the product.
        operator_id: who grants.
        purposes: purposes of use; one in an agreement.
        modes: delivery modes.
        tariff_no: the tariff by which use is paid; 0 for free use.
        attributed: who is to be named as source: datasets by id.
    """

    product_id: UUID
    operator_id: UUID
    purposes: Sequence[Purpose]
    modes: Sequence[DeliveryMode]
    tariff_no: int
    attributed: Sequence[UUID]


@dataclass(frozen=True, slots=True)
class Term:
    """From when to when (Unix seconds, the end exclusive), how many units, how many members."""

    valid_from: int
    valid_until: int
    quota_units: int
    team_max: int


def urn(key: UUID) -> str:
    """Return an id as a URN (RFC 9562)."""
    return f"urn:uuid:{key}"


def offer_policy(grant: Grant) -> dict[str, Any]:
    """Return the ODRL offer of a product, for a catalogue."""
    rule = _rule(grant, []) | {"duty": _duties(grant, None)}
    return {
        "@context": CONTEXT,
        "@type": "Offer",
        "uid": f"{urn(grant.product_id)}#offer",
        "profile": PROFILE,
        "permission": [rule],
    }


def agreement_policy(
    agreement_id: UUID, grant: Grant, term: Term, buyer_id: UUID, terms: dict[str, Any], nonce: str
) -> dict[str, Any]:
    """Return the ODRL agreement on a licence.

    Args:
        agreement_id: of the agreement that both sides sign.
        grant: what is permitted.
        term: how long and how much.
        buyer_id: to whom.
        terms: standard terms, ticks, negotiated terms and the refund rule, as plain data.
        nonce: 0x and 64 hex digits, random.
    """
    assignee = {"assignee": urn(buyer_id)}
    duties = [duty | assignee for duty in _duties(grant, term)]
    rule = _rule(grant, _term_constraints(term)) | assignee | {"duty": duties}
    return {
        "@context": CONTEXT,
        "@type": "Agreement",
        "uid": urn(agreement_id),
        "profile": PROFILE,
        "permission": [rule],
        "mdl:terms": terms,
        NONCE: nonce,
    }


def _rule(grant: Grant, more: list[dict[str, Any]]) -> dict[str, Any]:
    purposes = [f"mdl:{purpose.name.lower()}" for purpose in grant.purposes]
    modes = [f"mdl:{mode.name.lower()}" for mode in grant.modes]
    return {
        "target": urn(grant.product_id),
        "assigner": urn(grant.operator_id),
        "action": "use",
        "constraint": [
            _constraint("purpose", "isAnyOf", purposes),
            _constraint("deliveryChannel", "isAnyOf", modes),
            *more,
        ],
    }


def _term_constraints(term: Term) -> list[dict[str, Any]]:
    found = [
        _constraint("count", "lteq", _typed(str(term.quota_units), "xsd:unsignedLong")),
        _constraint("dateTime", "gteq", _instant(term.valid_from)),
        _constraint("dateTime", "lt", _instant(term.valid_until)),
    ]
    if term.team_max:
        found.append(
            _constraint("mdl:teamSize", "lteq", _typed(str(term.team_max), "xsd:unsignedByte"))
        )
    return found


def _duties(grant: Grant, term: Term | None) -> list[dict[str, Any]]:
    duties: list[dict[str, Any]] = []
    if grant.tariff_no:
        duties.append({"action": "compensate", "mdl:tariffNo": grant.tariff_no})
    sources = [urn(dataset_id) for dataset_id in grant.attributed]
    duties.append({"action": "attribute", "mdl:source": sources})
    until = [] if term is None else [_constraint("dateTime", "gteq", _instant(term.valid_until))]
    duties.append({"action": "delete"} | ({"constraint": until} if until else {}))
    return duties


def _constraint(left: str, operator: str, right: Any) -> dict[str, Any]:
    return {"leftOperand": left, "operator": operator, "rightOperand": right}


def _typed(value: str, kind: str) -> dict[str, str]:
    return {"@value": value, "@type": kind}


def _instant(seconds: int) -> dict[str, str]:
    return _typed(instant_text(seconds), "xsd:dateTime")
