// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDatasetRegistry} from "./interfaces/IDatasetRegistry.sol";
import {IDirectory} from "./interfaces/IDirectory.sol";
import {ILicenceRegistry} from "./interfaces/ILicenceRegistry.sol";
import {IRevenueLedger} from "./interfaces/IRevenueLedger.sol";
import {IUsageLog} from "./interfaces/IUsageLog.sol";
import {Charges} from "./libraries/Charges.sol";
import {Clock} from "./libraries/Clock.sol";
import {InvoiceState, RemittanceState, Role} from "./libraries/Codes.sol";
import {Lineages} from "./libraries/Lineages.sol";
import {Member} from "./libraries/Member.sol";
import {Receipts} from "./libraries/Receipts.sol";
import {
    Fen,
    INCOME_FEN_MAX,
    MICRO_FEN_PER_FEN,
    MicroFen,
    PPM_WHOLE,
    PeriodId,
    Ppm
} from "./libraries/Units.sol";
import {Claim, Waterfall} from "./libraries/Waterfall.sol";

/// @title RevenueLedger
contract RevenueLedger is IRevenueLedger, Member {
    uint256 private constant CLAIMANTS_MAX = 1024;
    uint256 private constant BATCH_LINES_MAX = 256;
    /// @dev Spread over the treasury yield: at most 6 percentage points (发改价格〔2025〕65号).
    uint256 private constant SPREAD_PPM_MAX = 60_000;

    ILicenceRegistry private immutable LICENCES;
    IUsageLog private immutable USAGE_LOG;
    IDatasetRegistry private immutable DATASETS;

    mapping(bytes16 schemeId => Scheme) private _schemes;
    mapping(bytes16 schemeId => mapping(bytes16 claimantId => Account)) private _accounts;
    mapping(bytes16 invoiceId => Invoice) private _invoices;
    mapping(bytes16 batchId => Remittance) private _remittances;
    mapping(uint64 licenceNo => mapping(uint32 logNo => uint64 units)) private _billed;
    mapping(bytes16 buyerId => mapping(bytes16 productId => mapping(uint16 year => uint64 units))) private _used;
    mapping(bytes32 receiptDigest => bool) private _isReceiptUsed;

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
        bytes16 approverId = _actorWith(Role.PRICE_AUTHORITY, terms.cityCode);
        bytes16 schemeId = terms.schemeId;
        if (_schemes[schemeId].operatorId != 0) revert RevenueLedger_SchemeExists(schemeId);
        if (approverId == terms.operatorId) revert RevenueLedger_ApproverIsOperator(schemeId, approverId);
        if (!DIRECTORY.hasRole(terms.operatorId, Role.OPERATOR, terms.cityCode)) {
            revert IDirectory.Directory_RoleMissing(terms.operatorId, Role.OPERATOR, terms.cityCode);
        }
        _requireRate(schemeId, terms.spreadPpm, SPREAD_PPM_MAX);
        _requireRate(schemeId, terms.bondPpm, PPM_WHOLE);
        _requireRate(schemeId, terms.surchargePpm, PPM_WHOLE);
        _requireRate(schemeId, terms.vatPpm, PPM_WHOLE);
        Scheme storage subject = _schemes[schemeId];
        subject.operatorId = terms.operatorId;
        subject.cityCode = terms.cityCode;
        subject.year = terms.year;
        subject.surchargePpm = terms.surchargePpm;
        subject.vatPpm = terms.vatPpm;
        subject.holdSeconds = terms.holdSeconds;
        subject.taxMicroFen = _microFen(Fen.unwrap(terms.taxFen));
        _openAccounts(schemeId, costs);
        emit SchemeApproved(_nextEventNo(), schemeId, terms, costs);
    }

    /// @inheritdoc IRevenueLedger
    function issueInvoice(InvoiceClaim calldata claim) external {
        if (_invoices[claim.invoiceId].state != InvoiceState.NONE) {
            revert RevenueLedger_InvoiceExists(claim.invoiceId);
        }
        Scheme storage subject = _knownScheme(claim.schemeId);
        _requireOperator(claim.schemeId, subject.operatorId);
        Receipts.Receipt memory receipt = Receipts.decode(claim.receipt);
        USAGE_LOG.requireIncluded(
            claim.logNo, claim.logSize, claim.receiptIndex, claim.receipt, claim.inclusionProof
        );
        ILicenceRegistry.Licence memory licence = LICENCES.licence(receipt.licenceNo);
        PeriodId periodId = Clock.periodOf(receipt.usedAtMs / 1000);
        _requireSchemeFits(claim.schemeId, subject, licence.productId, Clock.yearOf(periodId));
        uint64 fromUnits = _bill(receipt, claim.logNo);
        uint256 expected = _charge(claim.tariff, licence, subject.year, receipt.cumulativeUnits - fromUnits);
        if (expected > INCOME_FEN_MAX) revert RevenueLedger_AmountTooLarge(expected, INCOME_FEN_MAX);
        if (Fen.unwrap(claim.grossFen) != expected) {
            // The cast is safe: the line above bounds the charge.
            revert RevenueLedger_ChargeDiffers(claim.invoiceId, claim.grossFen, Fen.wrap(uint64(expected)));
        }
        Invoice storage bill = _invoices[claim.invoiceId];
        bill.schemeId = claim.schemeId;
        bill.productId = licence.productId;
        bill.licenceNo = receipt.licenceNo;
        bill.state = expected == 0 ? InvoiceState.SPLIT : InvoiceState.ISSUED;
        bill.grossFen = claim.grossFen;
        bill.periodId = periodId;
        _emitIssued(claim, receipt, periodId, fromUnits);
    }

    /// @inheritdoc IRevenueLedger
    function recordPayment(bytes16 invoiceId, Fen amountFen, bytes32 receiptDigest) external {
        Invoice storage bill = _invoiceIn(invoiceId, InvoiceState.ISSUED);
        Scheme storage subject = _schemes[bill.schemeId];
        _requireOperator(bill.schemeId, subject.operatorId);
        Fen openFen = bill.grossFen - bill.paidFen;
        if (Fen.unwrap(amountFen) == 0 || amountFen > openFen) {
            revert RevenueLedger_PaymentTooLarge(invoiceId, amountFen, openFen);
        }
        _useReceipt(receiptDigest);
        bill.paidFen = bill.paidFen + amountFen;
        uint64 heldUntil = 0;
        if (amountFen == openFen) {
            heldUntil = Clock.nowSeconds() + subject.holdSeconds;
            bill.heldUntil = heldUntil;
            bill.state = InvoiceState.HELD;
        }
        emit PaymentRecorded(_nextEventNo(), invoiceId, amountFen, bill.paidFen, heldUntil, receiptDigest);
    }

    /// @inheritdoc IRevenueLedger
    function accept(bytes16 invoiceId) external {
        Invoice storage bill = _invoiceIn(invoiceId, InvoiceState.HELD);
        bytes16 actorId = _actor();
        bytes16 buyerId = LICENCES.licence(bill.licenceNo).buyerId;
        if (actorId != buyerId) revert RevenueLedger_NotBuyer(invoiceId, actorId, buyerId);
        _release(invoiceId, bill, true);
    }

    /// @inheritdoc IRevenueLedger
    function release(bytes16 invoiceId) external {
        Invoice storage bill = _invoiceIn(invoiceId, InvoiceState.HELD);
        uint64 nowSeconds = Clock.nowSeconds();
        if (nowSeconds < bill.heldUntil) {
            revert RevenueLedger_StillHeld(invoiceId, bill.heldUntil, nowSeconds);
        }
        _release(invoiceId, bill, false);
    }

    /// @inheritdoc IRevenueLedger
    function split(
        bytes16 invoiceId,
        Split calldata proposed,
        ILicenceRegistry.LineageEntry[] calldata lineage
    ) external {
        Invoice storage bill = _invoiceIn(invoiceId, InvoiceState.RELEASED);
        bytes16 schemeId = bill.schemeId;
        Scheme storage subject = _schemes[schemeId];
        _requireOperator(schemeId, subject.operatorId);
        uint32 releaseNo = bill.releaseNo;
        uint32 splitNo = subject.splitCount + 1;
        if (releaseNo != splitNo) revert RevenueLedger_SplitOutOfOrder(invoiceId, releaseNo, splitNo);
        _requireLineage(bill.productId, lineage);
        Fen netFen = _netOf(bill.grossFen, subject.vatPpm);
        _requireTax(proposed.taxMicroFen, netFen, subject);
        _creditLineage(schemeId, proposed, lineage, Fen.unwrap(netFen));
        bill.state = InvoiceState.SPLIT;
        subject.taxTakenMicroFen = subject.taxTakenMicroFen + proposed.taxMicroFen;
        subject.reserveMicroFen = subject.reserveMicroFen + proposed.reserveMicroFen;
        subject.splitCount = splitNo;
        emit SplitRecorded(
            _nextEventNo(), invoiceId, schemeId, releaseNo, netFen, bill.grossFen - netFen, proposed
        );
    }

    /// @inheritdoc IRevenueLedger
    function openRemittance(
        bytes16 batchId,
        bytes16 payeeId,
        RemittanceLine[] calldata lines,
        bytes32 documentDigest
    ) external {
        if (lines.length == 0 || lines.length > BATCH_LINES_MAX) {
            revert RevenueLedger_BatchLength(lines.length, BATCH_LINES_MAX);
        }
        Remittance storage batch = _remittances[batchId];
        if (batch.state != RemittanceState.NONE) revert RevenueLedger_BatchExists(batchId);
        bytes16 actorId = _actor();
        bool isPlatform = _isPlatform(actorId);
        Fen amountFen = Fen.wrap(0);
        for (uint256 i = 0; i < lines.length; ++i) {
            RemittanceLine calldata line = lines[i];
            if (!isPlatform && _knownScheme(line.schemeId).operatorId != actorId) {
                revert RevenueLedger_NotOperator(line.schemeId, actorId);
            }
            _debit(line, payeeId);
            amountFen = amountFen + line.amountFen;
        }
        batch.payeeId = payeeId;
        batch.openerId = actorId;
        batch.amountFen = amountFen;
        batch.state = RemittanceState.OPEN;
        emit RemittanceOpened(_nextEventNo(), batchId, payeeId, lines, documentDigest);
    }

    /// @inheritdoc IRevenueLedger
    function closeRemittance(bytes16 batchId, bytes32 receiptDigest) external {
        Remittance storage batch = _remittances[batchId];
        if (batch.state != RemittanceState.OPEN) revert RevenueLedger_BatchNotOpen(batchId, batch.state);
        bytes16 actorId = _actor();
        if (actorId != batch.openerId && !_isPlatform(actorId)) {
            revert RevenueLedger_NotOpener(batchId, actorId, batch.openerId);
        }
        _useReceipt(receiptDigest);
        batch.state = RemittanceState.CLOSED;
        emit RemittanceClosed(_nextEventNo(), batchId, receiptDigest);
    }

    /// @inheritdoc IRevenueLedger
    function scheme(bytes16 schemeId) external view returns (Scheme memory) {
        return _knownScheme(schemeId);
    }

    /// @inheritdoc IRevenueLedger
    function account(bytes16 schemeId, bytes16 claimantId) external view returns (Account memory) {
        return _accounts[schemeId][claimantId];
    }

    /// @inheritdoc IRevenueLedger
    function invoice(bytes16 invoiceId) external view returns (Invoice memory subject) {
        subject = _invoices[invoiceId];
        if (subject.state == InvoiceState.NONE) revert RevenueLedger_UnknownInvoice(invoiceId);
    }

    /// @inheritdoc IRevenueLedger
    function remittance(bytes16 batchId) external view returns (Remittance memory) {
        return _remittances[batchId];
    }

    /// @inheritdoc IRevenueLedger
    function billedUnits(uint64 licenceNo, uint32 logNo) external view returns (uint64) {
        return _billed[licenceNo][logNo];
    }

    /// @inheritdoc IRevenueLedger
    function usedUnits(bytes16 buyerId, bytes16 productId, uint16 year) external view returns (uint64) {
        return _used[buyerId][productId][year];
    }

    function _openAccounts(bytes16 schemeId, ClaimantCost[] calldata costs) private {
        if (costs.length == 0 || costs.length > CLAIMANTS_MAX) {
            revert RevenueLedger_ClaimantOrder(schemeId, costs.length);
        }
        mapping(bytes16 => Account) storage accounts = _accounts[schemeId];
        bytes16 previousId = 0;
        uint256 totalFen = 0;
        for (uint256 i = 0; i < costs.length; ++i) {
            bytes16 claimantId = costs[i].claimantId;
            if (claimantId <= previousId) revert RevenueLedger_ClaimantOrder(schemeId, i);
            previousId = claimantId;
            totalFen += Fen.unwrap(costs[i].costFen);
            accounts[claimantId].costMicroFen = _microFen(Fen.unwrap(costs[i].costFen));
        }
        if (totalFen > INCOME_FEN_MAX) revert RevenueLedger_AmountTooLarge(totalFen, INCOME_FEN_MAX);
    }

    /// @dev Takes the receipt's running total as billed.
    /// @return fromUnits What was billed before.
    function _bill(Receipts.Receipt memory receipt, uint32 logNo) private returns (uint64 fromUnits) {
        fromUnits = _billed[receipt.licenceNo][logNo];
        if (receipt.cumulativeUnits <= fromUnits) {
            revert RevenueLedger_NothingToBill(
                receipt.licenceNo, logNo, fromUnits, receipt.cumulativeUnits
            );
        }
        _billed[receipt.licenceNo][logNo] = receipt.cumulativeUnits;
    }

    /// @dev The gross charge in fen of `units`, which move the buyer's position in the bands.
    function _charge(
        ILicenceRegistry.Tariff calldata tariff,
        ILicenceRegistry.Licence memory licence,
        uint16 year,
        uint64 units
    ) private returns (uint256) {
        if (licence.tariffNo == 0) return 0;
        LICENCES.requireTariff(licence.productId, licence.tariffNo, tariff);
        mapping(uint16 => uint64) storage used = _used[licence.buyerId][licence.productId];
        uint64 alreadyUnits = used[year];
        used[year] = alreadyUnits + units;
        return Charges.chargeFen(tariff, alreadyUnits, units);
    }

    function _emitIssued(
        InvoiceClaim calldata claim,
        Receipts.Receipt memory receipt,
        PeriodId periodId,
        uint64 fromUnits
    ) private {
        emit InvoiceIssued(
            _nextEventNo(),
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

    function _release(bytes16 invoiceId, Invoice storage bill, bool isAccepted) private {
        uint32 releaseNo = ++_schemes[bill.schemeId].releaseCount;
        bill.releaseNo = releaseNo;
        bill.state = InvoiceState.RELEASED;
        emit InvoiceReleased(_nextEventNo(), invoiceId, releaseNo, isAccepted);
    }

    /// @dev Credits each lineage line, then checks the tier and the sum. What is credited before a check
    /// fails is undone by the revert.
    function _creditLineage(
        bytes16 schemeId,
        Split calldata proposed,
        ILicenceRegistry.LineageEntry[] calldata lineage,
        uint256 netFen
    ) private {
        MicroFen[] calldata lines = proposed.lineageCostMicroFen;
        if (lines.length != lineage.length) revert RevenueLedger_LineCount(lines.length, lineage.length);
        Claim[] memory claims = _credit(_accounts[schemeId], lines, lineage);
        uint256 income = netFen * MICRO_FEN_PER_FEN;
        uint256 tax = MicroFen.unwrap(proposed.taxMicroFen);
        uint256 paid = Waterfall.requireShared(claims, income - tax);
        uint256 sum = tax + paid + MicroFen.unwrap(proposed.reserveMicroFen);
        if (sum != income) revert RevenueLedger_SumDiffers(sum, income);
    }

    /// @dev Adds each line to what its account recovered and is entitled to; a line beyond its room is
    /// left out, as the check then refuses the split. In assembly, for up to 64 claimants: one read and
    /// one write each. The entries need no validation, their digest being the one that was stored.
    /// The fields of an account lie in its slot from the right, 64 bits each: cost, recovered, entitled.
    /// Nothing carries from one to the next: recovered stays within cost, and entitled equals it.
    /// @return claims Weight, room before and line of each claimant.
    function _credit(
        mapping(bytes16 => Account) storage accounts,
        MicroFen[] calldata lines,
        ILicenceRegistry.LineageEntry[] calldata lineage
    ) private returns (Claim[] memory claims) {
        claims = new Claim[](lines.length);
        assembly ("memory-safe") {
            let mask := 0xffffffffffffffff
            let entry := lineage.offset
            let count := lines.length
            // Key and place of the mapping, hashed together, are where the account lies.
            mstore(0x20, accounts.slot)
            for { let i := 0 } lt(i, count) { i := add(i, 1) } {
                let line := calldataload(add(lines.offset, shl(5, i)))
                if gt(line, mask) { revert(0, 0) }
                mstore(0x00, calldataload(entry))
                let place := keccak256(0x00, 0x40)
                let word := sload(place)
                let room := sub(and(word, mask), and(shr(64, word), mask))
                if iszero(gt(line, room)) { sstore(place, add(word, or(shl(64, line), shl(128, line)))) }
                let weight := calldataload(add(entry, 0x40))
                mstore(
                    add(add(claims, 0x20), shl(5, i)), or(or(shl(128, weight), shl(64, room)), line)
                )
                entry := add(entry, 0x60)
            }
        }
    }

    function _debit(RemittanceLine calldata line, bytes16 payeeId) private {
        bytes16 earnerId = DATASETS.providerOf(line.claimantId);
        if (earnerId == 0) earnerId = line.claimantId;
        bytes16 expected = DIRECTORY.payeeOf(earnerId);
        if (payeeId != expected) revert RevenueLedger_WrongPayee(line.claimantId, payeeId, expected);
        Account storage subject = _accounts[line.schemeId][line.claimantId];
        MicroFen owed = subject.entitledMicroFen - subject.remittedMicroFen;
        Fen payableFen = Fen.wrap(MicroFen.unwrap(owed) / MICRO_FEN_PER_FEN);
        if (Fen.unwrap(line.amountFen) == 0 || line.amountFen > payableFen) {
            revert RevenueLedger_RemittanceTooLarge(line.claimantId, line.amountFen, payableFen);
        }
        subject.remittedMicroFen = subject.remittedMicroFen + _microFen(Fen.unwrap(line.amountFen));
    }

    function _useReceipt(bytes32 receiptDigest) private {
        if (_isReceiptUsed[receiptDigest]) revert RevenueLedger_ReceiptUsed(receiptDigest);
        _isReceiptUsed[receiptDigest] = true;
    }

    function _requireOperator(bytes16 schemeId, bytes16 operatorId) private view {
        bytes16 actorId = _actor();
        if (actorId != operatorId && !_isPlatform(actorId)) {
            revert RevenueLedger_NotOperator(schemeId, actorId);
        }
    }

    /// @dev What the licence registry's `requireLineage` checks, at a quarter of its gas for a long list.
    function _requireLineage(bytes16 productId, ILicenceRegistry.LineageEntry[] calldata lineage) private view {
        bytes32 got = Lineages.digestOf(lineage);
        bytes32 expected = LICENCES.product(productId).lineageDigest;
        if (got != expected) revert ILicenceRegistry.LicenceRegistry_LineageDiffers(productId, got, expected);
    }

    function _requireSchemeFits(bytes16 schemeId, Scheme storage subject, bytes16 productId, uint16 year)
        private
        view
    {
        ILicenceRegistry.Product memory product = LICENCES.product(productId);
        bool isFit = product.operatorId == subject.operatorId && product.cityCode == subject.cityCode
            && year == subject.year;
        if (!isFit) revert RevenueLedger_SchemeMismatch(schemeId, productId, year);
    }

    function _knownScheme(bytes16 schemeId) private view returns (Scheme storage subject) {
        subject = _schemes[schemeId];
        if (subject.operatorId == 0) revert RevenueLedger_UnknownScheme(schemeId);
    }

    function _invoiceIn(bytes16 invoiceId, InvoiceState needed) private view returns (Invoice storage subject) {
        subject = _invoices[invoiceId];
        InvoiceState state = subject.state;
        if (state == InvoiceState.NONE) revert RevenueLedger_UnknownInvoice(invoiceId);
        if (state != needed) revert RevenueLedger_WrongState(invoiceId, state, needed);
    }

    /// @dev Surcharge on the net income, up to the tax line that is left, up to the income; exact, as a
    /// fen times a ppm is a millionth of a fen.
    function _requireTax(MicroFen got, Fen netFen, Scheme storage subject) private view {
        uint256 net = Fen.unwrap(netFen);
        uint256 expected = net * Ppm.unwrap(subject.surchargePpm);
        uint256 left = MicroFen.unwrap(subject.taxMicroFen - subject.taxTakenMicroFen);
        if (left < expected) expected = left;
        // The cast is safe: a rate is at most the whole and an income's µfen fit uint64.
        MicroFen tax = MicroFen.wrap(uint64(expected));
        if (got != tax) revert RevenueLedger_TaxDiffers(got, tax);
    }

    function _requireRate(bytes16 schemeId, Ppm got, uint256 limit) private pure {
        if (Ppm.unwrap(got) > limit) revert RevenueLedger_RateTooLarge(schemeId, got, limit);
    }

    /// @dev Floor: what is left of the division belongs to the tax authority.
    function _netOf(Fen grossFen, Ppm vatPpm) private pure returns (Fen) {
        uint256 whole = uint256(PPM_WHOLE) + Ppm.unwrap(vatPpm);
        // The cast is safe: net is at most gross.
        return Fen.wrap(uint64(uint256(Fen.unwrap(grossFen)) * PPM_WHOLE / whole));
    }

    function _microFen(uint256 amountFen) private pure returns (MicroFen) {
        if (amountFen > INCOME_FEN_MAX) revert RevenueLedger_AmountTooLarge(amountFen, INCOME_FEN_MAX);
        // The cast is safe: INCOME_FEN_MAX is where µfen reach uint64.
        return MicroFen.wrap(uint64(amountFen * MICRO_FEN_PER_FEN));
    }
}
