// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDatasetRegistry} from "../interfaces/IDatasetRegistry.sol";
import {IRevenueLedger} from "../interfaces/IRevenueLedger.sol";
import {AccountWord} from "./Accounts.sol";
import {BookKeeping, Books} from "./Books.sol";
import {Clock} from "./Clock.sol";
import {CloseOutcome, SchemeState} from "./Codes.sol";
import {Lineages} from "./Lineages.sol";
import {Sharing} from "./Sharing.sol";
import {Lines, SplitLines} from "./SplitLines.sol";
import {MicroFen, PPM_WHOLE, Ppm} from "./Units.sol";

/// @title Closing
/// @notice The end of a year and of a cycle, and what the next cycles deduct (domain.md 4.3 step 11).
/// @dev Linked, not inlined: one contract has no room for all.
library Closing {
    uint256 private constant DEVIATION_LIMIT_PPM = 100_000;
    uint256 private constant INSTALMENTS_MAX = 3;

    /// @notice Closes a year and says how far its income lies from what was permitted.
    function closeYear(Books storage books, bytes16 schemeId, bytes32 documentDigest, uint64 eventNo) external {
        IRevenueLedger.Scheme storage subject = books.schemes[schemeId];
        BookKeeping.requireState(schemeId, subject, SchemeState.OPEN);
        uint16 currentYear = Clock.yearOf(Clock.periodOf(Clock.nowSeconds()));
        if (currentYear <= subject.year) {
            revert IRevenueLedger.RevenueLedger_YearNotOver(schemeId, subject.year, currentYear);
        }
        uint32 unsplitCount = subject.releaseCount - subject.splitCount;
        if (subject.openCount != 0 || unsplitCount != 0) {
            revert IRevenueLedger.RevenueLedger_NotAllSplit(schemeId, subject.openCount, unsplitCount);
        }
        MicroFen income = subject.taxTakenMicroFen + subject.recoveredMicroFen + subject.reserveMicroFen
            + (subject.benefitMicroFen - subject.forgoneMicroFen);
        MicroFen permitted = subject.costMicroFen + subject.profitMicroFen + subject.taxMicroFen;
        (Ppm deviationPpm, CloseOutcome outcome) =
            subject.isTrial ? (Ppm.wrap(0), CloseOutcome.NONE) : _deviation(income, permitted);
        subject.state = subject.isTrial ? SchemeState.ANSWERED : SchemeState.YEAR_CLOSED;
        emit IRevenueLedger.YearClosed(
            eventNo, schemeId, income, permitted, deviationPpm, outcome, documentDigest
        );
    }

    /// @notice Pours all reserves of a cycle through its years, oldest first, and keeps what is left.
    function closeCycle(
        Books storage books,
        bytes16 cycleId,
        uint8 instalmentCount,
        IRevenueLedger.Fill[] calldata fills,
        bytes32 decisionDigest,
        IDatasetRegistry datasets,
        uint64 eventNo
    ) external {
        IRevenueLedger.Cycle storage cycle = books.cycles[cycleId];
        if (cycle.instalmentCount != 0) revert IRevenueLedger.RevenueLedger_CycleClosed(cycleId);
        if (instalmentCount == 0 || instalmentCount > INSTALMENTS_MAX) {
            revert IRevenueLedger.RevenueLedger_InstalmentCount(instalmentCount, INSTALMENTS_MAX);
        }
        if (cycle.previousId != 0 && !cycle.isPoured && _carryIn(books, cycleId, cycle) != 0) {
            revert IRevenueLedger.RevenueLedger_CarryInOpen(cycleId, cycle.previousId);
        }
        if (fills.length != cycle.yearCount) {
            revert IRevenueLedger.RevenueLedger_LineCount(fills.length, cycle.yearCount);
        }
        uint256 left = _takeReserves(books, cycle);
        for (uint256 i = 0; i < fills.length; ++i) {
            left = _fillYear(books, cycle.schemeIds[i], fills[i], left, datasets);
        }
        // The cast is safe: each reserve was a uint64, and so must be what is left of their sum.
        if (left > type(uint64).max) revert IRevenueLedger.RevenueLedger_AmountTooLarge(left, type(uint64).max);
        cycle.carryOutMicroFen = MicroFen.wrap(uint64(left));
        cycle.instalmentCount = instalmentCount;
        emit IRevenueLedger.CycleClosed(
            eventNo, cycleId, instalmentCount, cycle.carryOutMicroFen, fills, decisionDigest
        );
    }

    /// @notice Pours the deduction of earlier cycles into the first year of a cycle.
    function pourCarryIn(
        Books storage books,
        bytes16 schemeId,
        IRevenueLedger.Fill calldata fill,
        IDatasetRegistry datasets,
        uint64 eventNo
    ) external {
        IRevenueLedger.Scheme storage subject = books.schemes[schemeId];
        BookKeeping.requireState(schemeId, subject, SchemeState.OPEN);
        bytes16 cycleId = subject.cycleId;
        IRevenueLedger.Cycle storage cycle = books.cycles[cycleId];
        uint256 amount = cycle.isPoured || cycle.schemeIds[0] != schemeId ? 0 : _carryIn(books, cycleId, cycle);
        if (amount == 0) revert IRevenueLedger.RevenueLedger_NothingToPour(schemeId, cycleId);
        cycle.isPoured = true;
        uint256 cost = _costOf(books, schemeId, fill.claimantIds, false);
        uint256 expected = MicroFen.unwrap(subject.costMicroFen);
        if (cost != expected) revert IRevenueLedger.RevenueLedger_FillDiffers(schemeId, cost, expected);
        _share(books, subject, schemeId, fill, amount, datasets);
        // The cast is safe: a carry-in is the sum of parts of uint64 carry-outs, checked in `_carryIn`.
        emit IRevenueLedger.CarryInPoured(eventNo, schemeId, cycleId, MicroFen.wrap(uint64(amount)), fill);
    }

    /// @dev Every year must be closed and answered, and what was corrected since be split anew; its
    /// reserve then belongs to the cycle.
    function _takeReserves(Books storage books, IRevenueLedger.Cycle storage cycle) private returns (uint256 sum) {
        for (uint256 i = 0; i < cycle.yearCount; ++i) {
            bytes16 schemeId = cycle.schemeIds[i];
            IRevenueLedger.Scheme storage subject = books.schemes[schemeId];
            BookKeeping.requireState(schemeId, subject, SchemeState.ANSWERED);
            uint32 unsplitCount = subject.releaseCount - subject.splitCount;
            if (unsplitCount != 0) {
                revert IRevenueLedger.RevenueLedger_NotAllSplit(schemeId, 0, unsplitCount);
            }
            sum += MicroFen.unwrap(subject.reserveMicroFen);
            subject.reserveMicroFen = MicroFen.wrap(0);
            subject.state = SchemeState.CYCLE_CLOSED;
        }
    }

    /// @return What the year did not take.
    function _fillYear(
        Books storage books,
        bytes16 schemeId,
        IRevenueLedger.Fill calldata fill,
        uint256 amount,
        IDatasetRegistry datasets
    ) private returns (uint256) {
        IRevenueLedger.Scheme storage subject = books.schemes[schemeId];
        _costOf(books, schemeId, fill.claimantIds, true);
        if (fill.claimantIds.length != subject.poolCount) {
            revert IRevenueLedger.RevenueLedger_FillDiffers(schemeId, fill.claimantIds.length, subject.poolCount);
        }
        _share(books, subject, schemeId, fill, amount, datasets);
        uint256 left = MicroFen.unwrap(subject.reserveMicroFen);
        subject.reserveMicroFen = MicroFen.wrap(0);
        return left;
    }

    function _share(
        Books storage books,
        IRevenueLedger.Scheme storage subject,
        bytes16 schemeId,
        IRevenueLedger.Fill calldata fill,
        uint256 amount,
        IDatasetRegistry datasets
    ) private {
        Lines memory lines = SplitLines.read(fill.split);
        if (lines.tax != 0) {
            // The cast is safe: a line has 64 bits.
            revert IRevenueLedger.RevenueLedger_TaxDiffers(MicroFen.wrap(uint64(lines.tax)), MicroFen.wrap(0));
        }
        bytes memory listing = Lineages.unweighted(fill.claimantIds);
        Sharing.share(books.accounts[schemeId], subject, schemeId, lines, listing, amount, datasets);
    }

    /// @return cost Approved cost of the claimants named, who must ascend and, if so asked, be pooled.
    function _costOf(Books storage books, bytes16 schemeId, bytes16[] calldata ids, bool isPooled)
        private
        view
        returns (uint256 cost)
    {
        bytes16 previousId = 0;
        for (uint256 i = 0; i < ids.length; ++i) {
            AccountWord word = books.accounts[schemeId][ids[i]];
            if (ids[i] <= previousId || (isPooled && !word.isPooled())) {
                revert IRevenueLedger.RevenueLedger_NotInPool(schemeId, ids[i]);
            }
            previousId = ids[i];
            cost += word.cost();
        }
    }

    /// @dev The first instalment of the cycle before, the second of the one before that, and so on. A
    /// cycle that is not closed blocks, as nobody knows its carry-out.
    function _carryIn(Books storage books, bytes16 cycleId, IRevenueLedger.Cycle storage cycle)
        private
        view
        returns (uint256 amount)
    {
        bytes16 previousId = cycle.previousId;
        for (uint256 age = 1; age <= INSTALMENTS_MAX && previousId != 0; ++age) {
            IRevenueLedger.Cycle storage previous = books.cycles[previousId];
            uint256 count = previous.instalmentCount;
            if (count == 0) revert IRevenueLedger.RevenueLedger_CarryInOpen(cycleId, previousId);
            uint256 carryOut = MicroFen.unwrap(previous.carryOutMicroFen);
            if (age < count) amount += carryOut / count;
            else if (age == count) amount += carryOut - carryOut / count * (count - 1);
            previousId = previous.previousId;
        }
        if (amount > type(uint64).max) {
            revert IRevenueLedger.RevenueLedger_AmountTooLarge(amount, type(uint64).max);
        }
    }

    function _deviation(MicroFen income, MicroFen permitted) private pure returns (Ppm, CloseOutcome) {
        (uint256 got, uint256 whole) = (MicroFen.unwrap(income), MicroFen.unwrap(permitted));
        uint256 distance = (got > whole ? got - whole : whole - got) * PPM_WHOLE;
        bool isWithin = distance <= whole * DEVIATION_LIMIT_PPM;
        uint256 ppm = whole == 0 ? 0 : distance / whole;
        if (ppm > type(uint32).max) ppm = type(uint32).max;
        return (Ppm.wrap(uint32(ppm)), isWithin ? CloseOutcome.ADJUST_PRICE : CloseOutcome.ADJUST_CAP);
    }
}
