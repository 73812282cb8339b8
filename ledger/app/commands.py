"""Commands: from a request to an event that is projected.

Rules kept here:
1. A request is checked and becomes one call of one contract (`plan`); nothing is stored by that.
2. The organisation signs the call (EIP-712); the service relays it and can change nothing.
3. Documents that the call names by digest are durable before it is sent.
4. A command is done when its event is projected; the same idempotency key gives the same answer.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from pydantic import ValidationError as PydanticValidationError

from ledger.app.errors import PreparedMismatchError, UnknownCommandError
from ledger.app.market import Market
from ledger.app.work import Work
from ledger.chain.contracts import Contract
from ledger.chain.forwarder import ForwardRequest
from ledger.chain.keys import KeyAccount, address_of
from ledger.chain.sender import Outcome
from ledger.codec.canonical import canonical_json
from ledger.codec.documents import Document
from ledger.domain.catalogue import require_record
from ledger.domain.errors import LedgerError, MalformedValueError, ValidationError
from ledger.domain.ids import digest_text


class CommandRequest(BaseModel):
    """Body of a command. Ids are UUID text, digests 0x and hex, codes by name, money whole fen."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


Request = TypeVar("Request", bound=CommandRequest)


@dataclass(frozen=True, slots=True)
class Command:
    """One call of one contract, the documents that it names, and what it will have made."""

    contract: str
    function: str
    args: tuple[Any, ...]
    documents: tuple[Document, ...] = ()
    result: dict[str, Any] = field(default_factory=dict)
    work: Work | None = None
    """A call that it prepares for another signer."""


Plan = Callable[[Market, UUID | None, Request], Command]


@dataclass(frozen=True, slots=True)
class CommandSpec(Generic[Request]):
    """A command as it is offered: name, what it does, its request, its plan."""

    name: str
    summary_en: str
    summary_zh: str
    request: type[Request]
    plan: Plan[Request]


@dataclass(frozen=True, slots=True)
class Done:
    """A command whose event is projected."""

    command: str
    intent_id: UUID
    tx_hash: str
    block_number: int
    gas_used: int
    result: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """Return the answer as plain data."""
        return {
            "command": self.command,
            "intent_id": str(self.intent_id),
            "tx_hash": self.tx_hash,
            "block_number": self.block_number,
            "gas_used": self.gas_used,
            "result": self.result,
        }


COMMANDS: dict[str, CommandSpec[Any]] = {}


def command(
    name: str, request: type[Request], summary_en: str, summary_zh: str
) -> Callable[[Plan[Request]], Plan[Request]]:
    """Offer a plan under a name."""

    def offer(plan: Plan[Request]) -> Plan[Request]:
        COMMANDS[name] = CommandSpec(name, summary_en, summary_zh, request, plan)
        return plan

    return offer


def spec_of(name: str) -> CommandSpec[Any]:
    """Return the command of a name.

    Raises:
        UnknownCommandError: there is none.
    """
    if name not in COMMANDS:
        raise UnknownCommandError(
            f"no command {name!r}", field="command", got=name, expected=sorted(COMMANDS)
        )
    return COMMANDS[name]


def parse_request(spec: CommandSpec[Request], body: Request | dict[str, Any]) -> Request:
    """Return the request of a body.

    Raises:
        ValidationError: with every finding, each naming its field.
    """
    if isinstance(body, spec.request):
        return body
    try:
        return spec.request.model_validate(body)
    except PydanticValidationError as error:
        findings = [finding_of(dict(item)) for item in error.errors(include_url=False)]
        raise ValidationError(
            f"{spec.name}: {len(findings)} field(s) are wrong", findings
        ) from error


def finding_of(item: dict[str, Any]) -> LedgerError:
    """Return one error of a model's validation as a finding that names its field."""
    cause = item.get("ctx", {}).get("error")
    where = ".".join(str(part) for part in item["loc"])
    if isinstance(cause, LedgerError):
        cause.field = where
        return cause
    got = item.get("input")
    return MalformedValueError(
        f"{where}: {item['msg']}",
        field=where,
        got=got if isinstance(got, str | int) else None,
        expected=item["msg"],
    )


def run(
    market: Market,
    account: KeyAccount,
    name: str,
    body: CommandRequest | dict[str, Any],
    *,
    idempotency_key: str | None = None,
) -> Done:
    """Carry out a command with a key at hand: plan, sign, relay, wait until projected.

    Raises:
        LedgerError: the request is wrong, the contract refuses it, or the chain is unreachable.
    """
    spec = spec_of(name)
    request = parse_request(spec, body)
    body_digest = body_digest_of(name, request.model_dump(mode="json", exclude_unset=True))
    if idempotency_key is not None:
        known = repeated(market, name, address_of(account), idempotency_key, body_digest)
        if known is not None:
            return known
    planned = spec.plan(market, actor_of(market, account), request)
    store_papers(market, planned.documents, [planned.work])
    outcome = market.relay.execute(
        account,
        contract_of(market, planned.contract),
        planned.function,
        planned.args,
        idempotency_key=idempotency_key,
        body_digest=body_digest,
        answer=canonical_json(planned.result),
    )
    return projected(market, name, outcome, planned.result)


def prepare(market: Market, signer: str, name: str, body: dict[str, Any]) -> dict[str, Any]:
    """Return a command for its organisation to sign elsewhere, as plain data.

    Raises:
        LedgerError: as `run`; nothing is stored.
    """
    spec = spec_of(name)
    actor_id = market.organisation_of(signer)
    planned = spec.plan(market, actor_id, parse_request(spec, body))
    request = market.relay.prepare(
        signer, contract_of(market, planned.contract), planned.function, planned.args
    )
    return {
        "command": name,
        "request": request_to_json(request),
        "typed_data": _plain_typed_data(market.relay.typed_data(request)),
        "documents": [_document_json(document) for document in planned.documents],
        "result": planned.result,
    } | ({"work": planned.work.as_dict()} if planned.work else {})


def submit(market: Market, prepared: dict[str, Any], signature: str, idempotency_key: str) -> Done:
    """Relay a command that `prepare` made and its organisation signed.

    Raises:
        PreparedMismatchError: it is not of that form, or a document is not named by the call.
        LedgerError: as `run`.
    """
    name = str(prepared.get("command"))
    signed = parse_hex(signature, "signature")
    request, documents, result = _read_prepared(prepared)
    work = Work.of_dict(prepared["work"]) if prepared.get("work") is not None else None
    body_digest = body_digest_of(name, {"data": digest_text(request.data), "nonce": request.nonce})
    market.relay.require_signed(request, signed)
    known = repeated(market, name, request.sender, idempotency_key, body_digest)
    if known is not None:
        return known
    _require_ours(market, request, documents, work)
    store_papers(market, documents, [work])
    outcome = market.relay.submit(
        request,
        signed,
        idempotency_key=idempotency_key,
        body_digest=body_digest,
        answer=canonical_json(result),
    )
    return projected(market, name, outcome, result)


def _require_ours(
    market: Market, request: ForwardRequest, documents: Iterable[Document], work: Work | None
) -> None:
    """Check that the call is to this market, names its documents, and that a record is valid."""
    if work is not None and work.digest not in request.data:
        raise PreparedMismatchError(
            "the call does not name this work", field="work", got=digest_text(work.digest)
        )
    if market.contracts.by_address(request.to) is None:
        raise PreparedMismatchError(
            "the call is not to a contract of this market", field="request.to", got=request.to
        )
    for document in documents:
        if bytes(document.digest) not in bytes(request.data):
            raise PreparedMismatchError(
                "the call does not name this document", field="documents", got=document.digest
            )
        if document.record.get("type") == "dataset":
            require_record(document.record.get("metadata"))


def repeated(
    market: Market, name: str, scope: str, idempotency_key: str, body_digest: bytes
) -> Done | None:
    """Return the answer given under this key before, None when the key is new."""
    entry = market.sender.find(scope, idempotency_key, body_digest)
    if entry is None:
        return None
    outcome = market.sender.wait(entry.intent_id)
    return projected(market, name, outcome, json.loads(entry.answer or b"{}"))


def request_to_json(request: ForwardRequest) -> dict[str, Any]:
    """Return a forward request as plain data; `gas`, `nonce` and `deadline` are integers."""
    return {
        "from": request.sender,
        "to": request.to,
        "gas": request.gas,
        "nonce": request.nonce,
        "deadline": request.deadline,
        "data": digest_text(request.data),
    }


def _read_prepared(
    prepared: dict[str, Any],
) -> tuple[ForwardRequest, tuple[Document, ...], dict[str, Any]]:
    try:
        fields = prepared["request"]
        request = ForwardRequest(
            sender=str(fields["from"]).lower(),
            to=str(fields["to"]).lower(),
            gas=_integer(fields["gas"]),
            nonce=_integer(fields["nonce"]),
            deadline=_integer(fields["deadline"]),
            data=parse_hex(fields["data"], "request.data"),
        )
        documents = tuple(
            Document.from_json(canonical_json(item)) for item in prepared.get("documents", [])
        )
        return request, documents, dict(prepared.get("result", {}))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise PreparedMismatchError(
            f"the prepared command is malformed at {error}", field="prepared"
        ) from error


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**64:
        raise ValueError(value)
    return value


def parse_hex(text: Any, name: str) -> bytes:
    """Return the bytes of a text of 0x and hex digits."""
    try:
        return bytes.fromhex(str(text).removeprefix("0x"))
    except ValueError as error:
        raise MalformedValueError(
            f"{name} must be 0x and hex digits", field=name, got=str(text)[:80]
        ) from error


def actor_of(market: Market, account: KeyAccount) -> UUID | None:
    """Return the organisation for which a key signs, None for governance."""
    if market.is_governance(account):
        return None
    return market.organisation_of(address_of(account))


def contract_of(market: Market, name: str) -> Contract:
    """Return a contract of the market by its name in a plan."""
    contract: Contract = getattr(market.contracts, name)
    return contract


def store_papers(
    market: Market, documents: Iterable[Document], works: Iterable[Work | None]
) -> None:
    """Make documents and prepared work durable before the commands that name them are sent."""
    market.documents.save_all(list(documents))
    for work in works:
        if work is not None:
            market.works.save(work)


def projected(market: Market, name: str, outcome: Outcome, result: dict[str, Any]) -> Done:
    """Wait until a command's event is projected and return the answer."""
    market.indexer.wait_for(outcome.block_number)
    return done_of(name, outcome, result)


def done_of(name: str, outcome: Outcome, result: dict[str, Any]) -> Done:
    """Return the answer to a command whose event is projected."""
    return Done(
        command=name,
        intent_id=outcome.intent_id,
        tx_hash=outcome.tx_hash,
        block_number=outcome.block_number,
        gas_used=outcome.gas_used,
        result=result,
    )


def body_digest_of(name: str, body: Any) -> bytes:
    """Return the digest by which a repeated request is told from another."""
    return hashlib.sha256(canonical_json({"command": name, "body": body})).digest()


def _document_json(document: Document) -> dict[str, Any]:
    return {"record": dict(document.record), "salt": digest_text(document.salt)}


def _plain_typed_data(message: Any) -> Any:
    """Return typed data with bytes as 0x and hex, so that any wallet can sign it."""
    if isinstance(message, dict):
        return {key: _plain_typed_data(value) for key, value in message.items()}
    if isinstance(message, list | tuple):
        return [_plain_typed_data(value) for value in message]
    return digest_text(bytes(message)) if isinstance(message, bytes | bytearray) else message
