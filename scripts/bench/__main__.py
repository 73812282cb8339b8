"""`python -m scripts.bench [chapter …]`: a table for people, one JSON array for programs."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from scripts.bench import command, gas, index, log, money
from scripts.bench.figures import Figure, print_json, say, show

CHAPTERS: dict[str, Callable[[], list[Figure]]] = {
    "money": money.measure,
    "log": log.measure,
    "gas": gas.measure,
    "command": command.measure,
    "index": index.measure,
}


def main() -> None:
    """Run the chapters that were named, or all."""
    parser = argparse.ArgumentParser(prog="python -m scripts.bench", description=__doc__)
    parser.add_argument("chapter", nargs="*", choices=[*CHAPTERS, []], metavar="chapter")
    chosen = parser.parse_args().chapter or list(CHAPTERS)
    figures: list[Figure] = []
    for name in chosen:
        say(f"{name} …")
        figures += CHAPTERS[name]()
    show(figures)
    print_json(figures)


main()
