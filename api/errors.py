"""Which HTTP status an error has: one table, and the errors of this layer itself.

Rules kept here:
1. A code that is in `STATUS` has that status; any other has the status of the nearest of its
   classes in `BASES`. So every error of the ledger has one, and none needs to know HTTP.
2. What a client can mend is a 4xx. A 5xx says that the service or its chain is at fault.
"""

from __future__ import annotations

from typing import ClassVar

from ledger.app.errors import AppError
from ledger.domain.errors import DomainError, LedgerError


class ApiError(LedgerError):
    """Base of what goes wrong between a client and the use cases."""

    code: ClassVar[str] = "api.error"


class MalformedRequestError(ApiError):
    """The request cannot be read: no JSON, a number or a text that no field can hold."""

    code = "api.malformed_request"


class InvalidRequestError(ApiError):
    """Fields of the request are missing, superfluous or of another type; all are named."""

    code = "api.invalid_request"

    def __init__(self, detail: str, findings: list[LedgerError]) -> None:
        first = findings[0] if findings else LedgerError(detail)
        super().__init__(detail, field=first.field, got=first.got, expected=first.expected)
        self.findings = findings


class InvalidFieldError(ApiError):
    """One field of a request is not of its type."""

    code = "api.invalid_field"


class BodyTooLargeError(ApiError):
    """The body is larger than the service reads."""

    code = "api.body_too_large"


class MediaTypeError(ApiError):
    """The body is of a type that the path does not take."""

    code = "api.media_type"


class BodyTimeoutError(ApiError):
    """The body did not come in time."""

    code = "api.body_timeout"
    retryable = True


class NoSuchPathError(ApiError):
    """There is nothing at this path."""

    code = "api.no_such_path"


class MethodNotAllowedError(ApiError):
    """The path does not take this method."""

    code = "api.method_not_allowed"


class HttpRefusedError(ApiError):
    """The framework refused the request with a status of its own."""

    code = "api.refused"


class KeyRequiredError(ApiError):
    """The resource is a party's own and the request carries no known API key."""

    code = "api.key_required"


class NotAPartyError(ApiError):
    """The API key belongs to an organisation that is no party to the resource."""

    code = "api.not_a_party"


class IdempotencyKeyError(ApiError):
    """A command came without a usable Idempotency-Key header."""

    code = "api.idempotency_key"


class InternalError(ApiError):
    """The service failed; the log has the reason under the request's id."""

    code = "api.internal"


STATUS: dict[str, int] = {
    "api.malformed_request": 400,
    "api.invalid_request": 422,
    "api.invalid_field": 422,
    "api.body_too_large": 413,
    "api.media_type": 415,
    "api.body_timeout": 408,
    "api.no_such_path": 404,
    "api.method_not_allowed": 405,
    "api.key_required": 401,
    "api.not_a_party": 403,
    "api.idempotency_key": 400,
    "api.internal": 500,
    "app.key_not_unlocked": 403,
    "app.line_unknown": 404,
    "app.member_state": 409,
    "app.not_administrator": 403,
    "app.market_missing": 503,
    "app.tariff_missing": 409,
    "app.tile_missing": 404,
    "app.unknown_command": 404,
    "app.usage_sum": 500,
    "app.document_missing": 404,
    "app.holding_missing": 503,
    "app.holding_changed": 503,
    "app.signer_unknown": 403,
    "billing.not_anchored": 409,
    "catalogue.cursor": 422,
    "catalogue.foreign": 422,
    "catalogue.not_harvester": 403,
    "catalogue.remote_context": 422,
    "chain.error": 500,
    "chain.deployment_missing": 503,
    "chain.idempotency_conflict": 409,
    "chain.keystore_unreadable": 500,
    "chain.log_undecodable": 500,
    "chain.node_start_failed": 503,
    "chain.node_state_unreadable": 503,
    "chain.receipt_timeout": 503,
    "chain.request_expired": 409,
    "chain.request_replayed": 409,
    "chain.rpc_refused": 503,
    "chain.rpc_unavailable": 503,
    "chain.signature_mismatch": 403,
    "chain.unknown_intent": 404,
    "chain.unreachable": 503,
    "chain.wrong_chain_id": 503,
    "chain.access_managed_unauthorized": 403,
    "chain.panic": 422,
    "codec.unreadable_file": 500,
    "indexer.timeout": 503,
    "invoice.figures_differ": 409,
    "invoice.not_issuer": 403,
    "opening.policy_missing": 409,
    "registration.fixed_field": 409,
    "dealing.not_a_party": 403,
    "dealing.offer_expired": 409,
    "dealing.out_of_turn": 409,
    "licence.certificate_missing": 404,
    "licence.ended": 409,
    "licence.not_certifier": 403,
    "licence.team_full": 409,
    "log.busy": 503,
    "log.erased": 410,
    "log.meter_gaps": 409,
    "log.missing": 404,
    "log.no_checkpoint": 409,
    "log.proof_refused": 422,
    "log.proof_too_large": 422,
    "log.range": 404,
    "log.rows": 400,
    "log.usage_failed": 503,
    "log.write_failed": 503,
    "payment.item_unknown": 404,
    "payment.overpaid": 409,
    "meter.intake_full": 429,
    "meter.intake_stopped": 503,
    "meter.not_keeper": 403,
    "meter.other_key": 403,
    "meter.too_many_uses": 413,
    "payment.reference_ambiguous": 409,
    "projection.account_taken": 409,
    "projection.not_found": 404,
    "projection.meter_bound": 409,
    "projection.payee_unknown": 409,
    "remittance.file_differs": 409,
    "remittance.payee_record_missing": 409,
    "terms.differ": 409,
    "terms.supplement_out_of_order": 409,
    "use.key_unknown": 401,
    "use.page_range": 422,
    "use.product_mismatch": 403,
    "use.quota_exceeded": 429,
}
"""Status by code, where it is not the one of the error's layer."""

PREFIXES: tuple[tuple[str, int], ...] = (
    ("use.", 403),
    ("log.", 500),
    ("indexer.", 503),
    ("projection.", 500),
    ("chain.artifact", 500),
    ("chain.compilation", 500),
    ("chain.toolchain", 500),
    ("chain.", 409),
)
"""Status by the layer that a code names; the first that fits counts."""

_CONTRACTS = (
    "directory",
    "dataset_registry",
    "applications",
    "licence_registry",
    "negotiations",
    "usage_log",
    "revenue_ledger",
    "objection_desk",
)
_NOT_FOUND = (
    "unknown_dataset",
    "unknown_licence",
    "unknown_product",
    "unknown_log",
    "unknown_thread",
    "unknown_application",
    "unknown_objection",
)
_FORBIDDEN = (
    "not_provider",
    "not_operator",
    "not_buyer",
    "not_opener",
    "not_keeper",
    "not_party",
    "not_applicant",
    "not_desk",
    "not_handler",
    "not_authority",
    "not_objector",
    "not_respondent",
    "handler_is_party",
    "role_missing",
    "other_city",
    "party_to_objection",
    "not_governance",
    "may_not_admit",
    "own_case",
    "unknown_signer",
    "signer_role_missing",
    "not_administrator",
    "second_signer_missing",
    "own_signer",
    "signature_invalid",
    "signer_not_of_party",
    "signer_not_of_organisation",
    "organisation_suspended",
)
_MALFORMED = ("malformed", "length", "order", "sum", "missing", "too_large", "empty", "count")
_UNKNOWN = "unknown_"


def status_of(error: LedgerError) -> int:
    """Return the HTTP status of an error."""
    exact = STATUS.get(error.code)
    if exact is not None:
        return exact
    layer, _, what = error.code.partition(".")
    if layer in _CONTRACTS:
        return _status_of_refusal(what)
    for prefix, status in PREFIXES:
        if error.code.startswith(prefix):
            return status
    return 422 if isinstance(error, DomainError | AppError | ApiError) else _status_of_layer(layer)


def _status_of_refusal(what: str) -> int:
    """Return the status of a contract's refusal, from the name of its error."""
    if what in _FORBIDDEN:
        return 403
    if what in _NOT_FOUND:
        return 404
    if what.startswith(_UNKNOWN) or what.endswith(_MALFORMED) or what == "price_above_cap":
        return 422
    return 409


def _status_of_layer(layer: str) -> int:
    return 422 if layer in ("codec", "revenue") else 500
