// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDatasetRegistry} from "../interfaces/IDatasetRegistry.sol";
import {IDirectory} from "../interfaces/IDirectory.sol";
import {IRevenueLedger} from "../interfaces/IRevenueLedger.sol";
import {AccountWord, Accounts} from "./Accounts.sol";
import {BookKeeping, Books} from "./Books.sol";
import {InvoiceState, SchemeState} from "./Codes.sol";
import {Corrections} from "./Corrections.sol";
import {Lineages} from "./Lineages.sol";
import {Fen, INCOME_FEN_MAX, MICRO_FEN_PER_FEN, Ppm} from "./Units.sol";

/// @title OutcomeSharing
/// @notice Income of derived products (二次开发): a market price, shared by the lineage's ppm, which is
/// exact in µfen (domain.md 4.3 step 13).
/// @dev Linked, not inlined: one contract has no room for all.
library OutcomeSharing {
    /// @dev No VAT rate is higher (增值税法); a developer who named a higher one would share less.
    uint256 private constant VAT_PPM_MAX = 130_000;

    struct Terms {
        bytes16 schemeId;
        bytes16 developerId;
        uint32 cityCode;
        uint16 year;
        Ppm vatPpm;
        uint16 holdDays;
    }

    /// @notice Opens a scheme of a developer's year: no cost, no permitted income, no cycle.
    function open(Books storage books, Terms calldata terms, uint64 eventNo) external {
        IRevenueLedger.Scheme storage subject = books.schemes[terms.schemeId];
        if (subject.operatorId != 0) revert IRevenueLedger.RevenueLedger_SchemeExists(terms.schemeId);
        if (Ppm.unwrap(terms.vatPpm) > VAT_PPM_MAX) {
            revert IRevenueLedger.RevenueLedger_RateTooLarge(terms.schemeId, terms.vatPpm, VAT_PPM_MAX);
        }
        BookKeeping.requireHoldDays(terms.schemeId, terms.holdDays);
        subject.operatorId = terms.developerId;
        subject.cityCode = terms.cityCode;
        subject.year = terms.year;
        subject.vatPpm = terms.vatPpm;
        subject.holdDays = terms.holdDays;
        subject.state = SchemeState.MARKET;
        emit IRevenueLedger.MarketOpened(
            eventNo,
            terms.schemeId,
            terms.developerId,
            terms.cityCode,
            terms.year,
            terms.vatPpm,
            terms.holdDays
        );
    }

    /// @notice Shares a released income; splits follow releases here too.
    function share(Books storage books, bytes16 invoiceId, address lineage, uint64 eventNo) external {
        IRevenueLedger.Invoice storage bill = books.invoices[invoiceId];
        bytes16 schemeId = bill.schemeId;
        IRevenueLedger.Scheme storage subject = books.schemes[schemeId];
        uint32 releaseNo = bill.releaseNo;
        uint32 splitNo = subject.splitCount + 1;
        if (releaseNo != splitNo) {
            revert IRevenueLedger.RevenueLedger_SplitOutOfOrder(invoiceId, releaseNo, splitNo);
        }
        Fen grossFen = bill.grossFen;
        Fen netFen = BookKeeping.netOf(grossFen, subject.vatPpm);
        _credit(books.accounts[schemeId], Lineages.read(lineage), Fen.unwrap(netFen));
        subject.splitCount = releaseNo;
        bill.state = InvoiceState.SPLIT;
        emit IRevenueLedger.OutcomeShared(eventNo, invoiceId, schemeId, releaseNo, netFen, grossFen - netFen);
    }

    /// @notice Posts the opposite of what a reduction takes from the net, and reduces the bill.
    function correct(
        Books storage books,
        Corrections.Request calldata request,
        address lineage,
        IDirectory directory,
        IDatasetRegistry datasets
    ) external {
        bytes16 schemeId = books.invoices[request.invoiceId].schemeId;
        Fen netFen = _reduce(books, request, books.schemes[schemeId].vatPpm);
        Corrections.Reversal memory reversal;
        (reversal.schemeId, reversal.directory, reversal.datasets) = (schemeId, directory, datasets);
        reversal.listing = Lineages.read(lineage);
        _takeBack(books, netFen, reversal);
        emit IRevenueLedger.OutcomeCorrected(
            request.eventNo,
            request.invoiceId,
            schemeId,
            request.reductionFen,
            netFen,
            reversal.receivables,
            request.receiptDigest,
            request.documentDigest
        );
    }

    function _credit(mapping(bytes16 => AccountWord) storage accounts, bytes memory listing, uint256 netFen) private {
        uint256 count = Lineages.countOf(listing);
        for (uint256 i = 0; i < count; ++i) {
            uint256 amount = netFen * Lineages.weightAt(listing, i);
            if (amount == 0) continue;
            bytes16 claimantId = Lineages.claimantAt(listing, i);
            AccountWord word = accounts[claimantId];
            uint256 entitled = word.entitled() + amount;
            if (entitled > type(uint64).max) {
                revert IRevenueLedger.RevenueLedger_AmountTooLarge(entitled / MICRO_FEN_PER_FEN, INCOME_FEN_MAX);
            }
            accounts[claimantId] = Accounts.withProfit(word, amount);
        }
    }

    /// @return By how much the net income falls.
    function _reduce(Books storage books, Corrections.Request calldata request, Ppm vatPpm) private returns (Fen) {
        IRevenueLedger.Invoice storage bill = books.invoices[request.invoiceId];
        Fen grossFen = bill.grossFen;
        if (Fen.unwrap(request.reductionFen) == 0 || request.reductionFen > grossFen) {
            revert IRevenueLedger.RevenueLedger_ReductionTooLarge(
                request.invoiceId, request.reductionFen, grossFen
            );
        }
        BookKeeping.useReceipt(books, request.receiptDigest);
        Fen leftFen = grossFen - request.reductionFen;
        bill.grossFen = leftFen;
        if (Fen.unwrap(leftFen) == 0) bill.state = InvoiceState.REFUNDED;
        return BookKeeping.netOf(grossFen, vatPpm) - BookKeeping.netOf(leftFen, vatPpm);
    }

    function _takeBack(Books storage books, Fen netFen, Corrections.Reversal memory reversal) private {
        uint256 lineCount = Lineages.countOf(reversal.listing);
        Corrections.begin(reversal, lineCount);
        for (uint256 i = 0; i < lineCount; ++i) {
            uint256 amount = uint256(Fen.unwrap(netFen)) * Lineages.weightAt(reversal.listing, i);
            Corrections.take(books, Lineages.claimantAt(reversal.listing, i), 0, amount, reversal);
        }
        Corrections.end(reversal);
    }
}
