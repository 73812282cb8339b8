// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ILicenceRegistry} from "../../interfaces/ILicenceRegistry.sol";
import {IRevenueLedger} from "../../interfaces/IRevenueLedger.sol";
import {InvoiceState, QualityGrade, Role} from "../../libraries/Codes.sol";
import {Fen, MicroFen, Ppm} from "../../libraries/Units.sol";
import {Market} from "./Market.sol";
import {ReferenceSplit} from "./ReferenceSplit.sol";
import {PoolLine, Split} from "./Splits.sol";

/// @notice Does what a market does, in any order, and keeps books of its own. No action reverts: one
/// for which nothing is ready makes the step before it.
contract LedgerHandler is Market {
    /// @dev Small against the incomes, so that caps, tax line, profit and reserve are all reached.
    uint64 public constant TAX_FEN = 900;
    uint64[5] private COSTS_FEN = [uint64(60_000), 90_000, 12_000, 3_001, 5_000];
    /// @dev The five with an approved cost by ascending id, then who holds the governance share.
    uint128[6] public claimants = [PLATFORM, OPERATOR, DATASET_1, DATASET_2, DATASET_3, TREASURY];

    uint128[] private _bills;
    mapping(InvoiceState => uint128[]) private _in;
    mapping(uint128 invoiceId => bool) private _isPair;
    mapping(uint128 invoiceId => bytes) private _recorded;
    uint128[] private _openBatches;
    uint256 private _bankLines;
    uint128 private _batchCount;
    /// @dev By release number - 1.
    uint128[] private _released;
    uint256[5] private _quality = [uint256(0), 0, 100, 100, 100];
    bool[5] private _pooled = [true, true, false, false, false];

    uint256 public events;
    uint256 public paidFen;
    uint256 public netSplitFen;
    uint256 public wrongSplitsTaken;
    uint256[6] public entitled;
    uint256[5] public recovered;
    uint256[6] public remittedFen;
    uint256 public reserved;
    uint256 public taxed;
    uint256 public benefit;
    uint256 public forgone;
    uint256 public owedFen;
    uint256 public paidOutFen;

    constructor() {
        setUp();
        _openShop();
        _openPair();
        directory.admit(_id(23), INSTITUTION, ZHENJIANG, DOCUMENT, _signer(23));
        directory.grantRole(_id(23), Role.TREASURY, ZHENJIANG);
        IRevenueLedger.SchemeTerms memory terms = _terms();
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
        if (block.timestamp <= heldUntil) vm.warp(heldUntil + 1);
        ledger.release(_id(invoiceId));
        _noteRelease(invoiceId);
    }

    /// @dev Good and bad data, so that the providers' part is now shared, now forgone.
    function grade(uint256 seed) external {
        uint256 i = 2 + seed % 3;
        bool isBad = (seed >> 8) % 2 == 0;
        _grade(claimants[i], isBad ? QualityGrade.E : QualityGrade.B);
        _quality[i] = isBad ? 0 : 90;
    }

    function split(uint256 seed) external {
        uint128 invoiceId = _nextToSplit(seed);
        Split memory proposed = _proposalFor(invoiceId);
        _as(seed % 2 == 0 ? OPERATOR : PLATFORM);
        ledger.split(_id(invoiceId), proposed.pack());
        ++events;
        _recorded[invoiceId] = abi.encode(proposed);
        _in[InvoiceState.SPLIT].push(invoiceId);
        _post(invoiceId, proposed, true);
    }

    /// @dev Two µfen moved between two parts of the split; never taken.
    function splitWrongly(uint256 seed) external {
        uint128 invoiceId = _nextToSplit(seed);
        Split memory proposed = _proposalFor(invoiceId);
        uint256 parts = _partsOf(proposed);
        uint256 from = seed % parts;
        uint256 to = (from + 1 + (seed >> 8) % (parts - 1)) % parts;
        if (!_alter(proposed, from, false) || !_alter(proposed, to, true)) return;
        _as(OPERATOR);
        try ledger.split(_id(invoiceId), proposed.pack()) {
            ++wrongSplitsTaken;
        } catch {}
    }

    /// @dev A split taken back, with or without a refund; what is left is in line again.
    function correct(uint256 seed) external {
        uint128[] storage list = _in[InvoiceState.SPLIT];
        if (list.length == 0) return;
        uint128 invoiceId = _take(list, seed);
        Split memory recorded = abi.decode(_recorded[invoiceId], (Split));
        uint64 grossFen = Fen.unwrap(ledger.invoice(_id(invoiceId)).grossFen);
        uint64 reductionFen = uint64(seed % 3 == 0 ? grossFen : _bound(seed >> 8, 0, grossFen));
        _post(invoiceId, recorded, false);
        bytes32 line = _bankLine();
        _as(PLATFORM);
        ledger.correct(
            _id(invoiceId), Fen.wrap(reductionFen), recorded.pack(), line, DOCUMENT
        );
        ++events;
        if (reductionFen != grossFen) _released.push(invoiceId);
        _noteDebts();
    }

    function remit(uint256 seed) external {
        uint256 i = seed % 6;
        IRevenueLedger.Account memory owed = ledger.account(_id(SCHEME), _id(claimants[i]));
        uint64 payableFen = MicroFen.unwrap(owed.entitledMicroFen - owed.remittedMicroFen) / 1e6;
        if (payableFen == 0) return;
        uint64 amountFen = uint64(_bound(seed >> 8, 1, payableFen));
        bytes16 payee = _payeeOf(i);
        uint64 debtFen = Fen.unwrap(ledger.receivableFen(payee));
        IRevenueLedger.RemittanceLine[] memory lines = new IRevenueLedger.RemittanceLine[](1);
        lines[0] = IRevenueLedger.RemittanceLine(_id(SCHEME), _id(claimants[i]), Fen.wrap(amountFen));
        _as(OPERATOR);
        ledger.openRemittance(_id(++_batchCount), payee, lines, DOCUMENT);
        ++events;
        uint64 setOffFen = debtFen < amountFen ? debtFen : amountFen;
        if (setOffFen != amountFen) _openBatches.push(_batchCount);
        remittedFen[i] += amountFen;
        owedFen -= setOffFen;
        paidOutFen += amountFen - setOffFen;
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

    function pooled(uint256 i) external view returns (bool) {
        return _pooled[i];
    }

    function paidOnChainFen() external view returns (uint256 sum) {
        for (uint256 i = 0; i < _bills.length; ++i) {
            sum += Fen.unwrap(ledger.invoice(_id(_bills[i])).paidFen);
        }
    }

    function netOnChainFen() external view returns (uint256 sum) {
        for (uint256 i = 0; i < _bills.length; ++i) {
            IRevenueLedger.Invoice memory subject = ledger.invoice(_id(_bills[i]));
            if (subject.state == InvoiceState.SPLIT) sum += uint256(Fen.unwrap(subject.grossFen)) * 100 / 106;
        }
    }

    /// @return sum What all payees owe back.
    function owedOnChainFen() external view returns (uint256 sum) {
        bytes16[5] memory payees = [_id(PLATFORM), _id(OPERATOR), _id(TREASURY), _id(COMPANY), _id(23)];
        for (uint256 i = 0; i < 5; ++i) {
            sum += Fen.unwrap(ledger.receivableFen(payees[i]));
        }
    }

    // ---- steps ----

    function _newBill(uint256 seed) private returns (uint128 invoiceId) {
        invoiceId = uint128(_bills.length + 1);
        _isPair[invoiceId] = (seed >> 128) % 3 == 0;
        uint64 grossFen = uint64(seed % 4 == 0 ? _bound(seed >> 8, 1, 500) : _bound(seed >> 8, 1, 40_000));
        _issueOn(_isPair[invoiceId] ? 3 : 1, invoiceId, grossFen);
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
        return _take(list, seed);
    }

    function _take(uint128[] storage list, uint256 seed) private returns (uint128 taken) {
        uint256 index = seed % list.length;
        taken = list[index];
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

    /// @dev What was remitted beyond what is due since is the payees' debt.
    function _noteDebts() private {
        for (uint256 i = 0; i < 6; ++i) {
            uint256 dueFen = entitled[i] / 1e6;
            if (remittedFen[i] <= dueFen) continue;
            owedFen += remittedFen[i] - dueFen;
            remittedFen[i] = dueFen;
        }
    }

    /// @dev Posts a split to the books, or its opposite.
    function _post(uint128 invoiceId, Split memory proposed, bool isAdded) private {
        uint256[] memory listed = _listedFor(invoiceId);
        uint256 netFen = uint256(Fen.unwrap(ledger.invoice(_id(invoiceId)).grossFen)) * 100 / 106;
        netSplitFen = _moved(netSplitFen, netFen, isAdded);
        taxed = _moved(taxed, MicroFen.unwrap(proposed.taxMicroFen), isAdded);
        reserved = _moved(reserved, MicroFen.unwrap(proposed.reserveMicroFen), isAdded);
        forgone = _moved(forgone, MicroFen.unwrap(proposed.forgoneMicroFen), isAdded);
        benefit = _moved(benefit, MicroFen.unwrap(proposed.forgoneMicroFen), isAdded);
        for (uint256 i = 0; i < listed.length; ++i) {
            _postCost(listed[i], MicroFen.unwrap(proposed.lineageCostMicroFen[i]), isAdded);
            _pooled[listed[i]] = true;
        }
        for (uint256 i = 0; i < proposed.commonCost.length; ++i) {
            uint256 place = _placeOf(proposed.commonCost[i].claimantId);
            _postCost(place, MicroFen.unwrap(proposed.commonCost[i].amountMicroFen), isAdded);
        }
        for (uint256 i = 0; i < proposed.benefitMicroFen.length; ++i) {
            uint256 amount = MicroFen.unwrap(proposed.benefitMicroFen[i]);
            uint256 place = i == 0 ? 5 : i == 1 ? 1 : i == 2 ? 0 : listed[i - 3];
            entitled[place] = _moved(entitled[place], amount, isAdded);
            benefit = _moved(benefit, amount, isAdded);
        }
    }

    function _postCost(uint256 place, uint256 amount, bool isAdded) private {
        recovered[place] = _moved(recovered[place], amount, isAdded);
        entitled[place] = _moved(entitled[place], amount, isAdded);
    }

    function _bankLine() private returns (bytes32) {
        return keccak256(abi.encode("bank line", ++_bankLines));
    }

    // ---- what is proposed ----

    function _proposalFor(uint128 invoiceId) private view returns (Split memory) {
        uint256 netFen = uint256(Fen.unwrap(ledger.invoice(_id(invoiceId)).grossFen)) * 100 / 106;
        uint256 tax = netFen * 7200;
        uint256 taxLeft = uint256(TAX_FEN) * 1e6 - taxed;
        if (tax > taxLeft) tax = taxLeft;
        uint256[] memory listed = _listedFor(invoiceId);
        uint256[] memory weights = new uint256[](listed.length);
        ILicenceRegistry.LineageEntry[] memory lineage = _lineageFor(invoiceId);
        for (uint256 i = 0; i < listed.length; ++i) {
            weights[i] = Ppm.unwrap(lineage[i].weightPpm);
        }
        return ReferenceSplit.split(_state(), listed, weights, netFen * 1e6, tax);
    }

    function _state() private view returns (ReferenceSplit.State memory state) {
        (state.ids, state.rooms) = (new bytes16[](5), new uint256[](5));
        (state.pooled, state.merits) = (new bool[](5), new uint256[](5));
        uint256 costFen = 0;
        for (uint256 i = 0; i < 5; ++i) {
            state.ids[i] = _id(claimants[i]);
            state.rooms[i] = uint256(COSTS_FEN[i]) * 1e6 - recovered[i];
            (state.pooled[i], state.merits[i]) = (_pooled[i], _quality[i]);
            costFen += COSTS_FEN[i];
        }
        state.profitLeft = costFen * 77_500 - benefit;
        state.vector = [uint256(100_000), 400_000, 100_000, 400_000];
    }

    function _listedFor(uint128 invoiceId) private view returns (uint256[] memory listed) {
        bool isPair = _isPair[invoiceId];
        listed = new uint256[](isPair ? 2 : 5);
        for (uint256 i = 0; i < listed.length; ++i) {
            listed[i] = isPair ? i + 1 : i;
        }
    }

    function _lineageFor(uint128 invoiceId) private view returns (ILicenceRegistry.LineageEntry[] memory) {
        return _isPair[invoiceId] ? _pair() : _lineage();
    }

    function _payeeOf(uint256 i) private view returns (bytes16) {
        bytes16 provider = datasets.providerOf(_id(claimants[i]));
        bytes16 earner = provider == 0 ? _id(claimants[i]) : provider;
        bytes16 treasury = directory.payeesOf(earner).treasuryId;
        return treasury == 0 ? earner : treasury;
    }

    function _placeOf(bytes16 claimantId) private view returns (uint256 place) {
        while (_id(claimants[place]) != claimantId) ++place;
    }

    /// @dev Tax, reserve, forgone, then the lines of each tier.
    function _partsOf(Split memory proposed) private pure returns (uint256) {
        return 3 + proposed.lineageCostMicroFen.length + proposed.commonCost.length
            + proposed.benefitMicroFen.length;
    }

    /// @return Whether there were two µfen to take.
    function _alter(Split memory proposed, uint256 part, bool isMore) private pure returns (bool) {
        if (part == 0) {
            (bool isDone, MicroFen changed) = _changed(proposed.taxMicroFen, isMore);
            proposed.taxMicroFen = changed;
            return isDone;
        }
        if (part == 1) {
            (bool isDone, MicroFen changed) = _changed(proposed.reserveMicroFen, isMore);
            proposed.reserveMicroFen = changed;
            return isDone;
        }
        if (part == 2) {
            (bool isDone, MicroFen changed) = _changed(proposed.forgoneMicroFen, isMore);
            proposed.forgoneMicroFen = changed;
            return isDone;
        }
        return _alterLine(proposed, part - 3, isMore);
    }

    function _alterLine(Split memory proposed, uint256 line, bool isMore)
        private
        pure
        returns (bool isDone)
    {
        MicroFen[] memory lines = proposed.lineageCostMicroFen;
        if (line < lines.length) {
            (isDone, lines[line]) = _changed(lines[line], isMore);
            return isDone;
        }
        line -= lines.length;
        if (line < proposed.commonCost.length) {
            PoolLine memory common = proposed.commonCost[line];
            (isDone, common.amountMicroFen) = _changed(common.amountMicroFen, isMore);
            return isDone;
        }
        line -= proposed.commonCost.length;
        lines = proposed.benefitMicroFen;
        (isDone, lines[line]) = _changed(lines[line], isMore);
    }

    function _changed(MicroFen amount, bool isMore) private pure returns (bool, MicroFen) {
        uint64 before = MicroFen.unwrap(amount);
        if (!isMore && before < 2) return (false, amount);
        return (true, MicroFen.wrap(isMore ? before + 2 : before - 2));
    }

    function _moved(uint256 before, uint256 amount, bool isAdded) private pure returns (uint256) {
        return isAdded ? before + amount : before - amount;
    }
}
