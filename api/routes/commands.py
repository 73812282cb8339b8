"""Commands: prepared here, signed by the organisation, submitted with an idempotency key."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query

from api.deps import IdempotencyKey, MarketDep, Reader
from ledger.app.agreements import AgreementDraft, QuoteRequest, draft_agreement, quote
from ledger.app.commands import COMMANDS, CommandSpec, prepare, submit
from ledger.app.fields import AddressField, Part, Text
from ledger.app.keys import api_key_typed_data, issue_signed
from ledger.app.meter_keys import issue_meter_key_signed, meter_key_typed_data
from ledger.app.requests import hex_bytes

router = APIRouter(prefix="/v1", tags=["commands 命令"])
MeterNo = Annotated[int, Query(ge=2, lt=2**32)]
LogNo = Annotated[int, Query(ge=1, lt=2**32)]


class SignedCommand(Part):
    """What `prepare` answered, and the signature of its typed data."""

    prepared: dict[str, Any]
    signature: Text


class KeyRequest(Part):
    """A signed request for an API key; licence 0 asks for a key to read."""

    licence_no: Annotated[int, Query(ge=0, lt=2**63)]
    issued_at: Annotated[int, Query(ge=0, lt=2**40)]
    signature: Text


class MeterKeyRequest(Part):
    """A signed request for a meter's key."""

    meter_no: MeterNo
    log_no: LogNo
    issued_at: Annotated[int, Query(ge=0, lt=2**40)]
    signature: Text


@router.post("/quotes")
def quotes(body: QuoteRequest, market: MarketDep) -> dict[str, Any]:
    """What a use would cost under the tariff in force (报价); no key needed."""
    return quote(market, body)


@router.post("/agreements")
def agreements(body: AgreementDraft, market: MarketDep, reader: Reader) -> dict[str, Any]:
    """Draft an agreement for both sides to sign (协议); members only, for its terms are kept."""
    return draft_agreement(market, body)


@router.get("/api-keys/typed-data")
def api_key_message(
    market: MarketDep, licence_no: Annotated[int, Query(ge=0, lt=2**63)] = 0
) -> dict[str, Any]:
    """What an account signs to be given an API key, valid for five minutes."""
    return api_key_typed_data(market, licence_no, market.now_seconds())


@router.post("/api-keys")
def api_keys(body: KeyRequest, market: MarketDep) -> dict[str, str]:
    """Issue an API key on a signed request; it is shown once."""
    signature = hex_bytes(body.signature, "signature")
    return {"api_key": issue_signed(market, body.licence_no, body.issued_at, signature)}


@router.get("/meter-keys/typed-data")
def meter_key_message(market: MarketDep, meter_no: MeterNo, log_no: LogNo) -> dict[str, Any]:
    """What a log keeper's account signs to be given a meter's key (计量点密钥)."""
    return meter_key_typed_data(market, meter_no, log_no, market.now_seconds())


@router.post("/meter-keys")
def meter_keys(body: MeterKeyRequest, market: MarketDep) -> dict[str, str]:
    """Issue a meter's key on a signed request of the log's keeper; it is shown once."""
    signature = hex_bytes(body.signature, "signature")
    key = issue_meter_key_signed(market, body.meter_no, body.log_no, body.issued_at, signature)
    return {"api_key": key}


@router.post("/commands")
def commands(body: SignedCommand, key: IdempotencyKey, market: MarketDep) -> dict[str, Any]:
    """Relay a signed command; answers when its event is projected."""
    return submit(market, body.prepared, body.signature, key).as_dict()


def _route_of(spec: CommandSpec[Any]) -> Callable[..., dict[str, Any]]:
    def route(
        body: Any, market: MarketDep, signer: Annotated[AddressField, Query()]
    ) -> dict[str, Any]:
        return prepare(market, signer, spec.name, body.model_dump(mode="json", exclude_unset=True))

    route.__annotations__["body"] = spec.request
    route.__doc__ = f"{spec.summary_en} ({spec.summary_zh}): returns the typed data to sign."
    return route


for _spec in COMMANDS.values():
    router.add_api_route(
        f"/prepare/{_spec.name}",
        _route_of(_spec),
        methods=["POST"],
        name=f"prepare {_spec.name}",
        operation_id="prepare_" + _spec.name.replace("-", "_"),
    )
