"""`python -m scripts.bench [chapter …]`: a table for people, one JSON array for programs."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from scripts.bench import catalogue, command, gas, index, log, money
from scripts.bench.figures import Figure, print_json, say, show
from scripts.bench.log import Options

CHAPTERS: dict[str, Callable[[Options], list[Figure]]] = {
    "money": lambda options: money.measure(),
    "log": lambda options: log.measure(options),
    "gas": lambda options: gas.measure(),
    "command": lambda options: command.measure(),
    "catalogue": lambda options: catalogue.measure(),
    "index": lambda options: index.measure(),
}


def main() -> None:
    """Run the chapters that were named, or all."""
    parser = argparse.ArgumentParser(prog="python -m scripts.bench", description=__doc__)
    parser.add_argument("chapter", nargs="*", choices=[*CHAPTERS, []], metavar="chapter")
    parser.add_argument("--receipts", type=int, default=log.RECEIPTS, help="of the log chapter")
    parser.add_argument("--folder", type=Path, help="where the log chapter writes")
    parser.add_argument("--fallback", action="store_true", help="all receipts by hashlib, too")
    given = parser.parse_args()
    options = Options(given.receipts, given.folder, given.fallback)
    chosen = given.chapter or list(CHAPTERS)
    figures: list[Figure] = []
    for name in chosen:
        say(f"{name} …")
        figures += CHAPTERS[name](options)
    show(figures)
    print_json(figures)


main()
