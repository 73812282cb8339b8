"""The close of a month: what a market of 573 products and 2,000 buyers used is billed on chain.

Measured, for every licence: its latest receipt and what it used since its last bill, the inclusion
proof, the price, the document, the signed invoice on chain with its checks, and the projection. Not
measured: making the market, and bringing the meter's file into the log.
"""

from __future__ import annotations

import resource
import tempfile
import time
from pathlib import Path

from ledger.app.settings import Settings
from ledger.cli.demo.year.command import opened_year
from ledger.cli.demo.year.months import Months, billed, used
from ledger.cli.demo.year.world import NANJING, WUHU, YANGZHOU, Scale
from scripts.bench.figures import Figure, less, say, seconds_of

SCALE = Scale(
    name="month close",
    cities=(NANJING, YANGZHOU, WUHU),
    datasets=60,
    products=573,
    sources=3,
    buyers=2_000,
    licences=2_000,
    receipts=5,
    rows=26_800_000_000,
    calls=210_000_000,
    minutes=1,
)


def measure(scale: Scale = SCALE) -> list[Figure]:
    """Return how long the close of a month takes, and the largest memory of the service."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        settings = Settings(home=home, rpc_url="", database_url="", keystore_scrypt_n=2)
        stage = opened_year(home, settings, scale)
        with stage.market:
            stage.at(2, 1)
            months = Months(stage)
            receipts = used(months, 1)
            say(f"{receipts:,} receipts of {len(stage.licences):,} licences; closing the month")
            bills: list[object] = []
            began = time.process_time()
            seconds = seconds_of(lambda: bills.extend(billed(months)))
            say(
                f"{seconds:.1f} s, of which this process computed {time.process_time() - began:.1f}"
            )
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    note = (
        f"{scale.products} products, {scale.buyers:,} buyers, {len(stage.licences):,} licences, "
        f"{receipts:,} receipts, {len(bills):,} bills above zero"
    )
    return [
        less("money.month_close_seconds", [seconds], "s", note=note),
        less("money.peak_mib", [peak], "MiB", note=note),
    ]
