// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDatasetRegistry} from "../interfaces/IDatasetRegistry.sol";
import {IDirectory} from "../interfaces/IDirectory.sol";
import {IRevenueLedger} from "../interfaces/IRevenueLedger.sol";
import {AccountWord, Accounts} from "./Accounts.sol";
import {BookKeeping, Books} from "./Books.sol";
import {InvoiceState, SchemeState} from "./Codes.sol";
import {Lineages} from "./Lineages.sol";
import {Part, Parting} from "./Parting.sol";
import {Lines, SplitLines} from "./SplitLines.sol";
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
        /// @dev Claimants of the product.
        bytes listing;
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
        bytes calldata recorded,
        address lineage,
        IDirectory directory,
        IDatasetRegistry datasets
    ) external {
        IRevenueLedger.Invoice storage bill = books.invoices[request.invoiceId];
        bytes16 schemeId = bill.schemeId;
        IRevenueLedger.Scheme storage subject = books.schemes[schemeId];
        if (subject.state == SchemeState.CYCLE_CLOSED) {
            revert IRevenueLedger.RevenueLedger_SchemeState(schemeId, subject.state, SchemeState.OPEN);
        }
        bytes19 got = SplitLines.digestOf(recorded);
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
        reversal.listing = Lineages.read(lineage);
        _reverse(books, subject, SplitLines.read(recorded), reversal);
        uint32 releaseNo = _lineUpAgain(subject, bill, request.reductionFen);
        _emit(request, schemeId, releaseNo, recorded, reversal.receivables);
    }

    function _emit(
        Request calldata request,
        bytes16 schemeId,
        uint32 releaseNo,
        bytes calldata recorded,
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
        Lines memory lines,
        Reversal memory reversal
    ) private {
        begin(reversal, lines.costCount + lines.commonCount + lines.benefitCount);
        uint256 cost = _reverseCost(books, lines, reversal);
        uint256 benefit = _reverseBenefit(books, subject, lines, reversal) + lines.forgone;
        end(reversal);
        subject.taxTakenMicroFen = subject.taxTakenMicroFen - _cast(lines.tax);
        subject.recoveredMicroFen = subject.recoveredMicroFen - _cast(cost);
        subject.reserveMicroFen = subject.reserveMicroFen - _cast(lines.reserve);
        subject.benefitMicroFen = subject.benefitMicroFen - _cast(benefit);
        subject.forgoneMicroFen = subject.forgoneMicroFen - _cast(lines.forgone);
    }

    function _reverseCost(Books storage books, Lines memory lines, Reversal memory reversal)
        private
        returns (uint256 sum)
    {
        for (uint256 i = 0; i < lines.costCount; ++i) {
            uint256 line = SplitLines.amountAt(lines.costAt, i);
            sum += line;
            take(books, Lineages.claimantAt(reversal.listing, i), line, line, reversal);
        }
        for (uint256 i = 0; i < lines.commonCount; ++i) {
            (bytes16 claimantId, uint256 line) = SplitLines.commonAt(lines, i);
            sum += line;
            take(books, claimantId, line, line, reversal);
        }
    }

    function _reverseBenefit(
        Books storage books,
        IRevenueLedger.Scheme storage subject,
        Lines memory lines,
        Reversal memory reversal
    ) private returns (uint256 sum) {
        bytes16[3] memory ids = [subject.governanceId, subject.operatorId, subject.platformId];
        for (uint256 i = 0; i < lines.benefitCount; ++i) {
            uint256 line = SplitLines.amountAt(lines.benefitAt, i);
            sum += line;
            bytes16 claimantId = i < ORGANISATION_LINES
                ? ids[i]
                : Lineages.claimantAt(reversal.listing, i - ORGANISATION_LINES);
            take(books, claimantId, 0, line, reversal);
        }
    }

    /// @dev Makes room for what payees may owe: two of them a line.
    function begin(Reversal memory reversal, uint256 lineCount) internal pure {
        reversal.receivables = new IRevenueLedger.Receivable[](lineCount * PAYEES_MAX);
    }

    /// @dev Leaves the receivables that were written.
    function end(Reversal memory reversal) internal pure {
        IRevenueLedger.Receivable[] memory receivables = reversal.receivables;
        uint256 count = reversal.count;
        // Shorter than it was made, which frees nothing and shows only what was written.
        assembly ("memory-safe") {
            mstore(receivables, count)
        }
    }

    /// @dev Takes a line back. Whole fen that were remitted and are no longer due are the payee's debt.
    function take(
        Books storage books,
        bytes16 claimantId,
        uint256 recovered,
        uint256 entitled,
        Reversal memory reversal
    ) internal {
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

    /// @dev The cast is safe: what is taken back was posted.
    function _cast(uint256 amount) private pure returns (MicroFen) {
        return MicroFen.wrap(uint64(amount));
    }
}
