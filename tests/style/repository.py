"""What the style tests look at: the repository's own files, read once.

`STYLE_ROOT` is a plain constant so that a rule can be tried on a copy of the repository.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

STYLE_ROOT = Path(__file__).resolve().parents[2]
LAYERS = (
    "domain",
    "codec",
    "revenue",
    "log",
    "quality",
    "chain",
    "indexer",
    "projection",
    "verification",
    "report",
    "app",
    "cli",
)
_TOP = ("contracts", "ledger", "api", "scripts", "tests", ".ci")
_LOOSE = (
    "Makefile",
    "README.md",
    "CHANGELOG.md",
    "pyproject.toml",
    "hardhat.config.js",
    "package.json",
    ".npmrc",
    ".gitignore",
)
_TEXT = {".py", ".sol", ".js", ".mjs", ".json", ".md", ".toml", ".sh", ".html", ".css", ".mako", ""}


@dataclass(frozen=True, slots=True)
class Source:
    """One Python file: its path from the root, its layer, its text and its tree."""

    path: str
    layer: str
    text: str
    tree: ast.Module


@cache
def sources() -> tuple[Source, ...]:
    """Return the product's Python files: `ledger`, `api` and `scripts`."""
    found = []
    for top in ("ledger", "api", "scripts"):
        for file in sorted((STYLE_ROOT / top).rglob("*.py")):
            path = file.relative_to(STYLE_ROOT)
            text = file.read_text("utf-8")
            found.append(Source(path.as_posix(), _layer(path), text, ast.parse(text)))
    return tuple(found)


def layer(*names: str) -> list[Source]:
    """Return the files of some layers."""
    return [source for source in sources() if source.layer in names]


@cache
def texts() -> dict[str, str]:
    """Return every text file of the repository by its path; what is built or installed is not."""
    files = [STYLE_ROOT / name for name in _LOOSE]
    for top in _TOP:
        files += [file for file in (STYLE_ROOT / top).rglob("*") if file.suffix in _TEXT]
    return {
        file.relative_to(STYLE_ROOT).as_posix(): file.read_text("utf-8")
        for file in sorted(files)
        if file.is_file() and "__pycache__" not in file.parts
    }


def _layer(path: Path) -> str:
    if path.parts[0] != "ledger":
        return path.parts[0]
    return path.parts[1] if len(path.parts) > 2 else "ledger"
