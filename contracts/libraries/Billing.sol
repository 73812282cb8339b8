// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDirectory} from "../interfaces/IDirectory.sol";
import {ILicenceRegistry} from "../interfaces/ILicenceRegistry.sol";
import {IRevenueLedger} from "../interfaces/IRevenueLedger.sol";
import {IUsageLog} from "../interfaces/IUsageLog.sol";
import {BookKeeping, Books} from "./Books.sol";
import {Charges} from "./Charges.sol";
import {Clock} from "./Clock.sol";
import {InvoiceState, SchemeState} from "./Codes.sol";
import {Receipts} from "./Receipts.sol";
import {Fen, INCOME_FEN_MAX, PeriodId} from "./Units.sol";

/// @title Billing
/// @notice Bills on proven use, their release and reduction. The ledger checks who calls before it asks here.
/// @dev Linked, not inlined: one contract has no room for all.
library Billing {
    using BookKeeping for Books;
    using BookKeeping for IRevenueLedger.Scheme;

    /// @notice Bills what a licence used since its last bill in one log.
    function issue(
        Books storage books,
        IRevenueLedger.InvoiceClaim calldata claim,
        ILicenceRegistry licences,
        IUsageLog usageLog,
        uint64 eventNo
    ) external {
        if (books.invoices[claim.invoiceId].state != InvoiceState.NONE) {
            revert IRevenueLedger.RevenueLedger_InvoiceExists(claim.invoiceId);
        }
        IRevenueLedger.Scheme storage subject = books.known(claim.schemeId);
        Receipts.Receipt memory receipt = Receipts.decode(claim.receipt);
        usageLog.requireIncluded(
            claim.logNo, claim.logSize, claim.receiptIndex, claim.receipt, claim.inclusionProof
        );
        ILicenceRegistry.Licence memory licence = licences.licence(receipt.licenceNo);
        PeriodId periodId = Clock.periodOf(receipt.usedAtMs / 1000);
        _requireSchemeFits(licences, claim.schemeId, subject, licence.productId, Clock.yearOf(periodId));
        uint64 fromUnits = _bill(books, receipt, claim.logNo);
        uint64 units = receipt.cumulativeUnits - fromUnits;
        uint256 expected = _charge(books, licences, claim.tariff, licence, subject.year, units);
        if (expected > INCOME_FEN_MAX) {
            revert IRevenueLedger.RevenueLedger_AmountTooLarge(expected, INCOME_FEN_MAX);
        }
        if (Fen.unwrap(claim.grossFen) != expected) {
            // The cast is safe: the line above bounds the charge.
            revert IRevenueLedger.RevenueLedger_ChargeDiffers(
                claim.invoiceId, claim.grossFen, Fen.wrap(uint64(expected))
            );
        }
        IRevenueLedger.Invoice storage bill = books.invoices[claim.invoiceId];
        bill.schemeId = claim.schemeId;
        bill.productId = licence.productId;
        bill.licenceNo = receipt.licenceNo;
        bill.periodId = periodId;
        bill.grossFen = claim.grossFen;
        bill.state = expected == 0 ? InvoiceState.SPLIT : InvoiceState.ISSUED;
        if (expected != 0) ++subject.openCount;
        _emitIssued(eventNo, claim, receipt, periodId, fromUnits);
    }

    /// @notice Ends the hold of a payment and puts the income in line for its split.
    /// @param acceptorId Who accepts the delivery, only the buyer may; zero for a release without it,
    /// which has to wait for its time unless the licence says that use is acceptance.
    function release(
        Books storage books,
        bytes16 invoiceId,
        bytes16 acceptorId,
        ILicenceRegistry licences,
        uint64 eventNo
    ) external {
        IRevenueLedger.Invoice storage bill = books.knownInvoice(invoiceId);
        if (bill.state != InvoiceState.HELD) {
            revert IRevenueLedger.RevenueLedger_WrongState(invoiceId, bill.state, InvoiceState.HELD);
        }
        ILicenceRegistry.Licence memory licence = licences.licence(bill.licenceNo);
        if (acceptorId != 0 && acceptorId != licence.buyerId) {
            revert IRevenueLedger.RevenueLedger_NotBuyer(invoiceId, acceptorId, licence.buyerId);
        }
        bool isAccepted = acceptorId != 0 || licence.isAcceptedByUse;
        uint64 nowSeconds = Clock.nowSeconds();
        if (!isAccepted && nowSeconds <= bill.heldUntil) {
            revert IRevenueLedger.RevenueLedger_StillHeld(invoiceId, bill.heldUntil, nowSeconds);
        }
        if (bill.isFrozen) revert IRevenueLedger.RevenueLedger_Frozen(invoiceId);
        IRevenueLedger.Scheme storage subject = books.schemes[bill.schemeId];
        uint32 releaseNo = ++subject.releaseCount;
        --subject.openCount;
        bill.releaseNo = releaseNo;
        bill.state = InvoiceState.RELEASED;
        emit IRevenueLedger.InvoiceReleased(eventNo, invoiceId, releaseNo, isAccepted);
    }

    /// @notice Reduces a bill that is not split.
    function reduce(
        Books storage books,
        bytes16 invoiceId,
        Fen reductionFen,
        bytes32 receiptDigest,
        bytes32 documentDigest,
        IDirectory directory,
        uint64 eventNo
    ) external {
        IRevenueLedger.Invoice storage bill = books.invoices[invoiceId];
        IRevenueLedger.Scheme storage subject = books.schemes[bill.schemeId];
        InvoiceState state = bill.state;
        if (state > InvoiceState.RELEASED) {
            revert IRevenueLedger.RevenueLedger_WrongState(invoiceId, state, InvoiceState.RELEASED);
        }
        bool isUnpaid = state == InvoiceState.ISSUED;
        Fen limitFen = isUnpaid ? bill.grossFen - bill.paidFen : bill.grossFen;
        if (Fen.unwrap(reductionFen) == 0 || reductionFen > limitFen) {
            revert IRevenueLedger.RevenueLedger_ReductionTooLarge(invoiceId, reductionFen, limitFen);
        }
        if (!isUnpaid) books.useReceipt(receiptDigest);
        Fen grossFen = bill.grossFen - reductionFen;
        bill.grossFen = grossFen;
        if (Fen.unwrap(grossFen) == 0 && state != InvoiceState.RELEASED) {
            bill.state = InvoiceState.REFUNDED;
            --subject.openCount;
        } else if (isUnpaid && grossFen == bill.paidFen) {
            bill.state = InvoiceState.HELD;
            bill.heldUntil = subject.holdUntil(directory);
        }
        emit IRevenueLedger.InvoiceReduced(
            eventNo, invoiceId, reductionFen, grossFen, bill.heldUntil, receiptDigest, documentDigest
        );
    }

    /// @dev Takes the receipt's running total as billed.
    /// @return fromUnits What was billed before.
    function _bill(Books storage books, Receipts.Receipt memory receipt, uint32 logNo)
        private
        returns (uint64 fromUnits)
    {
        fromUnits = books.billed[receipt.licenceNo][logNo];
        if (receipt.cumulativeUnits <= fromUnits) {
            revert IRevenueLedger.RevenueLedger_NothingToBill(
                receipt.licenceNo, logNo, fromUnits, receipt.cumulativeUnits
            );
        }
        books.billed[receipt.licenceNo][logNo] = receipt.cumulativeUnits;
        // Number 0 is no log: there the sum over all logs is kept; it stays at the largest number.
        uint64 sum = books.billed[receipt.licenceNo][0];
        uint64 more = receipt.cumulativeUnits - fromUnits;
        books.billed[receipt.licenceNo][0] = more > type(uint64).max - sum ? type(uint64).max : sum + more;
    }

    /// @dev The gross charge in fen of `units`, which move the buyer's position in the bands.
    function _charge(
        Books storage books,
        ILicenceRegistry licences,
        ILicenceRegistry.Tariff calldata tariff,
        ILicenceRegistry.Licence memory licence,
        uint16 year,
        uint64 units
    ) private returns (uint256) {
        if (licence.tariffNo == 0) return 0;
        licences.requireTariff(licence.productId, licence.tariffNo, tariff);
        mapping(uint16 => uint64) storage used = books.used[licence.buyerId][licence.productId];
        uint64 alreadyUnits = used[year];
        used[year] = alreadyUnits + units;
        return Charges.chargeFen(tariff, alreadyUnits, units);
    }

    function _emitIssued(
        uint64 eventNo,
        IRevenueLedger.InvoiceClaim calldata claim,
        Receipts.Receipt memory receipt,
        PeriodId periodId,
        uint64 fromUnits
    ) private {
        emit IRevenueLedger.InvoiceIssued(
            eventNo,
            claim.invoiceId,
            receipt.licenceNo,
            claim.schemeId,
            periodId,
            claim.logNo,
            claim.receiptIndex,
            fromUnits,
            receipt.cumulativeUnits,
            claim.grossFen,
            claim.documentDigest
        );
    }

    function _requireSchemeFits(
        ILicenceRegistry licences,
        bytes16 schemeId,
        IRevenueLedger.Scheme storage subject,
        bytes16 productId,
        uint16 year
    ) private view {
        ILicenceRegistry.Product memory product = licences.product(productId);
        // A market price and a permitted income never share a scheme.
        BookKeeping.requireState(
            schemeId, subject, product.isDerived ? SchemeState.MARKET : SchemeState.OPEN
        );
        bool isFit = product.operatorId == subject.operatorId && product.cityCode == subject.cityCode
            && year == subject.year;
        if (!isFit) revert IRevenueLedger.RevenueLedger_SchemeMismatch(schemeId, productId, year);
    }
}
