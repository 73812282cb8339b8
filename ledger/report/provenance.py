"""Lineage as PROV-O: versions and products are entities, their making an activity."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ledger.domain.calendar import instant_text
from ledger.report.dcat import version_uri
from ledger.report.linked_data import Node, literal, reference, texts

Facts = Mapping[str, Any]


def provenance_nodes(datasets: Iterable[Facts], products: Iterable[Facts]) -> Iterator[Node]:
    """Yield entities, activities and agents of datasets and products, as the exports have them."""
    newest: dict[str, int] = {}
    told: set[str] = set()
    for dataset in datasets:
        newest[str(dataset["dataset_id"])] = dataset["versions"][-1]["version_no"]
        yield from _agent(dataset["provider"], told)
        for version in dataset["versions"]:
            yield from _made(dataset, version)
    for product in products:
        yield from _agent(product["operator"], told)
        yield {
            "@id": f"urn:uuid:{product['product_id']}",
            "@type": "prov:Entity",
            "dct:title": texts(product["title_zh"], product["title_en"]),
            "prov:wasAttributedTo": reference(f"urn:uuid:{product['operator_id']}"),
            "prov:generatedAtTime": literal(instant_text(product["listed_at"]), "xsd:dateTime"),
            "prov:wasDerivedFrom": [
                reference(version_uri(row["claimant_id"], newest[str(row["claimant_id"])]))
                for row in product["lineage"]
                if str(row["claimant_id"]) in newest
            ],
        }


def _made(dataset: Facts, version: Facts) -> Iterator[Node]:
    """Yield a version and the activity that made it from its parents and the version before."""
    key, number = dataset["dataset_id"], version["version_no"]
    entity, activity = version_uri(key, number), f"urn:mdl:activity:{key}:{number}"
    provider = reference(f"urn:uuid:{dataset['provider']['organisation_id']}")
    parents = [
        reference(version_uri(row["parent_dataset_id"], row["parent_version_no"]))
        for row in dataset["parents"]
        if row["version_no"] == number
    ]
    at = literal(instant_text(version["registered_at"]), "xsd:dateTime")
    yield {
        "@id": entity,
        "@type": "prov:Entity",
        "dct:title": texts(f"{dataset['title_zh']} {number}", f"{dataset['title_en']} {number}"),
        "prov:wasGeneratedBy": reference(activity),
        "prov:generatedAtTime": at,
        "prov:wasAttributedTo": provider,
        "prov:wasDerivedFrom": parents,
        "prov:wasRevisionOf": [reference(version_uri(key, number - 1))] if number > 1 else [],
        "mdl:sha256Digest": version["sha256_digest"],
        "mdl:sm3Digest": version["sm3_digest"],
    }
    yield {
        "@id": activity,
        "@type": "prov:Activity",
        "prov:used": parents,
        "prov:wasAssociatedWith": provider,
        "prov:endedAtTime": at,
    }


def _agent(organisation: Facts, told: set[str]) -> Iterator[Node]:
    identity = f"urn:uuid:{organisation['organisation_id']}"
    if identity not in told:
        told.add(identity)
        yield {
            "@id": identity,
            "@type": ["prov:Agent", "prov:Organization"],
            "foaf:name": texts(organisation["name_zh"], organisation["name_en"]),
        }
