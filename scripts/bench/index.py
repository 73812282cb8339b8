"""The indexer: how fast a chain's history becomes tables."""

from __future__ import annotations

import tempfile
from pathlib import Path

from ledger.app.commands import COMMANDS, parse_request
from ledger.chain.keys import address_of
from ledger.domain.ids import new_id
from ledger.indexer.indexer import Indexer
from ledger.projection.database import migrate, open_engine
from scripts.bench.figures import Figure, more
from scripts.bench.market import Bench, opened, registration, version

DATASETS = 1_200
VERSIONS = 2
RUNS = 3


def measure(datasets: int = DATASETS, runs: int = RUNS) -> list[Figure]:
    """Return the figures of the chapter: replayed from the local chain into a new SQLite file."""
    with opened() as bench:
        _fill(bench, datasets)
        rates, events = [], 0
        for _ in range(runs):
            rate, events = _replay(bench)
            rates.append(rate)
    return [more("indexer.events_per_s", rates, "events/s", note=f"{events:,} events")]


def _fill(bench: Bench, datasets: int) -> None:
    """Register many datasets by the provider's own transactions, one block each."""
    contract = bench.market.contracts.datasets
    sender = address_of(bench.keys["provider"])
    for _ in range(datasets):
        body = registration(new_id())
        bodies = [("register-dataset", body)]
        later = {"dataset_id": body["dataset_id"]}
        bodies += [("add-version", later | {"version": version()}) for _ in range(VERSIONS)]
        for name, request in bodies:
            spec = COMMANDS[name]
            planned = spec.plan(bench.market, bench.ids["provider"], parse_request(spec, request))
            bench.send(sender, contract.address, contract.encode(planned.function, *planned.args))


def _replay(bench: Bench) -> tuple[float, int]:
    market = bench.market
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(f"sqlite:///{Path(folder) / 'replay.sqlite'}")
        migrate(engine)
        followed = {address: c.name for address, c in market.contracts.indexed.items()}
        first = market.deployment.first_block
        report = Indexer(market.chain, followed, engine, first_block=first).catch_up()
        engine.dispose()
    return report.events / report.seconds, report.events
