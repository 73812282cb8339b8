// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {CloseOutcome, InvoiceState, RemittanceState, SchemeState} from "../libraries/Codes.sol";
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
        /// @dev Who runs the market and has a share of the profit; may be the operator itself.
        bytes16 platformId;
        /// @dev Who holds the share for the governance of data; zero when there is none.
        bytes16 governanceId;
        /// @dev Cycle of up to three years that this year belongs to; opened by its first year.
        bytes16 cycleId;
        /// @dev The cycle before it, or zero; said when the cycle opens.
        bytes16 previousCycleId;
        uint32 cityCode;
        /// @dev Accounting year, China Standard Time.
        uint16 year;
        /// @dev Trial price (试行收费标准): no permitted income, so no profit is shared.
        bool isTrial;
        /// @dev Mean ten-year treasury yield of the year before.
        Ppm bondPpm;
        /// @dev At most 60,000 (6 percentage points).
        Ppm spreadPpm;
        /// @dev Surcharge on each net income, up to the tax line.
        Ppm surchargePpm;
        Ppm vatPpm;
        /// @dev How permitted profit is shared; the four sum to 1,000,000, or to 0 in a trial.
        Ppm providersPpm;
        Ppm operatorPpm;
        Ppm platformPpm;
        Ppm governancePpm;
        /// @dev Approved tax line without VAT.
        Fen taxFen;
        /// @dev Working days that a payment is held for acceptance, at most 60.
        uint16 holdDays;
        /// @dev Salted digest of the decision's document.
        bytes32 decisionDigest;
    }

    struct ClaimantCost {
        bytes16 claimantId;
        Fen costFen;
    }

    /// @dev In the order of storage slots. A split reads the first two and writes the second; the third
    /// is touched by a claimant's first use and below the first tier of cost.
    struct Scheme {
        bytes16 operatorId;
        Ppm surchargePpm;
        Ppm vatPpm;
        MicroFen taxMicroFen;
        MicroFen taxTakenMicroFen;
        /// @dev Cost recovered by all claimants together.
        MicroFen recoveredMicroFen;
        MicroFen reserveMicroFen;
        uint32 splitCount;
        /// @dev Unix seconds from which an announced change holds; 0 when none is announced.
        uint32 changeFrom;
        /// @dev Permitted profit: approved costs times (bond + spread); 0 in a trial.
        MicroFen profitMicroFen;
        /// @dev Permitted profit used up: shared, or forgone for want of quality.
        MicroFen benefitMicroFen;
        MicroFen forgoneMicroFen;
        /// @dev Approved cost of the common pool: operator, platform, and datasets used this year.
        MicroFen poolCostMicroFen;
        bytes16 platformId;
        Ppm providersPpm;
        Ppm operatorPpm;
        Ppm platformPpm;
        Ppm governancePpm;
        uint32 cityCode;
        uint16 holdDays;
        uint32 releaseCount;
        /// @dev Bills that are neither released nor taken back.
        uint32 openCount;
        uint16 year;
        /// @dev From 1; each change that came into force adds one.
        uint16 versionNo;
        /// @dev Claimants in the common pool.
        uint16 poolCount;
        SchemeState state;
        bool isTrial;
        /// @dev Approved cost of all claimants together.
        MicroFen costMicroFen;
        bytes16 governanceId;
        bytes16 cycleId;
    }

    /// @notice Up to three years of one operator and city that are reviewed together (发改价格〔2025〕65号).
    struct Cycle {
        bytes16 operatorId;
        uint32 cityCode;
        uint16 firstYear;
        /// @dev Years approved so far.
        uint8 yearCount;
        /// @dev Over how many later cycles the carry-out is deducted; 0 until the cycle is closed.
        uint8 instalmentCount;
        /// @dev Whether the deduction from earlier cycles was poured in.
        bool isPoured;
        MicroFen carryOutMicroFen;
        bytes16 previousId;
        bytes16 nextId;
        bytes16[3] schemeIds;
    }

    /// @notice What one claimant may recover and has received in one scheme; one storage slot.
    struct Account {
        MicroFen costMicroFen;
        MicroFen recoveredMicroFen;
        /// @dev Recovered cost and shared profit.
        MicroFen entitledMicroFen;
        MicroFen remittedMicroFen;
        /// @dev Whether the claimant is in the common pool: operator, platform, or a dataset whose product
        /// was sold this year. Free use, in the public interest or within a quota, puts nobody there: only
        /// the cost of industry use is recovered (65号), and a use that nobody paid would open the pool.
        bool isPooled;
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
        InvoiceState state;
        Fen grossFen;
        /// @dev Order of release within the scheme, from 1; splits follow it.
        uint32 releaseNo;
        /// @dev Head of the digest of the split's lines; zero until it is split.
        bytes19 splitDigest;
        uint64 licenceNo;
        Fen paidFen;
        /// @dev Month of the receipt's use.
        PeriodId periodId;
        /// @dev Unix seconds; 0 until the invoice is paid in full.
        uint64 heldUntil;
        /// @dev Whether an objection keeps the payment from being released.
        bool isFrozen;
    }

    /// @notice A proposed split of an amount that comes from no product: claimants by ascending id,
    /// weighted by approved cost.
    struct Fill {
        bytes16[] claimantIds;
        /// @dev As {split} takes it; the tax line is zero.
        bytes split;
    }

    /// @notice What a payee owes back: it was paid out and then taken back by a correction.
    struct Receivable {
        bytes16 payeeId;
        bytes16 claimantId;
        Fen amountFen;
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
        /// @dev What is paid: the lines less what the payee owed back.
        Fen amountFen;
        RemittanceState state;
    }

    event SchemeApproved(uint64 eventNo, bytes16 indexed schemeId, SchemeTerms terms, ClaimantCost[] costs);
    event SchemeChangeAnnounced(
        uint64 eventNo, bytes16 indexed schemeId, uint32 changeFrom, SchemeTerms terms, ClaimantCost[] costs
    );
    event SchemeChanged(
        uint64 eventNo, bytes16 indexed schemeId, uint16 versionNo, SchemeTerms terms, ClaimantCost[] costs
    );
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
    event InvoiceFrozen(uint64 eventNo, bytes16 indexed invoiceId, bool isFrozen, bytes32 decisionDigest);
    event InvoiceReduced(
        uint64 eventNo,
        bytes16 indexed invoiceId,
        Fen reductionFen,
        Fen grossFen,
        uint64 heldUntil,
        bytes32 receiptDigest,
        bytes32 documentDigest
    );
    /// @dev `isAccepted`: by the buyer, or by use where the agreement says so.
    event InvoiceReleased(uint64 eventNo, bytes16 indexed invoiceId, uint32 releaseNo, bool isAccepted);
    event SplitRecorded(
        uint64 eventNo,
        bytes16 indexed invoiceId,
        bytes16 indexed schemeId,
        uint32 releaseNo,
        Fen netFen,
        Fen vatFen,
        bytes split
    );
    event SplitCorrected(
        uint64 eventNo,
        bytes16 indexed invoiceId,
        bytes16 indexed schemeId,
        Fen reductionFen,
        uint32 releaseNo,
        bytes split,
        Receivable[] receivables,
        bytes32 receiptDigest,
        bytes32 documentDigest
    );
    /// @notice A scheme of a developer's year: a market price, outside every permitted income.
    event MarketOpened(
        uint64 eventNo,
        bytes16 indexed schemeId,
        bytes16 indexed developerId,
        uint32 cityCode,
        uint16 year,
        Ppm vatPpm,
        uint16 holdDays
    );
    /// @notice An income of a derived product is shared: to each of its lineage the net times its ppm.
    event OutcomeShared(
        uint64 eventNo,
        bytes16 indexed invoiceId,
        bytes16 indexed schemeId,
        uint32 releaseNo,
        Fen netFen,
        Fen vatFen
    );
    /// @param netFen By how much the net income fell; each of the lineage gives back that times its ppm.
    event OutcomeCorrected(
        uint64 eventNo,
        bytes16 indexed invoiceId,
        bytes16 indexed schemeId,
        Fen reductionFen,
        Fen netFen,
        Receivable[] receivables,
        bytes32 receiptDigest,
        bytes32 documentDigest
    );
    event YearClosed(
        uint64 eventNo,
        bytes16 indexed schemeId,
        MicroFen incomeMicroFen,
        MicroFen permittedMicroFen,
        Ppm deviationPpm,
        CloseOutcome outcome,
        bytes32 documentDigest
    );
    event DeviationAnswered(uint64 eventNo, bytes16 indexed schemeId, bytes16 authorityId, bytes32 responseDigest);
    event CycleClosed(
        uint64 eventNo,
        bytes16 indexed cycleId,
        uint8 instalmentCount,
        MicroFen carryOutMicroFen,
        Fill[] fills,
        bytes32 decisionDigest
    );
    event CarryInPoured(
        uint64 eventNo, bytes16 indexed schemeId, bytes16 indexed cycleId, MicroFen amountMicroFen, Fill fill
    );
    event RemittanceOpened(
        uint64 eventNo,
        bytes16 indexed batchId,
        bytes16 indexed payeeId,
        RemittanceLine[] lines,
        Fen setOffFen,
        bytes32 documentDigest
    );
    event RemittanceClosed(uint64 eventNo, bytes16 indexed batchId, bytes32 receiptDigest);

    /// @notice Thrown when no scheme has this id.
    error RevenueLedger_UnknownScheme(bytes16 schemeId);
    /// @notice Thrown when the scheme id is already taken.
    error RevenueLedger_SchemeExists(bytes16 schemeId);
    /// @notice Thrown when the scheme is in another state than the action needs.
    error RevenueLedger_SchemeState(bytes16 schemeId, SchemeState state, SchemeState needed);
    /// @notice Thrown when a year does not fit its cycle: other operator or city, not the next year, more
    /// than three, or a cycle that is closed; or when a cycle cannot follow the one it names.
    error RevenueLedger_CycleMismatch(bytes16 cycleId, bytes16 schemeId);
    /// @notice Thrown when a change touches what a scheme keeps for good, or is not the announced one.
    error RevenueLedger_ChangeDiffers(bytes16 schemeId);
    /// @notice Thrown when a change would hold from an instant that is past, or is not due yet.
    error RevenueLedger_ChangeTime(bytes16 schemeId, uint32 changeFrom, uint64 nowSeconds);
    /// @notice Thrown when an announced change is in force and was not entered yet.
    error RevenueLedger_ChangeDue(bytes16 schemeId, uint32 changeFrom);
    /// @notice Thrown when a rate exceeds its limit.
    error RevenueLedger_RateTooLarge(bytes16 schemeId, Ppm got, uint256 limit);
    /// @notice Thrown when payments would be held for more working days than the limit.
    error RevenueLedger_HoldTooLong(bytes16 schemeId, uint16 gotDays, uint16 limitDays);
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
    /// @notice Thrown when an objection keeps the payment from being released.
    error RevenueLedger_Frozen(bytes16 invoiceId);
    /// @notice Thrown when a bill would be reduced by nothing, or below what it can be.
    error RevenueLedger_ReductionTooLarge(bytes16 invoiceId, Fen got, Fen limitFen);
    /// @notice Thrown when the split to be taken back is not the one that was recorded.
    error RevenueLedger_SplitDiffers(bytes16 invoiceId, bytes19 got, bytes19 expected);
    /// @notice Thrown when a year is closed before its end.
    error RevenueLedger_YearNotOver(bytes16 schemeId, uint16 year, uint16 currentYear);
    /// @notice Thrown when a year is closed although bills are open or incomes not split.
    error RevenueLedger_NotAllSplit(bytes16 schemeId, uint32 openCount, uint32 unsplitCount);
    /// @notice Thrown when a cycle is closed twice.
    error RevenueLedger_CycleClosed(bytes16 cycleId);
    /// @notice Thrown when the cycle before is not closed, or its deduction is still to be poured.
    error RevenueLedger_CarryInOpen(bytes16 cycleId, bytes16 previousCycleId);
    /// @notice Thrown when there is nothing to pour, or it was poured.
    error RevenueLedger_NothingToPour(bytes16 schemeId, bytes16 cycleId);
    /// @notice Thrown when a carry-out is to be spread over no or more than three cycles.
    error RevenueLedger_InstalmentCount(uint256 count, uint256 limit);
    /// @notice Thrown when a fill does not name exactly the claimants that it must.
    error RevenueLedger_FillDiffers(bytes16 schemeId, uint256 count, uint256 expected);
    /// @notice Thrown when another income of the scheme is to be split first.
    error RevenueLedger_SplitOutOfOrder(bytes16 invoiceId, uint32 releaseNo, uint32 next);
    /// @notice Thrown when a split is longer or shorter than its counts say.
    error RevenueLedger_SplitLength(uint256 got, uint256 expected);
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
    /// @notice Thrown when the pool that is named has not the open cost that the pool has.
    error RevenueLedger_PoolDiffers(bytes16 schemeId, uint256 gotMicroFen, uint256 expectedMicroFen);
    /// @notice Thrown when a line of the pool is out of order or of a claimant that is not in it.
    error RevenueLedger_NotInPool(bytes16 schemeId, bytes16 claimantId);
    /// @notice Thrown when a share of the profit is more than one µfen from its exact value; lines are
    /// counted as in a split, the providers' part together as the line after the last.
    error RevenueLedger_ProfitOutOfProportion(uint256 index, MicroFen got);
    /// @notice Thrown when the shares of the profit do not sum to the whole, or governance has a share
    /// and nobody holds it.
    error RevenueLedger_ProfitVector(bytes16 schemeId, uint256 sumPpm);
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

    /// @notice Announces another version of a scheme; price authority of its city, not the operator.
    /// Emits {SchemeChangeAnnounced}.
    /// @dev Operator, platform, city, year and cycle stay. A later announcement replaces one that is not entered.
    /// @param costs Costs that change, in fen, by ascending id.
    /// @param changeFrom Unix seconds, not in the past.
    function announceChange(SchemeTerms calldata terms, ClaimantCost[] calldata costs, uint32 changeFrom) external;

    /// @notice Brings an announced change into force when its time has come. Anyone may. Emits {SchemeChanged}.
    /// @dev From its time on no income is split until this is done. What was split stays: no line falls
    /// below what was recovered, taken or shared under the versions before.
    function enactChange(SchemeTerms calldata terms, ClaimantCost[] calldata costs) external;

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

    /// @notice Ends the hold after its time, or at once where the licence says that use is acceptance:
    /// the bill rests on proven use. Anyone may, unless an objection froze it. Emits {InvoiceReleased}.
    function release(bytes16 invoiceId) external;

    /// @notice Keeps a payment from being released, or lets it go on; the objection desk alone. Emits
    /// {InvoiceFrozen}.
    function setFrozen(bytes16 invoiceId, bool isFrozen, bytes32 decisionDigest) external;

    /// @notice Reduces a bill that is not split: a credit note, or a refund. Emits {InvoiceReduced}.
    /// @dev Operator of the scheme, or platform. A bill reduced to nothing is REFUNDED unless its income
    /// is in line for its split; one reduced to what is paid is paid in full.
    /// @param reductionFen At most the gross amount; before full payment at most what is not paid.
    /// @param receiptDigest Digest of the bank's line of the refund, used once; zero where nothing was paid.
    /// @param documentDigest Salted digest of the credit note or decision.
    function reduce(bytes16 invoiceId, Fen reductionFen, bytes32 receiptDigest, bytes32 documentDigest) external;

    /// @notice Takes a split back by equal and opposite entries (红冲) and reduces its bill. Emits {SplitCorrected}.
    /// @dev Operator of the scheme, or platform, before the cycle is closed. What is left of the bill is
    /// released anew, at the end of the line. Whole fen that were remitted and are no longer due become
    /// receivables of their payees.
    /// @param reductionFen At most the gross amount; may be zero, when only the split was wrong.
    /// @param receiptDigest Digest of the bank's line of the refund, used once; zero where nothing is refunded.
    /// @param recorded The split as it was recorded, byte for byte.
    function correct(
        bytes16 invoiceId,
        Fen reductionFen,
        bytes calldata recorded,
        bytes32 receiptDigest,
        bytes32 documentDigest
    ) external;

    /// @notice Closes an accounting year after its end. Emits {YearClosed}.
    /// @dev Operator of the scheme, or platform; when every bill is released or taken back and every
    /// income split. A deviation of up to 100,000 ppm asks for other prices, a larger one for another cap.
    function closeYear(bytes16 schemeId, bytes32 documentDigest) external;

    /// @notice Records the response to a year's deviation; price authority of the city, not the operator.
    /// Emits {DeviationAnswered}.
    function answerDeviation(bytes16 schemeId, bytes32 responseDigest) external;

    /// @notice Closes a cycle whose years are closed and answered. Emits {CycleClosed}.
    /// @dev Price authority of the city, not the operator. All reserves of the cycle are poured through
    /// the tiers of its years, oldest first; what is left is the carry-out.
    /// @param instalmentCount Over how many later cycles it is deducted, 1 to 3.
    /// @param fills One per year; claimants are those in the year's common pool.
    function closeCycle(bytes16 cycleId, uint8 instalmentCount, Fill[] calldata fills, bytes32 decisionDigest)
        external;

    /// @notice Pours what earlier cycles recovered too much into the first year of a cycle. Emits {CarryInPoured}.
    /// @dev Operator of the scheme, or platform, once. Claimants are all of the scheme.
    function pourCarryIn(bytes16 schemeId, Fill calldata fill) external;

    /// @notice Splits a released income, in the order of release. Emits {SplitRecorded}.
    /// @dev Operator of the scheme, or platform. Checked: tax rule, each line within its room and within
    /// one µfen of its share, lower tiers only when the higher is full, the whole common pool, the
    /// profit vector and quality, and the sum.
    ///
    /// A split is bytes, all numbers big-endian, amounts in µfen (8 bytes each):
    ///
    ///     tax | forgone | reserve | a | b | c | a lines | b lines | c lines
    ///
    /// `forgone` is the providers' part of the profit that no quality earned; it lies in the reserve line.
    /// a, b, c are counts of 2 bytes. The a lines are what each claimant recovers, in the order of the
    /// product's lineage ({ILicenceRegistry-lineageOf}). The b lines are profit: governance, operator,
    /// platform, then one a claimant of the lineage; none while cost takes all. The c lines, 24 bytes
    /// each, are the common tier: id (16 bytes) and amount of each claimant in the pool with open cost,
    /// by ascending id; none while the lineage takes all.
    function split(bytes16 invoiceId, bytes calldata proposed) external;

    /// @notice Opens a scheme for the income of a developer's derived products in a year. Emits {MarketOpened}.
    /// @dev A developer of the city. It has no approved cost, no permitted income and no cycle, and is
    /// never closed, as nothing of it is deducted later.
    /// @param vatPpm At most 130,000, the highest rate of VAT.
    /// @param holdDays Working days that a payment is held for acceptance, at most 60.
    function openMarket(bytes16 schemeId, uint32 cityCode, uint16 year, Ppm vatPpm, uint16 holdDays) external;

    /// @notice Shares a released income of a derived product, in the order of release: the operator of
    /// its scheme, or a platform. There is nothing to choose. Emits {OutcomeShared}.
    /// @dev Each of the lineage is entitled to the net in fen times its ppm, in µfen; nothing is rounded.
    function shareOutcome(bytes16 invoiceId) external;

    /// @notice Reduces the bill of a shared outcome, and takes back exactly what the reduction takes from
    /// its net. Emits {OutcomeCorrected}.
    /// @dev Operator of the scheme, or platform. Whole fen that were remitted and are no longer due become
    /// receivables of their payees.
    /// @param reductionFen Above zero, at most the gross amount.
    /// @param receiptDigest Digest of the bank's line of the refund, used once.
    function correctOutcome(
        bytes16 invoiceId,
        Fen reductionFen,
        bytes32 receiptDigest,
        bytes32 documentDigest
    ) external;

    /// @notice Opens a batch that pays whole fen to one payee. Emits {RemittanceOpened}.
    /// @dev What the payee owes back is set off first; a batch of nothing more is closed at once.
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

    /// @notice The licence whose use an invoice bills; reverts when unknown.
    function licenceOf(bytes16 invoiceId) external view returns (uint64 licenceNo);

    /// @notice One invoice; reverts when unknown.
    function invoice(bytes16 invoiceId) external view returns (Invoice memory);

    /// @notice One cycle; zero when it is unknown.
    function cycle(bytes16 cycleId) external view returns (Cycle memory);

    /// @return Whole fen that a payee owes back.
    function receivableFen(bytes16 payeeId) external view returns (Fen);

    /// @return One remittance batch; state NONE when it is unknown.
    function remittance(bytes16 batchId) external view returns (Remittance memory);

    /// @return Units of a licence billed so far in one log; in all logs together under number 0.
    function billedUnits(uint64 licenceNo, uint32 logNo) external view returns (uint64);

    /// @return Units of a buyer billed by tariff for a product in a calendar year; the position in the bands.
    function usedUnits(bytes16 buyerId, bytes16 productId, uint16 year) external view returns (uint64);
}
