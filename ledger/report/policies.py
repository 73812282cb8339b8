"""ODRL 2.2 policies of the market's own profile: what a product's offer permits, and on what terms.

Rules kept here:
1. A policy is plain JSON in ODRL's own terms, without numbers that a reader may round; its RFC 8785
   digest names it, so terms can be committed to by one digest.
2. Purposes that may not be charged are a permission of their own, without a duty to pay.
3. What only an agreement fixes (quota, term) is told as `AGREED`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ledger.codec.canonical import canonical_digest
from ledger.domain.calendar import instant_text
from ledger.domain.codes import ModeSet, Purpose

CONTEXT = "http://www.w3.org/ns/odrl.jsonld"
PROFILE = "urn:mdl:odrl:1"
AGREED = f"{PROFILE}:agreed"
Policy = dict[str, Any]


def offer_of(product: Mapping[str, Any]) -> Policy:
    """Return the offer of a product that is in the catalogue.

    Args:
        product: its id, operator, modes, tariff number and, where one is in force, tariff.
    """
    free = [purpose for purpose in Purpose if not purpose.is_chargeable]
    paid = [purpose for purpose in Purpose if purpose.is_chargeable]
    target = f"urn:uuid:{product['product_id']}"
    modes = [mode.name.lower() for mode in ModeSet(product["modes"]).modes()]
    permissions = [_permission(target, free, modes, AGREED, AGREED, [])]
    if product["tariff"]:
        duty = _compensate(product["product_id"], product["tariff"])
        permissions.append(_permission(target, paid, modes, AGREED, AGREED, [duty]))
    return {
        "@context": CONTEXT,
        "@type": "Offer",
        "uid": f"urn:mdl:offer:{product['product_id']}:{product['tariff_no']}",
        "profile": PROFILE,
        "assigner": f"urn:uuid:{product['operator_id']}",
        "permission": permissions,
    }


def agreement_of(licence: Mapping[str, Any], tariff: Mapping[str, Any] | None) -> Policy:
    """Return the agreement behind a licence, with quota and term as they were agreed."""
    target = f"urn:uuid:{licence['product_id']}"
    modes = [mode.name.lower() for mode in ModeSet(licence["modes"]).modes()]
    purpose = Purpose(licence["purpose"])
    is_paid = purpose.is_chargeable and tariff
    duties = [_compensate(licence["product_id"], tariff)] if is_paid and tariff else []
    until = instant_text(int(licence["valid_until"]))
    permission = _permission(target, [purpose], modes, str(licence["quota_units"]), until, duties)
    permission["constraint"].append(
        _constraint("dateTime", "gteq", instant_text(int(licence["valid_from"])))
    )
    return {
        "@context": CONTEXT,
        "@type": "Agreement",
        "uid": f"urn:uuid:{licence['agreement_id']}",
        "profile": PROFILE,
        "assigner": f"urn:uuid:{licence['operator_id']}",
        "assignee": f"urn:uuid:{licence['buyer_id']}",
        "permission": [permission],
    }


def policy_digest(policy: Policy) -> str:
    """Return the digest that names a policy: SHA-256 of its canonical JSON."""
    return "0x" + canonical_digest(policy).hex()


def policy_node(policy: Policy) -> dict[str, Any]:
    """Return a policy as a node of linked data."""
    return {
        "@id": policy["uid"],
        "@type": f"odrl:{policy['@type']}",
        "odrl:profile": {"@id": policy["profile"]},
        "odrl:assigner": {"@id": policy["assigner"]},
        "mdl:policyDigest": policy_digest(policy),
        "odrl:permission": [_rule_node(rule) for rule in policy["permission"]],
    }


def _permission(
    target: str,
    purposes: Sequence[Purpose],
    modes: Sequence[str],
    count: str,
    until: str,
    duties: Sequence[Policy],
) -> Policy:
    named = [f"{PROFILE}:purpose:{purpose.name.lower()}" for purpose in purposes]
    return {
        "target": target,
        "action": "use",
        "constraint": [
            _constraint("purpose", "isAnyOf", named),
            _constraint("count", "lteq", count),
            _constraint("dateTime", "lteq", until),
            _constraint("deliveryChannel", "isAnyOf", [f"{PROFILE}:mode:{mode}" for mode in modes]),
        ],
        "duty": [*duties, {"action": "attribute"}, {"action": "delete"}],
    }


def _compensate(product_id: object, tariff: Mapping[str, Any]) -> Policy:
    """Return the duty to pay by a tariff, which its digest fixes."""
    bands = [
        {"up_to_units": str(band["up_to_units"]), "price_micro_yuan": str(band["price_micro_yuan"])}
        for band in tariff["bands"]
    ]
    terms = {
        "product_id": str(product_id),
        "tariff_no": tariff["tariff_no"],
        "basis": tariff["basis"],
        "free_quota_units": str(tariff["free_quota_units"]),
        "discount_ppm": tariff["discount_ppm"],
        "bands": bands,
    }
    named = f"urn:mdl:tariff:{canonical_digest(terms).hex()}"
    return {"action": "compensate", "constraint": [_constraint("payAmount", "eq", named)]}


def _constraint(left: str, operator: str, right: str | list[str]) -> Policy:
    return {"leftOperand": left, "operator": operator, "rightOperand": right}


def _rule_node(rule: Policy) -> dict[str, Any]:
    node: dict[str, Any] = {"odrl:action": {"@id": f"odrl:{rule['action']}"}}
    if "target" in rule:
        node["odrl:target"] = {"@id": rule["target"]}
    if rule.get("constraint"):
        node["odrl:constraint"] = [_constraint_node(item) for item in rule["constraint"]]
    if rule.get("duty"):
        node["odrl:duty"] = [_rule_node(duty) for duty in rule["duty"]]
    return node


def _constraint_node(item: Policy) -> dict[str, Any]:
    right = item["rightOperand"]
    values = right if isinstance(right, list) else [right]
    return {
        "odrl:leftOperand": {"@id": f"odrl:{item['leftOperand']}"},
        "odrl:operator": {"@id": f"odrl:{item['operator']}"},
        "odrl:rightOperand": [
            {"@id": value} if value.startswith("urn:") else value for value in values
        ],
    }
