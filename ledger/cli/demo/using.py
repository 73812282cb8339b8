"""Step 5: the buyer's program calls the access gateway over HTTP; step 6: anchors."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from ledger.app.keys import issue_api_key
from ledger.app.log_keeping import anchor
from ledger.cli.demo.stage import Stage
from ledger.cli.demo.story import FIRST_ROWS, SECOND_ROWS
from ledger.domain.ids import digest_text

PAGE_ROWS = 500
_START_SECONDS = 20.0


@contextmanager
def served(stage: Stage) -> Iterator[str]:
    """Serve the market over HTTP in this process; yield the address."""
    # The web framework is loaded only where something is served: every other command starts faster.
    import uvicorn

    from api.main import create_app

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = uvicorn.Config(create_app(stage.market), port=port, log_level="warning")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        deadline = time.monotonic() + _START_SECONDS
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.02)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(timeout=_START_SECONDS)


def data_used(stage: Stage, url: str) -> None:
    """Step 5: rows page by page, every call a receipt; refusals have receipts too."""
    stage.step(5, "The buyer's program uses the data 使用, every call a receipt 计量凭证")
    buyer = stage.account("buyer")
    key = issue_api_key(stage.market, buyer, stage.licence_no)
    _over_quota(stage, url)
    with httpx.Client(base_url=url, headers={"X-Api-Key": key}, timeout=30) as client:
        calls = _fetch(stage, client, FIRST_ROWS // 2, ("weather", "airports", "employment"))
        _anchor(stage)
        calls += _fetch(stage, client, FIRST_ROWS - FIRST_ROWS // 2, ("airports", "weather"))
        stage.say(f"{FIRST_ROWS:,} rows in {calls} calls, each receipt durable before its answer")
        path = f"/v1/use/{stage.product_id}/{stage.datasets['airports']}"
        _refused(stage, client, path, {"mode": "download"})
        _refused(stage, client, path, {"purpose": "sector"})
    _late_use(stage, url)


def anchored(stage: Stage) -> None:
    """Step 6: the checkpoint is signed and its root anchored with a consistency proof."""
    stage.step(6, "Checkpoint 检查点 signed, root anchored 上链锚定 with a consistency proof")
    _anchor(stage)


def used_again(stage: Stage, url: str) -> None:
    """Two hundred and seventy-one rows more, for the second bill."""
    key = issue_api_key(stage.market, stage.account("buyer"), stage.licence_no)
    with httpx.Client(base_url=url, headers={"X-Api-Key": key}, timeout=30) as client:
        path = f"/v1/use/{stage.product_id}/{stage.datasets['weather']}"
        _fetch_once(client, path, SECOND_ROWS, 0)
    _anchor(stage)


def _fetch(stage: Stage, client: httpx.Client, rows: int, datasets: tuple[str, ...]) -> int:
    """Fetch exactly `rows` rows, wrapping around the datasets; return the number of calls."""
    calls, place, cursor = 0, 0, 0
    while rows:
        key = datasets[place % len(datasets)]
        path = f"/v1/use/{stage.product_id}/{stage.datasets[key]}"
        page = _fetch_once(client, path, min(PAGE_ROWS, rows), cursor)
        rows -= len(page["rows"])
        calls += 1
        cursor = page["next_cursor"] or 0
        place += cursor == 0
    return calls


def _fetch_once(client: httpx.Client, path: str, limit: int, cursor: int) -> dict[str, Any]:
    answer = client.get(path, params={"mode": "interface", "limit": limit, "cursor": cursor})
    answer.raise_for_status()
    page: dict[str, Any] = answer.json()
    return page


def _refused(stage: Stage, client: httpx.Client, path: str, params: dict[str, Any]) -> None:
    answer = client.get(path, params=params)
    problem = answer.json()
    stage.facts.setdefault("refusals", []).append(problem["code"])
    receipt = answer.headers.get("Mdl-Receipt-Index", "none")
    stage.say(f"HTTP {answer.status_code} [yellow]{problem['code']}[/]  receipt no {receipt}")


def _over_quota(stage: Stage, url: str) -> None:
    """More rows at once than the short licence's quota of 100."""
    key = issue_api_key(stage.market, stage.account("buyer"), stage.short_licence_no)
    path = f"/v1/use/{stage.product_id}/{stage.datasets['weather']}"
    with httpx.Client(base_url=url, headers={"X-Api-Key": key}, timeout=30) as client:
        _refused(stage, client, path, {"limit": 101})


def _late_use(stage: Stage, url: str) -> None:
    """Use of a licence that has expired, and of one that the operator suspended."""
    time.sleep(max(0.0, stage.facts["short_until"] - time.time()))
    key = issue_api_key(stage.market, stage.account("buyer"), stage.short_licence_no)
    path = f"/v1/use/{stage.product_id}/{stage.datasets['weather']}"
    with httpx.Client(base_url=url, headers={"X-Api-Key": key}, timeout=30) as client:
        _refused(stage, client, path, {"limit": 10})
    free_key = issue_api_key(stage.market, stage.account("institute"), stage.free_licence_no)
    free_path = f"/v1/use/{stage.free_product_id}/{stage.datasets['prices']}"
    with httpx.Client(base_url=url, headers={"X-Api-Key": free_key}, timeout=30) as client:
        rows = len(_fetch_once(client, free_path, 400, 0)["rows"])
        stage.say(f"public welfare: {rows} rows, metered and free of charge")
        state = {"licence_no": stage.free_licence_no, "reason": "核查"}
        stage.run("operator", "set-licence-state", state | {"state": "suspended"})
        _refused(stage, client, free_path, {"limit": 10})
        stage.run("operator", "set-licence-state", state | {"state": "active"})


def _anchor(stage: Stage) -> None:
    done = anchor(stage.market, stage.account("platform"), 1)
    if done is not None:
        head = stage.market.contracts.usage_log.head(1, block="latest")
        stage.facts["anchors"] = stage.facts.get("anchors", 0) + 1
        stage.say(
            f"anchored {head.size} receipts  root {digest_text(head.root)[:18]}…  "
            f"gas {done.gas_used:,}"
        )
