// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDirectory} from "../interfaces/IDirectory.sol";
import {IRevenueLedger} from "../interfaces/IRevenueLedger.sol";
import {AccountWord} from "./Accounts.sol";
import {Clock} from "./Clock.sol";
import {InvoiceState, SchemeState} from "./Codes.sol";
import {Part} from "./Parting.sol";
import {Fen, INCOME_FEN_MAX, MICRO_FEN_PER_FEN, MicroFen, PPM_WHOLE, Ppm} from "./Units.sol";

/// @dev All that the revenue ledger stores. Its libraries are handed the whole.
struct Books {
    mapping(bytes16 schemeId => IRevenueLedger.Scheme) schemes;
    mapping(bytes16 schemeId => mapping(bytes16 claimantId => AccountWord)) accounts;
    mapping(bytes16 schemeId => bytes32 digest) changes;
    mapping(bytes16 cycleId => IRevenueLedger.Cycle) cycles;
    mapping(bytes32 authorisation => bytes16 cycleId) latestCycle;
    mapping(bytes16 invoiceId => IRevenueLedger.Invoice) invoices;
    mapping(bytes16 batchId => IRevenueLedger.Remittance) remittances;
    mapping(bytes16 payeeId => Fen) receivable;
    mapping(uint64 licenceNo => mapping(uint32 logNo => uint64 units)) billed;
    mapping(bytes16 buyerId => mapping(bytes16 productId => mapping(uint16 year => uint64 units))) used;
    mapping(bytes32 receiptDigest => bool) isReceiptUsed;
    mapping(bytes16 schemeId => mapping(bytes16 claimantId => Part)) parts;
}

/// @title BookKeeping
/// @notice Look-ups and small rules that the ledger and its libraries share.
library BookKeeping {
    uint16 private constant HOLD_DAYS_MAX = 60;

    function known(Books storage books, bytes16 schemeId)
        internal
        view
        returns (IRevenueLedger.Scheme storage subject)
    {
        subject = books.schemes[schemeId];
        if (subject.operatorId == 0) revert IRevenueLedger.RevenueLedger_UnknownScheme(schemeId);
    }

    function knownInvoice(Books storage books, bytes16 invoiceId)
        internal
        view
        returns (IRevenueLedger.Invoice storage subject)
    {
        subject = books.invoices[invoiceId];
        if (subject.state == InvoiceState.NONE) revert IRevenueLedger.RevenueLedger_UnknownInvoice(invoiceId);
    }

    function useReceipt(Books storage books, bytes32 receiptDigest) internal {
        if (books.isReceiptUsed[receiptDigest]) {
            revert IRevenueLedger.RevenueLedger_ReceiptUsed(receiptDigest);
        }
        books.isReceiptUsed[receiptDigest] = true;
    }

    function requireState(bytes16 schemeId, IRevenueLedger.Scheme storage subject, SchemeState needed)
        internal
        view
    {
        if (subject.state != needed) {
            revert IRevenueLedger.RevenueLedger_SchemeState(schemeId, subject.state, needed);
        }
    }

    function requireHoldDays(bytes16 schemeId, uint16 holdDays) internal pure {
        if (holdDays > HOLD_DAYS_MAX) {
            revert IRevenueLedger.RevenueLedger_HoldTooLong(schemeId, holdDays, HOLD_DAYS_MAX);
        }
    }

    /// @return The last second in which a payment made now is held.
    function holdUntil(IRevenueLedger.Scheme storage subject, IDirectory directory) internal view returns (uint64) {
        return directory.workingDaysAfter(Clock.nowSeconds(), subject.holdDays);
    }

    /// @dev Floor: what is left of the division belongs to the tax authority.
    function netOf(Fen grossFen, Ppm vatPpm) internal pure returns (Fen) {
        uint256 whole = uint256(PPM_WHOLE) + Ppm.unwrap(vatPpm);
        // The cast is safe: net is at most gross.
        return Fen.wrap(uint64(uint256(Fen.unwrap(grossFen)) * PPM_WHOLE / whole));
    }

    function microFen(uint256 amountFen) internal pure returns (MicroFen) {
        if (amountFen > INCOME_FEN_MAX) {
            revert IRevenueLedger.RevenueLedger_AmountTooLarge(amountFen, INCOME_FEN_MAX);
        }
        // The cast is safe: INCOME_FEN_MAX is where µfen reach uint64.
        return MicroFen.wrap(uint64(amountFen * MICRO_FEN_PER_FEN));
    }
}
