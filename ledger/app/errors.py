"""Errors of the use cases, each with its stable code."""

from __future__ import annotations

from typing import Any

from ledger.domain.errors import LedgerError


class AppError(LedgerError):
    """Base of the use cases' errors."""

    code = "app.error"


class MarketMissingError(AppError):
    """The home holds no market yet."""

    code = "app.market_missing"


class TrialMarketError(AppError):
    """A market that was deployed as a trial cannot be made a statutory one."""

    code = "app.trial_market"


class RecordFixedError(AppError):
    """A changed record states another class, mode or frequency than the chain has."""

    code = "registration.fixed_field"


class RegistrationCodeError(AppError):
    """A registration code cannot be kept on chain."""

    code = "registration.code_malformed"


class OpeningForbiddenError(AppError):
    """The table of graded opening forbids a cell; `got` names it, `expected` its source."""

    code = "opening.forbidden"


class PolicyMissingError(AppError):
    """Neither city nor region has a table of graded opening in force."""

    code = "opening.policy_missing"


class UnknownCommandError(AppError):
    """No command has this name."""

    code = "app.unknown_command"


class PreparedMismatchError(AppError):
    """A submitted command is not one that this service prepares."""

    code = "app.prepared_mismatch"


class DocumentMissingError(AppError):
    """The document of a digest is not stored here, or was erased."""

    code = "app.document_missing"


class FileUnreadableError(AppError):
    """A file cannot be read, or its content is not of the stated format."""

    code = "app.file_unreadable"


class HoldingMissingError(AppError):
    """No file is on hand for a dataset's version."""

    code = "app.holding_missing"


class HoldingChangedError(AppError):
    """A file on hand is no longer the one that was registered."""

    code = "app.holding_changed"


class SignerUnknownError(AppError):
    """An account signs for no organisation of the market."""

    code = "app.signer_unknown"


class NotAdministratorError(AppError):
    """The account may not change its organisation's accounts and members."""

    code = "app.not_administrator"


class KeyNotUnlockedError(AppError):
    """A member's key is not kept here, or does not open with the password."""

    code = "app.key_not_unlocked"


class MemberStateError(AppError):
    """A member is in another state than this step needs."""

    code = "app.member_state"


class ReferenceAmbiguousError(AppError):
    """A bank line matches two invoices or more."""

    code = "payment.reference_ambiguous"


class ReferenceUnknownError(AppError):
    """A bank line matches no open invoice."""

    code = "payment.reference_unknown"


class StatementLineError(AppError):
    """A line of a bank statement is malformed."""

    code = "payment.line_malformed"


class CurrencyError(AppError):
    """Money came in another currency than CNY."""

    code = "payment.currency"


class OverpaidError(AppError):
    """More money came than the invoice still asks for; the rest waits for people."""

    code = "payment.overpaid"


class OpenItemUnknownError(AppError):
    """No bank line of this digest waits for people."""

    code = "payment.item_unknown"


class PayeeRecordMissingError(AppError):
    """An organisation that pays or is paid has no account on record."""

    code = "remittance.payee_record_missing"


class RemittanceFileError(AppError):
    """The file of a batch was written before, with another content."""

    code = "remittance.file_differs"


class InvoiceFiguresError(AppError):
    """The figures of an invoice are not those of the ledger."""

    code = "invoice.figures_differ"


class NotIssuerError(AppError):
    """An invoice is signed by another organisation than its issuer."""

    code = "invoice.not_issuer"


class LineUnknownError(AppError):
    """Nothing that could be explained has this name."""

    code = "app.line_unknown"


class NotAnchoredError(AppError):
    """A log has no anchored receipts to rest a bill on."""

    code = "billing.not_anchored"


class TariffMissingError(AppError):
    """A product has no tariff in force, so a use of it has no price."""

    code = "app.tariff_missing"


class ApiKeyUnknownError(AppError):
    """The API key is not known, or was revoked."""

    code = "use.key_unknown"


class ProductMismatchError(AppError):
    """The licence is for another product, or the dataset is not part of it."""

    code = "use.product_mismatch"


class PageRangeError(AppError):
    """A page's cursor or limit is out of range."""

    code = "use.page_range"


class TileMissingError(AppError):
    """A log has no tile of this name."""

    code = "app.tile_missing"


class ChangeAbsentError(AppError):
    """A change is to come into force that was never announced."""

    code = "app.change_absent"


class UsageSumError(AppError):
    """Sums of use do not agree with their total."""

    code = "app.usage_sum"


class NotKeeperError(AppError):
    """The log is kept by another organisation."""

    code = "meter.not_keeper"


class MeterKeyError(AppError):
    """The API key is another meter's, another log's, or no meter's at all."""

    code = "meter.other_key"


class UsesRefusedError(AppError):
    """Rows that a meter sent are no uses that its log takes; nothing of the batch entered."""

    code = "meter.uses_refused"

    def __init__(self, rows: list[dict[str, Any]], total: int) -> None:
        """Tell the first rows, and how many there are."""
        first = rows[0]
        super().__init__(
            f"{total} row(s) are refused, so nothing of the batch entered",
            field=first["field"],
            got=first["got"],
            expected=first["expected"],
        )
        self.rows = rows
        self.total = total


class TooManyUsesError(AppError):
    """A batch has more rows than are taken at a time."""

    code = "meter.too_many_uses"


class IntakeFullError(AppError):
    """More waits to be written than the service holds; send again in a moment."""

    code = "meter.intake_full"
    retryable = True


class IntakeStoppedError(AppError):
    """The service is being stopped; nothing of the batch entered."""

    code = "meter.intake_stopped"
    retryable = True


class NotExecutedError(AppError):
    """What was decided on an objection is not done yet."""

    code = "objection.not_executed"


class LiabilityFloorError(AppError):
    """The platform's share of liability for its own faults lies below the statutory floor."""

    code = "terms.liability_below_floor"


class TermsDifferError(AppError):
    """The terms kept under a digest are not those of the agreement that names it."""

    code = "terms.differ"


class QuotaBelowUsedError(AppError):
    """A supplement would leave a quota below what is used, or billed, already."""

    code = "terms.quota_below_used"


class SupplementOrderError(AppError):
    """A supplement does not follow the licence's latest document."""

    code = "terms.supplement_out_of_order"


class OfferExpiredError(AppError):
    """The last offer of a negotiation no longer stands."""

    code = "dealing.offer_expired"


class NotNegotiatingError(AppError):
    """The organisation is no party to the negotiation, or to the application."""

    code = "dealing.not_a_party"


class LicenceEndedError(AppError):
    """The licence is ended already."""

    code = "licence.ended"


class TeamFullError(AppError):
    """The licence's team has as many keys as was agreed."""

    code = "licence.team_full"


class CertificateMissingError(AppError):
    """No certificate of this licence was issued here."""

    code = "licence.certificate_missing"


class NotCertifierError(AppError):
    """A certificate is signed by the licence's operator, or by a platform."""

    code = "licence.not_certifier"
