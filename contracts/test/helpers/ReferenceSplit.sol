// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRevenueLedger} from "../../interfaces/IRevenueLedger.sol";
import {MicroFen} from "../../libraries/Units.sol";
import {ReferenceFill} from "./ReferenceFill.sol";
import {PoolLine, Split} from "./Splits.sol";

/// @notice A split of domain.md 4.3 steps 5 to 9, tier after tier, by rounds and largest remainder.
/// It shares nothing with the contract's check.
library ReferenceSplit {
    uint256 private constant NO_LIMIT = type(uint128).max;

    /// @dev Balances before the split; claimants by ascending id.
    struct State {
        bytes16[] ids;
        uint256[] rooms;
        bool[] pooled;
        /// @dev Quality coefficient; 0 for operator and platform, who are no providers.
        uint256[] merits;
        uint256 profitLeft;
        /// @dev Shares of governance, operator, platform, providers in ppm.
        uint256[4] vector;
    }

    /// @param listed Positions of the product's claimants in the state, ascending.
    /// @param weights Their weights.
    function split(
        State memory state,
        uint256[] memory listed,
        uint256[] memory weights,
        uint256 income,
        uint256 tax
    ) internal pure returns (Split memory proposed) {
        uint256 left = income - tax;
        proposed.taxMicroFen = _micro(tax);
        proposed.lineageCostMicroFen = new MicroFen[](listed.length);
        uint256[] memory rooms = new uint256[](listed.length);
        for (uint256 i = 0; i < listed.length; ++i) {
            rooms[i] = state.rooms[listed[i]];
        }
        uint256[] memory lines = ReferenceFill.lines(left, weights, rooms);
        for (uint256 i = 0; i < listed.length; ++i) {
            proposed.lineageCostMicroFen[i] = _micro(lines[i]);
            state.rooms[listed[i]] -= lines[i];
            if (rooms[i] != 0) state.pooled[listed[i]] = true;
            left -= lines[i];
        }
        if (left != 0) left -= _common(state, proposed, left);
        if (left != 0 && state.profitLeft != 0) left -= _benefit(state, proposed, listed, weights, left);
        proposed.reserveMicroFen = _micro(left);
    }

    function _common(State memory state, Split memory proposed, uint256 amount)
        private
        pure
        returns (uint256 sum)
    {
        uint256 count = 0;
        for (uint256 i = 0; i < state.ids.length; ++i) {
            if (state.pooled[i] && state.rooms[i] != 0) ++count;
        }
        uint256[] memory rooms = new uint256[](count);
        proposed.commonCost = new PoolLine[](count);
        count = 0;
        for (uint256 i = 0; i < state.ids.length; ++i) {
            if (!state.pooled[i] || state.rooms[i] == 0) continue;
            rooms[count] = state.rooms[i];
            proposed.commonCost[count++].claimantId = state.ids[i];
        }
        uint256[] memory lines = ReferenceFill.lines(amount, rooms, rooms);
        for (uint256 i = 0; i < count; ++i) {
            proposed.commonCost[i].amountMicroFen = _micro(lines[i]);
            sum += lines[i];
        }
    }

    /// @return What goes to somebody; what no quality earns stays for the reserve.
    function _benefit(
        State memory state,
        Split memory proposed,
        uint256[] memory listed,
        uint256[] memory weights,
        uint256 left
    ) private pure returns (uint256) {
        uint256 amount = left < state.profitLeft ? left : state.profitLeft;
        uint256[] memory shares = new uint256[](4);
        for (uint256 i = 0; i < 4; ++i) {
            shares[i] = state.vector[i];
        }
        uint256[] memory parts = ReferenceFill.lines(amount, shares, _unlimited(4));
        proposed.benefitMicroFen = new MicroFen[](3 + listed.length);
        for (uint256 i = 0; i < 3; ++i) {
            proposed.benefitMicroFen[i] = _micro(parts[i]);
        }
        uint256[] memory merits = new uint256[](listed.length);
        uint256 whole = 0;
        for (uint256 i = 0; i < listed.length; ++i) {
            merits[i] = weights[i] * state.merits[listed[i]];
            whole += merits[i];
        }
        if (whole == 0) {
            proposed.forgoneMicroFen = _micro(parts[3]);
            return amount - parts[3];
        }
        uint256[] memory lines = ReferenceFill.lines(parts[3], merits, _unlimited(listed.length));
        for (uint256 i = 0; i < listed.length; ++i) {
            proposed.benefitMicroFen[3 + i] = _micro(lines[i]);
        }
        return amount;
    }

    function _unlimited(uint256 count) private pure returns (uint256[] memory rooms) {
        rooms = new uint256[](count);
        for (uint256 i = 0; i < count; ++i) {
            rooms[i] = NO_LIMIT;
        }
    }

    function _micro(uint256 amount) private pure returns (MicroFen) {
        return MicroFen.wrap(uint64(amount));
    }
}
