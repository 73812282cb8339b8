// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ground, ObjectionState, Outcome, SubjectKind} from "./Codes.sol";

/// @title Objections
/// @notice The tables of the objection procedure (domain.md section 5), and its times in working days.
library Objections {
    uint16 internal constant SUSPEND_DAYS = 1;
    uint16 internal constant ACCEPT_DAYS = 3;
    uint16 internal constant RESPOND_DAYS = 5;
    uint16 internal constant DECIDE_DAYS = 15;
    uint16 internal constant EXTENSION_DAYS = 10;
    /// @dev Also from the execution to the close.
    uint16 internal constant NOTICE_DAYS = 3;
    uint16 internal constant EXECUTE_DAYS = 10;

    uint256 private constant OF_DATASET = 1 << uint8(SubjectKind.DATASET);
    uint256 private constant OF_PRODUCT = 1 << uint8(SubjectKind.PRODUCT);
    uint256 private constant OF_LICENCE = 1 << uint8(SubjectKind.LICENCE);
    uint256 private constant OF_INVOICE = 1 << uint8(SubjectKind.INVOICE);

    /// @return Whether one state may follow another.
    function isStep(ObjectionState from, ObjectionState to) internal pure returns (bool) {
        if (to == ObjectionState.ACCEPTED || to == ObjectionState.REFUSED) return from == ObjectionState.OPENED;
        if (to == ObjectionState.WITHDRAWN) {
            return from >= ObjectionState.OPENED && from <= ObjectionState.VERIFIED;
        }
        if (to == ObjectionState.VERIFIED) {
            return from == ObjectionState.ACCEPTED || from == ObjectionState.RESPONDED;
        }
        if (to == ObjectionState.CLOSED) {
            return from == ObjectionState.NOTIFIED || from == ObjectionState.EXECUTED;
        }
        return to >= ObjectionState.RESPONDED && to <= ObjectionState.EXECUTED && uint8(from) + 1 == uint8(to);
    }

    /// @return Whether a case still runs.
    function isLive(ObjectionState state) internal pure returns (bool) {
        return state >= ObjectionState.OPENED && state <= ObjectionState.EXECUTED;
    }

    /// @return Whether a case is before its decision.
    function isUndecided(ObjectionState state) internal pure returns (bool) {
        return state >= ObjectionState.OPENED && state <= ObjectionState.VERIFIED;
    }

    /// @return Whether masking or personal information is alleged, so that the subject is suspended at once.
    function isUrgent(Ground ground) internal pure returns (bool) {
        return ground == Ground.MASKING || ground == Ground.INFRINGEMENT;
    }

    /// @return Whether a ground fits a kind of subject.
    function fits(Ground ground, SubjectKind kind) internal pure returns (bool) {
        uint256 kinds;
        if (ground == Ground.MASKING) kinds = OF_DATASET | OF_PRODUCT;
        else if (ground == Ground.INFRINGEMENT) kinds = OF_DATASET | OF_PRODUCT | OF_LICENCE;
        else if (ground == Ground.BILLING) kinds = OF_INVOICE;
        else if (ground == Ground.OVER_SCOPE) kinds = OF_LICENCE;
        else if (ground == Ground.PLATFORM_FAULT) kinds = OF_DATASET | OF_PRODUCT | OF_LICENCE | OF_INVOICE;
        else if (ground != Ground.NONE) kinds = OF_DATASET | OF_PRODUCT | OF_INVOICE;
        return kind != SubjectKind.NONE && kinds & (1 << uint8(kind)) != 0;
    }

    /// @return Whether an outcome fits a kind of subject: money is refunded, all else goes in or out of service.
    function fits(Outcome outcome, SubjectKind kind) internal pure returns (bool) {
        if (outcome == Outcome.REFUND) return kind == SubjectKind.INVOICE;
        if (outcome == Outcome.WITHDRAW || outcome == Outcome.REOPEN) return kind != SubjectKind.INVOICE;
        return outcome != Outcome.NONE;
    }
}
