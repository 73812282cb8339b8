"""Catalogues of other cities: what is read, what is refused, and that nothing is fetched."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest

from ledger.codec.errors import ForeignCatalogueError, RemoteContextError
from ledger.codec.foreign_catalogue import SIZE_MAX, read_catalogue

pytestmark = pytest.mark.unit

PREFIXES = """@prefix dcat: <http://www.w3.org/ns/dcat#> .
@prefix dct: <http://purl.org/dc/terms/> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> .
"""
TURTLE = (
    PREFIXES
    + """<https://data.example/c> a dcat:Catalog ; dct:title "外市"@zh ;
  dcat:dataset <https://data.example/1>, <https://data.example/2>, [ dct:title "nameless" ] .
<https://data.example/1> a dcat:Dataset ; dct:title "公交"@zh, "Buses"@en ; dct:identifier "b-1" ;
  dct:publisher [ foaf:name "交通局" ] ; dcat:theme <https://data.example/theme/transport> ;
  dct:accrualPeriodicity <http://publications.europa.eu/resource/authority/frequency/ANNUAL> ;
  dct:spatial "341100" ; dcat:landingPage <https://data.example/page>, <file:///etc/passwd> .
<https://data.example/2> a dcat:Dataset ; dct:description "no title" .
"""
)
ENTITIES = b"""<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">&x;</rdf:RDF>"""
DEEP_XML = b"<?xml version='1.0'?>" + b"<a>" * 5_000 + b"</a>" * 5_000
DATASET = {"@id": "urn:x:1", "@type": "http://www.w3.org/ns/dcat#Dataset"}


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("something was fetched")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def test_read__turtle__records_with_reasons_for_the_rest() -> None:
    found = read_catalogue(TURTLE.encode())
    assert (found.uri, found.title) == ("https://data.example/c", "外市")
    assert list(found.datasets) == ["https://data.example/1"]
    record = found.datasets["https://data.example/1"]
    named = {key: record[key] for key in ("title_zh", "title_en", "publisher", "theme")}
    assert named == {
        "title_zh": "公交",
        "title_en": "Buses",
        "publisher": "交通局",
        "theme": "transport",
    }
    assert (record["frequency"], record["city_code"]) == (7, 341100)
    assert record["landing_page"] == "https://data.example/page"
    assert {row["reason"] for row in found.skipped} == {"no title", "no address and no identifier"}


@pytest.mark.parametrize(
    "document",
    [
        {"@context": "https://data.example/context.jsonld", "@graph": [DATASET]},
        {"@context": ["http://127.0.0.1:9/x", {}], "@graph": [DATASET]},
        {"@context": {"@version": 1.1, "@import": "http://127.0.0.1:9/x"}, "@graph": [DATASET]},
        {"@graph": [DATASET | {"urn:x:p": {"@context": "http://127.0.0.1:9/x", "@id": "urn:y"}}]},
    ],
)
def test_read__context_that_lies_elsewhere__refused_and_not_fetched(document: Any) -> None:
    with pytest.raises(RemoteContextError):
        read_catalogue(json.dumps(document).encode())


@pytest.mark.parametrize(
    ("content", "form"),
    [
        (b"", ""),
        (b"{", ""),
        (b"[]", ""),
        (b"{}", ""),
        (b'{"@graph": 1}', ""),
        (b"[" * 100_000, ""),
        (b"\xff\xfe", ""),
        (b"not a graph at all", "turtle"),
        (b"<urn:a> <urn:b> " + b"[ <urn:c> " * 5_000, "turtle"),
        (b"<urn:a> <urn:b> <urn:c> .", "turtle"),
        (ENTITIES, ""),
        (DEEP_XML, ""),
        (b"<?xml version='1.0'?><a", ""),
        (b"<?xml version='1.0'?><rdf:RDF/>", ""),
        (TURTLE.encode(), "xml"),
        (TURTLE.encode(), "csv"),
        (b" " * (SIZE_MAX + 1), ""),
    ],
)
def test_read__bad_file__typed_error(content: bytes, form: str) -> None:
    with pytest.raises((ForeignCatalogueError, RemoteContextError)):
        read_catalogue(content, form)


def test_read__hidden_characters_and_long_texts__cleaned_and_cut() -> None:
    title = "a\\u202Eb" + "x" * 9_000
    text = PREFIXES + f'<urn:x:1> a dcat:Dataset ; dct:title "{title}" .'
    record = read_catalogue(text.encode()).datasets["urn:x:1"]
    assert record["title_en"].startswith("a b")
    assert len(record["title_en"]) == 4_000
