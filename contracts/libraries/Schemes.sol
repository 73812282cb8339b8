// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRevenueLedger} from "../interfaces/IRevenueLedger.sol";
import {AccountWord, Accounts} from "./Accounts.sol";
import {BookKeeping, Books} from "./Books.sol";
import {Clock} from "./Clock.sol";
import {SchemeState} from "./Codes.sol";
import {Fen, INCOME_FEN_MAX, MICRO_FEN_PER_FEN, MicroFen, PPM_WHOLE, Ppm} from "./Units.sol";

/// @title Schemes
/// @notice What a price authority approves and changes. The ledger checks who calls before it asks here.
/// @dev Linked, not inlined: one contract has no room for all.
library Schemes {
    uint256 private constant CLAIMANTS_MAX = 1024;
    uint256 private constant CYCLE_YEARS_MAX = 3;
    /// @dev Spread over the treasury yield: at most 6 percentage points (发改价格〔2025〕65号).
    uint256 private constant SPREAD_PPM_MAX = 60_000;

    /// @notice Opens a scheme, its accounts and, with its first year, its cycle.
    function approve(
        Books storage books,
        IRevenueLedger.SchemeTerms calldata terms,
        IRevenueLedger.ClaimantCost[] calldata costs,
        uint64 eventNo
    ) external {
        bytes16 schemeId = terms.schemeId;
        IRevenueLedger.Scheme storage subject = books.schemes[schemeId];
        if (costs.length == 0) revert IRevenueLedger.RevenueLedger_ClaimantOrder(schemeId, 0);
        _requireTerms(terms);
        subject.operatorId = terms.operatorId;
        subject.platformId = terms.platformId;
        subject.cityCode = terms.cityCode;
        subject.year = terms.year;
        subject.cycleId = terms.cycleId;
        subject.state = SchemeState.OPEN;
        _joinCycle(books, terms);
        _enter(books, subject, terms, costs);
        emit IRevenueLedger.SchemeApproved(eventNo, schemeId, terms, costs);
    }

    /// @notice Keeps the digest of a change until its time.
    function announce(
        Books storage books,
        IRevenueLedger.SchemeTerms calldata terms,
        IRevenueLedger.ClaimantCost[] calldata costs,
        uint32 changeFrom,
        uint64 eventNo
    ) external {
        bytes16 schemeId = terms.schemeId;
        IRevenueLedger.Scheme storage subject = books.schemes[schemeId];
        BookKeeping.requireState(schemeId, subject, SchemeState.OPEN);
        uint64 nowSeconds = Clock.nowSeconds();
        if (changeFrom < nowSeconds) {
            revert IRevenueLedger.RevenueLedger_ChangeTime(schemeId, changeFrom, nowSeconds);
        }
        bool isSame = subject.operatorId == terms.operatorId && subject.platformId == terms.platformId
            && subject.cityCode == terms.cityCode && subject.year == terms.year && subject.cycleId == terms.cycleId;
        if (!isSame) revert IRevenueLedger.RevenueLedger_ChangeDiffers(schemeId);
        _requireTerms(terms);
        _requireCosts(schemeId, costs);
        subject.changeFrom = changeFrom;
        books.changes[schemeId] = sha256(abi.encode(terms, costs));
        emit IRevenueLedger.SchemeChangeAnnounced(eventNo, schemeId, changeFrom, terms, costs);
    }

    /// @notice Brings the announced change into force.
    function enact(
        Books storage books,
        IRevenueLedger.SchemeTerms calldata terms,
        IRevenueLedger.ClaimantCost[] calldata costs,
        uint64 eventNo
    ) external {
        bytes16 schemeId = terms.schemeId;
        IRevenueLedger.Scheme storage subject = BookKeeping.known(books, schemeId);
        BookKeeping.requireState(schemeId, subject, SchemeState.OPEN);
        uint64 nowSeconds = Clock.nowSeconds();
        uint32 changeFrom = subject.changeFrom;
        if (changeFrom == 0 || sha256(abi.encode(terms, costs)) != books.changes[schemeId]) {
            revert IRevenueLedger.RevenueLedger_ChangeDiffers(schemeId);
        }
        if (nowSeconds < changeFrom) {
            revert IRevenueLedger.RevenueLedger_ChangeTime(schemeId, changeFrom, nowSeconds);
        }
        subject.changeFrom = 0;
        delete books.changes[schemeId];
        _enter(books, subject, terms, costs);
        emit IRevenueLedger.SchemeChanged(eventNo, schemeId, subject.versionNo, terms, costs);
    }

    /// @dev Enters costs, rates, tax and profit; none falls below what was posted to it already.
    function _enter(
        Books storage books,
        IRevenueLedger.Scheme storage subject,
        IRevenueLedger.SchemeTerms calldata terms,
        IRevenueLedger.ClaimantCost[] calldata costs
    ) private {
        _requireCosts(terms.schemeId, costs);
        uint256 cost = _enterCosts(books.accounts[terms.schemeId], subject, costs);
        if (cost > type(uint64).max) {
            revert IRevenueLedger.RevenueLedger_AmountTooLarge(cost / MICRO_FEN_PER_FEN, INCOME_FEN_MAX);
        }
        uint256 tax = _most(
            MicroFen.unwrap(BookKeeping.microFen(Fen.unwrap(terms.taxFen))),
            MicroFen.unwrap(subject.taxTakenMicroFen)
        );
        uint256 rate = uint256(Ppm.unwrap(terms.bondPpm)) + Ppm.unwrap(terms.spreadPpm);
        uint256 profit = terms.isTrial ? 0 : cost / MICRO_FEN_PER_FEN * rate;
        profit = _most(profit, MicroFen.unwrap(subject.benefitMicroFen));
        uint256 permitted = cost + tax + profit;
        if (permitted > type(uint64).max) {
            revert IRevenueLedger.RevenueLedger_AmountTooLarge(permitted / MICRO_FEN_PER_FEN, INCOME_FEN_MAX);
        }
        // The casts are safe: the line above bounds their sum.
        subject.costMicroFen = MicroFen.wrap(uint64(cost));
        subject.taxMicroFen = MicroFen.wrap(uint64(tax));
        subject.profitMicroFen = MicroFen.wrap(uint64(profit));
        _enterTerms(subject, terms);
    }

    function _enterTerms(IRevenueLedger.Scheme storage subject, IRevenueLedger.SchemeTerms calldata terms) private {
        subject.surchargePpm = terms.surchargePpm;
        subject.vatPpm = terms.vatPpm;
        subject.holdDays = terms.holdDays;
        subject.governanceId = terms.governanceId;
        subject.isTrial = terms.isTrial;
        subject.providersPpm = terms.providersPpm;
        subject.operatorPpm = terms.operatorPpm;
        subject.platformPpm = terms.platformPpm;
        subject.governancePpm = terms.governancePpm;
        subject.versionNo += 1;
    }

    /// @return total Cost of all claimants after the change, in µfen.
    function _enterCosts(
        mapping(bytes16 => AccountWord) storage accounts,
        IRevenueLedger.Scheme storage subject,
        IRevenueLedger.ClaimantCost[] calldata costs
    ) private returns (uint256 total) {
        total = MicroFen.unwrap(subject.costMicroFen);
        uint256 poolCost = MicroFen.unwrap(subject.poolCostMicroFen);
        uint16 poolCount = subject.poolCount;
        for (uint256 i = 0; i < costs.length; ++i) {
            bytes16 claimantId = costs[i].claimantId;
            AccountWord word = accounts[claimantId];
            uint256 cost = _most(
                MicroFen.unwrap(BookKeeping.microFen(Fen.unwrap(costs[i].costFen))), word.recovered()
            );
            bool isJoining = !word.isPooled()
                && (claimantId == subject.operatorId || claimantId == subject.platformId);
            if (isJoining) {
                poolCost += word.open();
                ++poolCount;
                word = Accounts.pooled(word);
            }
            if (word.isPooled()) poolCost = poolCost + cost - word.cost();
            total = total + cost - word.cost();
            accounts[claimantId] = Accounts.withCost(word, cost);
        }
        // The cast is safe: the pool's cost is part of all cost, which is bounded.
        subject.poolCostMicroFen = MicroFen.wrap(uint64(poolCost));
        subject.poolCount = poolCount;
    }

    function _joinCycle(Books storage books, IRevenueLedger.SchemeTerms calldata terms) private {
        IRevenueLedger.Cycle storage cycle = books.cycles[terms.cycleId];
        uint8 count = cycle.yearCount;
        bool isFit = terms.cycleId != 0;
        if (count == 0) {
            cycle.operatorId = terms.operatorId;
            cycle.cityCode = terms.cityCode;
            cycle.firstYear = terms.year;
            if (terms.previousCycleId != 0) isFit = isFit && _follow(books, cycle, terms);
        } else {
            isFit = cycle.operatorId == terms.operatorId && cycle.cityCode == terms.cityCode
                && count < CYCLE_YEARS_MAX && terms.year == cycle.firstYear + count && cycle.instalmentCount == 0;
        }
        if (!isFit) revert IRevenueLedger.RevenueLedger_CycleMismatch(terms.cycleId, terms.schemeId);
        cycle.schemeIds[count] = terms.schemeId;
        cycle.yearCount = count + 1;
    }

    /// @return Whether the cycle may follow the one that its terms name; it is then linked.
    function _follow(
        Books storage books,
        IRevenueLedger.Cycle storage cycle,
        IRevenueLedger.SchemeTerms calldata terms
    ) private returns (bool) {
        IRevenueLedger.Cycle storage previous = books.cycles[terms.previousCycleId];
        bool isFit = previous.operatorId == terms.operatorId && previous.cityCode == terms.cityCode
            && previous.nextId == 0 && terms.year >= previous.firstYear + previous.yearCount;
        previous.nextId = terms.cycleId;
        cycle.previousId = terms.previousCycleId;
        return isFit;
    }

    function _requireTerms(IRevenueLedger.SchemeTerms calldata terms) private pure {
        bytes16 schemeId = terms.schemeId;
        _requireRate(schemeId, terms.spreadPpm, SPREAD_PPM_MAX);
        _requireRate(schemeId, terms.bondPpm, PPM_WHOLE);
        _requireRate(schemeId, terms.surchargePpm, PPM_WHOLE);
        _requireRate(schemeId, terms.vatPpm, PPM_WHOLE);
        BookKeeping.requireHoldDays(schemeId, terms.holdDays);
        uint256 sum = uint256(Ppm.unwrap(terms.providersPpm)) + Ppm.unwrap(terms.operatorPpm)
            + Ppm.unwrap(terms.platformPpm) + Ppm.unwrap(terms.governancePpm);
        bool isHeld = Ppm.unwrap(terms.governancePpm) == 0 || terms.governanceId != 0;
        if (sum != (terms.isTrial ? 0 : PPM_WHOLE) || !isHeld || terms.platformId == 0) {
            revert IRevenueLedger.RevenueLedger_ProfitVector(schemeId, sum);
        }
    }

    function _requireCosts(bytes16 schemeId, IRevenueLedger.ClaimantCost[] calldata costs) private pure {
        if (costs.length > CLAIMANTS_MAX) {
            revert IRevenueLedger.RevenueLedger_ClaimantOrder(schemeId, costs.length);
        }
        bytes16 previousId = 0;
        for (uint256 i = 0; i < costs.length; ++i) {
            if (costs[i].claimantId <= previousId) {
                revert IRevenueLedger.RevenueLedger_ClaimantOrder(schemeId, i);
            }
            previousId = costs[i].claimantId;
        }
    }

    function _requireRate(bytes16 schemeId, Ppm got, uint256 limit) private pure {
        if (Ppm.unwrap(got) > limit) revert IRevenueLedger.RevenueLedger_RateTooLarge(schemeId, got, limit);
    }

    function _most(uint256 a, uint256 b) private pure returns (uint256) {
        return a > b ? a : b;
    }
}
