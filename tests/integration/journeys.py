"""Two ways into one market: the shell and HTTP. A journey is written once and walked both ways."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from fastapi.testclient import TestClient
from httpx import Response
from typer.testing import CliRunner, Result

from ledger.app.agreements import licence_no_of
from ledger.app.files import describe_file
from ledger.app.signing import sign_message
from ledger.chain.keys import address_of, new_account
from ledger.cli.main import app
from ledger.domain.ids import new_id
from tests.integration.market_fixture import (
    NANJING,
    TICKS,
    YEAR_SECONDS,
    Member,
    SmallMarket,
    record_of,
    table_file,
    uscc_of,
)

READS: dict[str, tuple[str, str]] = {
    "account": ("account {0} --json", "/v1/organisations/{0}/account"),
    "actions": (
        "actions --organisation {0} --as regulator --json",
        "/v1/actions?organisation_id={0}",
    ),
    "catalogue": ("catalogue search {0} --json", "/v1/catalogue/entries?text={0}"),
    "deviations": ("scheme deviations {0} --json", "/v1/deviations?city_code={0}"),
    "duties": ("duty list --json", "/v1/duties?limit=200"),
    "entry": ("catalogue show {0} --json", "/v1/catalogue/entries/{0}"),
    "explanation": ("explain {0} --json", "/v1/explanations/{0}"),
    "extent": ("catalogue extent --json", "/v1/catalogue/extent"),
    "invoice": ("invoice document {0} --format json", "/v1/invoices/{0}/document"),
    "licence": ("licence show {0} --json", "/v1/licences/{0}"),
    "objection": ("objection show {0} --json", "/v1/objections/{0}"),
    "overdue": ("objection list --overdue --json", "/v1/objections?overdue=true"),
    "reconciliation": ("reconcile --json", "/v1/reconciliation"),
    "statement": ("statement --json", "/v1/statement"),
    "tier": (
        "policy tier {0} --open-class conditional --mode {1} --purpose industry --json",
        "/v1/tier?city_code={0}&open_class=conditional&mode={1}&purpose=industry",
    ),
    "usage": ("log usage --by licence,month --json", "/v1/usage?by=licence,month"),
}
"""What is read, by the words of the shell and by the path of HTTP."""


class Way(Protocol):
    """How a journey's steps are taken."""

    name: str
    steps: int
    """Commands or requests since it was last set to 0."""

    def act(self, member: str, command: str, body: Any) -> dict[str, Any]:
        """Carry out a command as a member; return its result."""

    def refused(self, member: str, command: str, body: Any) -> set[str]:
        """Try a command that is refused; return the codes that say why."""

    def read(self, member: str, what: str, *words: object) -> Any:
        """Read something as a member."""

    def quote(self, product_id: str, units: int) -> dict[str, Any]:
        """Ask for a price."""

    def draft(self, body: dict[str, Any]) -> dict[str, Any]:
        """Draft an agreement as the buyer; the answer is an error's where it is refused."""

    def sign(self, member: str, draft: dict[str, Any]) -> dict[str, Any]:
        """Sign a drafted agreement."""

    def grant(self, draft: dict[str, Any], operator: Any, buyer: Any) -> int:
        """Take out the licence; return its number."""

    def verified(self, statement: dict[str, Any] | None = None) -> dict[str, Any]:
        """Verify the market, and a statement."""


def codes_in(error: dict[str, Any]) -> set[str]:
    """Return the code of an error and of all its findings."""
    return {error["code"], *(item["code"] for item in error.get("findings") or ())}


@dataclass
class Shell:
    """`mdl`, on the opened market."""

    small: SmallMarket
    name: str = "shell"
    steps: int = 0

    def act(self, member: str, command: str, body: Any) -> dict[str, Any]:
        found = self.json("run", command, self._file(body), "--as", member, "--json")
        return dict(found["result"])

    def refused(self, member: str, command: str, body: Any) -> set[str]:
        words = ("run", command, self._file(body), "--as", member, "--json")
        return codes_in(json.loads(self._call(*words, exits=1).stdout)["error"])

    def read(self, member: str, what: str, *words: object) -> Any:
        return self.json(*READS[what][0].format(*words).split())

    def quote(self, product_id: str, units: int) -> dict[str, Any]:
        return dict(self.json("licence", "quote", product_id, units, "--json"))

    def draft(self, body: dict[str, Any]) -> dict[str, Any]:
        result = self._call("licence", "draft", self._file(body), exits=None)
        return dict(json.loads(result.stdout))

    def sign(self, member: str, draft: dict[str, Any]) -> dict[str, Any]:
        return dict(self.json("licence", "sign", self._file(draft), "--as", member))

    def grant(self, draft: dict[str, Any], operator: Any, buyer: Any) -> int:
        files = [self._file(document) for document in (draft, operator, buyer)]
        done = self.json("licence", "grant", *files, "--as", "buyer", "--json")
        return int(done["result"]["licence_no"])

    def verified(self, statement: dict[str, Any] | None = None) -> dict[str, Any]:
        words = ["verify", "--json"]
        if statement is not None:
            words += ["--report", str(self._file(statement))]
        return dict(json.loads(self._call(*words, exits=None).stdout))

    def json(self, *words: object) -> Any:
        return json.loads(self._call(*words, exits=0).stdout)

    def _call(self, *words: object, exits: int | None) -> Result:
        self.steps += 1
        result = CliRunner().invoke(app, [str(word) for word in words])
        assert exits is None or result.exit_code == exits, result.output
        return result

    def _file(self, content: Any) -> Path:
        path = self.small.folder / f"{new_id()}.json"
        path.write_text(json.dumps(content), "utf-8")
        return path


@dataclass
class Http:
    """The API: prepared there, signed here, submitted."""

    small: SmallMarket
    client: TestClient
    name: str = "http"
    steps: int = 0
    keys: dict[str, str] = field(default_factory=dict)
    receipts: int = 0
    """How many receipts the log has after what this way used."""

    def act(self, member: str, command: str, body: Any) -> dict[str, Any]:
        answer = self._command(member, command, body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json()["result"])

    def refused(self, member: str, command: str, body: Any) -> set[str]:
        answer = self._command(member, command, body)
        assert 400 <= answer.status_code < 500, answer.text
        return codes_in(answer.json())

    def read(self, member: str, what: str, *words: object) -> Any:
        answer = self.get(member, READS[what][1].format(*words))
        assert answer.status_code == 200, answer.text
        return answer.json()

    def quote(self, product_id: str, units: int) -> dict[str, Any]:
        body = {"product_id": product_id, "purpose": "industry", "units": units}
        return dict(self._post("/v1/quotes", body).json())

    def draft(self, body: dict[str, Any]) -> dict[str, Any]:
        found = dict(self._post("/v1/agreements", body, self.headers("buyer")).json())
        return found if "agreement" in found else {"error": found}

    def sign(self, member: str, draft: dict[str, Any]) -> dict[str, Any]:
        account = self.small.members[member].account
        signature = sign_message(account, draft["typed_data"])
        return {"signer": address_of(account), "signature": signature}

    def grant(self, draft: dict[str, Any], operator: Any, buyer: Any) -> int:
        agreement = draft["agreement"]
        body = {"agreement": agreement, "operator": operator, "buyer": buyer}
        self.act("buyer", "grant-licence", body)
        return licence_no_of(self.small.market, UUID(agreement["agreement_id"]))

    def verified(self, statement: dict[str, Any] | None = None) -> dict[str, Any]:
        headers = self.headers("regulator")
        return dict(self._post("/v1/verifications", statement, headers).json())

    def get(self, member: str, path: str) -> Response:
        """Get a path with a member's key to read."""
        self.steps += 1
        return self.client.get(path, headers=self.headers(member))

    def headers(self, member: str) -> dict[str, str]:
        """Return the header with a member's key to read, asked for with a signature."""
        if member not in self.keys:
            message = self.client.get("/v1/api-keys/typed-data").json()
            signature = sign_message(self.small.members[member].account, message)
            issued_at = message["message"]["issuedAt"]
            body = {"licence_no": 0, "issued_at": issued_at, "signature": signature}
            self.keys[member] = self.client.post("/v1/api-keys", json=body).json()["api_key"]
        return {"X-Api-Key": self.keys[member]}

    def _command(self, member: str, command: str, body: Any) -> Response:
        account = self.small.members[member].account
        prepared = self._post(f"/v1/prepare/{command}?signer={address_of(account)}", body)
        if prepared.status_code != 200:
            return prepared
        document = prepared.json()
        signed = {
            "prepared": document,
            "signature": sign_message(account, document["typed_data"]),
        }
        return self._post("/v1/commands", signed, {"Idempotency-Key": str(new_id())})

    def _post(self, path: str, body: Any, headers: dict[str, str] | None = None) -> Response:
        self.steps += 1
        return self.client.post(path, json=body, headers=headers)


def admission(small: SmallMarket, name: str, number: int, kind: str) -> dict[str, Any]:
    """Return the admission of a new member, whose key is made here."""
    account = new_account()
    small.members[name] = Member(new_id(), account, NANJING)
    return {
        "organisation_id": small.id_of(name),
        "kind": kind,
        "level": "city",
        "city_code": NANJING,
        "name_zh": f"虚构{name}",
        "name_en": f"Invented {name}",
        "uscc": uscc_of(number),
        "signer": address_of(account),
        "is_invented": True,
    }


def registration(small: SmallMarket, name: str, **changes: Any) -> dict[str, Any]:
    """Return the evidence of a dataset of its own content."""
    path = table_file(small.folder, name, 300)
    return {
        "dataset_id": str(new_id()),
        "metadata": record_of(name, "administrative", uscc_of(50), NANJING, **changes),
        "version": describe_file(path).as_version(),
    }


def coded(way: Way, provider: str, name: str, small: SmallMarket, **changes: Any) -> str:
    """Register a dataset all the way; return its id."""
    dataset_id = way.act(provider, "register-dataset", registration(small, name, **changes))
    key = {"dataset_id": dataset_id["dataset_id"], "reason": "材料齐全"}
    way.act(provider, "advance-registration", key | {"to": "applied"})
    for step in ("accepted", "reviewed", "public_notice", "coded"):
        way.act("nanjing", "advance-registration", key | {"to": step})
    return str(key["dataset_id"])


def listing(dataset_id: str, *modes: str) -> dict[str, Any]:
    """Return a product over one dataset."""
    return {
        "product_id": str(new_id()),
        "city_code": NANJING,
        "modes": list(modes),
        "title_zh": "虚构产品",
        "title_en": "Invented product",
        "summary_zh": "虚构",
        "summary_en": "Invented",
        "lineage": [{"claimant_id": dataset_id, "kind": "dataset", "weight_ppm": 1_000_000}],
    }


def particulars(small: SmallMarket, product_id: str, **changes: Any) -> dict[str, Any]:
    """Return what a buyer says for a licence."""
    now = small.market.now_seconds()
    return {
        "product_id": product_id,
        "buyer_id": small.id_of("buyer"),
        "purpose": "industry",
        "modes": ["interface"],
        "valid_from": now - 60,
        "valid_until": now + YEAR_SECONDS,
        "quota_units": 2_000,
        "disclaimers_ticked": TICKS,
    } | changes


def licensed(way: Way, small: SmallMarket, product_id: str, **changes: Any) -> int:
    """Draft, sign by both sides, grant."""
    draft = way.draft(particulars(small, product_id, **changes))
    return way.grant(draft, way.sign("operator", draft), way.sign("buyer", draft))
