// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {RegistrationState, RegistrationType} from "./Codes.sol";

/// @title Procedures
/// @notice The steps of registration (发改数据规〔2025〕26号), drawn in domain.md 1.2.
library Procedures {
    /// @notice Whether a registrar may take a procedure from one state to the other; codes are given apart.
    /// @param kind What is applied for; NONE when nothing is.
    /// @param from State of the procedure, or of the dataset when nothing is applied for.
    function isStep(RegistrationType kind, RegistrationState from, RegistrationState to)
        internal
        pure
        returns (bool)
    {
        if (to == RegistrationState.REVOKED) {
            return from >= RegistrationState.APPLIED && from <= RegistrationState.CODED;
        }
        if (to == RegistrationState.EXPIRED) return kind == RegistrationType.NONE && from == RegistrationState.CODED;
        if (kind == RegistrationType.NONE) return false;
        if (to == RegistrationState.EVIDENCED) {
            return from >= RegistrationState.APPLIED && from <= RegistrationState.PUBLIC_NOTICE;
        }
        if (kind == RegistrationType.CANCELLATION) {
            return to == RegistrationState.CANCELLED && from == RegistrationState.APPLIED;
        }
        if (to == RegistrationState.ACCEPTED) return from == RegistrationState.APPLIED;
        if (to == RegistrationState.REVIEWED) return from == RegistrationState.ACCEPTED;
        return to == RegistrationState.PUBLIC_NOTICE && from == RegistrationState.REVIEWED && isNoticed(kind);
    }

    /// @notice Whether a type of registration goes through public notice.
    function isNoticed(RegistrationType kind) internal pure returns (bool) {
        return kind == RegistrationType.FIRST || kind == RegistrationType.CHANGE;
    }

    /// @notice Whether a procedure is ready for its code, clocks and objections aside.
    function isCodable(RegistrationType kind, RegistrationState from) internal pure returns (bool) {
        if (isNoticed(kind)) return from == RegistrationState.PUBLIC_NOTICE;
        return from == RegistrationState.REVIEWED
            && (kind == RegistrationType.CORRECTION || kind == RegistrationType.RENEWAL);
    }
}
