"""The catalogue of a real market: over HTTP, as linked data, harvested, rebuilt, in the console."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from prov.model import ProvDocument
from rdflib import Graph
from rdflib.compare import isomorphic

from api.main import create_app
from ledger.app.catalogue import bring_up_to_date
from ledger.app.catalogue_errors import NotHarvesterError
from ledger.app.files import describe_file
from ledger.app.harvesting import harvest_catalogue
from ledger.app.rebuilding import rebuild_projections
from ledger.chain.keys import address_of
from ledger.codec.canonical import canonical_digest
from ledger.domain.ids import digest_text
from ledger.projection.catalogue_store import catalogue_digest
from tests.golden.policies_read import faults
from tests.integration.market_fixture import (
    NANJING,
    SmallMarket,
    opened_market,
    record_of,
    table_file,
    uscc_of,
)

pytestmark = pytest.mark.integration

SHAPES = "dcat_shapes.ttl"
ENTRIES = "/v1/catalogue/entries"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallMarket]:
    with opened_market(tmp_path_factory.mktemp("catalogue")) as market:
        _second_version(market)
        yield market


@pytest.fixture(scope="module")
def client(small: SmallMarket) -> Iterator[TestClient]:
    with TestClient(create_app(small.market), raise_server_exceptions=False) as opened:
        yield opened


def _second_version(small: SmallMarket) -> None:
    facts = describe_file(table_file(small.folder, "weather-2", 1300))
    parent = describe_file(small.folder / "labour.csv").sha256
    body = {"dataset_id": str(small.datasets["weather"]), "version": facts.as_version()}
    small.run("weather", "add-version", body | {"parents": [digest_text(parent)]})


def test_search__words_filters_and_pages__over_http(client: TestClient, small: SmallMarket) -> None:
    found = client.get(ENTRIES, params={"text": "示例", "city": "320100"}).json()
    assert (found["total"], found["facets"]["kind"]["values"][0]["name"]) == (3, "dataset")
    first = client.get(ENTRIES, params={"limit": 3, "lang": "en", "sort": "title"})
    cursor = first.json()["next_cursor"]
    assert 'rel="next"' in first.headers["Link"]
    rest = client.get(
        ENTRIES, params={"limit": 3, "lang": "en", "sort": "title", "cursor": cursor}
    ).json()
    titles = [item["title_en"] for item in (*first.json()["items"], *rest["items"])]
    assert titles == sorted(titles, key=str.casefold)
    assert len(titles) == 4


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("city=110000", "city"),
        ("frequency=sometimes", "frequency"),
        ("grade=Z", "grade"),
        ("sort=random", "sort"),
        ("limit=0", "limit"),
        ("cursor=AAAA", "cursor"),
        ("cursor=%C3%A9", "cursor"),
        ("price_max_micro_yuan=-1", "price_max_micro_yuan"),
        ("text=" + "x" * 201, "text"),
    ],
)
def test_search__bad_input__422_names_the_field(client: TestClient, query: str, field: str) -> None:
    answer = client.get(f"{ENTRIES}?{query}")
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, answer.json()["field"]) == (422, field)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("provider_uscc", "9132"),
        ("city_code", 110000),
        ("update_frequency", "x"),
        ("industry", "?"),
    ],
)
def test_register__wrong_record__422_names_the_field(
    client: TestClient, small: SmallMarket, field: str, value: object
) -> None:
    record = record_of("x", "administrative", uscc_of(50), NANJING) | {field: value}
    zero = "0x" + "11" * 32
    version = {"sha256_digest": zero, "sm3_digest": zero, "schema_digest": zero}
    body = {"metadata": record, "version": version | {"row_count": 1, "byte_size": 1}}
    signer = address_of(small.members["weather"].account)
    answer = client.post(f"/v1/prepare/register-dataset?signer={signer}", json=body)
    assert (answer.status_code, answer.json()["findings"][0]["field"]) == (422, field)


def test_export__both_forms__same_triples_and_valid(client: TestClient) -> None:
    turtle = client.get("/v1/catalogue/export", headers={"Accept": "text/turtle"})
    json_ld = client.get("/v1/catalogue/export?form=jsonld")
    assert json_ld.headers["content-type"] == "application/ld+json"
    graph = Graph().parse(data=turtle.text, format="turtle")
    assert isomorphic(graph, Graph().parse(data=json_ld.text, format="json-ld"))
    assert faults(graph, SHAPES) == ""
    assert turtle.text.count("a dcat:Dataset, dcat:DatasetSeries") == 1


def test_export__without_a_title__is_found_by_the_shapes(client: TestClient) -> None:
    turtle = client.get("/v1/catalogue/export?form=turtle").text
    bent = re.sub(r"dct:title [^;]*;", "", turtle, count=2)
    assert faults(Graph().parse(data=bent), SHAPES)


def test_offer__its_digest__is_that_of_its_canonical_json(
    client: TestClient, small: SmallMarket
) -> None:
    found = client.get(f"{ENTRIES}/{small.product_id}/offer").json()
    assert found["policy_digest"] == digest_text(canonical_digest(found["policy"]))
    assert client.get(f"{ENTRIES}/{small.datasets['weather']}/offer").status_code == 404


def test_provenance__of_a_product__read_by_another_tool(
    client: TestClient, small: SmallMarket
) -> None:
    text = client.get(f"{ENTRIES}/{small.product_id}/provenance?form=turtle").text
    document = ProvDocument.deserialize(content=text, format="rdf", rdf_format="turtle")
    kinds = [type(record).__name__ for record in document.get_records()]
    assert kinds.count("ProvGeneration") == 4
    assert {"ProvDerivation", "ProvAttribution", "ProvAssociation", "ProvUsage"} <= set(kinds)


def test_lineage__both_ways__parents_versions_and_product(
    client: TestClient, small: SmallMarket
) -> None:
    labour, weather = small.datasets["labour"], small.datasets["weather"]
    graph = client.get(f"{ENTRIES}/{labour}/lineage").json()
    edges = {(edge["from"], edge["to"], edge["kind"]) for edge in graph["edges"]}
    assert (f"{labour}@1", f"{weather}@2", "derived") in edges
    assert any(to == str(small.product_id) for _, to, _ in edges)
    timeline = client.get(f"{ENTRIES}/{weather}/timeline").json()
    assert [row["version_no"] for row in timeline if row["what"] == "version"] == [1, 2]
    assert timeline[-1]["parents"][0]["parent_dataset_id"] == str(labour)


def test_harvest__of_our_own_and_of_anothers__marked_and_never_sold(
    client: TestClient, small: SmallMarket
) -> None:
    platform = small.members["platform"].organisation_id
    ours = client.get("/v1/catalogue/export?form=jsonld").text
    assert harvest_catalogue(small.market, ours.encode(), platform)["skipped_count"] == 3
    theirs = ours
    for number, key in enumerate(small.datasets.values()):
        theirs = theirs.replace(str(key), f"{number:08d}{str(key)[8:]}")
    first = harvest_catalogue(small.market, theirs.encode(), platform, source="滁州")
    again = harvest_catalogue(small.market, theirs.encode(), platform, source="滁州")
    assert (first["added"], again["added"], again["unchanged"]) == (3, 0, 3)
    item = client.get(ENTRIES, params={"kind": "harvested"}).json()["items"][0]
    assert (item["source"], item["price"], item["mode"]) == ("滁州", "none", [])
    foreign_id = f"{0:08d}{str(next(iter(small.datasets.values())))[8:]}"
    assert client.get(f"/v1/datasets/{foreign_id}").status_code == 404
    page = client.get(f"/catalogue/{item['entry_id']}")
    assert "不在本市场出售" in page.text
    document = json.loads(theirs)
    head = next(node for node in document["@graph"] if node["@type"] == "dcat:Catalog")
    del head["dcat:dataset"][1:]
    one = json.dumps(document).encode()
    assert harvest_catalogue(small.market, one, platform, source="滁州")["removed"] == 2


def test_harvest__by_a_buyer__refused(small: SmallMarket) -> None:
    with pytest.raises(NotHarvesterError):
        harvest_catalogue(small.market, b"{}", small.members["buyer"].organisation_id)


def test_rebuild__from_chain_and_documents__same_entries(small: SmallMarket) -> None:
    bring_up_to_date(small.market)
    with small.market.read() as connection:
        before = catalogue_digest(connection)
    rebuild_projections(small.market)
    with small.market.read() as connection:
        assert catalogue_digest(connection) == before


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_console__every_page__without_scripts_in_both_languages(
    client: TestClient, small: SmallMarket, lang: str
) -> None:
    weather = small.datasets["weather"]
    for path in (
        "/catalogue?text=weather",
        f"/catalogue/{weather}?",
        f"/catalogue/{small.product_id}?",
    ):
        page = client.get(f"{path}&lang={lang}")
        assert page.status_code == 200
        assert page.headers["Content-Language"].startswith(lang)
        assert "<script" not in page.text
        assert "style=" not in page.text
    dataset = client.get(f"/catalogue/{weather}?lang={lang}").text
    assert len(re.findall(r"<li>", dataset.partition("<ol>")[2].partition("</ol>")[0])) <= 6
    assert "<svg" in dataset
    priced = client.get(f"/catalogue/{small.product_id}?lang={lang}&units=5000").text
    assert "27,640.00" in priced
