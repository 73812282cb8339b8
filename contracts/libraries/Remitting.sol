// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDatasetRegistry} from "../interfaces/IDatasetRegistry.sol";
import {IDirectory} from "../interfaces/IDirectory.sol";
import {IRevenueLedger} from "../interfaces/IRevenueLedger.sol";
import {AccountWord, Accounts} from "./Accounts.sol";
import {BookKeeping, Books} from "./Books.sol";
import {RemittanceState} from "./Codes.sol";
import {Part, Parting} from "./Parting.sol";
import {Fen, MICRO_FEN_PER_FEN, PPM_WHOLE, Ppm} from "./Units.sol";

/// @title Remitting
/// @notice Batches that pay whole fen to one payee, what it owes back being set off first.
/// @dev Linked, not inlined: one contract has no room for all.
library Remitting {
    using BookKeeping for Books;
    using Parting for Part;

    uint256 private constant BATCH_LINES_MAX = 256;

    struct Request {
        bytes16 batchId;
        bytes16 payeeId;
        bytes16 actorId;
        bool isPlatform;
        bytes32 documentDigest;
        uint64 eventNo;
    }

    /// @notice Opens a batch; the ledger knows who calls and whether it is a platform.
    function open(
        Books storage books,
        Request calldata request,
        IRevenueLedger.RemittanceLine[] calldata lines,
        IDirectory directory,
        IDatasetRegistry datasets
    ) external {
        if (lines.length == 0 || lines.length > BATCH_LINES_MAX) {
            revert IRevenueLedger.RevenueLedger_BatchLength(lines.length, BATCH_LINES_MAX);
        }
        IRevenueLedger.Remittance storage batch = books.remittances[request.batchId];
        if (batch.state != RemittanceState.NONE) revert IRevenueLedger.RevenueLedger_BatchExists(request.batchId);
        Fen amountFen = Fen.wrap(0);
        for (uint256 i = 0; i < lines.length; ++i) {
            IRevenueLedger.RemittanceLine calldata line = lines[i];
            if (!request.isPlatform && books.known(line.schemeId).operatorId != request.actorId) {
                revert IRevenueLedger.RevenueLedger_NotOperator(line.schemeId, request.actorId);
            }
            amountFen = amountFen + _debit(books, line, request.payeeId, directory, datasets);
        }
        Fen setOffFen = _setOff(books, request.payeeId, amountFen);
        batch.payeeId = request.payeeId;
        batch.openerId = request.actorId;
        batch.amountFen = amountFen - setOffFen;
        batch.state = amountFen == setOffFen ? RemittanceState.CLOSED : RemittanceState.OPEN;
        emit IRevenueLedger.RemittanceOpened(
            request.eventNo, request.batchId, request.payeeId, lines, setOffFen, request.documentDigest
        );
    }

    /// @notice Closes a batch; the ledger knows whether the caller opened it or is a platform.
    function close(
        Books storage books,
        bytes16 batchId,
        bytes32 receiptDigest,
        bytes16 actorId,
        bool mayAct,
        uint64 eventNo
    ) external {
        IRevenueLedger.Remittance storage batch = books.remittances[batchId];
        if (batch.state != RemittanceState.OPEN) {
            revert IRevenueLedger.RevenueLedger_BatchNotOpen(batchId, batch.state);
        }
        if (!mayAct) {
            revert IRevenueLedger.RevenueLedger_NotOpener(batchId, actorId, batch.openerId);
        }
        books.useReceipt(receiptDigest);
        batch.state = RemittanceState.CLOSED;
        emit IRevenueLedger.RemittanceClosed(eventNo, batchId, receiptDigest);
    }

    /// @return amountFen What the line pays.
    function _debit(
        Books storage books,
        IRevenueLedger.RemittanceLine calldata line,
        bytes16 payeeId,
        IDirectory directory,
        IDatasetRegistry datasets
    ) private returns (Fen amountFen) {
        bytes16 earnerId = datasets.providerOf(line.claimantId);
        if (earnerId == 0) earnerId = line.claimantId;
        IDirectory.Payees memory payees = directory.payeesOf(earnerId);
        _requirePayee(line.claimantId, payeeId, earnerId, payees);
        AccountWord word = books.accounts[line.schemeId][line.claimantId];
        amountFen = line.amountFen;
        uint256 remittedFen = word.remittedFen();
        uint256 dueFen = word.entitled() / MICRO_FEN_PER_FEN;
        uint256 leftFen = dueFen - remittedFen;
        bool isOwn = payeeId == earnerId;
        Part storage part = books.parts[line.schemeId][line.claimantId];
        if (payees.ruleNo != 0) {
            part.follow(payees.ruleNo, payees.treasuryPpm, remittedFen);
            leftFen = part.leftFen(isOwn, dueFen, remittedFen);
        }
        if (Fen.unwrap(amountFen) == 0 || Fen.unwrap(amountFen) > leftFen) {
            // The cast is safe: a µfen amount of 64 bits has fewer fen.
            revert IRevenueLedger.RevenueLedger_RemittanceTooLarge(
                line.claimantId, amountFen, Fen.wrap(uint64(leftFen))
            );
        }
        if (payees.ruleNo != 0 && isOwn) part.ownFen += Fen.unwrap(amountFen);
        books.accounts[line.schemeId][line.claimantId] =
            Accounts.withRemitted(word, remittedFen + Fen.unwrap(amountFen));
    }

    function _requirePayee(
        bytes16 claimantId,
        bytes16 payeeId,
        bytes16 earnerId,
        IDirectory.Payees memory payees
    ) private pure {
        bool isPartOwn = Ppm.unwrap(payees.treasuryPpm) < PPM_WHOLE;
        if (payeeId == earnerId ? isPartOwn : payeeId == payees.treasuryId) return;
        bytes16 expected = payees.treasuryId == 0 ? earnerId : payees.treasuryId;
        revert IRevenueLedger.RevenueLedger_WrongPayee(claimantId, payeeId, expected);
    }

    /// @return setOffFen What the payee owes back, up to what it is paid.
    function _setOff(Books storage books, bytes16 payeeId, Fen amountFen) private returns (Fen setOffFen) {
        Fen owedFen = books.receivable[payeeId];
        setOffFen = owedFen > amountFen ? amountFen : owedFen;
        if (Fen.unwrap(setOffFen) != 0) books.receivable[payeeId] = owedFen - setOffFen;
    }
}
