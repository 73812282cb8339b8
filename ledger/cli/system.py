"""`mdl init`, `mdl serve`, `mdl statement`, `mdl verify`, `mdl rebuild`, keys and commands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress

from ledger.app.commands import COMMANDS, prepare, run, spec_of, submit
from ledger.app.errors import TrialMarketError
from ledger.app.keys import issue_api_key
from ledger.app.meter_keys import issue_meter_key
from ledger.app.names import display_names
from ledger.app.organisations import open_region
from ledger.app.rebuilding import rebuild_projections
from ledger.app.signing import sign_message
from ledger.app.verifying import verify_market
from ledger.cli.audits import audit_progress, print_findings
from ledger.cli.shell import (
    AsOption,
    HomeOption,
    JsonOption,
    KeyOption,
    account,
    err,
    guarded,
    open_market,
    out,
    password,
    print_json,
    read_json,
    read_object,
    settings_of,
    show,
    show_done,
    table,
)
from ledger.cli.tables import print_statement
from ledger.domain.errors import MalformedValueError
from ledger.report.statements import market_statement

keys_app = typer.Typer(help="Keys of organisations (keystore v3), one file each.")
apikey_app = typer.Typer(help="API keys for programs.")


@guarded
def init(
    home: HomeOption = None,
    as_json: JsonOption = False,
    statutory: Annotated[
        bool, typer.Option("--statutory", help="The law's clocks on a local chain too; no trial.")
    ] = False,
) -> None:
    """Make a market: folders, local chain, contracts, database, cities, kinds, working days.

    On a local chain it is a trial (试运行): public notice takes no time, and says so.
    """
    with open_market(home, bootstrap=True, statutory=statutory) as market:
        is_trial = market.is_trial()
        if statutory and is_trial:
            raise TrialMarketError(
                f"{market.home} holds a trial market", field="statutory", got=str(market.home)
            )
        steps = open_region(market)
        addresses = market.deployment.addresses

        def render() -> None:
            title = f"Market in {market.home}" + ("  trial 试运行" if is_trial else "")
            out.print(table(title, ("contract", "address"), addresses.items()))

        answer = {"home": str(market.home), "addresses": addresses, "steps": len(steps)}
        show(answer | {"is_trial": is_trial}, as_json, render)


@guarded
def serve(
    home: HomeOption = None,
    port: Annotated[int | None, typer.Option(help="Port; else MDL_PORT, else 8350.")] = None,
) -> None:
    """Serve the API, the access gateway and the console until stopped."""
    import uvicorn

    from api.journal import configure
    from api.main import create_app

    configure()
    with open_market(home) as market:
        settings = market.settings
        address = port or settings.port
        out.print(f"http://{settings.host}:{address}/      console 控制台")
        out.print(f"http://{settings.host}:{address}/docs  API")
        uvicorn.run(create_app(market), host=settings.host, port=address, log_level="warning")


@guarded
def statement(
    home: HomeOption = None,
    as_json: JsonOption = False,
    file: Annotated[Path | None, typer.Option(help="Also write the JSON to this file.")] = None,
) -> None:
    """Who supplied, who used, who gets how many fen and why (对账单)."""
    with open_market(home) as market:
        names = display_names(market)
        with market.read() as connection:
            found = market_statement(connection, names)
    if file is not None:
        file.write_text(json.dumps(found, ensure_ascii=False, indent=1), "utf-8")
    show(found, as_json, lambda: print_statement(found))


@guarded
def verify(
    home: HomeOption = None,
    as_json: JsonOption = False,
    report: Annotated[Path | None, typer.Option(help="A statement's JSON to compare.")] = None,
    logs: Annotated[Path | None, typer.Option(help="Another folder of logs.")] = None,
) -> None:
    """Recompute everything from chain and log files with independent code (核验)."""
    with open_market(home) as market, audit_progress(as_json) as progress:
        compared = read_object(report) if report else None
        found = verify_market(market, logs=logs, report=compared, progress=progress)

    def render() -> None:
        out.print(table("Checked", ("what", "size"), found.checked.items()))
        print_findings(found)

    show(found.as_dict(), as_json, render)
    if not found.ok:
        raise typer.Exit(1)


@guarded
def rebuild(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Drop the projections, replay the chain's events, and compare the digests."""
    with open_market(home) as market, Progress(console=err, disable=as_json) as progress:
        progress.add_task("replaying", total=None)
        found = rebuild_projections(market)
    show(found, as_json, lambda: out.print_json(json.dumps(found)))
    if found["digest_before"] != found["digest_after"]:
        raise typer.Exit(1)


@guarded
def commands(as_json: JsonOption = False) -> None:
    """List the commands that `run` takes, with what each does."""
    found = [
        {
            "name": spec.name,
            "summary_en": spec.summary_en,
            "summary_zh": spec.summary_zh,
            "request": spec.request.model_json_schema(),
        }
        for spec in COMMANDS.values()
    ]
    rows = [(spec["name"], spec["summary_en"], spec["summary_zh"]) for spec in found]
    show(found, as_json, lambda: out.print(table("Commands", ("name", "what", "中文"), rows)))


@guarded
def run_command(
    name: Annotated[str, typer.Argument(help="One of `mdl commands`.")],
    file: Annotated[Path, typer.Argument(help="Body as JSON; - for standard input.")],
    key_name: AsOption,
    home: HomeOption = None,
    as_json: JsonOption = False,
    idempotency_key: KeyOption = None,
) -> None:
    """Carry out any command: sign it, relay it, wait until it is projected."""
    spec_of(name)
    with open_market(home) as market:
        done = run(
            market,
            account(market, key_name),
            name,
            read_json(file),
            idempotency_key=idempotency_key,
        )
    show_done(done, as_json)


@guarded
def prepare_command(
    name: Annotated[str, typer.Argument(help="One of `mdl commands`.")],
    file: Annotated[Path, typer.Argument(help="Body as JSON; - for standard input.")],
    signer: Annotated[str, typer.Option(help="Address of the account that will sign.")],
    home: HomeOption = None,
    as_json: JsonOption = True,
) -> None:
    """Print a command to be signed elsewhere; nothing is stored."""
    with open_market(home) as market:
        print_json(prepare(market, signer, name, read_json(file)))


@guarded
def sign(
    file: Annotated[Path, typer.Argument(help="What `prepare` or the API printed.")],
    key_name: AsOption,
    home: HomeOption = None,
    as_json: JsonOption = True,
) -> None:
    """Sign a prepared command's typed data; prints the body for POST /v1/commands."""
    document = read_object(file, "typed_data")
    with open_market(home) as market:
        signature = sign_message(account(market, key_name), document["typed_data"])
    print_json({"prepared": document, "signature": signature})


@guarded
def submit_command(
    file: Annotated[Path, typer.Argument(help="What `sign` printed.")],
    idempotency_key: Annotated[str, typer.Option(help="Made once per command.")],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Relay a signed command."""
    body = read_object(file, "prepared", "signature")
    with open_market(home) as market:
        done = submit(market, body["prepared"], body["signature"], idempotency_key)
    show_done(done, as_json)


@keys_app.command("create")
@guarded
def key_create(
    name: Annotated[str, typer.Argument(help="Lower-case letters, digits and hyphens.")],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a key; its keystore is readable by its owner only."""
    settings = settings_of(home)
    with open_market(home) as market:
        market.wallet.create(name, password(settings))
        address = market.wallet.names()[name]
    show({"name": name, "address": address}, as_json, lambda: out.print(f"{name}  {address}"))


@keys_app.command("list")
@guarded
def key_list(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """List the keystores on this machine."""
    with open_market(home) as market:
        names: dict[str, Any] = dict(market.wallet.names())
    show(names, as_json, lambda: out.print(table("Keys", ("name", "address"), names.items())))


@apikey_app.command("create")
@guarded
def apikey_create(
    key_name: AsOption,
    licence_no: Annotated[int, typer.Option(help="Licence to use; 0 for a key to read.")] = 0,
    meter_no: Annotated[int, typer.Option(help="Meter that sends; with --log-no.")] = 0,
    log_no: Annotated[int, typer.Option(help="Log of the meter, kept by the signer.")] = 0,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Issue an API key; it is shown once."""
    if bool(meter_no) != bool(log_no) or (meter_no and licence_no):
        raise MalformedValueError(
            "a meter's key needs --meter-no and --log-no, and no --licence-no",
            field="meter_no",
            got=meter_no,
        )
    with open_market(home) as market:
        signer = account(market, key_name)
        if meter_no:
            key = issue_meter_key(market, signer, meter_no, log_no)
        else:
            key = issue_api_key(market, signer, licence_no)
    show({"api_key": key}, as_json, lambda: out.print(key, highlight=False))
