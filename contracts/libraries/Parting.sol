// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {PPM_WHOLE, Ppm} from "./Units.sol";

/// @dev How what is remitted for a public institution is parted between its own account and its city's
/// treasury, in whole fen; one word, and only where a city has a rule.
struct Part {
    /// @dev Remitted to its own account in all; the rest went to the treasury.
    uint64 ownFen;
    /// @dev Remitted in all when the rule was first followed here: it stays as it was paid.
    uint64 baseFen;
    /// @dev Of that, to its own account.
    uint64 baseOwnFen;
    uint32 ruleNo;
    Ppm treasuryPpm;
}

/// @title Parting
/// @notice Caps by which an institution and its treasury are paid (domain.md 4.3 step 10). For whole fen
/// due D and a base B of which b went to the own account, the own account's cap is
/// b + floor((D - B) · (1 - treasury part)), below the base floor(b · D / B); the treasury's cap is the rest.
library Parting {
    /// @dev A rule that is new to the account applies to what is not remitted yet.
    function follow(Part storage part, uint32 ruleNo, Ppm treasuryPpm, uint256 remittedFen) internal {
        if (part.ruleNo == ruleNo) return;
        // The cast is safe: remitted fen are of 63 bits.
        part.baseFen = uint64(remittedFen);
        part.baseOwnFen = part.ownFen;
        part.ruleNo = ruleNo;
        part.treasuryPpm = treasuryPpm;
    }

    /// @return fen What may still be remitted to the own account, or to the treasury.
    function leftFen(Part storage part, bool isOwn, uint256 dueFen, uint256 remittedFen)
        internal
        view
        returns (uint256 fen)
    {
        uint256 cap = _ownCap(part, dueFen);
        uint256 got = part.ownFen;
        if (!isOwn) (cap, got) = (dueFen - cap, remittedFen - got);
        fen = cap > got ? cap - got : 0;
        uint256 whole = dueFen - remittedFen;
        if (fen > whole) fen = whole;
    }

    /// @notice Takes back what was remitted beyond what is due since.
    /// @return ownFen What the own account owes of it: what it has beyond its cap; the treasury owes the rest.
    function takeBack(Part storage part, uint256 dueFen, uint256 remittedFen) internal returns (uint256 ownFen) {
        uint256 cap = _ownCap(part, dueFen);
        uint256 got = part.ownFen;
        if (got > cap) ownFen = got - cap;
        if (ownFen > remittedFen - dueFen) ownFen = remittedFen - dueFen;
        // The cast is safe: it does not grow. The base stays, so what is earned again is paid as before.
        if (ownFen != 0) part.ownFen = uint64(got - ownFen);
    }

    function _ownCap(Part storage part, uint256 dueFen) private view returns (uint256) {
        uint256 base = part.baseFen;
        uint256 baseOwn = part.baseOwnFen;
        if (dueFen < base) return baseOwn * dueFen / base;
        return baseOwn + (dueFen - base) * (PPM_WHOLE - Ppm.unwrap(part.treasuryPpm)) / PPM_WHOLE;
    }
}
