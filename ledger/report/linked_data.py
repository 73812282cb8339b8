"""Linked data as plain nodes, written as JSON-LD or Turtle piece by piece, however many there are.

Rules kept here:
1. A node is a dict: `@id`, `@type`, and properties as prefix:name. A value is a text, an integer,
   a flag, a reference {"@id"}, a literal {"@value", "@type" or "@language"}, a node without `@id`,
   or a list of these. Both forms are written from the same nodes and hold the same triples.
2. The context is in the document; nothing has to be fetched to read it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

NAMESPACE = "urn:mdl:ns:"
PREFIXES: dict[str, str] = {
    "adms": "http://www.w3.org/ns/adms#",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "dqv": "http://www.w3.org/ns/dqv#",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "mdl": NAMESPACE,
    "odrl": "http://www.w3.org/ns/odrl/2/",
    "prov": "http://www.w3.org/ns/prov#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "spdx": "http://spdx.org/rdf/terms#",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
MEDIA_TYPES = {"jsonld": "application/ld+json", "turtle": "text/turtle"}
Node = dict[str, Any]
_LOCAL = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_UNSAFE_IN_IRI = re.compile(r"[\x00-\x20<>\"{}|^`\\]")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def reference(iri: str) -> Node:
    """Return a reference to another node; characters that no IRI may hold are escaped."""
    return {"@id": _UNSAFE_IN_IRI.sub(lambda found: f"%{ord(found[0]):02X}", iri)}


def literal(value: object, kind: str) -> Node:
    """Return a literal of a type such as xsd:dateTime."""
    return {"@value": str(value), "@type": kind}


def texts(zh: object, en: object) -> list[Node]:
    """Return a text in both languages; an empty one is left out."""
    pairs = ((zh, "zh-CN"), (en, "en"))
    return [{"@value": str(text), "@language": tag} for text, tag in pairs if text]


def write(nodes: Iterable[Node], form: str) -> Iterator[str]:
    """Yield the document piece by piece; `form` is jsonld or turtle."""
    return _turtle(nodes) if form == "turtle" else _json_ld(nodes)


def _json_ld(nodes: Iterable[Node]) -> Iterator[str]:
    yield '{"@context":' + json.dumps(PREFIXES, sort_keys=True) + ',"@graph":['
    for place, node in enumerate(nodes):
        text = json.dumps(_full(node), ensure_ascii=False, sort_keys=True)
        yield (",\n" if place else "\n") + text
    yield "\n]}\n"


def _full(node: Node) -> Node:
    return {key: value for key, value in node.items() if value not in (None, [], "")}


def _turtle(nodes: Iterable[Node]) -> Iterator[str]:
    for prefix, iri in PREFIXES.items():
        yield f"@prefix {prefix}: <{iri}> .\n"
    for node in nodes:
        yield f"\n<{node['@id']}>{_properties(_full(node), 1)} .\n"


def _properties(node: Node, depth: int) -> str:
    indent = "\n" + "  " * depth
    lines = []
    kinds = node.get("@type")
    if kinds:
        named = [kinds] if isinstance(kinds, str) else kinds
        lines.append("a " + ", ".join(_iri(kind) for kind in named))
    for key, value in node.items():
        if key.startswith("@"):
            continue
        values = value if isinstance(value, list) else [value]
        lines.append(f"{_iri(key)} " + ", ".join(_value(item, depth + 1) for item in values))
    return indent + f" ;{indent}".join(lines)


def _value(value: Any, depth: int) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return _quoted(value)
    if "@value" in value:
        tag = f"@{value['@language']}" if "@language" in value else f"^^{_iri(value['@type'])}"
        return _quoted(value["@value"]) + tag
    if set(value) == {"@id"}:
        return _iri(value["@id"])
    return "[" + _properties(_full(value), depth + 1) + " ]"


def _iri(name: str) -> str:
    prefix, _, local = name.partition(":")
    if prefix not in PREFIXES:
        return f"<{name}>"
    return name if _LOCAL.fullmatch(local) else f"<{PREFIXES[prefix]}{local}>"


def _quoted(text: str) -> str:
    return '"' + "".join(_escaped(character) for character in text) + '"'


def _escaped(character: str) -> str:
    known: Mapping[str, str] = _ESCAPES
    if character in known:
        return known[character]
    return f"\\u{ord(character):04X}" if ord(character) < 0x20 else character
