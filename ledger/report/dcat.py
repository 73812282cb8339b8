"""The catalogue as DCAT 3, for other cities to harvest: nodes of linked data.

A dataset with several versions is a series too, each version a dataset in it. A product is a data
service with its ODRL offer. What is delivered has the checksum of the version that is current.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ledger.domain.calendar import instant_text
from ledger.domain.catalogue_lists import QUALITY_DIMENSIONS
from ledger.domain.codes import (
    DeliveryMode,
    ModeSet,
    OpenClass,
    QualityGrade,
    RegistrationState,
    UpdateFrequency,
)
from ledger.domain.labels import city_label, label_of, theme_label
from ledger.report.linked_data import Node, literal, reference, texts
from ledger.report.offers import offer_node, offer_of

Facts = Mapping[str, Any]


def catalogue_nodes(
    head: Facts, datasets: Iterable[Facts], products: Iterable[Facts]
) -> Iterator[Node]:
    """Yield the nodes of a catalogue.

    Args:
        head: uri, base_url, publisher, dataset_ids and product_ids of everything that follows.
        datasets: each with its record, versions, parents, provider and products.
        products: each with its record, operator, lineage and tariff.
    """
    yield {
        "@id": head["uri"],
        "@type": "dcat:Catalog",
        "dct:title": texts("都市圈数据账本目录", "Catalogue of the Metro Data Ledger"),
        "dct:description": texts(
            "数据资源与数据产品,摘要与状态均可在链上核验。",
            "Datasets and products; their digests and states can be checked on chain.",
        ),
        "dct:publisher": _agent(head["publisher"]),
        "dct:language": ["zh-CN", "en"],
        "foaf:homepage": reference(head["base_url"] + "/catalogue"),
        "dcat:dataset": [reference(f"urn:uuid:{key}") for key in head["dataset_ids"]],
        "dcat:service": [reference(f"urn:uuid:{key}") for key in head["product_ids"]],
    }
    for dataset in datasets:
        yield from dataset_nodes(dataset, head["base_url"])
    for product in products:
        yield from product_nodes(product, head["base_url"])


def dataset_nodes(dataset: Facts, base_url: str) -> Iterator[Node]:
    """Yield a dataset, its versions where there are several, and its distributions."""
    record, versions = dataset["record"], dataset["versions"]
    latest = versions[-1]
    identity = f"urn:uuid:{dataset['dataset_id']}"
    open_class = OpenClass(dataset["open_class"])
    frequency = UpdateFrequency(dataset["update_frequency"])
    state = RegistrationState(dataset["state"])
    page = reference(f"{base_url}/catalogue/{dataset['dataset_id']}")
    is_series = len(versions) > 1
    distributions = list(_distributions(dataset, page, base_url))
    yield {
        "@id": identity,
        "@type": ["dcat:Dataset", "dcat:DatasetSeries"] if is_series else "dcat:Dataset",
        "dct:identifier": str(dataset["dataset_id"]),
        "adms:identifier": _notation(record.get("resource_code")),
        "dct:title": texts(dataset["title_zh"], dataset["title_en"]),
        "dct:description": texts(
            record.get("summary_zh") or dataset["title_zh"],
            record.get("summary_en") or dataset["title_en"],
        ),
        "dcat:keyword": list(record.get("keywords") or ()),
        "dcat:theme": _concept("theme", record.get("domain"), theme_label),
        "dct:publisher": _agent(dataset["provider"]),
        "dcat:contactPoint": _contact(record),
        "dct:spatial": _concept_of_city(dataset["city_code"]),
        "dct:temporal": _period(record.get("temporal_coverage")),
        "dct:accessRights": _code("open_class", open_class, "dct:RightsStatement"),
        "dct:accrualPeriodicity": _code("frequency", frequency, "dct:Frequency"),
        "adms:status": _code("state", state, "skos:Concept"),
        "dct:provenance": _statement(record.get("source_statement")),
        "dct:issued": _instant(dataset["evidenced_at"]),
        "dct:modified": _instant(latest["registered_at"]),
        "dcat:version": str(latest["version_no"]),
        "dcat:hasVersion": [
            reference(version_uri(dataset["dataset_id"], row["version_no"])) for row in versions
        ]
        if is_series
        else None,
        "dcat:landingPage": page,
        "dcat:distribution": [reference(node["@id"]) for node in distributions],
        "dqv:hasQualityMeasurement": _measurements(dataset, record),
        "mdl:metadataDigest": dataset["metadata_digest"],
        "mdl:isInvented": True if record.get("is_invented") else None,
    }
    if is_series:
        yield from (_version(dataset, row) for row in versions)
    yield from distributions


def product_nodes(product: Facts, base_url: str) -> Iterator[Node]:
    """Yield a product as a data service, and its offer."""
    offer = offer_of(product)
    record = product["record"]
    yield {
        "@id": f"urn:uuid:{product['product_id']}",
        "@type": "dcat:DataService",
        "dct:identifier": str(product["product_id"]),
        "dct:title": texts(product["title_zh"], product["title_en"]),
        "dct:description": texts(
            record.get("summary_zh") or product["title_zh"],
            record.get("summary_en") or product["title_en"],
        ),
        "dct:publisher": _agent(product["operator"]),
        "dct:spatial": _concept_of_city(product["city_code"]),
        "dcat:endpointURL": reference(f"{base_url}/v1/use/{product['product_id']}"),
        "dcat:endpointDescription": reference(f"{base_url}/openapi.json"),
        "dcat:landingPage": reference(f"{base_url}/catalogue/{product['product_id']}"),
        "dcat:servesDataset": [
            reference(f"urn:uuid:{row['claimant_id']}")
            for row in product["lineage"]
            if row["kind"] == 1
        ],
        "dct:issued": _instant(product["listed_at"]),
        "odrl:hasPolicy": reference(offer["uid"]),
    }
    yield offer_node(offer)


def version_uri(dataset_id: object, version_no: int) -> str:
    """Return the name of a version."""
    return f"urn:mdl:version:{dataset_id}:{version_no}"


def _version(dataset: Facts, version: Facts) -> Node:
    key, number = dataset["dataset_id"], version["version_no"]
    previous = [reference(version_uri(key, number - 1))] if number > 1 else []
    parents = [
        reference(version_uri(row["parent_dataset_id"], row["parent_version_no"]))
        for row in dataset["parents"]
        if row["version_no"] == number
    ]
    return {
        "@id": version_uri(key, number),
        "@type": "dcat:Dataset",
        "dct:identifier": f"{key}@{number}",
        "dct:title": texts(
            f"{dataset['title_zh']} 版本 {number}", f"{dataset['title_en']}, version {number}"
        ),
        "dct:description": texts(dataset["title_zh"], dataset["title_en"]),
        "dct:publisher": _agent(dataset["provider"]),
        "dcat:inSeries": reference(f"urn:uuid:{key}"),
        "dcat:isVersionOf": reference(f"urn:uuid:{key}"),
        "dcat:version": str(number),
        "dcat:previousVersion": previous,
        "dcat:prev": previous,
        "dct:issued": _instant(version["registered_at"]),
        "prov:wasDerivedFrom": parents,
        "mdl:sha256Digest": version["sha256_digest"],
        "mdl:sm3Digest": version["sm3_digest"],
    }


def _distributions(dataset: Facts, page: Node, base_url: str) -> Iterator[Node]:
    """Yield one distribution a delivery mode, with the services that deliver it."""
    record, latest = dataset["record"], dataset["versions"][-1]
    for mode in ModeSet(dataset["delivery_modes"]).modes():
        services = [row["product_id"] for row in dataset["products"] if row["modes"] & mode.bit]
        yield {
            "@id": f"urn:mdl:distribution:{dataset['dataset_id']}:{mode.name.lower()}",
            "@type": "dcat:Distribution",
            "dct:title": texts(label_of(mode, "zh"), label_of(mode, "en")),
            "dcat:accessURL": page,
            "dcat:accessService": [reference(f"urn:uuid:{key}") for key in services],
            "mdl:useURL": [
                reference(f"{base_url}/v1/use/{key}/{dataset['dataset_id']}")
                for key in services
                if mode is DeliveryMode.INTERFACE
            ],
            "dct:format": record.get("format"),
            "dcat:mediaType": _media_type(record.get("media_type")),
            "dcat:byteSize": literal(latest["byte_size"], "xsd:nonNegativeInteger"),
            "mdl:rowCount": literal(latest["row_count"], "xsd:nonNegativeInteger"),
            "spdx:checksum": [
                _checksum("spdx:checksumAlgorithm_sha256", latest["sha256_digest"]),
                _checksum("mdl:checksumAlgorithm_sm3", latest["sm3_digest"]),
            ],
            "dct:license": reference(f"{base_url}/catalogue/{dataset['dataset_id']}"),
            "mdl:deliveryMode": _code("mode", mode, "skos:Concept"),
        }


def _checksum(algorithm: str, digest: str) -> Node:
    return {
        "@type": "spdx:Checksum",
        "spdx:algorithm": {"@id": algorithm},
        "spdx:checksumValue": literal(digest.removeprefix("0x"), "xsd:hexBinary"),
    }


def _measurements(dataset: Facts, record: Facts) -> list[Node]:
    scores = record.get("quality_scores") or {}
    measured = [
        {
            "@type": "dqv:QualityMeasurement",
            "dqv:isMeasurementOf": {"@id": f"mdl:quality_{key}"},
            "dqv:value": int(scores[key]),
        }
        for key in QUALITY_DIMENSIONS
        if key in scores
    ]
    grade = QualityGrade(dataset["grade"])
    if grade:
        measured.append(
            {
                "@type": "dqv:QualityMeasurement",
                "dqv:isMeasurementOf": {"@id": "mdl:quality_grade"},
                "dqv:value": grade.name,
            }
        )
    return measured


def _agent(organisation: Facts) -> Node:
    return {
        "@type": "foaf:Organization",
        "dct:identifier": str(organisation["organisation_id"]),
        "foaf:name": texts(organisation["name_zh"], organisation["name_en"]),
    }


def _contact(record: Facts) -> Node | None:
    """Return the post that answers; a role, never a person."""
    if not record.get("contact_role"):
        return None
    phone = str(record.get("contact_phone", "")).replace(" ", "")
    return {
        "@type": "vcard:Kind",
        "vcard:fn": record["contact_role"],
        "vcard:hasTelephone": reference(f"tel:{phone}") if phone else None,
    }


def _code(list_name: str, code: Any, kind: str) -> Node:
    return {
        "@type": [kind, "skos:Concept"] if kind != "skos:Concept" else kind,
        "skos:notation": code.name.lower(),
        "skos:prefLabel": texts(label_of(code, "zh"), label_of(code, "en")),
        "skos:inScheme": {"@id": f"mdl:{list_name}"},
    }


def _concept(list_name: str, key: object, label: Any) -> Node | None:
    if not key:
        return None
    return {
        "@type": "skos:Concept",
        "skos:notation": str(key),
        "skos:prefLabel": texts(label(key, "zh"), label(key, "en")),
        "skos:inScheme": {"@id": f"mdl:{list_name}"},
    }


def _concept_of_city(code: int) -> Node:
    return {
        "@type": "dct:Location",
        "skos:notation": str(code),
        "skos:prefLabel": texts(city_label(code, "zh"), city_label(code, "en")),
    }


def _period(interval: object) -> Node | None:
    if not interval:
        return None
    first, _, last = str(interval).partition("/")
    found = {"@type": "dct:PeriodOfTime", "dcat:startDate": literal(first, "xsd:date")}
    return found if last == ".." else found | {"dcat:endDate": literal(last, "xsd:date")}


def _statement(text: object) -> Node | None:
    return {"@type": "dct:ProvenanceStatement", "skos:prefLabel": str(text)} if text else None


def _notation(code: object) -> Node | None:
    return {"@type": "adms:Identifier", "skos:notation": str(code)} if code else None


def _media_type(name: object) -> Node | None:
    # The registry's own addresses are the names that DCAT asks for.
    return reference(f"https://www.iana.org/assignments/media-types/{name}") if name else None


def _instant(seconds: int) -> Node:
    return literal(instant_text(seconds), "xsd:dateTime")
