// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDatasetRegistry} from "../interfaces/IDatasetRegistry.sol";
import {IRevenueLedger} from "../interfaces/IRevenueLedger.sol";
import {AccountWord, Accounts} from "./Accounts.sol";
import {QualityGrade} from "./Codes.sol";
import {MicroFen, PPM_WHOLE, Ppm} from "./Units.sol";
import {Claim, Waterfall} from "./Waterfall.sol";

/// @dev A list of claimants in the calldata: entries of `stride` bytes, each beginning with an id. A
/// lineage brings its weights; a list of bare ids is weighted by approved cost.
struct Listing {
    uint256 offset;
    uint256 length;
    uint256 stride;
}

/// @title Sharing
/// @notice Posts a proposed split tier by tier and refuses it where it breaks order, room, proportion or
/// sum (domain.md 4.3 steps 5 to 9). What is posted before a check fails is undone by the revert.
library Sharing {
    uint256 internal constant LINEAGE_STRIDE = 0x60;
    uint256 internal constant ID_STRIDE = 0x20;
    uint256 private constant ORGANISATION_LINES = 3;

    /// @param income What there is to share, tax included, in µfen; the tax line is checked before.
    function share(
        mapping(bytes16 => AccountWord) storage accounts,
        IRevenueLedger.Scheme storage subject,
        bytes16 schemeId,
        IRevenueLedger.Split calldata proposed,
        Listing memory listing,
        uint256 income,
        IDatasetRegistry datasets
    ) internal {
        uint256 left = income - MicroFen.unwrap(proposed.taxMicroFen);
        (Claim[] memory claims, uint256 joined) = _creditListed(accounts, proposed.lineageCostMicroFen, listing);
        if (joined != 0) _join(subject, joined);
        uint256 paid = _requireShared(claims, left);
        uint256 recovered = MicroFen.unwrap(subject.recoveredMicroFen) + paid;
        left -= paid;
        if (left == 0) {
            _requireEmpty(proposed.commonCost.length);
        } else {
            uint256 open = MicroFen.unwrap(subject.poolCostMicroFen) - recovered;
            paid = _shareCommon(accounts, schemeId, proposed.commonCost, left, open);
            recovered += paid;
            left -= paid;
        }
        left -= _shareBenefit(accounts, subject, proposed, listing, claims, left, datasets);
        uint256 reserve = MicroFen.unwrap(proposed.reserveMicroFen);
        if (reserve != left) {
            revert IRevenueLedger.RevenueLedger_SumDiffers(income - left + reserve, income);
        }
        subject.taxTakenMicroFen = subject.taxTakenMicroFen + proposed.taxMicroFen;
        subject.recoveredMicroFen = _cast(recovered);
        subject.reserveMicroFen = subject.reserveMicroFen + proposed.reserveMicroFen;
    }

    /// @notice What the ledger keeps of a split, so that its opposite can be posted and nothing else.
    /// @dev Hashed as the lists lie in the calldata. The bytes lie beyond the free memory pointer.
    function digestOf(IRevenueLedger.Split calldata proposed) internal view returns (bytes19) {
        MicroFen[] calldata cost = proposed.lineageCostMicroFen;
        IRevenueLedger.PoolLine[] calldata pool = proposed.commonCost;
        MicroFen[] calldata benefit = proposed.benefitMicroFen;
        bytes32 result;
        uint256 next;
        assembly ("memory-safe") {
            let start := mload(0x40)
            mstore(start, calldataload(proposed))
            calldatacopy(add(start, 0x20), add(proposed, 0x80), 0x40)
            mstore(add(start, 0x60), cost.length)
            mstore(add(start, 0x80), pool.length)
            mstore(add(start, 0xa0), benefit.length)
            next := add(start, 0xc0)
            calldatacopy(next, cost.offset, shl(5, cost.length))
            next := add(next, shl(5, cost.length))
            calldatacopy(next, pool.offset, shl(6, pool.length))
            next := add(next, shl(6, pool.length))
            calldatacopy(next, benefit.offset, shl(5, benefit.length))
            next := add(next, shl(5, benefit.length))
            if iszero(
                and(eq(returndatasize(), 32), staticcall(gas(), 2, start, sub(next, start), 0x00, 32))
            ) { revert(0, 0) }
            result := mload(0x00)
        }
        return bytes19(result);
    }

    /// @dev Adds each line to what its account recovered and is entitled to; a line beyond its room is
    /// left out, as the check then refuses the split. In assembly, for up to 64 claimants: one read and
    /// one write each. A claimant whose product is sold for the first time joins the pool.
    /// @return claims Weight, room before and line of each claimant.
    /// @return joined How many join the pool (from bit 128 on), and what keeps `poolCostMicroFen` less
    /// all that is recovered the pool's open cost: their rooms, and lines to those who are outside it.
    function _creditListed(
        mapping(bytes16 => AccountWord) storage accounts,
        MicroFen[] calldata lines,
        Listing memory listing
    ) private returns (Claim[] memory claims, uint256 joined) {
        if (lines.length != listing.length) {
            revert IRevenueLedger.RevenueLedger_LineCount(lines.length, listing.length);
        }
        claims = new Claim[](lines.length);
        (uint256 entry, uint256 stride) = (listing.offset, listing.stride);
        assembly ("memory-safe") {
            // Key and place of the mapping, hashed together, are where the account lies.
            mstore(0x20, accounts.slot)
            let out := add(claims, 0x20)
            let end := add(out, shl(5, lines.length))
            let at := lines.offset
            for {} lt(out, end) { out := add(out, 0x20) } {
                let line := calldataload(at)
                mstore(0x00, calldataload(entry))
                if or(shr(64, line), shl(128, mload(0x00))) { revert(0, 0) }
                let place := keccak256(0x00, 0x40)
                let word := sload(place)
                let weight := and(word, 0xffffffffffffffff)
                let room := sub(weight, and(shr(64, word), 0xffffffffffffffff))
                let after_ := word
                if iszero(gt(line, room)) { after_ := add(word, or(shl(64, line), shl(128, line))) }
                switch stride
                case 0x60 {
                    if weight {
                        if iszero(shr(255, word)) {
                            after_ := or(after_, shl(255, 1))
                            joined := add(joined, add(room, shl(128, 1)))
                        }
                    }
                    weight := calldataload(add(entry, 0x40))
                }
                default { if iszero(shr(255, word)) { joined := add(joined, line) } }
                if xor(after_, word) { sstore(place, after_) }
                mstore(out, or(or(shl(128, weight), shl(64, room)), line))
                entry := add(entry, stride)
                at := add(at, 0x20)
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
        IRevenueLedger.PoolLine[] calldata lines,
        uint256 amount,
        uint256 open
    ) private returns (uint256) {
        Claim[] memory claims = new Claim[](lines.length);
        bytes16 previousId = 0;
        uint256 rooms = 0;
        for (uint256 i = 0; i < lines.length; ++i) {
            bytes16 claimantId = lines[i].claimantId;
            uint256 line = MicroFen.unwrap(lines[i].amountMicroFen);
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
        return _requireShared(claims, amount);
    }

    /// @dev Permitted profit by the profit vector, the providers' part by weight and quality.
    /// @return paid What was shared; a forgone part stays in the reserve line.
    function _shareBenefit(
        mapping(bytes16 => AccountWord) storage accounts,
        IRevenueLedger.Scheme storage subject,
        IRevenueLedger.Split calldata proposed,
        Listing memory listing,
        Claim[] memory claims,
        uint256 left,
        IDatasetRegistry datasets
    ) private returns (uint256 paid) {
        uint256 amount = left == 0
            ? 0
            : _least(left, MicroFen.unwrap(subject.profitMicroFen - subject.benefitMicroFen));
        MicroFen[] calldata lines = proposed.benefitMicroFen;
        MicroFen forgone = proposed.forgoneMicroFen;
        if (amount == 0) {
            _requireEmpty(lines.length);
            if (MicroFen.unwrap(forgone) != 0) {
                revert IRevenueLedger.RevenueLedger_ProfitOutOfProportion(0, forgone);
            }
            return 0;
        }
        if (lines.length != claims.length + ORGANISATION_LINES) {
            revert IRevenueLedger.RevenueLedger_LineCount(lines.length, claims.length + ORGANISATION_LINES);
        }
        uint256 part = _shareVector(accounts, subject, lines, amount);
        uint256[] memory merits = _merits(subject, listing, claims, datasets);
        _shareMerit(accounts, lines, listing, merits, part, MicroFen.unwrap(forgone));
        subject.benefitMicroFen = subject.benefitMicroFen + _cast(amount);
        subject.forgoneMicroFen = subject.forgoneMicroFen + forgone;
        return amount - MicroFen.unwrap(forgone);
    }

    /// @return part The providers' part: the rest of the amount, itself within one µfen of its share.
    function _shareVector(
        mapping(bytes16 => AccountWord) storage accounts,
        IRevenueLedger.Scheme storage subject,
        MicroFen[] calldata lines,
        uint256 amount
    ) private returns (uint256 part) {
        part = amount;
        bytes16[3] memory ids = [subject.governanceId, subject.operatorId, subject.platformId];
        Ppm[3] memory shares = [subject.governancePpm, subject.operatorPpm, subject.platformPpm];
        for (uint256 i = 0; i < ORGANISATION_LINES; ++i) {
            uint256 line = MicroFen.unwrap(lines[i]);
            if (line > part) revert IRevenueLedger.RevenueLedger_ProfitOutOfProportion(i, lines[i]);
            part -= line;
            _requireNear(i, line, amount, Ppm.unwrap(shares[i]), PPM_WHOLE);
            if (line != 0) accounts[ids[i]] = Accounts.withProfit(accounts[ids[i]], line);
        }
        _requireNear(lines.length, part, amount, Ppm.unwrap(subject.providersPpm), PPM_WHOLE);
    }

    function _shareMerit(
        mapping(bytes16 => AccountWord) storage accounts,
        MicroFen[] calldata lines,
        Listing memory listing,
        uint256[] memory merits,
        uint256 part,
        uint256 forgone
    ) private {
        uint256 whole = 0;
        for (uint256 i = 0; i < merits.length; ++i) {
            whole += merits[i];
        }
        uint256 sum = whole == 0 ? part : 0;
        if (forgone != sum) {
            revert IRevenueLedger.RevenueLedger_ProfitOutOfProportion(lines.length, _cast(forgone));
        }
        for (uint256 i = 0; i < merits.length; ++i) {
            uint256 line = MicroFen.unwrap(lines[i + ORGANISATION_LINES]);
            if (line == 0 && merits[i] == 0) continue;
            _requireNear(i + ORGANISATION_LINES, line, part, merits[i], whole);
            sum += line;
            bytes16 claimantId = _idAt(listing, i);
            accounts[claimantId] = Accounts.withProfit(accounts[claimantId], line);
        }
        if (sum != part) revert IRevenueLedger.RevenueLedger_SumDiffers(sum, part);
    }

    /// @return merits Weight times quality of each dataset; operator and platform have none.
    function _merits(
        IRevenueLedger.Scheme storage subject,
        Listing memory listing,
        Claim[] memory claims,
        IDatasetRegistry datasets
    ) private view returns (uint256[] memory merits) {
        merits = new uint256[](claims.length);
        bytes16[] memory ids = new bytes16[](claims.length);
        for (uint256 i = 0; i < ids.length; ++i) {
            ids[i] = _idAt(listing, i);
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

    function _requireShared(Claim[] memory claims, uint256 amount) private pure returns (uint256 paid) {
        paid = Waterfall.requireShared(claims, amount);
        if (paid > amount) {
            revert IRevenueLedger.RevenueLedger_TierNotFull(_cast(_least(paid, type(uint64).max)), _cast(amount));
        }
    }

    function _requireEmpty(uint256 count) private pure {
        if (count != 0) revert IRevenueLedger.RevenueLedger_LineCount(count, 0);
    }

    function _idAt(Listing memory listing, uint256 index) private pure returns (bytes16 claimantId) {
        uint256 place = listing.offset + index * listing.stride;
        assembly ("memory-safe") {
            claimantId := calldataload(place)
        }
    }

    function _least(uint256 a, uint256 b) private pure returns (uint256) {
        return a < b ? a : b;
    }

    /// @dev The cast is safe: every amount of a scheme is below 2^64 µfen.
    function _cast(uint256 amount) private pure returns (MicroFen) {
        return MicroFen.wrap(uint64(amount));
    }
}
