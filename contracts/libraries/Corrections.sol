// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDatasetRegistry} from "../interfaces/IDatasetRegistry.sol";
import {IDirectory} from "../interfaces/IDirectory.sol";
import {ILicenceRegistry} from "../interfaces/ILicenceRegistry.sol";
import {IRevenueLedger} from "../interfaces/IRevenueLedger.sol";
import {AccountWord, Accounts} from "./Accounts.sol";
import {BookKeeping, Books} from "./Books.sol";
import {InvoiceState, SchemeState} from "./Codes.sol";
import {Part, Parting} from "./Parting.sol";
import {Sharing} from "./Sharing.sol";
import {Fen, MICRO_FEN_PER_FEN, MicroFen} from "./Units.sol";

/// @title Corrections
/// @notice Equal and opposite entries of a recorded split (domain.md 4.3 step 12).
/// @dev Linked, not inlined: one contract has no room for all.
library Corrections {
    using Parting for Part;

    uint256 private constant ORGANISATION_LINES = 3;
    uint256 private constant PAYEES_MAX = 2;

    /// @dev What the postings of one correction share.
    struct Reversal {
        bytes16 schemeId;
        IDirectory directory;
        IDatasetRegistry datasets;
        IRevenueLedger.Receivable[] receivables;
        uint256 count;
    }

    struct Request {
        bytes16 invoiceId;
        Fen reductionFen;
        bytes32 receiptDigest;
        bytes32 documentDigest;
        uint64 eventNo;
    }

    /// @notice Posts the opposite of every line, reduces the bill and puts what is left in line again.
    function correct(
        Books storage books,
        Request calldata request,
        IRevenueLedger.Split calldata recorded,
        ILicenceRegistry.LineageEntry[] calldata lineage,
        IDirectory directory,
        IDatasetRegistry datasets
    ) external {
        IRevenueLedger.Invoice storage bill = books.invoices[request.invoiceId];
        bytes16 schemeId = bill.schemeId;
        IRevenueLedger.Scheme storage subject = books.schemes[schemeId];
        if (subject.state == SchemeState.CYCLE_CLOSED) {
            revert IRevenueLedger.RevenueLedger_SchemeState(schemeId, subject.state, SchemeState.OPEN);
        }
        bytes19 got = Sharing.digestOf(recorded);
        if (got != bill.splitDigest) {
            revert IRevenueLedger.RevenueLedger_SplitDiffers(request.invoiceId, got, bill.splitDigest);
        }
        if (request.reductionFen > bill.grossFen) {
            revert IRevenueLedger.RevenueLedger_ReductionTooLarge(
                request.invoiceId, request.reductionFen, bill.grossFen
            );
        }
        if (Fen.unwrap(request.reductionFen) != 0) BookKeeping.useReceipt(books, request.receiptDigest);
        Reversal memory reversal;
        (reversal.schemeId, reversal.directory, reversal.datasets) = (schemeId, directory, datasets);
        _reverse(books, subject, recorded, lineage, reversal);
        uint32 releaseNo = _lineUpAgain(subject, bill, request.reductionFen);
        _emit(request, schemeId, releaseNo, recorded, reversal.receivables);
    }

    function _emit(
        Request calldata request,
        bytes16 schemeId,
        uint32 releaseNo,
        IRevenueLedger.Split calldata recorded,
        IRevenueLedger.Receivable[] memory receivables
    ) private {
        emit IRevenueLedger.SplitCorrected(
            request.eventNo,
            request.invoiceId,
            schemeId,
            request.reductionFen,
            releaseNo,
            recorded,
            receivables,
            request.receiptDigest,
            request.documentDigest
        );
    }

    function _reverse(
        Books storage books,
        IRevenueLedger.Scheme storage subject,
        IRevenueLedger.Split calldata recorded,
        ILicenceRegistry.LineageEntry[] calldata lineage,
        Reversal memory reversal
    ) private {
        uint256 lines = lineage.length * 2 + recorded.commonCost.length + ORGANISATION_LINES;
        IRevenueLedger.Receivable[] memory receivables = new IRevenueLedger.Receivable[](lines * PAYEES_MAX);
        reversal.receivables = receivables;
        uint256 cost = _reverseCost(books, recorded, lineage, reversal);
        uint256 benefit = _reverseBenefit(books, subject, recorded.benefitMicroFen, lineage, reversal);
        uint256 count = reversal.count;
        // Shorter than it was made, which frees nothing and shows only what was written.
        assembly ("memory-safe") {
            mstore(receivables, count)
        }
        // The casts are safe: what is taken back was posted.
        subject.taxTakenMicroFen = subject.taxTakenMicroFen - recorded.taxMicroFen;
        subject.recoveredMicroFen = subject.recoveredMicroFen - MicroFen.wrap(uint64(cost));
        subject.reserveMicroFen = subject.reserveMicroFen - recorded.reserveMicroFen;
        subject.benefitMicroFen = subject.benefitMicroFen - MicroFen.wrap(uint64(benefit)) - recorded.forgoneMicroFen;
        subject.forgoneMicroFen = subject.forgoneMicroFen - recorded.forgoneMicroFen;
    }

    function _reverseCost(
        Books storage books,
        IRevenueLedger.Split calldata recorded,
        ILicenceRegistry.LineageEntry[] calldata lineage,
        Reversal memory reversal
    ) private returns (uint256 sum) {
        for (uint256 i = 0; i < lineage.length; ++i) {
            uint256 line = MicroFen.unwrap(recorded.lineageCostMicroFen[i]);
            sum += line;
            _take(books, lineage[i].claimantId, line, line, reversal);
        }
        for (uint256 i = 0; i < recorded.commonCost.length; ++i) {
            uint256 line = MicroFen.unwrap(recorded.commonCost[i].amountMicroFen);
            sum += line;
            _take(books, recorded.commonCost[i].claimantId, line, line, reversal);
        }
    }

    function _reverseBenefit(
        Books storage books,
        IRevenueLedger.Scheme storage subject,
        MicroFen[] calldata lines,
        ILicenceRegistry.LineageEntry[] calldata lineage,
        Reversal memory reversal
    ) private returns (uint256 sum) {
        if (lines.length == 0) return 0;
        bytes16[3] memory ids = [subject.governanceId, subject.operatorId, subject.platformId];
        for (uint256 i = 0; i < lines.length; ++i) {
            uint256 line = MicroFen.unwrap(lines[i]);
            sum += line;
            bytes16 claimantId =
                i < ORGANISATION_LINES ? ids[i] : lineage[i - ORGANISATION_LINES].claimantId;
            _take(books, claimantId, 0, line, reversal);
        }
    }

    /// @dev Takes a line back. Whole fen that were remitted and are no longer due are the payee's debt.
    function _take(
        Books storage books,
        bytes16 claimantId,
        uint256 recovered,
        uint256 entitled,
        Reversal memory reversal
    ) private {
        if (entitled == 0) return;
        mapping(bytes16 => AccountWord) storage accounts = books.accounts[reversal.schemeId];
        AccountWord word = Accounts.without(accounts[claimantId], recovered, entitled);
        uint256 dueFen = word.entitled() / MICRO_FEN_PER_FEN;
        uint256 remittedFen = word.remittedFen();
        if (remittedFen > dueFen) {
            word = Accounts.withRemitted(word, dueFen);
            _oweAll(books, claimantId, dueFen, remittedFen, reversal);
        }
        accounts[claimantId] = word;
    }

    /// @dev Who was paid beyond its part owes; where a city has no rule there is one payee.
    function _oweAll(
        Books storage books,
        bytes16 claimantId,
        uint256 dueFen,
        uint256 remittedFen,
        Reversal memory reversal
    ) private {
        bytes16 earnerId = reversal.datasets.providerOf(claimantId);
        if (earnerId == 0) earnerId = claimantId;
        IDirectory.Payees memory payees = reversal.directory.payeesOf(earnerId);
        uint256 owedFen = remittedFen - dueFen;
        uint256 ownFen = owedFen;
        if (payees.treasuryId != 0) {
            ownFen = books.parts[reversal.schemeId][claimantId].takeBack(dueFen, remittedFen);
        }
        _owe(books, claimantId, earnerId, ownFen, reversal);
        _owe(books, claimantId, payees.treasuryId, owedFen - ownFen, reversal);
    }

    function _owe(
        Books storage books,
        bytes16 claimantId,
        bytes16 payeeId,
        uint256 amountFen,
        Reversal memory reversal
    ) private {
        if (amountFen == 0) return;
        // The cast is safe: remitted fen fit.
        Fen amount = Fen.wrap(uint64(amountFen));
        books.receivable[payeeId] = books.receivable[payeeId] + amount;
        reversal.receivables[reversal.count++] =
            IRevenueLedger.Receivable({payeeId: payeeId, claimantId: claimantId, amountFen: amount});
    }

    /// @return releaseNo The bill's new place in the line; 0 when nothing is left of it.
    function _lineUpAgain(
        IRevenueLedger.Scheme storage subject,
        IRevenueLedger.Invoice storage bill,
        Fen reductionFen
    ) private returns (uint32 releaseNo) {
        Fen grossFen = bill.grossFen - reductionFen;
        bool isLeft = Fen.unwrap(grossFen) != 0;
        if (isLeft) releaseNo = ++subject.releaseCount;
        bill.grossFen = grossFen;
        bill.releaseNo = releaseNo;
        bill.splitDigest = 0;
        bill.state = isLeft ? InvoiceState.RELEASED : InvoiceState.REFUNDED;
    }
}
