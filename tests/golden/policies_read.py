"""Policies as another tool reads them: rdflib takes the triples, pySHACL holds them against shapes.

The policies name W3C's context by its address. Nothing is fetched here: the terms of it that our
profile uses stand below (ODRL Vocabulary & Expression 2.2, 15 February 2018).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pyshacl import validate
from rdflib import Graph

W3C_CONTEXT = "http://www.w3.org/ns/odrl.jsonld"
GOLDEN = Path(__file__).parent
_REFERENCES = ("profile", "permission", "target", "assigner", "assignee", "constraint", "duty")
_TERMS = ("action", "leftOperand", "operator")
_WORDS = (
    *("Offer", "Agreement", "rightOperand", "use", "compensate", "attribute", "delete"),
    *("purpose", "deliveryChannel", "count", "dateTime", "isAnyOf", "lteq", "gteq", "lt"),
)
CONTEXT: dict[str, Any] = {
    "odrl": "http://www.w3.org/ns/odrl/2/",
    "uid": "@id",
    **{name: {"@id": f"odrl:{name}", "@type": "@id"} for name in _REFERENCES},
    **{name: {"@id": f"odrl:{name}", "@type": "@vocab"} for name in _TERMS},
    **{name: f"odrl:{name}" for name in _WORDS},
}


def triples_of(policy: Mapping[str, Any]) -> Graph:
    """Return the triples of a policy."""
    address, own = policy["@context"]
    assert address == W3C_CONTEXT
    text = json.dumps({**policy, "@context": [CONTEXT, own]})
    return Graph().parse(data=text, format="json-ld")


def faults(graph: Graph, shapes: str) -> str:
    """Return what the shapes of a file find wrong, empty when nothing is."""
    conforms, _, report = validate(graph, shacl_graph=Graph().parse(GOLDEN / shapes))
    return "" if conforms else str(report)
