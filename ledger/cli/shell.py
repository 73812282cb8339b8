"""What every command of the shell shares: the market, the key, the output, the errors.

Rules kept here:
1. With `--json`, standard output holds exactly one JSON document; everything else goes to stderr.
2. An error of the ledger is a readable panel with code, field, got and expected; never a traceback.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, ParamSpec, TypeVar

import structlog
import typer
from pydantic import SecretStr
from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from ledger.app.market import Market
from ledger.app.settings import Settings
from ledger.domain.errors import LedgerError, MalformedValueError

out = Console()
err = Console(stderr=True)

Params = ParamSpec("Params")
Value = TypeVar("Value")

AsOption = Annotated[str, typer.Option("--as", help="Name of the keystore that signs.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
HomeOption = Annotated[
    Path | None,
    typer.Option("--home", envvar="MDL_HOME", help="Folder of the market.", show_default=False),
]
KeyOption = Annotated[
    str | None,
    typer.Option("--idempotency-key", help="The same key gives the same answer, and acts once."),
]


def quiet_logs() -> None:
    """Let only warnings through, on standard error: a shell is for its reader."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def settings_of(home: Path | None) -> Settings:
    """Return the settings, with the home of the command line first."""
    return Settings(home=home) if home is not None else Settings()


def open_market(home: Path | None, *, bootstrap: bool = False) -> Market:
    """Open the market of a home."""
    return Market.open(settings_of(home), bootstrap=bootstrap)


def password(settings: Settings) -> str:
    """Return the keystores' password from the environment, or ask for it."""
    secret: SecretStr | None = settings.key_password
    if secret is not None:
        return secret.get_secret_value()
    return str(typer.prompt("Password of the keystore", hide_input=True, err=True))


def account(market: Market, name: str) -> Any:
    """Open the keystore of a name; `governance` is the market's own key."""
    if name == "governance":
        return market.governance
    return market.wallet.open(name, password(market.settings))


def read_json(path: Path) -> Any:
    """Return the content of a JSON file, `-` for standard input.

    Raises:
        MalformedValueError: it cannot be read, or is no JSON.
    """
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text("utf-8")
        return json.loads(text)
    except (OSError, ValueError) as error:
        raise MalformedValueError(
            f"{path} cannot be read as JSON: {error}", field="file", got=str(path), expected="JSON"
        ) from error


def print_json(value: Any) -> None:
    """Print one JSON document on standard output."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True) + "\n")


def show(value: Any, as_json: bool, render: Callable[[], None]) -> None:
    """Print a value as JSON, or let it be rendered for people."""
    if as_json:
        print_json(value)
    else:
        render()


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """Return a table; columns whose name ends in a unit or number are right-aligned."""
    made = Table(title=title, title_justify="left", header_style="bold")
    for column in columns:
        numeric = column.split()[-1] in ("fen", "yuan", "units", "rows", "no", "size", "gas")
        made.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        made.add_row(*(str(cell) for cell in row))
    return made


def show_done(done: Any, as_json: bool) -> None:
    """Print what a command has done."""
    facts = "  ".join(f"{key}={value}" for key, value in done.result.items())
    show(
        done.as_dict(),
        as_json,
        lambda: out.print(
            f"[green]done[/] {done.command}  block {done.block_number}  {facts}", highlight=False
        ),
    )


def guarded(command: Callable[Params, Value]) -> Callable[Params, Value]:
    """Turn an error of the ledger into an answer for people, or into JSON, and exit status 1."""

    @wraps(command)
    def call(*args: Params.args, **kwargs: Params.kwargs) -> Value:
        try:
            return command(*args, **kwargs)
        except LedgerError as error:
            if kwargs.get("as_json"):
                print_json({"error": error.as_dict()})
            else:
                show_error(error)
            raise typer.Exit(1) from error

    return call


def show_error(error: LedgerError) -> None:
    """Print an error as a panel: code, what is wrong, field, got, expected."""
    plain = error.as_dict()
    lines = [str(plain["detail"])]
    findings = plain.get("findings") or [plain]
    for finding in findings:
        if finding["field"] is not None:
            lines.append(f"field     {finding['field']}")
        if finding["got"] is not None:
            lines.append(f"got       {finding['got']}")
        if finding["expected"] is not None:
            lines.append(f"expected  {finding['expected']}")
    err.print(Panel("\n".join(lines), title=str(plain["code"]), border_style="red"), markup=False)
