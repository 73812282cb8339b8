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
from pydantic import SecretStr, ValidationError
from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ledger.app.commands import run
from ledger.app.market import Market
from ledger.app.settings import Settings
from ledger.domain.errors import LedgerError, MalformedValueError
from ledger.domain.ids import parse_id
from ledger.domain.nesting import check_nesting
from ledger.domain.units import UINT64_MAX, yuan_text, yuan_text_unit

out = Console()
err = Console(stderr=True)

NUMERIC = {"fen", "µfen", "yuan", "units", "rows", "no", "size", "gas", "seconds"} | {
    "receipts",
    "licences",
    "records",
    "refusals",
    "erased",
    "anchors",
    "%",
}
"""Last words of the headings under which numbers stand."""

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
    """Return the settings, with the home of the command line first.

    Raises:
        MalformedValueError: a variable of the environment has no valid value.
    """
    try:
        return Settings(home=home) if home is not None else Settings()
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = "MDL_" + "_".join(str(part) for part in first["loc"]).upper()
        raise MalformedValueError(
            f"{name}: {first['msg']}", field=name, got=str(first["input"]), expected=first["msg"]
        ) from error


def open_market(home: Path | None, *, bootstrap: bool = False, statutory: bool = False) -> Market:
    """Open the market of a home."""
    return Market.open(settings_of(home), bootstrap=bootstrap, statutory=statutory)


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
        check_nesting(text)
        return json.loads(text)
    except (OSError, ValueError) as error:
        raise MalformedValueError(
            f"{path} cannot be read as JSON: {error}", field="file", got=str(path), expected="JSON"
        ) from error


def read_object(path: Path, *members: str) -> dict[str, Any]:
    """Return the JSON object of a file; each named member is an object or text.

    Raises:
        MalformedValueError: it cannot be read, or is another kind of document.
    """
    found = read_json(path)
    for member in members:
        if not isinstance(found, dict) or not isinstance(found.get(member), dict | str):
            raise MalformedValueError(
                f"{path} holds no {member}", field=member, got=str(path), expected=list(members)
            )
    if not isinstance(found, dict):
        raise MalformedValueError(f"{path} holds no JSON object", field="file", got=str(path))
    return found


def find(rows: Iterable[dict[str, Any]], key: str, wanted: str) -> dict[str, Any]:
    """Return the row of an id.

    Raises:
        MalformedValueError: it is no id, or no row has it.
    """
    text = str(parse_id(wanted, key))
    for row in rows:
        if row[key] == text:
            return row
    raise MalformedValueError(f"nothing here has {key} {text}", field=key, got=text)


def print_json(value: Any) -> None:
    """Print one JSON document on standard output."""
    text = json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True)
    # Half a character has no UTF-8; written as an escape it stays the same JSON text.
    sys.stdout.write(text.encode("utf-8", "backslashreplace").decode() + "\n")


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
        numeric = bool(NUMERIC & set(column.split()))
        made.add_column(
            column, justify="right" if numeric else "left", overflow="fold", no_wrap=numeric
        )
    for row in rows:
        made.add_row(*(escape(str(cell)) for cell in row))
    return made


def pairs(title: str, members: dict[str, Any]) -> Table:
    """Return the members of an answer as a table of two columns."""
    return table(title, ("what", "value"), [(key, cell(key, members[key])) for key in members])


def cell(name: str, value: object) -> str:
    """Return a member of an answer as people read it: amounts in yuan, no limit in words."""
    if isinstance(value, list):
        return ", ".join(cell(name, item) for item in value)
    if isinstance(value, int) and name.endswith("_fen") and not name.endswith("_micro_fen"):
        return f"{yuan_text(value)} yuan"
    if isinstance(value, int) and name.endswith("_micro_yuan"):
        return f"{yuan_text_unit(value)} yuan"
    if name.endswith("_units") and str(value) == str(UINT64_MAX):
        return "no limit 不限"
    return str(value)


def show_done(done: Any, as_json: bool) -> None:
    """Print what a command has done."""
    facts = "  ".join(f"{key}={value}" for key, value in done.result.items())
    show(
        done.as_dict(),
        as_json,
        lambda: out.print(
            f"[green]done[/] {done.command}  block {done.block_number}  {escape(facts)}",
            highlight=False,
        ),
    )


def carry_out(
    home: Path | None,
    key_name: str,
    name: str,
    body: Any,
    as_json: bool,
    idempotency_key: str | None = None,
) -> None:
    """Carry out one command as the holder of a key and show its answer.

    Raises:
        LedgerError: as `app.commands.run`.
    """
    with open_market(home) as market:
        done = run(market, account(market, key_name), name, body, idempotency_key=idempotency_key)
    show_done(done, as_json)


def guarded(command: Callable[Params, Value]) -> Callable[Params, Value]:
    """Turn an error of the ledger into an answer for people, or into JSON, and exit status 1."""

    @wraps(command)
    def call(*args: Params.args, **kwargs: Params.kwargs) -> Value:
        try:
            return command(*args, **kwargs)
        except LedgerError as error:
            _answer(error, as_json=bool(kwargs.get("as_json")))
            raise typer.Exit(1) from error
        except OSError as error:
            _answer(_file_error(error), as_json=bool(kwargs.get("as_json")))
            raise typer.Exit(1) from error

    return call


def _answer(error: LedgerError, *, as_json: bool) -> None:
    if as_json:
        print_json({"error": error.as_dict()})
    else:
        show_error(error)


def _file_error(error: OSError) -> LedgerError:
    return MalformedValueError(
        f"{error.strerror or error}: {error.filename}", field="file", got=error.filename
    )


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
    err.print(Panel(Text("\n".join(lines)), title=str(plain["code"]), border_style="red"))
