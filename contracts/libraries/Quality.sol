// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {QualityGrade} from "./Codes.sol";

/// @title Quality
/// @notice From six scores to a grade.
library Quality {
    uint256 private constant DIMENSION_COUNT = 6;
    uint8 private constant SCORE_MAX = 100;

    /// @notice The grade of six scores, a byte each; NONE and the score where one is above 100.
    function gradeOf(bytes6 scores) internal pure returns (QualityGrade grade, uint8 wrong) {
        uint256 sum = 0;
        uint256 least = SCORE_MAX;
        for (uint256 i = 0; i < DIMENSION_COUNT; ++i) {
            uint8 score = uint8(scores[i]);
            if (score > SCORE_MAX) return (QualityGrade.NONE, score);
            sum += score;
            if (score < least) least = score;
        }
        uint256 mean = sum / DIMENSION_COUNT;
        if (least < 40 || mean < 60) return (QualityGrade.E, 0);
        if (least < 60 || mean < 70) return (QualityGrade.D, 0);
        if (mean < 80) return (QualityGrade.C, 0);
        return (mean < 90 ? QualityGrade.B : QualityGrade.A, 0);
    }
}
