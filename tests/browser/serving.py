"""The demonstration's market with one of everything that has a page, served by the real service."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from api.main import create_app
from ledger.app.catalogue import search_catalogue
from ledger.app.certificates import issue_certificate
from ledger.app.harvesting import harvest_catalogue
from ledger.app.keys import issue_api_key
from ledger.app.market import Market
from ledger.app.settings import Settings
from ledger.cli.demo.command import run_demo
from ledger.cli.demo.stage import Stage
from ledger.cli.shell import out
from ledger.projection import queries

START_SECONDS = 30
MONTH_SECONDS = 30 * 24 * 3600
PAGES = (
    *("home", "documentation", "catalogue", "search", "nothing found", "dataset", "product"),
    *("free product", "harvested", "open objection", "decided objection"),
)
PAPERS = ("invoice", "certificate")
"""Pages to print, each in both languages at once."""
FOREIGN = """
@prefix dcat: <http://www.w3.org/ns/dcat#> .
@prefix dct: <http://purl.org/dc/terms/> .
<urn:example:catalogue> a dcat:Catalog ;
  dct:title "外市目录"@zh-CN, "Catalogue of another city"@en ;
  dcat:dataset <urn:example:dataset> .
<urn:example:dataset> a dcat:Dataset ;
  dct:title "虚构公交站点"@zh-CN, "Invented bus stops"@en ;
  dct:description "虚构示例"@zh-CN, "Invented sample"@en ;
  dcat:landingPage <https://example.invalid/bus-stops> .
"""


@dataclass(frozen=True, slots=True)
class Served:
    """A served market: where, by what, its pages' paths by name, a key that may read the papers."""

    address: str
    app: FastAPI
    paths: dict[str, str]
    key: str


@contextmanager
def served_demonstration(home: Path) -> Iterator[Served]:
    """Play the demonstration, add what it leaves out, and serve its market."""
    with out.capture():
        stage = run_demo(home, keep_serving=False)
    settings = Settings(home=home, rpc_url="", database_url="")
    with Market.open(settings) as market:
        stage.market = market
        paths = _paths(stage)
        assert set(paths) == {*PAGES, *PAPERS}
        key = issue_api_key(market, stage.account("buyer"))
        app = create_app(market)
        with _served(app) as address:
            yield Served(address, app, paths, key)


@contextmanager
def _served(app: FastAPI) -> Iterator[str]:
    """Serve an application on a free port, in a thread of this process; give its address."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        deadline = time.monotonic() + START_SECONDS
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.05)
        assert server.started, "the service did not start"
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join(START_SECONDS)


def _paths(stage: Stage) -> dict[str, str]:
    """Return the path of every page, having made what they show."""
    market = stage.market
    issue_certificate(market, stage.account("operator"), stage.licence_no)
    harvest_catalogue(market, FOREIGN.encode(), stage.organisations["platform"], source="滁州")
    harvested = search_catalogue(market, filters={"kind": ["harvested"]})["items"][0]
    with market.read() as connection:
        invoice = queries.invoices_list(connection, licence_no=stage.licence_no).items[0]
    return {
        "home": "/",
        "documentation": "/docs",
        "catalogue": "/catalogue",
        "search": "/catalogue?text=示例&kind=dataset&sort=title",
        "nothing found": "/catalogue?text=旅客列车时刻",
        "dataset": f"/catalogue/{stage.datasets['prices']}",
        "product": f"/catalogue/{stage.product_id}",
        "free product": f"/catalogue/{stage.free_product_id}",
        "harvested": f"/catalogue/{harvested['entry_id']}",
        "open objection": f"/objections/{_objected(stage, 'employment')}",
        "decided objection": f"/objections/{_decided(stage, _objected(stage, 'weather'))}",
        "invoice": f"/v1/invoices/{invoice.invoice_id}/document?format=html",
        "certificate": f"/v1/licences/{stage.licence_no}/certificate?format=html",
    }


def _objected(stage: Stage, dataset: str) -> str:
    """Open a case on a dataset and return its id."""
    claim = {
        "subject_kind": "dataset",
        "subject": str(stage.datasets[dataset]),
        "ground": "quality",
        "fact": "虚构事实",
        "statement": "虚构异议",
        "evidence": [{"kind": "quality_report", "text": "虚构样本"}],
    }
    return str(stage.run("buyer", "open-objection", claim).result["objection_id"])


def _decided(stage: Stage, objection_id: str) -> str:
    """Take a case on the weather bureau's data to its relief; return its id."""
    shares = {"weather": 700_000, "operator": 300_000}
    decision = {
        "outcome": "reopen",
        "reason": "虚构:查明",
        "shares": [
            {"organisation_id": str(stage.organisations[name]), "share_ppm": share}
            for name, share in shares.items()
        ],
    }
    limit = stage.market.now_seconds() + 3 * MONTH_SECONDS
    for who, command, body in (
        ("nanjing-authority", "advance-objection", {"to": "accepted", "text": "虚构:受理"}),
        ("nanjing-authority", "suspend-objected", {"reason": "虚构:处理期间中止"}),
        ("weather", "advance-objection", {"to": "responded", "text": "虚构:答复"}),
        ("nanjing-authority", "advance-objection", {"to": "verified", "text": "虚构:核实"}),
        ("nanjing-authority", "decide-objection", decision),
        (
            "nanjing-authority",
            "notice-relief",
            {"route": "review", "limit_at": limit, "text": "虚构:救济途径"},
        ),
    ):
        stage.run(who, command, {"objection_id": objection_id, **body})
    return objection_id
