"""`mdl demo`: the whole journey on real parts, in a home of its own."""

from __future__ import annotations

import shutil
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from ledger.app.market import Market
from ledger.app.settings import Settings
from ledger.cli.demo import opening, settling, using
from ledger.cli.demo.stage import Stage
from ledger.cli.demo.year.command import run_year
from ledger.cli.shell import JsonOption, guarded, out
from ledger.domain.errors import MalformedValueError

MARK = "demonstration"
KEYSTORE_SCRYPT_N = 2**14
"""Work factor of the demonstration's keystores: their keys sign nothing of value."""


@guarded
def demo(
    home: Annotated[Path, typer.Option(help="Folder, emptied first.")] = Path(".demo"),
    serve: Annotated[
        bool | None, typer.Option("--serve/--no-serve", help="Keep the pages open at the end.")
    ] = None,
    year: Annotated[
        bool, typer.Option("--year", help="Play a whole year instead, to its close and beyond.")
    ] = False,
    scale: Annotated[str, typer.Option(help="Size of the year: small or article.")] = "small",
    as_json: JsonOption = False,
) -> None:
    """Run the whole journey on real files, with invented organisations (演示)."""
    if year:
        _empty(home)
        run_year(home, _settings(home), scale, as_json)
        return
    keep_serving = sys.stdout.isatty() if serve is None else serve
    run_demo(home, keep_serving)


def run_demo(home: Path, keep_serving: bool) -> Stage:
    """Run the journey and return its stage; the home holds everything that it made."""
    _empty(home)
    settings = _settings(home)
    started = time.monotonic()
    with Market.open(settings, bootstrap=True) as market:
        stage = Stage(market, started=started)
        opening.organisations_join(stage)
        opening.data_registered(stage)
        opening.products_listed(stage)
        opening.licence_granted(stage)
        with using.served(stage) as url:
            using.data_used(stage, url)
            using.anchored(stage)
            settling.billed_and_paid(stage, url)
            settling.verified(stage)
            settling.shown(stage)
            _addresses(settings, url, keep_serving)
            with suppress(KeyboardInterrupt):
                while keep_serving:
                    time.sleep(3600)
    return stage


def _settings(home: Path) -> Settings:
    """Return settings of a market of its own, whatever the environment says of another."""
    return Settings(home=home, rpc_url="", database_url="", keystore_scrypt_n=KEYSTORE_SCRYPT_N)


def _addresses(settings: Settings, url: str, keep_serving: bool) -> None:
    """Print where the pages and the API's documentation are, now or when served again."""
    ending = "Ctrl-C ends."
    if not keep_serving:
        ending = f"They are up again with `mdl serve --home {settings.home}`."
        url = f"http://{settings.host}:{settings.port}"
    out.print(
        f"\nconsole 控制台, with the same figures  {url}/\n"
        f"documentation of the API 接口文档      {url}/docs\n{ending}",
        highlight=False,
    )


def _empty(home: Path) -> None:
    """Empty the folder, only when it is a demonstration's."""
    if home.exists() and any(home.iterdir()) and not (home / MARK).exists():
        raise MalformedValueError(
            f"{home} is not the home of a demonstration; it is left as it is",
            field="home",
            got=str(home),
            expected="an empty folder, or one that `mdl demo` made",
        )
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    (home / MARK).touch()
