// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRevenueLedger} from "../interfaces/IRevenueLedger.sol";
import {MicroFen, Ppm} from "./Units.sol";

/// @dev A claimant of a tier in one word, from the left: weight (32 bits), room (64), line (64).
type Claim is uint256;

/// @title Waterfall
/// @notice Checks a proposed capped proportional tier: an amount shared by weights, nobody beyond its
/// room, and what one cannot take shared among the others.
/// @dev The exact share of a claimant is min(room, level · weight) for the one level at which the
/// shares sum to the amount. Finding that level takes rounds or sorting; checking does not:
/// 1. A line is within one µfen of its share exactly when the level lies between (line - 1) / weight
///    and, unless the line is at its room, (line + 1) / weight. So all lines are, exactly when the
///    level lies between the largest of the former and the smallest of the latter.
/// 2. What is poured grows with the level. So it lies between two levels exactly when no more than the
///    amount is poured at the lower one, and no less at the upper one.
/// One pass finds the two levels, a second pours at both. Every rounding by less than one µfen passes,
/// and no line that is more than one µfen away from its share does.
library Waterfall {
    uint256 private constant ROOM_SHIFT = 64;
    uint256 private constant WEIGHT_SHIFT = 128;

    /// @dev The level `amount / weight`, and the claimant that sets it.
    struct Level {
        uint256 amount;
        uint256 weight;
        uint256 index;
    }

    function pack(Ppm weight, MicroFen room, MicroFen line) internal pure returns (Claim) {
        return Claim.wrap(
            (uint256(Ppm.unwrap(weight)) << WEIGHT_SHIFT) | (uint256(MicroFen.unwrap(room)) << ROOM_SHIFT)
                | MicroFen.unwrap(line)
        );
    }

    /// @notice Reverts unless the lines share `amount` as the rule says.
    /// @param claims Weight, room and proposed line of each claimant; weight 0 may take nothing.
    /// @param amount What there is to share in µfen, below 2^64.
    /// @return paid Sum of the lines in µfen: `amount`, or less when the tier is full.
    /// @return isFull Whether every claimant stands at its room; only then may a lower tier be paid.
    function requireShared(Claim[] memory claims, uint256 amount)
        internal
        pure
        returns (uint256 paid, bool isFull)
    {
        Level memory low = Level({amount: 0, weight: 1, index: 0});
        Level memory high = Level({amount: 0, weight: 0, index: 0});
        paid = _bounds(claims, low, high);
        isFull = high.weight == 0;
        if (isFull) return (paid, isFull);
        if (paid != amount) {
            // The sum of a few uint64 lines can exceed uint64 only in a proposal that is refused here.
            uint64 shown = paid > type(uint64).max ? type(uint64).max : uint64(paid);
            revert IRevenueLedger.RevenueLedger_TierNotFull(
                MicroFen.wrap(shown), MicroFen.wrap(uint64(amount))
            );
        }
        if (_poured(claims, low) > amount * low.weight) _refuse(claims, low.index);
        if (_poured(claims, high) < amount * high.weight) _refuse(claims, high.index);
    }

    /// @dev First pass. `high` keeps weight 0 when every line is at its room: no level is too high then.
    function _bounds(Claim[] memory claims, Level memory low, Level memory high)
        private
        pure
        returns (uint256 paid)
    {
        // No overflow: lines and rooms are below 2^64, weights below 2^32, the loop is bounded by memory.
        unchecked {
            for (uint256 i = 0; i < claims.length; ++i) {
                (uint256 weight, uint256 room, uint256 line) = _unpack(claims[i]);
                if (line > room) {
                    revert IRevenueLedger.RevenueLedger_LineAboveRoom(
                        i, MicroFen.wrap(uint64(line)), MicroFen.wrap(uint64(room))
                    );
                }
                if (weight == 0) {
                    if (line != 0) _refuse(claims, i);
                    continue;
                }
                paid += line;
                if (line != 0 && (line - 1) * low.weight > low.amount * weight) {
                    _set(low, line - 1, weight, i);
                }
                bool isOpen = line != room;
                if (isOpen && (high.weight == 0 || (line + 1) * high.weight < high.amount * weight)) {
                    _set(high, line + 1, weight, i);
                }
            }
        }
    }

    /// @dev Second pass: Σ min(room, level · weight), times the level's weight so that it stays whole.
    function _poured(Claim[] memory claims, Level memory level) private pure returns (uint256 sum) {
        (uint256 levelAmount, uint256 levelWeight) = (level.amount, level.weight);
        // No overflow: each product is below 2^97.
        unchecked {
            for (uint256 i = 0; i < claims.length; ++i) {
                (uint256 weight, uint256 room,) = _unpack(claims[i]);
                uint256 share = levelAmount * weight;
                uint256 most = room * levelWeight;
                sum += share < most ? share : most;
            }
        }
    }

    function _set(Level memory level, uint256 amount, uint256 weight, uint256 index) private pure {
        level.amount = amount;
        level.weight = weight;
        level.index = index;
    }

    function _refuse(Claim[] memory claims, uint256 index) private pure {
        (,, uint256 line) = _unpack(claims[index]);
        revert IRevenueLedger.RevenueLedger_LineOutOfProportion(index, MicroFen.wrap(uint64(line)));
    }

    function _unpack(Claim claim) private pure returns (uint256 weight, uint256 room, uint256 line) {
        uint256 word = Claim.unwrap(claim);
        // The casts cut a word shifted to the field's end down to the field.
        return (word >> WEIGHT_SHIFT, uint64(word >> ROOM_SHIFT), uint64(word));
    }
}
