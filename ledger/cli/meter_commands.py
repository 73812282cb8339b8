"""Commands on meters 计量点: the intake of a log, and sending a file to it."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich.progress import Progress

from ledger.app.errors import AppError
from ledger.app.keys import find_key
from ledger.app.meter_keys import KeyRing
from ledger.app.meter_sending import Body, Form, bodies_of
from ledger.app.metering import MeterIntake
from ledger.cli.shell import (
    HomeOption,
    JsonOption,
    err,
    guarded,
    open_market,
    out,
    show,
)

meter_app = typer.Typer(help="Meters 计量点: take in what they measured, send it.")

GRACE_SECONDS = 10
"""How long requests under way may take once the service is told to stop."""
_WAITS = (0.2, 0.5, 1.0, 2.0, 5.0)
_AGAIN = (408, 429, 500, 502, 503, 504)


class SendRefusedError(AppError):
    """The intake refused what was sent."""

    code = "meter.send_refused"


@meter_app.command("serve")
@guarded
def meter_serve(
    log_no: Annotated[int, typer.Option(help="The log that meters write to.")],
    port: Annotated[int, typer.Option(help="Port of this log's intake.")],
    home: HomeOption = None,
) -> None:
    """Take in what meters send to one log until stopped; one process for each log."""
    import uvicorn

    from api.journal import configure
    from api.metering import MeterService

    configure()
    with open_market(home) as market:
        host = market.settings.host
        intake = MeterIntake.of(market, log_no)
        keys = KeyRing(lambda key: find_key(market, key), log_no)
        out.print(f"http://{host}:{port}/v1/meters/<meter_no>/uses  log {log_no}", markup=False)
        uvicorn.run(
            MeterService(intake, keys),
            host=host,
            port=port,
            loop="uvloop",
            http="httptools",
            ws="none",
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )


@meter_app.command("send")
@guarded
def meter_send(
    file: Annotated[Path, typer.Argument(help="Parquet, Arrow IPC, or JSON lines.")],
    url: Annotated[str, typer.Option(help="Address of the log's intake, without a path.")],
    key: Annotated[str, typer.Option(envvar="MDL_METER_KEY", help="The meter's API key.")],
    batch: Annotated[int, typer.Option(min=1, max=10_000, help="Rows of a request.")] = 1_000,
    form: Annotated[Form, typer.Option(help="How rows are sent.")] = Form.BINARY,
    tries: Annotated[int, typer.Option(min=1, help="Tries of a request before giving up.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """Send a meter's file; what was sent before is passed over, so stop and begin again freely."""
    total = {"rows": 0, "count": 0, "repeated": 0, "size": 0}
    with (
        httpx.Client(base_url=url, headers={"X-Api-Key": key, "Accept-Language": "en"}) as client,
        Progress(console=err, disable=as_json) as progress,
        closing(bodies_of(file, batch, form)) as bodies,
    ):
        task = progress.add_task(file.name, total=None)
        for body in bodies:
            answer = _sent(client, body, form, tries)
            total["rows"] += body.count
            total["count"] += answer["count"]
            total["repeated"] += answer["repeated"]
            total["size"] = answer["size"]
            progress.update(task, advance=body.count)
    text = f"{total['count']} receipts, {total['repeated']} were there already"
    show(total, as_json, lambda: out.print(text, highlight=False))


def _sent(client: httpx.Client, body: Body, form: Form, tries: int) -> dict[str, Any]:
    """Return the answer to a body, sent again under the same numbers until there is one."""
    path = f"/v1/meters/{body.meter_no}/uses"
    parameters = {"first_seq": body.first_seq} if form == Form.BINARY else {}
    for attempt in range(tries):
        try:
            response = client.post(
                path,
                params=parameters,
                content=body.content,
                headers={"Content-Type": form.media_type},
            )
        except httpx.TransportError as error:
            problem = str(error)
        else:
            if response.status_code == 200:
                found: dict[str, Any] = response.json()
                return found
            problem = f"{response.status_code} {response.text[:2_000]}"
            if response.status_code not in _AGAIN:
                break
        if attempt + 1 < tries:
            time.sleep(_WAITS[min(attempt, len(_WAITS) - 1)])
    raise SendRefusedError(
        f"rows from number {body.first_seq} of meter {body.meter_no} were not taken: {problem}",
        field="first_seq",
        got=body.first_seq,
        expected="an answer 200",
    )
