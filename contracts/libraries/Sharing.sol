// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDatasetRegistry} from "../interfaces/IDatasetRegistry.sol";
import {IRevenueLedger} from "../interfaces/IRevenueLedger.sol";
import {AccountWord, Accounts} from "./Accounts.sol";
import {QualityGrade} from "./Codes.sol";
import {Lineages} from "./Lineages.sol";
import {Lines, SplitLines} from "./SplitLines.sol";
import {MicroFen, PPM_WHOLE, Ppm} from "./Units.sol";
import {Claim, Waterfall} from "./Waterfall.sol";

/// @title Sharing
/// @notice Posts a proposed split tier by tier and refuses it where it breaks order, room, proportion or
/// sum (domain.md 4.3 steps 5 to 9). What is posted before a check fails is undone by the revert.
library Sharing {
    uint256 private constant ORGANISATION_LINES = 3;

    /// @param listing Claimants of the product, or of a fill, as {Lineages} keeps them.
    /// @param income What there is to share, tax included, in µfen; the tax line is checked before.
    function share(
        mapping(bytes16 => AccountWord) storage accounts,
        IRevenueLedger.Scheme storage subject,
        bytes16 schemeId,
        Lines memory lines,
        bytes memory listing,
        uint256 income,
        IDatasetRegistry datasets
    ) internal {
        uint256 left = income - lines.tax;
        (Claim[] memory claims, uint256 whole, uint256 joined) = _creditListed(accounts, lines, listing);
        if (joined != 0) _join(subject, joined);
        uint256 paid = _requireShared(claims, whole, left);
        uint256 recovered = MicroFen.unwrap(subject.recoveredMicroFen) + paid;
        left -= paid;
        if (left == 0) {
            _requireEmpty(lines.commonCount);
        } else {
            uint256 open = MicroFen.unwrap(subject.poolCostMicroFen) - recovered;
            paid = _shareCommon(accounts, schemeId, lines, left, open);
            recovered += paid;
            left -= paid;
        }
        left -= _shareBenefit(accounts, subject, lines, listing, claims, left, datasets);
        if (lines.reserve != left) {
            revert IRevenueLedger.RevenueLedger_SumDiffers(income - left + lines.reserve, income);
        }
        subject.taxTakenMicroFen = subject.taxTakenMicroFen + _cast(lines.tax);
        subject.recoveredMicroFen = _cast(recovered);
        subject.reserveMicroFen = subject.reserveMicroFen + _cast(left);
    }

    /// @dev Adds each line to what its account recovered and is entitled to, right or wrong, as the
    /// check comes after. In assembly, for up to 64 claimants: one read and one write each. A claimant
    /// whose product is sold for the first time joins the pool; who is listed without a weight is
    /// weighted by its approved cost, and joins nothing.
    /// @return claims Weight, room before and line of each claimant.
    /// @return whole Sum of the weights.
    /// @return joined How many join the pool (from bit 128 on), and what keeps `poolCostMicroFen` less
    /// all that is recovered the pool's open cost: their rooms, and lines to those who are outside it.
    function _creditListed(
        mapping(bytes16 => AccountWord) storage accounts,
        Lines memory lines,
        bytes memory listing
    ) private returns (Claim[] memory claims, uint256 whole, uint256 joined) {
        uint256 count = Lineages.countOf(listing);
        if (lines.costCount != count) revert IRevenueLedger.RevenueLedger_LineCount(lines.costCount, count);
        claims = new Claim[](count);
        uint256 next = lines.costAt;
        assembly ("memory-safe") {
            // A variable, as the compiler computes large constants anew at each use.
            let mask := 0xffffffffffffffff
            // Key and place of the mapping, hashed together, are where the account lies.
            mstore(0x20, accounts.slot)
            let entry := add(listing, 0x20)
            let out := add(claims, 0x20)
            for { let end := add(out, shl(5, count)) } lt(out, end) { out := add(out, 0x20) } {
                let weight := mload(entry)
                mstore(0x00, shl(128, shr(128, weight)))
                weight := and(shr(96, weight), 0xffffff)
                let place := keccak256(0x00, 0x40)
                let word := sload(place)
                let cost := and(word, mask)
                let room := sub(cost, and(shr(64, word), mask))
                let line := shr(192, calldataload(next))
                let after_ := add(word, or(shl(64, line), shl(128, line)))
                if iszero(shr(255, word)) {
                    switch weight
                    case 0 { joined := add(joined, line) }
                    default {
                        if cost {
                            after_ := or(after_, shl(255, 1))
                            joined := add(joined, add(room, shl(128, 1)))
                        }
                    }
                }
                if xor(after_, word) { sstore(place, after_) }
                if iszero(weight) { weight := cost }
                mstore(out, or(or(shl(128, weight), shl(64, room)), line))
                whole := add(whole, weight)
                entry := add(entry, 20)
                next := add(next, 8)
            }
        }
    }

    function _join(IRevenueLedger.Scheme storage subject, uint256 joined) private {
        // The casts cut the word into its two parts; a scheme has at most 1,024 claimants.
        subject.poolCostMicroFen = subject.poolCostMicroFen + MicroFen.wrap(uint64(joined));
        subject.poolCount += uint16(joined >> 128);
    }

    /// @dev The pool's open cost, weighted by itself. Who is named must be pooled, nobody twice, and
    /// together they must have all the open cost of the pool: so nobody with a claim is left out.
    function _shareCommon(
        mapping(bytes16 => AccountWord) storage accounts,
        bytes16 schemeId,
        Lines memory lines,
        uint256 amount,
        uint256 open
    ) private returns (uint256) {
        Claim[] memory claims = new Claim[](lines.commonCount);
        bytes16 previousId = 0;
        uint256 rooms = 0;
        for (uint256 i = 0; i < claims.length; ++i) {
            (bytes16 claimantId, uint256 line) = SplitLines.commonAt(lines, i);
            AccountWord word = accounts[claimantId];
            if (claimantId <= previousId || !word.isPooled()) {
                revert IRevenueLedger.RevenueLedger_NotInPool(schemeId, claimantId);
            }
            previousId = claimantId;
            uint256 room = word.open();
            rooms += room;
            claims[i] = Waterfall.pack(room, room, line);
            if (line <= room && line != 0) accounts[claimantId] = Accounts.withRecovered(word, line);
        }
        if (rooms != open) revert IRevenueLedger.RevenueLedger_PoolDiffers(schemeId, rooms, open);
        return _requireShared(claims, rooms, amount);
    }

    /// @dev Permitted profit by the profit vector, the providers' part by weight and quality.
    /// @return paid What was shared; a forgone part stays in the reserve line.
    function _shareBenefit(
        mapping(bytes16 => AccountWord) storage accounts,
        IRevenueLedger.Scheme storage subject,
        Lines memory lines,
        bytes memory listing,
        Claim[] memory claims,
        uint256 left,
        IDatasetRegistry datasets
    ) private returns (uint256 paid) {
        uint256 amount = left == 0
            ? 0
            : _least(left, MicroFen.unwrap(subject.profitMicroFen - subject.benefitMicroFen));
        MicroFen forgone = _cast(lines.forgone);
        if (amount == 0) {
            _requireEmpty(lines.benefitCount);
            if (lines.forgone != 0) revert IRevenueLedger.RevenueLedger_ProfitOutOfProportion(0, forgone);
            return 0;
        }
        uint256 count = claims.length + ORGANISATION_LINES;
        if (lines.benefitCount != count) {
            revert IRevenueLedger.RevenueLedger_LineCount(lines.benefitCount, count);
        }
        uint256 part = _shareVector(accounts, subject, lines, amount);
        uint256[] memory merits = _merits(subject, listing, claims, datasets);
        _shareMerit(accounts, lines, listing, merits, part);
        subject.benefitMicroFen = subject.benefitMicroFen + _cast(amount);
        subject.forgoneMicroFen = subject.forgoneMicroFen + forgone;
        return amount - lines.forgone;
    }

    /// @return part The providers' part: the rest of the amount, itself within one µfen of its share.
    function _shareVector(
        mapping(bytes16 => AccountWord) storage accounts,
        IRevenueLedger.Scheme storage subject,
        Lines memory lines,
        uint256 amount
    ) private returns (uint256 part) {
        part = amount;
        bytes16[3] memory ids = [subject.governanceId, subject.operatorId, subject.platformId];
        Ppm[3] memory shares = [subject.governancePpm, subject.operatorPpm, subject.platformPpm];
        for (uint256 i = 0; i < ORGANISATION_LINES; ++i) {
            uint256 line = SplitLines.amountAt(lines.benefitAt, i);
            if (line > part) revert IRevenueLedger.RevenueLedger_ProfitOutOfProportion(i, _cast(line));
            part -= line;
            _requireNear(i, line, amount, Ppm.unwrap(shares[i]), PPM_WHOLE);
            if (line != 0) accounts[ids[i]] = Accounts.withProfit(accounts[ids[i]], line);
        }
        _requireNear(lines.benefitCount, part, amount, Ppm.unwrap(subject.providersPpm), PPM_WHOLE);
    }

    function _shareMerit(
        mapping(bytes16 => AccountWord) storage accounts,
        Lines memory lines,
        bytes memory listing,
        uint256[] memory merits,
        uint256 part
    ) private {
        uint256 whole = 0;
        for (uint256 i = 0; i < merits.length; ++i) {
            whole += merits[i];
        }
        uint256 sum = whole == 0 ? part : 0;
        if (lines.forgone != sum) {
            revert IRevenueLedger.RevenueLedger_ProfitOutOfProportion(lines.benefitCount, _cast(lines.forgone));
        }
        for (uint256 i = 0; i < merits.length; ++i) {
            uint256 line = SplitLines.amountAt(lines.benefitAt, i + ORGANISATION_LINES);
            if (line == 0 && merits[i] == 0) continue;
            _requireNear(i + ORGANISATION_LINES, line, part, merits[i], whole);
            sum += line;
            bytes16 claimantId = Lineages.claimantAt(listing, i);
            accounts[claimantId] = Accounts.withProfit(accounts[claimantId], line);
        }
        if (sum != part) revert IRevenueLedger.RevenueLedger_SumDiffers(sum, part);
    }

    /// @return merits Weight times quality of each dataset; operator and platform have none.
    function _merits(
        IRevenueLedger.Scheme storage subject,
        bytes memory listing,
        Claim[] memory claims,
        IDatasetRegistry datasets
    ) private view returns (uint256[] memory merits) {
        merits = new uint256[](claims.length);
        bytes16[] memory ids = new bytes16[](claims.length);
        for (uint256 i = 0; i < ids.length; ++i) {
            ids[i] = Lineages.claimantAt(listing, i);
        }
        QualityGrade[] memory grades = datasets.gradesOf(ids);
        (bytes16 operatorId, bytes16 platformId) = (subject.operatorId, subject.platformId);
        for (uint256 i = 0; i < ids.length; ++i) {
            if (ids[i] == operatorId || ids[i] == platformId) continue;
            merits[i] = Waterfall.weightOf(claims[i]) * _coefficient(grades[i]);
        }
    }

    /// @dev A line within one µfen of amount · weight / whole; nothing where the weight is nothing.
    function _requireNear(uint256 index, uint256 line, uint256 amount, uint256 weight, uint256 whole) private pure {
        (uint256 got, uint256 exact) = (line * whole, amount * weight);
        uint256 distance = got > exact ? got - exact : exact - got;
        if (distance > whole || (weight == 0 && line != 0)) {
            revert IRevenueLedger.RevenueLedger_ProfitOutOfProportion(index, _cast(line));
        }
    }

    /// @dev A grade's coefficient (domain.md 4.2); data that was never inspected counts in full.
    function _coefficient(QualityGrade grade) private pure returns (uint256) {
        if (grade == QualityGrade.B) return 90;
        if (grade == QualityGrade.C) return 80;
        if (grade == QualityGrade.D) return 50;
        return grade == QualityGrade.E ? 0 : 100;
    }

    function _requireShared(Claim[] memory claims, uint256 whole, uint256 amount)
        private
        pure
        returns (uint256 paid)
    {
        paid = Waterfall.requireShared(claims, whole, amount);
        if (paid > amount) {
            revert IRevenueLedger.RevenueLedger_TierNotFull(_cast(_least(paid, type(uint64).max)), _cast(amount));
        }
    }

    function _requireEmpty(uint256 count) private pure {
        if (count != 0) revert IRevenueLedger.RevenueLedger_LineCount(count, 0);
    }

    function _least(uint256 a, uint256 b) private pure returns (uint256) {
        return a < b ? a : b;
    }

    /// @dev The cast is safe: every amount of a scheme is below 2^64 µfen.
    function _cast(uint256 amount) private pure returns (MicroFen) {
        return MicroFen.wrap(uint64(amount));
    }
}
