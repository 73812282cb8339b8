// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {InvoiceState, RemittanceState} from "../libraries/Codes.sol";
import {Fen, MicroFen, PeriodId, Ppm} from "../libraries/Units.sol";
import {ILicenceRegistry} from "./ILicenceRegistry.sol";

/// @title IRevenueLedger
/// @notice The rules of money: what a scheme may recover, what proven use costs, who is entitled to
/// what. Money itself moves by bank and treasury; this ledger holds amounts and digests, and refuses
/// every amount that does not follow from the rules.
interface IRevenueLedger {
    /// @notice What a price authority approves for an operator and a year (发改价格〔2025〕65号).
    struct SchemeTerms {
        bytes16 schemeId;
        bytes16 operatorId;
        uint32 cityCode;
        /// @dev Accounting year, China Standard Time.
        uint16 year;
        /// @dev Mean ten-year treasury yield of the year before.
        Ppm bondPpm;
        /// @dev At most 60,000 (6 percentage points).
        Ppm spreadPpm;
        /// @dev Surcharge on each net income, up to the tax line.
        Ppm surchargePpm;
        Ppm vatPpm;
        /// @dev Approved tax line without VAT.
        Fen taxFen;
        /// @dev How long a payment is held for acceptance, in seconds.
        uint32 holdSeconds;
        /// @dev Salted digest of the decision's document.
        bytes32 decisionDigest;
    }

    struct ClaimantCost {
        bytes16 claimantId;
        Fen costFen;
    }

    /// @dev In the order of three storage slots; a split reads the first two and writes the second.
    struct Scheme {
        bytes16 operatorId;
        uint32 cityCode;
        Ppm surchargePpm;
        Ppm vatPpm;
        uint32 holdSeconds;
        MicroFen taxMicroFen;
        MicroFen taxTakenMicroFen;
        MicroFen reserveMicroFen;
        uint32 releaseCount;
        uint32 splitCount;
        uint16 year;
    }

    /// @notice What one claimant may recover and has received in one scheme; one storage slot.
    struct Account {
        MicroFen costMicroFen;
        MicroFen recoveredMicroFen;
        MicroFen entitledMicroFen;
        MicroFen remittedMicroFen;
    }

    /// @notice A bill on the use proven by a licence's latest receipt in one log.
    struct InvoiceClaim {
        bytes16 invoiceId;
        bytes16 schemeId;
        uint32 logNo;
        /// @dev Anchored size of the log for which the proof holds.
        uint64 logSize;
        uint64 receiptIndex;
        /// @dev 96 bytes; names the licence, its running total and the time of use.
        bytes receipt;
        bytes32[] inclusionProof;
        /// @dev The tariff that the licence fixed; empty for free use.
        ILicenceRegistry.Tariff tariff;
        /// @dev The charge that the operator computed; the ledger computes it again.
        Fen grossFen;
        /// @dev Salted digest of the printed invoice.
        bytes32 documentDigest;
    }

    /// @dev In the order of three storage slots; a split reads the first two and writes the second.
    struct Invoice {
        bytes16 schemeId;
        bytes16 productId;
        uint64 licenceNo;
        InvoiceState state;
        Fen grossFen;
        Fen paidFen;
        /// @dev Order of release within the scheme, from 1; splits follow it.
        uint32 releaseNo;
        /// @dev Month of the receipt's use.
        PeriodId periodId;
        /// @dev Unix seconds; 0 until the invoice is paid in full.
        uint64 heldUntil;
    }

    /// @notice A proposed split of one released income, lines grouped by tier.
    struct Split {
        MicroFen taxMicroFen;
        /// @dev One line per lineage entry, in the order of the product's lineage.
        MicroFen[] lineageCostMicroFen;
        MicroFen reserveMicroFen;
    }

    struct RemittanceLine {
        bytes16 schemeId;
        bytes16 claimantId;
        Fen amountFen;
    }

    struct Remittance {
        bytes16 payeeId;
        /// @dev The organisation that opened the batch and may close it.
        bytes16 openerId;
        Fen amountFen;
        RemittanceState state;
    }

    event SchemeApproved(uint64 eventNo, bytes16 indexed schemeId, SchemeTerms terms, ClaimantCost[] costs);
    event InvoiceIssued(
        uint64 eventNo,
        bytes16 indexed invoiceId,
        uint64 indexed licenceNo,
        bytes16 schemeId,
        PeriodId periodId,
        uint32 logNo,
        uint64 receiptIndex,
        uint64 fromUnits,
        uint64 toUnits,
        Fen grossFen,
        bytes32 documentDigest
    );
    event PaymentRecorded(
        uint64 eventNo, bytes16 indexed invoiceId, Fen amountFen, Fen paidFen, uint64 heldUntil, bytes32 receiptDigest
    );
    event InvoiceReleased(uint64 eventNo, bytes16 indexed invoiceId, uint32 releaseNo, bool isAccepted);
    event SplitRecorded(
        uint64 eventNo,
        bytes16 indexed invoiceId,
        bytes16 indexed schemeId,
        uint32 releaseNo,
        Fen netFen,
        Fen vatFen,
        Split split
    );
    event RemittanceOpened(
        uint64 eventNo, bytes16 indexed batchId, bytes16 indexed payeeId, RemittanceLine[] lines, bytes32 documentDigest
    );
    event RemittanceClosed(uint64 eventNo, bytes16 indexed batchId, bytes32 receiptDigest);

    /// @notice Thrown when no scheme has this id.
    error RevenueLedger_UnknownScheme(bytes16 schemeId);
    /// @notice Thrown when the scheme id is already taken.
    error RevenueLedger_SchemeExists(bytes16 schemeId);
    /// @notice Thrown when a rate exceeds its limit.
    error RevenueLedger_RateTooLarge(bytes16 schemeId, Ppm got, uint256 limit);
    /// @notice Thrown when claimants are missing, too many, or not strictly ascending.
    error RevenueLedger_ClaimantOrder(bytes16 schemeId, uint256 index);
    /// @notice Thrown when an amount exceeds what the units admit.
    error RevenueLedger_AmountTooLarge(uint256 gotFen, uint256 limitFen);
    /// @notice Thrown when the price authority belongs to the operator.
    error RevenueLedger_ApproverIsOperator(bytes16 schemeId, bytes16 organisationId);
    /// @notice Thrown when a scheme does not fit the product or the year of the use.
    error RevenueLedger_SchemeMismatch(bytes16 schemeId, bytes16 productId, uint16 year);
    /// @notice Thrown when the caller's organisation is neither operator of the scheme nor platform.
    error RevenueLedger_NotOperator(bytes16 schemeId, bytes16 actorId);
    /// @notice Thrown when the caller's organisation is not the buyer of the invoice.
    error RevenueLedger_NotBuyer(bytes16 invoiceId, bytes16 actorId, bytes16 buyerId);
    /// @notice Thrown when no invoice has this id.
    error RevenueLedger_UnknownInvoice(bytes16 invoiceId);
    /// @notice Thrown when the invoice id is already taken.
    error RevenueLedger_InvoiceExists(bytes16 invoiceId);
    /// @notice Thrown when a receipt is malformed.
    error RevenueLedger_ReceiptMalformed(uint256 length, uint8 format);
    /// @notice Thrown when a running total is not beyond what was billed.
    error RevenueLedger_NothingToBill(uint64 licenceNo, uint32 logNo, uint64 billedUnits, uint64 cumulativeUnits);
    /// @notice Thrown when a charge is not the tariff's.
    error RevenueLedger_ChargeDiffers(bytes16 invoiceId, Fen got, Fen expected);
    /// @notice Thrown when the invoice is in another state than the action needs.
    error RevenueLedger_WrongState(bytes16 invoiceId, InvoiceState state, InvoiceState needed);
    /// @notice Thrown when a bank or treasury receipt was used before.
    error RevenueLedger_ReceiptUsed(bytes32 receiptDigest);
    /// @notice Thrown when a payment is zero or more than what is open.
    error RevenueLedger_PaymentTooLarge(bytes16 invoiceId, Fen got, Fen open);
    /// @notice Thrown when the hold has not ended and the buyer has not accepted.
    error RevenueLedger_StillHeld(bytes16 invoiceId, uint64 heldUntil, uint64 nowSeconds);
    /// @notice Thrown when another income of the scheme is to be split first.
    error RevenueLedger_SplitOutOfOrder(bytes16 invoiceId, uint32 releaseNo, uint32 next);
    /// @notice Thrown when the lines are not one per claimant.
    error RevenueLedger_LineCount(uint256 got, uint256 expected);
    /// @notice Thrown when the tax line is not the rule's.
    error RevenueLedger_TaxDiffers(MicroFen got, MicroFen expected);
    /// @notice Thrown when a line exceeds the claimant's room.
    error RevenueLedger_LineAboveRoom(uint256 index, MicroFen got, MicroFen room);
    /// @notice Thrown when a line is more than one µfen from its share.
    error RevenueLedger_LineOutOfProportion(uint256 index, MicroFen got);
    /// @notice Thrown when a lower tier is paid although a higher one is not full.
    error RevenueLedger_TierNotFull(MicroFen paid, MicroFen expected);
    /// @notice Thrown when the lines do not sum to the net income.
    error RevenueLedger_SumDiffers(uint256 gotMicroFen, uint256 expectedMicroFen);
    /// @notice Thrown when a remittance batch is empty or too long.
    error RevenueLedger_BatchLength(uint256 count, uint256 limit);
    /// @notice Thrown when the batch id is already taken.
    error RevenueLedger_BatchExists(bytes16 batchId);
    /// @notice Thrown when the caller's organisation neither opened the batch nor is platform.
    error RevenueLedger_NotOpener(bytes16 batchId, bytes16 actorId, bytes16 openerId);
    /// @notice Thrown when no open batch has this id.
    error RevenueLedger_BatchNotOpen(bytes16 batchId, RemittanceState state);
    /// @notice Thrown when a claimant's income does not go to this payee.
    error RevenueLedger_WrongPayee(bytes16 claimantId, bytes16 got, bytes16 expected);
    /// @notice Thrown when a line is zero or more than the whole fen that are owed.
    error RevenueLedger_RemittanceTooLarge(bytes16 claimantId, Fen got, Fen payableFen);

    /// @notice Approves a scheme; price authority of its city, not the operator. Emits {SchemeApproved}.
    /// @dev The operator must hold its role in the city. Costs in all, and the tax line, are at most
    /// `INCOME_FEN_MAX`; spread at most 60,000 ppm; other rates at most 1,000,000.
    /// @param costs Approved cost per claimant in fen, by ascending id, at most 1,024.
    function approveScheme(SchemeTerms calldata terms, ClaimantCost[] calldata costs) external;

    /// @notice Bills what a licence used since its last bill in one log. Emits {InvoiceIssued}.
    /// @dev Operator of the scheme, or platform. The charge is computed here from the receipt's running
    /// total and the tariff; floor to the fen once. Free purposes are billed zero and do not move the
    /// position in the bands. A bill of zero is final at once: there is nothing to pay or split.
    function issueInvoice(InvoiceClaim calldata claim) external;

    /// @notice Records money that arrived by bank. Emits {PaymentRecorded}. The last part starts the hold.
    /// @dev Operator of the scheme, or platform.
    /// @param receiptDigest Digest of the bank's line, salted with a secret; used once.
    function recordPayment(bytes16 invoiceId, Fen amountFen, bytes32 receiptDigest) external;

    /// @notice The buyer accepts the delivery; ends the hold. Emits {InvoiceReleased}.
    function accept(bytes16 invoiceId) external;

    /// @notice Ends the hold after its time. Anyone may. Emits {InvoiceReleased}.
    function release(bytes16 invoiceId) external;

    /// @notice Splits a released income, in the order of release. Emits {SplitRecorded}.
    /// @dev Operator of the scheme, or platform. Checked: tax rule, each line within its room and within
    /// one µfen of its share, lower tiers only when the higher is full, and the sum.
    /// @param lineage The product's lineage.
    function split(
        bytes16 invoiceId,
        Split calldata proposed,
        ILicenceRegistry.LineageEntry[] calldata lineage
    ) external;

    /// @notice Opens a batch that pays whole fen to one payee. Emits {RemittanceOpened}.
    /// @dev Operator of every scheme named, or platform. What a dataset earned goes to its provider.
    /// @param lines At most 256.
    function openRemittance(
        bytes16 batchId,
        bytes16 payeeId,
        RemittanceLine[] calldata lines,
        bytes32 documentDigest
    ) external;

    /// @notice Closes a batch with the bank's or treasury's receipt. Emits {RemittanceClosed}.
    /// @dev Who opened it, or platform. A receipt serves one payment or one batch.
    function closeRemittance(bytes16 batchId, bytes32 receiptDigest) external;

    /// @notice One scheme; reverts when unknown.
    function scheme(bytes16 schemeId) external view returns (Scheme memory);

    /// @return One claimant's account in a scheme; zero when it has none.
    function account(bytes16 schemeId, bytes16 claimantId) external view returns (Account memory);

    /// @notice One invoice; reverts when unknown.
    function invoice(bytes16 invoiceId) external view returns (Invoice memory);

    /// @return One remittance batch; state NONE when it is unknown.
    function remittance(bytes16 batchId) external view returns (Remittance memory);

    /// @return Units of a licence billed so far in one log.
    function billedUnits(uint64 licenceNo, uint32 logNo) external view returns (uint64);

    /// @return Units of a buyer billed by tariff for a product in a calendar year; the position in the bands.
    function usedUnits(bytes16 buyerId, bytes16 productId, uint16 year) external view returns (uint64);
}
