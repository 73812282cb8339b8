"""Commands on the catalogue: search, show, lineage, export, harvest."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from ledger.app.catalogue import entry_found, lineage_found, search_catalogue
from ledger.app.catalogue_facts import (
    catalogue_head,
    dataset_facts,
    lineage_facts,
    product_facts,
)
from ledger.app.extent import market_extent
from ledger.app.harvesting import SIZE_READ_MAX, harvest_catalogue
from ledger.cli.shell import (
    AsOption,
    HomeOption,
    JsonOption,
    account,
    guarded,
    open_market,
    out,
    show,
    table,
)
from ledger.cli.tables import print_detail
from ledger.domain.errors import MalformedValueError
from ledger.domain.facets import FACETS
from ledger.domain.ids import parse_id
from ledger.report.dcat import catalogue_nodes
from ledger.report.extent import extent_sentences
from ledger.report.linked_data import MEDIA_TYPES, Node, write
from ledger.report.provenance import provenance_nodes

catalogue_app = typer.Typer(help="Catalogue 目录: search, show, lineage, export, harvest.")
WhereOption = Annotated[
    list[str] | None,
    typer.Option("--where", help=f"facet=name, repeatable; facets: {', '.join(FACETS)}."),
]


def filters_of(texts: list[str] | None) -> dict[str, list[str]]:
    """Return names by facet of texts such as city=320100.

    Raises:
        MalformedValueError: a text names no facet.
    """
    filters: dict[str, list[str]] = {}
    for text in texts or ():
        key, equals, name = text.partition("=")
        if not equals or key not in FACETS:
            raise MalformedValueError(
                f"--where {text!r} names no facet",
                field="where",
                got=text,
                expected=[f"{key}=…" for key in FACETS],
            )
        filters.setdefault(key, []).append(name)
    return filters


@catalogue_app.command("search")
@guarded
def catalogue_search(
    words: Annotated[str, typer.Argument(help="Words in Chinese or English.")] = "",
    where: WhereOption = None,
    price_max_micro_yuan: Annotated[
        int | None, typer.Option("--price-max", help="Micro-yuan a unit begins at, at most.")
    ] = None,
    sort: Annotated[str, typer.Option(help="relevance, newest or title.")] = "",
    limit: Annotated[int, typer.Option(help="Entries a page.")] = 20,
    cursor: Annotated[str, typer.Option(help="next_cursor of the page before.")] = "",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Search datasets, products and harvested entries, with the counts of each facet."""
    with open_market(home) as market:
        found = search_catalogue(
            market,
            text=words,
            filters=filters_of(where),
            price_max_micro_yuan=price_max_micro_yuan,
            sort=sort,
            limit=limit,
            cursor=cursor,
        )
    show(found, as_json, lambda: _print_found(found))


@catalogue_app.command("show")
@guarded
def catalogue_show(entry_id: str, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Show one entry: record, timeline of versions 版本 and digests, products made of it."""
    with open_market(home) as market:
        found = entry_found(market, parse_id(entry_id, "entry_id"))
    show(found, as_json, lambda: print_detail("Catalogue 目录", found))


@catalogue_app.command("extent")
@guarded
def catalogue_extent(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Say how much the market holds: providers by level, datasets, themes, products (规模)."""
    with open_market(home) as market:
        found = market_extent(market)
    sentences = [text for side in ("zh", "en") for text in extent_sentences(found, side)]
    show(found, as_json, lambda: out.print("\n".join(sentences), highlight=False))


@catalogue_app.command("lineage")
@guarded
def catalogue_lineage(entry_id: str, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Show what an entry was made from and what was made from it (溯源)."""
    with open_market(home) as market:
        found = lineage_found(market, parse_id(entry_id, "entry_id"))
    show(found, as_json, lambda: _print_graph(found))


@catalogue_app.command("export")
@guarded
def catalogue_export(
    target: Annotated[Path, typer.Argument(help="File to write, - for standard output.")] = Path(
        "-"
    ),
    form: Annotated[str, typer.Option("--form", help="jsonld or turtle.")] = "jsonld",
    lineage_of: Annotated[
        str, typer.Option("--lineage-of", help="Only the lineage of this entry, as PROV-O.")
    ] = "",
    base_url: Annotated[
        str, typer.Option(help="Address at which the service is reached by others.")
    ] = "",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the catalogue as DCAT 3, or a lineage as PROV-O, in JSON-LD or Turtle."""
    if form not in MEDIA_TYPES:
        raise MalformedValueError(
            f"form {form!r} is not offered", field="form", got=form, expected=sorted(MEDIA_TYPES)
        )
    with open_market(home) as market:
        nodes: Iterable[Node]
        if lineage_of:
            nodes = provenance_nodes(*lineage_facts(market, parse_id(lineage_of, "lineage_of")))
        else:
            address = base_url or f"http://{market.settings.host}:{market.settings.port}"
            head = catalogue_head(market, address)
            nodes = catalogue_nodes(
                head,
                dataset_facts(market, head["dataset_ids"]),
                product_facts(market, head["product_ids"]),
            )
        _write(target, write(nodes, form))
    if str(target) != "-":
        facts = {"file": str(target), "form": form}
        show(facts, as_json, lambda: out.print(f"[green]written[/] {target}", highlight=False))


@catalogue_app.command("harvest")
@guarded
def catalogue_harvest(
    file: Annotated[Path, typer.Argument(help="DCAT in JSON-LD, Turtle or RDF/XML; - for stdin.")],
    key_name: AsOption,
    source: Annotated[str, typer.Option(help="Name of the catalogue; its own by default.")] = "",
    form: Annotated[str, typer.Option(help="jsonld, turtle or xml; seen by default.")] = "",
    city_code: Annotated[
        int | None, typer.Option("--city", help="City of datasets that name none.")
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take over another catalogue's datasets, marked with their source; nothing is fetched."""
    content = sys.stdin.buffer.read(SIZE_READ_MAX) if str(file) == "-" else _read(file)
    with open_market(home) as market:
        harvester_id = market.organisation_of(account(market, key_name).address)
        found = harvest_catalogue(
            market, content, harvester_id, source=source, form=form, city_code=city_code
        )
    show(found, as_json, lambda: print_detail("Harvest 外市目录", found))


def _read(file: Path) -> bytes:
    with file.open("rb") as stream:
        return stream.read(SIZE_READ_MAX)


def _write(target: Path, pieces: Iterable[str]) -> None:
    if str(target) == "-":
        sys.stdout.writelines(pieces)
        return
    with target.open("w", encoding="utf-8") as stream:
        stream.writelines(pieces)


def _print_found(found: dict[str, Any]) -> None:
    rows = [
        (
            item["entry_id"],
            f"{item['title_zh']}\n{item['title_en']}",
            item["kind"],
            item["city"] or "—",
            item["state"],
            item["open_class"] or "—",
            item["price"] or "—",
        )
        for item in found["items"]
    ]
    heads = ("id", "title", "kind", "city", "state", "class", "price")
    out.print(table(f"Catalogue 目录: {found['total']}", heads, rows))
    counts = [
        (
            f"{facet['label_zh']} {key}",
            ", ".join(f"{value['name']} {value['count']}" for value in facet["values"]),
        )
        for key, facet in found["facets"].items()
        if facet["values"]
    ]
    out.print(table("Facets 筛选", ("facet", "counts"), counts))
    if found["next_cursor"]:
        out.print(f"next page: --cursor {found['next_cursor']}", highlight=False)


def _print_graph(found: dict[str, Any]) -> None:
    nodes = [
        (node["generation"], node["kind"], f"{node['title_zh']} {node['title_en']}", node["key"])
        for node in found["nodes"]
    ]
    out.print(table("Lineage 溯源", ("generation", "kind", "title", "key"), nodes))
    edges = [(edge["from"], edge["kind"], edge["to"]) for edge in found["edges"]]
    out.print(table("Edges", ("from", "kind", "to"), edges))
