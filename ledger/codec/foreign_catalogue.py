"""Reads another city's DCAT catalogue: JSON-LD, Turtle or RDF/XML, from bytes at hand.

Rules kept here:
1. Nothing is fetched: contexts that lie elsewhere, entities and document types are refused, and
   addresses are kept as texts.
2. Size, nesting and numbers are bounded before a parser sees them.
3. A dataset that cannot be told apart or named is passed over, with the reason.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import xml.sax
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import ParseError

import defusedxml.ElementTree
from defusedxml import DefusedXmlException
from rdflib import BNode, Graph, Literal, URIRef
from rdflib.exceptions import ParserError
from rdflib.namespace import DCAT, DCTERMS, FOAF, RDF, SKOS
from rdflib.plugins.parsers.notation3 import BadSyntax
from rdflib.term import Node

from ledger.codec.errors import ForeignCatalogueError, RemoteContextError
from ledger.domain.catalogue_lists import THEMES
from ledger.domain.cities import CITIES
from ledger.domain.codes import UpdateFrequency
from ledger.domain.errors import MalformedValueError
from ledger.domain.nesting import NESTING_MAX, check_nesting

SIZE_MAX = 16 * 2**20
DATASETS_MAX = 20_000
FORMS = {"jsonld": "json-ld", "turtle": "turtle", "xml": "xml"}
_TEXT_MAX = 4_000
_ADDRESS_MAX = 2_000
_KEYWORDS_MAX = 64
_IN_SERIES = URIRef("http://www.w3.org/ns/dcat#inSeries")
_BASE = "urn:mdl:harvest:"
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")
_CHINESE = re.compile(r"[\u3400-\u9fff]")
_FREQUENCIES = {member.name.lower(): int(member) for member in UpdateFrequency} | {
    "annual": int(UpdateFrequency.YEARLY),
    "annual_2": int(UpdateFrequency.HALF_YEARLY),
    "biannual": int(UpdateFrequency.HALF_YEARLY),
    "cont": int(UpdateFrequency.REAL_TIME),
    "update_cont": int(UpdateFrequency.REAL_TIME),
    "irreg": int(UpdateFrequency.IRREGULAR),
    "never": int(UpdateFrequency.STATIC),
}
_FAULTS = (
    ParserError,
    BadSyntax,
    xml.sax.SAXException,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    RecursionError,
)


@dataclass(frozen=True, slots=True)
class ForeignCatalogue:
    """What was read: name and title of the catalogue, its datasets as records by address."""

    uri: str
    title: str
    file_digest: bytes
    datasets: dict[str, dict[str, Any]]
    skipped: tuple[dict[str, str], ...]


def read_catalogue(content: bytes, form: str = "") -> ForeignCatalogue:
    """Return the catalogue of a file.

    Raises:
        ForeignCatalogueError: it is too large, too deep, malformed, or no catalogue.
        RemoteContextError: it asks for something that lies elsewhere.
    """
    if len(content) > SIZE_MAX:
        raise ForeignCatalogueError(
            "the file is too large", field="file", got=len(content), expected=f"<= {SIZE_MAX}"
        )
    chosen = form or _form_of(content)
    if chosen not in FORMS:
        raise ForeignCatalogueError(
            f"form {chosen!r} is not read", field="form", got=chosen, expected=sorted(FORMS)
        )
    {"jsonld": _check_json, "xml": _check_xml, "turtle": _check_turtle}[chosen](content)
    graph = Graph(bind_namespaces="none")
    try:
        graph.parse(data=content, format=FORMS[chosen], publicID=_BASE)
        return _catalogue(graph, hashlib.sha256(content).digest())
    except _FAULTS as error:
        raise ForeignCatalogueError(
            f"the file is no {chosen}: {_cut(str(error), 200)}", field="file", expected=chosen
        ) from error


def _form_of(content: bytes) -> str:
    begin = content[:1_000].removeprefix(b"\xef\xbb\xbf").lstrip()
    if begin[:1] in (b"{", b"["):
        return "jsonld"
    return "xml" if begin.startswith((b"<?xml", b"<rdf:RDF", b"<!DOCTYPE")) else "turtle"


def _check_json(content: bytes) -> None:
    try:
        text = content.decode("utf-8-sig")
        check_nesting(text)
        found = json.loads(text)
    except (ValueError, MalformedValueError) as error:
        raise ForeignCatalogueError(
            f"the file is no JSON: {error}", field="file", expected="JSON-LD"
        ) from error
    pending = [found]
    while pending:
        item = pending.pop()
        if isinstance(item, list):
            pending += item
        elif isinstance(item, dict):
            _check_context(item)
            pending += item.values()


def _check_context(item: dict[str, Any]) -> None:
    given = item.get("@context")
    contexts = given if isinstance(given, list) else [given]
    remote = [context for context in contexts if isinstance(context, str)]
    if "@import" in item:
        remote.append(str(item["@import"]))
    if remote:
        raise RemoteContextError(
            "the file's context lies elsewhere and is not fetched; put it into the file",
            field="@context",
            got=remote[0][:200],
            expected="a context in the file",
        )


def _check_xml(content: bytes) -> None:
    depth = 0
    try:
        events = defusedxml.ElementTree.iterparse(
            io.BytesIO(content), events=("start", "end"), forbid_dtd=True
        )
        for event, element in events:
            depth += 1 if event == "start" else -1
            if depth > NESTING_MAX:
                raise _too_deep(depth)
            if event == "end":
                element.clear()
    except DefusedXmlException as error:
        raise RemoteContextError(
            "document types and entities are not read", field="file", expected="plain RDF/XML"
        ) from error
    except (ParseError, ValueError, LookupError) as error:
        raise ForeignCatalogueError(
            f"the file is no XML: {error}", field="file", expected="RDF/XML"
        ) from error


def _check_turtle(content: bytes) -> None:
    """Bound the nesting: brackets in texts and addresses are left out of the count."""
    try:
        text = content.decode("utf-8-sig")
    except ValueError as error:
        raise ForeignCatalogueError(
            "the file is no UTF-8", field="file", expected="Turtle"
        ) from error
    depth = 0
    for found in re.finditer(r"\"(?:[^\"\\\n]|\\.)*\"|<[^>\s]*>|[\[\](){}]", text):
        if len(found[0]) == 1:
            depth += 1 if found[0] in "[({" else -1
            if depth > NESTING_MAX:
                raise _too_deep(depth)


def _too_deep(depth: int) -> ForeignCatalogueError:
    return ForeignCatalogueError(
        "the file nests too deep", field="depth", got=depth, expected=f"<= {NESTING_MAX}"
    )


def _catalogue(graph: Graph, file_digest: bytes) -> ForeignCatalogue:
    heads = sorted(graph.subjects(RDF.type, DCAT.Catalog), key=str)
    listed = sorted({it for head in heads for it in graph.objects(head, DCAT.dataset)}, key=str)
    found = listed or [
        subject
        for subject in sorted(set(graph.subjects(RDF.type, DCAT.Dataset)), key=str)
        if not list(graph.objects(subject, _IN_SERIES))
    ]
    if not found:
        raise ForeignCatalogueError(
            "the file lists no dataset", field="file", expected="a dcat:Catalog with dcat:dataset"
        )
    if len(found) > DATASETS_MAX:
        raise ForeignCatalogueError(
            "the file lists too many datasets",
            field="file",
            got=len(found),
            expected=f"<= {DATASETS_MAX}",
        )
    datasets: dict[str, dict[str, Any]] = {}
    skipped = []
    for subject in found:
        record = _dataset(graph, subject)
        uri = str(record["uri"])
        reason = "" if record["title_zh"] else "no title"
        reason = reason if uri else "no address and no identifier"
        reason = "listed twice" if uri in datasets else reason
        if reason:
            skipped.append({"uri": uri or "—", "reason": reason})
        else:
            datasets[uri] = record
    head = heads[0] if heads else None
    uri = _cut(str(head), 200) if isinstance(head, URIRef) else ""
    title = "".join(_titles(graph, head, DCTERMS.title)[:1]) if head is not None else ""
    return ForeignCatalogue(uri, title, file_digest, datasets, tuple(skipped))


def _dataset(graph: Graph, subject: Node) -> dict[str, Any]:
    identifier = _first_text(graph.objects(subject, DCTERMS.identifier))
    uri = str(subject) if isinstance(subject, URIRef) else ""
    distributions = list(graph.objects(subject, DCAT.distribution))
    pages = [*graph.objects(subject, DCAT.landingPage)]
    pages += [it for place in distributions for it in graph.objects(place, DCAT.accessURL)]
    titles = _titles(graph, subject, DCTERMS.title)
    summaries = _titles(graph, subject, DCTERMS.description)
    names = [
        _first_text(graph.objects(agent, FOAF.name))
        for agent in graph.objects(subject, DCTERMS.publisher)
    ]
    media = [it for place in distributions for it in graph.objects(place, DCAT.mediaType)]
    keywords = sorted({_cut(str(it), 200) for it in graph.objects(subject, DCAT.keyword)})
    return {
        "uri": _cut(uri or identifier, _ADDRESS_MAX),
        "identifier": _cut(identifier, 200),
        "title_zh": titles[0],
        "title_en": titles[1],
        "summary_zh": summaries[0],
        "summary_en": summaries[1],
        "publisher": next((name for name in sorted(names) if name), ""),
        "keywords": [word for word in keywords if word][:_KEYWORDS_MAX],
        "theme": next(_known(graph, graph.objects(subject, DCAT.theme), _THEME_NAMES), ""),
        "frequency": next(
            _known(graph, graph.objects(subject, DCTERMS.accrualPeriodicity), _FREQUENCIES), 0
        ),
        "city_code": next(_known(graph, graph.objects(subject, DCTERMS.spatial), _CITY_NAMES), 0),
        "license": _address(graph.objects(subject, DCTERMS.license)),
        "landing_page": _address(pages),
        "media_types": sorted({_last_part(str(it))[:100] for it in media})[:_KEYWORDS_MAX],
        "modified": _first_text(graph.objects(subject, DCTERMS.modified))[:40],
    }


_THEME_NAMES = {key: key for key in THEMES} | {
    label.casefold(): key for key, labels in THEMES.items() for label in labels
}
_CITY_NAMES = {str(code): code for code in CITIES} | {
    name.casefold(): city.code for city in CITIES.values() for name in (city.name_zh, city.name_en)
}


def _known(graph: Graph, values: Iterable[Node], names: dict[str, Any]) -> Iterator[Any]:
    """Yield what some concepts mean here, by notation, label, or the end of their address."""
    for value in sorted(values, key=str):
        said = [str(value), _last_part(str(value))]
        for path in (SKOS.notation, SKOS.prefLabel):
            said += sorted(str(it) for it in graph.objects(value, path))
        for text in said:
            if text.casefold().replace("-", "_") in names:
                yield names[text.casefold().replace("-", "_")]


def _titles(graph: Graph, subject: Node | None, path: URIRef) -> tuple[str, str]:
    """Return a text in Chinese and in English; each stands in for the other."""
    sides = {"zh": "", "en": ""}
    literals = [it for it in graph.objects(subject, path) if isinstance(it, Literal)]
    for text in sorted(literals, key=lambda it: (it.language or "", str(it))):
        clean = _cut(str(text), _TEXT_MAX)
        tag = (text.language or "").partition("-")[0].lower()
        side = tag or ("zh" if _CHINESE.search(clean) else "en")
        if side in sides and not sides[side]:
            sides[side] = clean
    return sides["zh"] or sides["en"], sides["en"] or sides["zh"]


def _first_text(values: Iterable[Node]) -> str:
    texts = sorted(_cut(str(it), _TEXT_MAX) for it in values if not isinstance(it, BNode))
    return texts[0] if texts else ""


def _address(values: Iterable[Node]) -> str:
    """Return the first address that a reader may follow; it is never followed here."""
    found = sorted(str(it) for it in values)
    safe = (it for it in found if it.startswith(("https://", "http://")))
    return next((it for it in safe if len(it) <= _ADDRESS_MAX and not _UNSEEN.search(it)), "")


def _last_part(text: str) -> str:
    return re.split(r"[/#:]", text.rstrip("/"))[-1]


def _cut(text: str, size: int) -> str:
    return _UNSEEN.sub(" ", text).strip()[:size]
