"""Members of an organisation on a real chain: what each may sign, what takes two, who did what."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from api.main import create_app
from ledger.app import people
from ledger.app.access import administrator_at_hand
from ledger.app.actions import ActionsWanted, actions_found
from ledger.app.commands import prepare, run, submit
from ledger.app.keys import issue_api_key
from ledger.app.people import Person, add_member
from ledger.app.rebuilding import rebuild_projections
from ledger.app.verifying import verify_market
from ledger.chain.keys import KeyAccount, address_of, new_account
from ledger.domain.errors import LedgerError
from ledger.projection import queries
from ledger.projection.projector import projection_digest
from tests.integration.market_fixture import SmallMarket, opened_market

pytestmark = pytest.mark.integration
CLERK = Person(name="虚构张三", function="经办岗", contact="025-00000001")
SECRET = "unlocks one key"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallMarket]:
    with opened_market(tmp_path_factory.mktemp("members")) as market:
        yield market


@pytest.fixture(scope="module")
def client(small: SmallMarket) -> Iterator[TestClient]:
    with TestClient(create_app(small.market), raise_server_exceptions=False) as opened:
        yield opened


@pytest.fixture(scope="module")
def clerk(small: SmallMarket) -> tuple[UUID, KeyAccount]:
    """A clerk of the price authority who may approve no price; the key is kept here."""
    name, address = people.new_account_for(small.market, SECRET)
    member_id, done = add_member(
        small.market, small.members["nanjing"].account, CLERK, address, ["registrar"]
    )
    assert done is not None
    return member_id, small.market.wallet.open(name, SECRET)


def _refused(call: Any) -> str:
    with pytest.raises(LedgerError) as caught:
        call()
    return str(caught.value.code)


def _digest(small: SmallMarket) -> str:
    with small.market.read() as connection:
        return str(projection_digest(connection))


def _caps(small: SmallMarket) -> dict[str, Any]:
    bands = [{"up_to_units": None, "price_micro_yuan": 9_000_000}]
    return {"product_id": str(small.product_id), "caps": bands, "reason": "成本监审"}


def _key(small: SmallMarket, account: KeyAccount) -> dict[str, str]:
    return {"X-Api-Key": issue_api_key(small.market, account)}


def test_clerk__outside_the_bitmap__refused_and_nothing_changed(
    small: SmallMarket, clerk: tuple[UUID, KeyAccount]
) -> None:
    market, (_, account), before = small.market, clerk, _digest(small)
    other = {"signer": address_of(new_account()), "roles": ["buyer"]}
    for name, body, code in (
        ("approve-caps", _caps(small), "directory.signer_role_missing"),
        ("add-signer", other, "directory.not_administrator"),
        ("set-joint-acts", {"acts": []}, "directory.not_administrator"),
        ("add-signer", other | {"roles": []}, "domain.invalid"),
        ("add-signer", other | {"roles": ["emperor"]}, "domain.invalid"),
    ):
        assert _refused(lambda: run(market, account, name, body)) == code, name  # noqa: B023
    assert _digest(small) == before
    person = {"person": CLERK, "address": other["signer"], "roles": ["buyer"]}
    assert _refused(lambda: add_member(market, account, **person)) == "app.not_administrator"
    chief = small.members["nanjing"].account
    person["address"] = address_of(account)
    assert _refused(lambda: add_member(market, chief, **person)) == "projection.account_taken"


def test_administrator__itself__cannot_be_changed(small: SmallMarket) -> None:
    body = {"signer": address_of(small.members["nanjing"].account), "roles": ["registrar"]}
    assert (
        _refused(lambda: small.run("nanjing", "set-signer-roles", body)) == "directory.own_signer"
    )


def test_price__takes_two__prepared_by_the_clerk_approved_by_the_chief(
    small: SmallMarket, clerk: tuple[UUID, KeyAccount]
) -> None:
    market, (member_id, account) = small.market, clerk
    small.run("nanjing", "set-joint-acts", {"acts": ["price_approval"]})
    refused = _refused(lambda: small.run("nanjing", "approve-caps", _caps(small)))
    assert refused == "directory.second_signer_missing"
    work = {"command": "approve-caps", "body": _caps(small)}
    digest = run(market, account, "prepare-work", work).result["work_digest"]
    own = _refused(lambda: run(market, account, "perform-work", {"work_digest": digest}))
    assert own == "directory.signer_role_missing"
    done = small.run("nanjing", "perform-work", {"work_digest": digest})
    with market.read() as connection:
        caps = queries.caps_of(connection, small.product_id)
    assert [band.price_micro_yuan for band in caps] == [9_000_000]
    newest = actions_found(market, ActionsWanted(UUID(small.id_of("nanjing"))), names=True)[:2]
    assert [(row["function"], row["member_id"]) for row in newest] == [
        ("approveCaps", None),
        ("prepareWork", str(member_id)),
    ]
    assert newest[0]["tx_hash"] == done.tx_hash
    assert (newest[1]["member_name"], newest[1]["roles"]) == (CLERK.name, ["registrar"])


def test_work__over_http__signed_by_a_delegated_key(
    small: SmallMarket, client: TestClient, clerk: tuple[UUID, KeyAccount]
) -> None:
    market, (_, account) = small.market, clerk
    work = {"command": "approve-caps", "body": _caps(small)}
    prepared = prepare(market, address_of(account), "prepare-work", work)
    body = {"typed_data": prepared["typed_data"], "password": "wrong"}
    headers = _key(small, account)
    refused = client.post("/v1/delegated-signatures", json=body, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "app.key_not_unlocked")
    other = client.post(
        "/v1/delegated-signatures", json=body, headers=_key(small, small.members["buyer"].account)
    )
    assert other.json()["code"] == "app.key_not_unlocked"
    signed = client.post(
        "/v1/delegated-signatures", json=body | {"password": SECRET}, headers=headers
    ).json()
    altered = prepared | {"work": prepared["work"] | {"target": "0x" + "11" * 20}}
    bad = _refused(lambda: submit(market, altered, signed["signature"], "altered"))
    assert bad == "app.prepared_mismatch"
    answer = client.post(
        "/v1/commands",
        json={"prepared": prepared, "signature": signed["signature"]},
        headers={"Idempotency-Key": "work-1"},
    )
    assert answer.status_code == 200
    listed = client.get("/v1/works", headers=headers).json()
    assert answer.json()["result"]["work_digest"] in [row["work_digest"] for row in listed]
    assert listed[0]["command"] == "approve-caps"


def test_members__over_http__shown_to_administrators_and_regulators_only(
    small: SmallMarket, client: TestClient, clerk: tuple[UUID, KeyAccount]
) -> None:
    account_of = {name: member.account for name, member in small.members.items()}
    wanted = {"organisation_id": small.id_of("nanjing")}
    for account, status in (
        (account_of["nanjing"], 200),
        (account_of["regulator"], 200),
        (account_of["buyer"], 403),
        (clerk[1], 403),
    ):
        answer = client.get("/v1/members", params=wanted, headers=_key(small, account))
        assert answer.status_code == status
        assert answer.headers["Cache-Control"] == "no-store" or status == 403
    assert client.get("/v1/members").status_code == 401
    own = client.get("/v1/actions", headers=_key(small, clerk[1])).json()["items"]
    assert {row["organisation_id"] for row in own} == {small.id_of("nanjing")}
    assert {row["member_name"] for row in own} == {None}
    everybody = client.get("/v1/actions", headers=_key(small, account_of["regulator"])).json()
    assert len({row["organisation_id"] for row in everybody["items"]}) > 3


def test_use__receipt_record__names_the_account_of_the_key(
    small: SmallMarket, client: TestClient
) -> None:
    account = small.members["buyer"].account
    key = issue_api_key(small.market, account, small.licence_no)
    path = f"/v1/use/{small.product_id}/{small.datasets['weather']}"
    assert client.get(path, params={"limit": 1}, headers={"X-Api-Key": key}).status_code == 200
    records = b"".join(
        file.read_bytes() for file in (small.market.log_folder(1) / "uses").iterdir()
    )
    assert address_of(account).encode() in records


def test_member__leaves__key_ends_and_erasure_waits_for_the_law(
    small: SmallMarket, client: TestClient, clerk: tuple[UUID, KeyAccount]
) -> None:
    market, (member_id, account) = small.market, clerk
    chief, headers = small.members["nanjing"].account, _key(small, account)
    admin = administrator_at_hand(market, chief)
    work = {"command": "set-joint-acts", "body": {"acts": []}}
    digest = run(market, account, "prepare-work", work).result["work_digest"]
    small.run("nanjing", "perform-work", {"work_digest": digest})
    assert (
        _refused(lambda: people.erase_member(market, admin, member_id, "x")) == "app.member_state"
    )
    people.remove_member(market, chief, member_id)
    assert client.get("/v1/actions", headers=headers).status_code == 401
    kept = people.erase_member(market, admin, member_id, "request")
    assert kept["state"] == "restricted"
    shown = people.members_found(market, admin.organisation_id)[0]
    assert (shown["person"], shown["roles"], shown["state"]) == (None, [], "restricted")
    file = market.home / "secrets" / "members" / str(member_id)
    assert file.exists()
    gone = people.erase_member(market, admin, member_id, "request", kept["retain_until"])
    assert (gone["state"], file.exists()) == ("erased", False)
    acts = actions_found(market, ActionsWanted(member_id=member_id), names=True)
    assert {row["function"] for row in acts} == {"prepareWork"}
    assert {row["member_name"] for row in acts} == {None}
    assert CLERK.name.encode() not in b"".join(
        part.read_bytes() for part in market.home.rglob("*") if part.is_file()
    )


def test_member__that_never_acted__is_erased_at_once(small: SmallMarket) -> None:
    market, account = small.market, small.members["buyer"].account
    address = address_of(new_account())
    member_id, _ = add_member(market, account, CLERK, address, ["buyer", "administration"])
    admin = administrator_at_hand(market, account)
    assert people.members_found(market, admin.organisation_id)[0]["person"] == CLERK.model_dump()
    people.remove_member(market, account, member_id)
    assert people.erase_member(market, admin, member_id, "request")["state"] == "erased"
    assert people.members_found(market, admin.organisation_id)[0]["person"] is None
    again = _refused(lambda: people.erase_member(market, admin, member_id, "request"))
    assert again == "app.member_state"


def test_members__rebuilt_and_verified__nothing_differs(
    small: SmallMarket, clerk: tuple[UUID, KeyAccount]
) -> None:
    found = rebuild_projections(small.market)
    assert found["digest_before"] == found["digest_after"]
    assert verify_market(small.market).findings == []
