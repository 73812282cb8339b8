// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRevenueLedger} from "../../interfaces/IRevenueLedger.sol";
import {InvoiceState, Role} from "../../libraries/Codes.sol";
import {Fen, MicroFen, Ppm} from "../../libraries/Units.sol";
import {Market} from "./Market.sol";
import {ReferenceFill} from "./ReferenceFill.sol";

/// @notice Does what a market does, in any order, and keeps books of its own. No action reverts: one
/// for which nothing is ready makes the step before it.
contract LedgerHandler is Market {
    /// @dev Small against the incomes, so that caps, tax line and reserve are all reached.
    uint64 public constant TAX_FEN = 900;
    uint64[5] private COSTS_FEN = [uint64(60_000), 90_000, 12_000, 3_001, 5_000];
    uint128[5] public claimants = [PLATFORM, OPERATOR, DATASET_1, DATASET_2, DATASET_3];

    uint128[] private _bills;
    mapping(InvoiceState => uint128[]) private _in;
    uint128[] private _openBatches;
    uint256 private _bankLines;
    uint128 private _batchCount;
    /// @dev By release number - 1.
    uint128[] private _released;

    uint256 public events;
    uint256 public paidFen;
    uint256 public netSplitFen;
    uint256 public grossSplitFen;
    uint256 public vatFen;
    uint256 public wrongSplitsTaken;
    uint256[5] public credited;
    uint256[5] public remitted;
    uint256 public reserved;
    uint256 public taxed;

    constructor() {
        setUp();
        _openShop();
        directory.admit(_id(23), INSTITUTION, ZHENJIANG, DOCUMENT, _signer(23));
        directory.grantRole(_id(23), Role.TREASURY, ZHENJIANG);
        IRevenueLedger.SchemeTerms memory terms = _trial(_terms());
        terms.taxFen = Fen.wrap(TAX_FEN);
        IRevenueLedger.ClaimantCost[] memory costs = _costs();
        for (uint256 i = 0; i < 5; ++i) {
            costs[i].costFen = Fen.wrap(COSTS_FEN[i]);
        }
        _as(PRICER);
        ledger.approveScheme(terms, costs);
        events = 1;
    }

    // ---- actions ----

    function bill(uint256 seed) external {
        _newBill(seed);
    }

    function pay(uint256 seed) external {
        uint128 invoiceId = _pick(InvoiceState.ISSUED, seed);
        IRevenueLedger.Invoice memory open = ledger.invoice(_id(invoiceId));
        uint64 left = Fen.unwrap(open.grossFen) - Fen.unwrap(open.paidFen);
        _payPart(invoiceId, seed % 3 == 0 ? uint64(_bound(seed, 1, left)) : left);
    }

    function accept(uint256 seed) external {
        uint128 invoiceId = _pick(InvoiceState.HELD, seed);
        _accept(invoiceId);
        _noteRelease(invoiceId);
    }

    function release(uint256 seed) external {
        uint128 invoiceId = _pick(InvoiceState.HELD, seed);
        uint64 heldUntil = ledger.invoice(_id(invoiceId)).heldUntil;
        if (block.timestamp < heldUntil) vm.warp(heldUntil);
        ledger.release(_id(invoiceId));
        _noteRelease(invoiceId);
    }

    function split(uint256 seed) external {
        uint128 invoiceId = _nextToSplit(seed);
        IRevenueLedger.Split memory proposed = _proposalFor(invoiceId);
        _as(seed % 2 == 0 ? OPERATOR : PLATFORM);
        ledger.split(_id(invoiceId), proposed, _lineage());
        _noteSplit(invoiceId, proposed);
    }

    /// @dev Two µfen moved between two of tax, lines and reserve; never taken.
    function splitWrongly(uint256 seed) external {
        uint128 invoiceId = _nextToSplit(seed);
        IRevenueLedger.Split memory proposed = _proposalFor(invoiceId);
        if (!_alter(proposed, seed % 7, false) || !_alter(proposed, (seed % 7 + 1 + (seed >> 8) % 6) % 7, true)) {
            return;
        }
        _as(OPERATOR);
        try ledger.split(_id(invoiceId), proposed, _lineage()) {
            ++wrongSplitsTaken;
        } catch {}
    }

    function remit(uint256 seed) external {
        uint256 i = seed % 5;
        IRevenueLedger.Account memory owed = ledger.account(_id(SCHEME), _id(claimants[i]));
        uint64 payableFen = MicroFen.unwrap(owed.entitledMicroFen - owed.remittedMicroFen) / 1e6;
        if (payableFen == 0) return;
        uint64 amountFen = uint64(_bound(seed >> 8, 1, payableFen));
        bytes16 provider = datasets.providerOf(_id(claimants[i]));
        bytes16 payee = directory.payeeOf(provider == 0 ? _id(claimants[i]) : provider);
        IRevenueLedger.RemittanceLine[] memory lines = new IRevenueLedger.RemittanceLine[](1);
        lines[0] = IRevenueLedger.RemittanceLine(_id(SCHEME), _id(claimants[i]), Fen.wrap(amountFen));
        _as(OPERATOR);
        ledger.openRemittance(_id(++_batchCount), payee, lines, DOCUMENT);
        ++events;
        _openBatches.push(_batchCount);
        remitted[i] += uint256(amountFen) * 1e6;
    }

    function close(uint256) external {
        if (_openBatches.length == 0) return;
        uint128 batchId = _openBatches[_openBatches.length - 1];
        _openBatches.pop();
        _as(PLATFORM);
        ledger.closeRemittance(_id(batchId), _bankLine());
        ++events;
    }

    // ---- books ----

    function account(uint256 i) external view returns (IRevenueLedger.Account memory) {
        return ledger.account(_id(SCHEME), _id(claimants[i]));
    }

    function scheme() external view returns (IRevenueLedger.Scheme memory) {
        return ledger.scheme(_id(SCHEME));
    }

    function eventCount() external view returns (uint256) {
        return ledger.eventCount();
    }

    function paidOnChainFen() external view returns (uint256 sum) {
        for (uint256 i = 0; i < _bills.length; ++i) {
            sum += Fen.unwrap(ledger.invoice(_id(_bills[i])).paidFen);
        }
    }

    function grossSplitOnChainFen() external view returns (uint256 sum) {
        for (uint256 i = 0; i < _bills.length; ++i) {
            IRevenueLedger.Invoice memory subject = ledger.invoice(_id(_bills[i]));
            if (subject.state == InvoiceState.SPLIT) sum += Fen.unwrap(subject.grossFen);
        }
    }

    // ---- steps ----

    function _newBill(uint256 seed) private returns (uint128 invoiceId) {
        invoiceId = uint128(_bills.length + 1);
        _issue(invoiceId, uint64(seed % 4 == 0 ? _bound(seed >> 8, 1, 500) : _bound(seed >> 8, 1, 40_000)));
        _bills.push(invoiceId);
        _in[InvoiceState.ISSUED].push(invoiceId);
        ++events;
    }

    function _payPart(uint128 invoiceId, uint64 amountFen) private {
        _as(OPERATOR);
        ledger.recordPayment(_id(invoiceId), Fen.wrap(amountFen), _bankLine());
        ++events;
        paidFen += amountFen;
        bool isHeld = ledger.invoice(_id(invoiceId)).state == InvoiceState.HELD;
        _in[isHeld ? InvoiceState.HELD : InvoiceState.ISSUED].push(invoiceId);
    }

    /// @dev Takes one in this state out of its list; makes one when there is none.
    function _pick(InvoiceState state, uint256 seed) private returns (uint128 invoiceId) {
        uint128[] storage list = _in[state];
        if (list.length == 0) {
            if (state == InvoiceState.ISSUED) {
                _newBill(_next(seed));
            } else {
                invoiceId = _pick(InvoiceState.ISSUED, seed);
                IRevenueLedger.Invoice memory open = ledger.invoice(_id(invoiceId));
                _payPart(invoiceId, Fen.unwrap(open.grossFen) - Fen.unwrap(open.paidFen));
            }
        }
        uint256 index = seed % list.length;
        invoiceId = list[index];
        list[index] = list[list.length - 1];
        list.pop();
    }

    function _nextToSplit(uint256 seed) private returns (uint128 invoiceId) {
        uint32 splitCount = ledger.scheme(_id(SCHEME)).splitCount;
        if (splitCount == _released.length) {
            invoiceId = _pick(InvoiceState.HELD, seed);
            _accept(invoiceId);
            _noteRelease(invoiceId);
        }
        return _released[splitCount];
    }

    function _noteRelease(uint128 invoiceId) private {
        _released.push(invoiceId);
        ++events;
    }

    function _noteSplit(uint128 invoiceId, IRevenueLedger.Split memory proposed) private {
        ++events;
        uint256 grossFen = Fen.unwrap(ledger.invoice(_id(invoiceId)).grossFen);
        uint256 netFen = grossFen * 100 / 106;
        grossSplitFen += grossFen;
        netSplitFen += netFen;
        vatFen += grossFen - netFen;
        taxed += MicroFen.unwrap(proposed.taxMicroFen);
        reserved += MicroFen.unwrap(proposed.reserveMicroFen);
        for (uint256 i = 0; i < 5; ++i) {
            credited[i] += MicroFen.unwrap(proposed.lineageCostMicroFen[i]);
        }
    }

    function _proposalFor(uint128 invoiceId) private view returns (IRevenueLedger.Split memory) {
        uint256 netFen = uint256(Fen.unwrap(ledger.invoice(_id(invoiceId)).grossFen)) * 100 / 106;
        uint256 tax = netFen * 7200;
        uint256 taxLeft = uint256(TAX_FEN) * 1e6 - taxed;
        if (tax > taxLeft) tax = taxLeft;
        uint256[] memory weights = new uint256[](5);
        uint256[] memory rooms = new uint256[](5);
        for (uint256 i = 0; i < 5; ++i) {
            weights[i] = Ppm.unwrap(_lineage()[i].weightPpm);
            rooms[i] = uint256(COSTS_FEN[i]) * 1e6 - credited[i];
        }
        uint256[] memory shares = ReferenceFill.lines(netFen * 1e6 - tax, weights, rooms);
        uint64[5] memory lines;
        uint256 left = netFen * 1e6 - tax;
        for (uint256 i = 0; i < 5; ++i) {
            lines[i] = uint64(shares[i]);
            left -= shares[i];
        }
        return _proposal(uint64(tax), lines, uint64(left));
    }

    /// @return Whether there were two µfen to take.
    function _alter(IRevenueLedger.Split memory proposed, uint256 part, bool isMore) private pure returns (bool) {
        uint64 amount = part < 5
            ? MicroFen.unwrap(proposed.lineageCostMicroFen[part])
            : MicroFen.unwrap(part == 5 ? proposed.taxMicroFen : proposed.reserveMicroFen);
        if (!isMore && amount < 2) return false;
        MicroFen changed = MicroFen.wrap(isMore ? amount + 2 : amount - 2);
        if (part < 5) proposed.lineageCostMicroFen[part] = changed;
        else if (part == 5) proposed.taxMicroFen = changed;
        else proposed.reserveMicroFen = changed;
        return true;
    }

    function _bankLine() private returns (bytes32) {
        return keccak256(abi.encode("bank line", ++_bankLines));
    }
}
