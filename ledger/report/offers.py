"""Offers of products as nodes of linked data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from ledger.codec.canonical import canonical_digest
from ledger.domain.codes import ClaimantKind, ModeSet, Purpose
from ledger.domain.ids import digest_text
from ledger.domain.policies import PROFILE, Grant, offer_policy
from ledger.report.linked_data import Node, reference

_OWN = "mdl:"


def offer_of(product: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ODRL offer of a product that is in the catalogue."""
    return offer_policy(
        Grant(
            product_id=UUID(str(product["product_id"])),
            operator_id=UUID(str(product["operator_id"])),
            purposes=list(Purpose),
            modes=ModeSet(product["modes"]).modes(),
            tariff_no=product["tariff_no"],
            attributed=[
                UUID(str(row["claimant_id"]))
                for row in product["lineage"]
                if row["kind"] == ClaimantKind.DATASET
            ],
        )
    )


def offer_node(offer: Mapping[str, Any]) -> Node:
    """Return an offer as a node; what the profile adds keeps the profile's names."""
    return {
        "@id": offer["uid"],
        "@type": f"odrl:{offer['@type']}",
        "odrl:profile": reference(offer["profile"]),
        "mdl:policyDigest": digest_text(canonical_digest(offer)),
        "odrl:permission": [_rule(rule) for rule in offer["permission"]],
    }


def _rule(rule: Mapping[str, Any]) -> Node:
    node: Node = {"odrl:action": reference(f"odrl:{rule['action']}")}
    node |= {
        f"odrl:{name}": reference(rule[name]) for name in ("target", "assigner") if name in rule
    }
    if rule.get("constraint"):
        node["odrl:constraint"] = [_constraint(item) for item in rule["constraint"]]
    if rule.get("duty"):
        node["odrl:duty"] = [_rule(duty) for duty in rule["duty"]]
    if "mdl:tariffNo" in rule:
        node["mdl:tariffNo"] = str(rule["mdl:tariffNo"])
    if "mdl:source" in rule:
        node["mdl:source"] = [reference(source) for source in rule["mdl:source"]]
    return node


def _constraint(item: Mapping[str, Any]) -> Node:
    right = item["rightOperand"]
    values = right if isinstance(right, list) else [right]
    return {
        "odrl:leftOperand": reference(f"odrl:{item['leftOperand']}"),
        "odrl:operator": reference(f"odrl:{item['operator']}"),
        "odrl:rightOperand": [_operand(value) for value in values],
    }


def _operand(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(_OWN):
        return reference(f"{PROFILE}#{value.removeprefix(_OWN)}")
    return value
