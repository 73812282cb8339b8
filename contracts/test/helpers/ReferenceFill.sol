// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice A capped proportional filling by rounds (domain.md 4.3 steps 5 and 9): whoever cannot take
/// its share takes its room and leaves, and the others share the rest; in the end floor, then one
/// more each by largest remainder, ties to the earlier.
library ReferenceFill {
    function lines(uint256 amount, uint256[] memory weights, uint256[] memory rooms)
        internal
        pure
        returns (uint256[] memory shares)
    {
        shares = new uint256[](weights.length);
        bool[] memory isFull = new bool[](weights.length);
        uint256 left = amount;
        bool isChanged = true;
        while (isChanged) {
            isChanged = false;
            uint256 whole = _openWeight(weights, isFull);
            uint256 share = left;
            for (uint256 i = 0; i < weights.length; ++i) {
                if (isFull[i] || rooms[i] * whole > share * weights[i]) continue;
                (isFull[i], shares[i], isChanged) = (true, rooms[i], true);
                left -= rooms[i];
            }
        }
        _round(weights, isFull, shares, left);
    }

    function _round(uint256[] memory weights, bool[] memory isFull, uint256[] memory shares, uint256 left)
        private
        pure
    {
        uint256 whole = _openWeight(weights, isFull);
        if (whole == 0) return;
        uint256 missing = left;
        uint256[] memory remainders = new uint256[](weights.length);
        for (uint256 i = 0; i < weights.length; ++i) {
            if (isFull[i]) continue;
            shares[i] = left * weights[i] / whole;
            remainders[i] = left * weights[i] % whole + 1;
            missing -= shares[i];
        }
        for (; missing > 0; --missing) {
            uint256 best = 0;
            for (uint256 i = 1; i < weights.length; ++i) {
                if (remainders[i] > remainders[best]) best = i;
            }
            ++shares[best];
            remainders[best] = 0;
        }
    }

    function _openWeight(uint256[] memory weights, bool[] memory isFull) private pure returns (uint256 whole) {
        for (uint256 i = 0; i < weights.length; ++i) {
            if (!isFull[i]) whole += weights[i];
        }
    }
}
