// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDatasetRegistry} from "./interfaces/IDatasetRegistry.sol";
import {IDirectory} from "./interfaces/IDirectory.sol";
import {ILicenceRegistry} from "./interfaces/ILicenceRegistry.sol";
import {IRevenueLedger} from "./interfaces/IRevenueLedger.sol";
import {IUsageLog} from "./interfaces/IUsageLog.sol";
import {Accounts} from "./libraries/Accounts.sol";
import {Billing} from "./libraries/Billing.sol";
import {BookKeeping, Books} from "./libraries/Books.sol";
import {Clock} from "./libraries/Clock.sol";
import {Closing} from "./libraries/Closing.sol";
import {InvoiceState, JointAct, Role, SchemeState} from "./libraries/Codes.sol";
import {Corrections} from "./libraries/Corrections.sol";
import {Lineages} from "./libraries/Lineages.sol";
import {Member} from "./libraries/Member.sol";
import {OutcomeSharing} from "./libraries/OutcomeSharing.sol";
import {Remitting} from "./libraries/Remitting.sol";
import {Schemes} from "./libraries/Schemes.sol";
import {Sharing} from "./libraries/Sharing.sol";
import {Lines, SplitLines} from "./libraries/SplitLines.sol";
import {Fen, MICRO_FEN_PER_FEN, MicroFen, Ppm} from "./libraries/Units.sol";

/// @title RevenueLedger
/// @dev What is seldom called lies in linked libraries, as one contract has no room for all.
contract RevenueLedger is IRevenueLedger, Member {
    using BookKeeping for Books;
    using BookKeeping for Scheme;

    ILicenceRegistry private immutable LICENCES;
    IUsageLog private immutable USAGE_LOG;
    IDatasetRegistry private immutable DATASETS;

    Books private _books;

    constructor(
        address forwarder,
        IDirectory directory_,
        IDatasetRegistry datasets,
        ILicenceRegistry licences,
        IUsageLog usageLog
    ) Member(forwarder, directory_) {
        DATASETS = datasets;
        LICENCES = licences;
        USAGE_LOG = usageLog;
    }

    /// @inheritdoc IRevenueLedger
    function approveScheme(SchemeTerms calldata terms, ClaimantCost[] calldata costs) external {
        if (_books.schemes[terms.schemeId].operatorId != 0) revert RevenueLedger_SchemeExists(terms.schemeId);
        _requirePriceAuthority(terms.schemeId, terms.operatorId, terms.cityCode);
        if (!DIRECTORY.hasRole(terms.operatorId, Role.OPERATOR, terms.cityCode)) {
            revert IDirectory.Directory_RoleMissing(terms.operatorId, Role.OPERATOR, terms.cityCode);
        }
        Schemes.approve(_books, terms, costs, _nextEventNo());
    }

    /// @inheritdoc IRevenueLedger
    function announceChange(SchemeTerms calldata terms, ClaimantCost[] calldata costs, uint32 changeFrom)
        external
    {
        Scheme storage subject = _books.known(terms.schemeId);
        _requirePriceAuthority(terms.schemeId, subject.operatorId, subject.cityCode);
        Schemes.announce(_books, terms, costs, changeFrom, _nextEventNo());
    }

    /// @inheritdoc IRevenueLedger
    function enactChange(SchemeTerms calldata terms, ClaimantCost[] calldata costs) external {
        Schemes.enact(_books, terms, costs, _nextEventNo());
    }

    /// @inheritdoc IRevenueLedger
    function issueInvoice(InvoiceClaim calldata claim) external {
        _requireOperator(claim.schemeId, _books.known(claim.schemeId).operatorId);
        Billing.issue(_books, claim, LICENCES, USAGE_LOG, _nextEventNo());
    }

    /// @inheritdoc IRevenueLedger
    function recordPayment(bytes16 invoiceId, Fen amountFen, bytes32 receiptDigest) external {
        Invoice storage bill = _invoiceIn(invoiceId, InvoiceState.ISSUED);
        Scheme storage subject = _books.schemes[bill.schemeId];
        _requireOperator(bill.schemeId, subject.operatorId);
        Fen openFen = bill.grossFen - bill.paidFen;
        if (Fen.unwrap(amountFen) == 0 || amountFen > openFen) {
            revert RevenueLedger_PaymentTooLarge(invoiceId, amountFen, openFen);
        }
        _books.useReceipt(receiptDigest);
        bill.paidFen = bill.paidFen + amountFen;
        uint64 heldUntil = 0;
        if (amountFen == openFen) {
            heldUntil = subject.holdUntil(DIRECTORY);
            bill.heldUntil = heldUntil;
            bill.state = InvoiceState.HELD;
        }
        emit PaymentRecorded(_nextEventNo(), invoiceId, amountFen, bill.paidFen, heldUntil, receiptDigest);
    }

    /// @inheritdoc IRevenueLedger
    function accept(bytes16 invoiceId) external {
        Billing.release(_books, invoiceId, _actorUsing(Role.BUYER), LICENCES, _nextEventNo());
    }

    /// @inheritdoc IRevenueLedger
    function release(bytes16 invoiceId) external {
        Billing.release(_books, invoiceId, 0, LICENCES, _nextEventNo());
    }

    /// @inheritdoc IRevenueLedger
    function setFrozen(bytes16 invoiceId, bool isFrozen, bytes32 decisionDigest) external {
        if (msg.sender != DIRECTORY.objectionDesk()) revert IDirectory.Directory_NotDesk(msg.sender);
        Invoice storage bill = _books.knownInvoice(invoiceId);
        if (isFrozen && bill.state > InvoiceState.HELD) {
            revert RevenueLedger_WrongState(invoiceId, bill.state, InvoiceState.HELD);
        }
        bill.isFrozen = isFrozen;
        emit InvoiceFrozen(_nextEventNo(), invoiceId, isFrozen, decisionDigest);
    }

    /// @inheritdoc IRevenueLedger
    function reduce(bytes16 invoiceId, Fen reductionFen, bytes32 receiptDigest, bytes32 documentDigest) external {
        bytes16 schemeId = _books.knownInvoice(invoiceId).schemeId;
        _requireOperator(schemeId, _books.schemes[schemeId].operatorId);
        Billing.reduce(_books, invoiceId, reductionFen, receiptDigest, documentDigest, DIRECTORY, _nextEventNo());
    }

    /// @inheritdoc IRevenueLedger
    function split(bytes16 invoiceId, bytes calldata proposed) external {
        Invoice storage bill = _invoiceIn(invoiceId, InvoiceState.RELEASED);
        bytes16 schemeId = bill.schemeId;
        Scheme storage subject = _books.schemes[schemeId];
        _requireOperator(schemeId, subject.operatorId);
        uint32 releaseNo = bill.releaseNo;
        _requireTurn(invoiceId, schemeId, subject, releaseNo);
        Fen grossFen = bill.grossFen;
        Fen netFen = BookKeeping.netOf(grossFen, subject.vatPpm);
        Lines memory lines = SplitLines.read(proposed);
        _requireTax(lines.tax, netFen, subject);
        Sharing.share(
            _books.accounts[schemeId],
            subject,
            schemeId,
            lines,
            Lineages.read(LICENCES.lineageAt(bill.productId)),
            uint256(Fen.unwrap(netFen)) * MICRO_FEN_PER_FEN,
            DATASETS
        );
        subject.splitCount = releaseNo;
        bill.state = InvoiceState.SPLIT;
        bill.splitDigest = SplitLines.digestOf(proposed);
        emit SplitRecorded(_nextEventNo(), invoiceId, schemeId, releaseNo, netFen, grossFen - netFen, proposed);
    }

    /// @inheritdoc IRevenueLedger
    function correct(
        bytes16 invoiceId,
        Fen reductionFen,
        bytes calldata recorded,
        bytes32 receiptDigest,
        bytes32 documentDigest
    ) external {
        (Corrections.Request memory request, bytes16 productId) =
            _correction(invoiceId, reductionFen, receiptDigest, documentDigest);
        address lineage = LICENCES.lineageAt(productId);
        Corrections.correct(_books, request, recorded, lineage, DIRECTORY, DATASETS);
    }

    /// @inheritdoc IRevenueLedger
    function openMarket(bytes16 schemeId, uint32 cityCode, uint16 year, Ppm vatPpm, uint16 holdDays) external {
        OutcomeSharing.Terms memory terms = OutcomeSharing.Terms({
            schemeId: schemeId,
            developerId: _actorWith(Role.DEVELOPER, cityCode),
            cityCode: cityCode,
            year: year,
            vatPpm: vatPpm,
            holdDays: holdDays
        });
        OutcomeSharing.open(_books, terms, _nextEventNo());
    }

    /// @inheritdoc IRevenueLedger
    function shareOutcome(bytes16 invoiceId) external {
        Invoice storage bill = _invoiceIn(invoiceId, InvoiceState.RELEASED);
        _requireOperator(bill.schemeId, _books.schemes[bill.schemeId].operatorId);
        OutcomeSharing.share(_books, invoiceId, LICENCES.outcomesAt(bill.productId), _nextEventNo());
    }

    /// @inheritdoc IRevenueLedger
    function correctOutcome(
        bytes16 invoiceId,
        Fen reductionFen,
        bytes32 receiptDigest,
        bytes32 documentDigest
    ) external {
        (Corrections.Request memory request, bytes16 productId) =
            _correction(invoiceId, reductionFen, receiptDigest, documentDigest);
        OutcomeSharing.correct(_books, request, LICENCES.outcomesAt(productId), DIRECTORY, DATASETS);
    }

    /// @inheritdoc IRevenueLedger
    function closeYear(bytes16 schemeId, bytes32 documentDigest) external {
        _requireOperator(schemeId, _books.known(schemeId).operatorId);
        Closing.closeYear(_books, schemeId, documentDigest, _nextEventNo());
    }

    /// @inheritdoc IRevenueLedger
    function answerDeviation(bytes16 schemeId, bytes32 responseDigest) external {
        Scheme storage subject = _books.known(schemeId);
        bytes16 authorityId = _requirePriceAuthority(schemeId, subject.operatorId, subject.cityCode);
        BookKeeping.requireState(schemeId, subject, SchemeState.YEAR_CLOSED);
        subject.state = SchemeState.ANSWERED;
        emit DeviationAnswered(_nextEventNo(), schemeId, authorityId, responseDigest);
    }

    /// @inheritdoc IRevenueLedger
    function closeCycle(bytes16 cycleId, uint8 instalmentCount, Fill[] calldata fills, bytes32 decisionDigest)
        external
    {
        Cycle storage subject = _books.cycles[cycleId];
        _requirePriceAuthority(subject.schemeIds[0], subject.operatorId, subject.cityCode);
        Closing.closeCycle(_books, cycleId, instalmentCount, fills, decisionDigest, DATASETS, _nextEventNo());
    }

    /// @inheritdoc IRevenueLedger
    function pourCarryIn(bytes16 schemeId, Fill calldata fill) external {
        _requireOperator(schemeId, _books.known(schemeId).operatorId);
        Closing.pourCarryIn(_books, schemeId, fill, DATASETS, _nextEventNo());
    }

    /// @inheritdoc IRevenueLedger
    function openRemittance(
        bytes16 batchId,
        bytes16 payeeId,
        RemittanceLine[] calldata lines,
        bytes32 documentDigest
    ) external {
        (bytes16 actorId, bool isPlatform) = _operating(0);
        Remitting.Request memory request = Remitting.Request({
            batchId: batchId,
            payeeId: payeeId,
            actorId: actorId,
            isPlatform: isPlatform,
            documentDigest: documentDigest,
            eventNo: _nextEventNo()
        });
        Remitting.open(_books, request, lines, DIRECTORY, DATASETS);
    }

    /// @inheritdoc IRevenueLedger
    function closeRemittance(bytes16 batchId, bytes32 receiptDigest) external {
        (bytes16 actorId, bool mayAct) = _operating(_books.remittances[batchId].openerId);
        Remitting.close(_books, batchId, receiptDigest, actorId, mayAct, _nextEventNo());
        _requireSecond(JointAct.REMITTANCE_CLOSING);
    }

    /// @inheritdoc IRevenueLedger
    function scheme(bytes16 schemeId) external view returns (Scheme memory) {
        return _books.known(schemeId);
    }

    /// @inheritdoc IRevenueLedger
    function account(bytes16 schemeId, bytes16 claimantId) external view returns (Account memory) {
        return Accounts.shown(_books.accounts[schemeId][claimantId]);
    }

    /// @inheritdoc IRevenueLedger
    function invoice(bytes16 invoiceId) external view returns (Invoice memory) {
        return _books.knownInvoice(invoiceId);
    }

    /// @inheritdoc IRevenueLedger
    function licenceOf(bytes16 invoiceId) external view returns (uint64) {
        return _books.knownInvoice(invoiceId).licenceNo;
    }

    /// @inheritdoc IRevenueLedger
    function cycle(bytes16 cycleId) external view returns (Cycle memory) {
        return _books.cycles[cycleId];
    }

    /// @inheritdoc IRevenueLedger
    function receivableFen(bytes16 payeeId) external view returns (Fen) {
        return _books.receivable[payeeId];
    }

    /// @inheritdoc IRevenueLedger
    function remittance(bytes16 batchId) external view returns (Remittance memory) {
        return _books.remittances[batchId];
    }

    /// @inheritdoc IRevenueLedger
    function billedUnits(uint64 licenceNo, uint32 logNo) external view returns (uint64) {
        return _books.billed[licenceNo][logNo];
    }

    /// @inheritdoc IRevenueLedger
    function usedUnits(bytes16 buyerId, bytes16 productId, uint16 year) external view returns (uint64) {
        return _books.used[buyerId][productId][year];
    }

    /// @dev A split bill that the caller may correct.
    function _correction(bytes16 invoiceId, Fen reductionFen, bytes32 receiptDigest, bytes32 documentDigest)
        private
        returns (Corrections.Request memory request, bytes16 productId)
    {
        Invoice storage bill = _invoiceIn(invoiceId, InvoiceState.SPLIT);
        _requireOperator(bill.schemeId, _books.schemes[bill.schemeId].operatorId);
        productId = bill.productId;
        request = Corrections.Request({
            invoiceId: invoiceId,
            reductionFen: reductionFen,
            receiptDigest: receiptDigest,
            documentDigest: documentDigest,
            eventNo: _nextEventNo()
        });
    }

    function _requirePriceAuthority(bytes16 schemeId, bytes16 operatorId, uint32 cityCode)
        private
        view
        returns (bytes16 authorityId)
    {
        authorityId = _actorWith(Role.PRICE_AUTHORITY, cityCode);
        if (authorityId == operatorId) revert RevenueLedger_ApproverIsOperator(schemeId, authorityId);
        _requireSecond(JointAct.PRICE_APPROVAL);
    }

    /// @dev Splits follow releases, and a change that is in force comes before any further split.
    function _requireTurn(bytes16 invoiceId, bytes16 schemeId, Scheme storage subject, uint32 releaseNo)
        private
        view
    {
        uint32 splitNo = subject.splitCount + 1;
        if (releaseNo != splitNo) revert RevenueLedger_SplitOutOfOrder(invoiceId, releaseNo, splitNo);
        uint32 changeFrom = subject.changeFrom;
        if (changeFrom != 0 && changeFrom <= Clock.nowSeconds()) {
            revert RevenueLedger_ChangeDue(schemeId, changeFrom);
        }
    }

    function _requireOperator(bytes16 schemeId, bytes16 operatorId) private view {
        (bytes16 actorId, bool mayAct) = _operating(operatorId);
        if (!mayAct) revert RevenueLedger_NotOperator(schemeId, actorId);
    }

    function _invoiceIn(bytes16 invoiceId, InvoiceState needed) private view returns (Invoice storage subject) {
        subject = _books.knownInvoice(invoiceId);
        InvoiceState state = subject.state;
        if (state != needed) revert RevenueLedger_WrongState(invoiceId, state, needed);
    }

    /// @dev Surcharge on the net income, up to the tax line that is left, up to the income; exact, as a
    /// fen times a ppm is a millionth of a fen.
    function _requireTax(uint256 got, Fen netFen, Scheme storage subject) private view {
        uint256 expected = uint256(Fen.unwrap(netFen)) * Ppm.unwrap(subject.surchargePpm);
        uint256 left = MicroFen.unwrap(subject.taxMicroFen - subject.taxTakenMicroFen);
        if (left < expected) expected = left;
        // The casts are safe: a line has 64 bits, and a rate is at most the whole of an income.
        if (got != expected) {
            revert RevenueLedger_TaxDiffers(MicroFen.wrap(uint64(got)), MicroFen.wrap(uint64(expected)));
        }
    }
}
