"""Licences from a shell: negotiation, application, supplement, certificate, end."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ledger.cli.main import app
from tests.integration.licence_story import offer_terms
from tests.integration.market_fixture import (
    TICKS,
    YEAR_SECONDS,
    SmallMarket,
    grant,
    open_shell,
    opened_market,
)

pytestmark = pytest.mark.integration
Shell = Callable[..., Any]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallMarket]:
    with opened_market(tmp_path_factory.mktemp("shell")) as market:
        yield market


@pytest.fixture
def mdl(small: SmallMarket, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """The shell on the opened market; returns the JSON document, checks the exit status."""
    open_shell(small, monkeypatch)

    def call(*words: object, fails: bool = False) -> Any:
        result = CliRunner().invoke(app, [str(word) for word in words])
        assert result.exit_code == int(fails), result.output
        return json.loads(result.stdout) if "--json" in words else result.stdout

    return call


def _file(small: SmallMarket, name: str, content: Any) -> Path:
    path = small.folder / name
    path.write_text(json.dumps(content), "utf-8")
    return path


def test_shell__negotiation__from_offer_to_licence(small: SmallMarket, mdl: Shell) -> None:
    offer = {
        "product_id": str(small.product_id),
        "terms": offer_terms(small),
        "disclaimers_ticked": TICKS,
    }
    made = mdl("negotiate", "offer", _file(small, "o.json", offer), "--as", "buyer", "--json")
    thread = made["result"]["thread_id"]
    counter = {"thread_id": thread, "terms": offer_terms(small, quota_units=900)}
    mdl("negotiate", "offer", _file(small, "c.json", counter), "--as", "operator")
    missing = mdl("negotiate", "accept", thread, "--as", "buyer", "--json", fails=True)
    assert {item["code"] for item in missing["error"]["findings"]} == {
        "terms.disclaimer_not_ticked"
    }
    ticks = [word for key in TICKS for word in ("--tick", key)]
    mdl("negotiate", "accept", thread, "--as", "buyer", *ticks)
    mdl("negotiate", "agree", thread, "--as", "operator")
    shown = mdl("negotiate", "show", thread, "--json")
    draft = _file(small, "draft.json", shown["draft"])
    signed = [
        _file(small, f"{side}.json", json.loads(mdl("licence", "sign", draft, "--as", side)))
        for side in ("operator", "buyer")
    ]
    granted = mdl("licence", "grant", draft, *signed, "--as", "buyer", "--json")
    licence_no = granted["result"]["licence_no"]
    mdl("negotiate", "finalize", thread, licence_no, "--as", "buyer")
    rows = {row["thread_id"]: row for row in mdl("negotiate", "list", "--json")}
    assert rows[thread]["state"] == "finalized"
    assert "finalized" in mdl("negotiate", "show", thread)


def test_shell__negotiation__broken_off(small: SmallMarket, mdl: Shell) -> None:
    offer = {
        "product_id": str(small.product_id),
        "terms": offer_terms(small),
        "disclaimers_ticked": TICKS,
    }
    made = mdl("negotiate", "offer", _file(small, "o.json", offer), "--as", "buyer", "--json")
    thread = made["result"]["thread_id"]
    mdl("negotiate", "end", thread, "另行安排", "--as", "operator")
    refused = mdl("negotiate", "agree", thread, "--as", "operator", "--json", fails=True)
    assert refused["error"]["code"] == "dealing.out_of_turn"


def test_shell__application__required_submitted_decided(small: SmallMarket, mdl: Shell) -> None:
    dataset = small.datasets["labour"]
    mdl("application", "require", dataset, "附条件开放", "--as", "labour")
    form = {
        "dataset_id": str(dataset),
        "purpose": "industry",
        "modes": ["interface"],
        "purpose_statement": "就业分析",
        "scenario": "区域报告",
        "security_commitment": "不留存",
    }
    path = _file(small, "form.json", form)
    ids = [
        mdl("application", "submit", path, "--as", "buyer", "--json")["result"]["application_id"]
        for _ in range(2)
    ]
    until = small.market.now_seconds() + 2 * YEAR_SECONDS
    mdl("application", "decide", ids[0], "同意", "--until", until, "--as", "labour")
    mdl("application", "withdraw", ids[1], "--as", "buyer")
    states = {row["application_id"]: row["state"] for row in mdl("application", "list", "--json")}
    assert (states[ids[0]], states[ids[1]]) == ("approved", "withdrawn")
    assert "同意" in mdl("application", "show", ids[0])
    mdl("application", "require", dataset, "放开", "--lift", "--as", "labour")


def test_shell__supplement_certificate_end__walked(small: SmallMarket, mdl: Shell) -> None:
    number = grant(small)
    until = small.market.now_seconds() + 2 * YEAR_SECONDS
    draft = _file(small, "s.json", json.loads(mdl("licence", "renew", number, until)))
    signed = [
        _file(
            small,
            f"{side}.json",
            json.loads(mdl("licence", "sign-supplement", draft, "--as", side)),
        )
        for side in ("operator", "buyer")
    ]
    mdl("licence", "amend", draft, *signed, "--as", "buyer")
    body = {"licence_no": number, "platform_liability_ppm": 1}
    low = mdl("licence", "supplement", _file(small, "l.json", body), "--json", fails=True)
    assert low["error"]["code"] == "terms.liability_below_floor"
    assert len(mdl("licence", "terms", number, "--json")["documents"]) == 2
    made = json.loads(mdl("licence", "certificate", number, "--as", "operator"))
    path = _file(small, "certificate.json", made)
    assert mdl("licence", "check", path, "--json")["ok"] is True
    mdl("licence", "refunds", number, "--preview")
    mdl("licence", "end", number, "业务调整", "--as", "buyer")
    assert mdl("licence", "refunds", number, "--json")["is_settled"] is True
    found = mdl("licence", "check", path, "--json", fails=True)["findings"]
    assert [item["code"] for item in found] == ["verify.certificate_not_active"]


def test_shell__offer_and_standard_terms__need_no_key(small: SmallMarket, mdl: Shell) -> None:
    assert json.loads(mdl("licence", "offer", small.product_id))["@type"] == "Offer"
    assert "免责条款" in mdl("licence", "standard-terms")
