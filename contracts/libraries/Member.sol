// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC2771Context} from "@openzeppelin/contracts/metatx/ERC2771Context.sol";
import {IDirectory} from "../interfaces/IDirectory.sol";
import {IObjectionDesk} from "../interfaces/IObjectionDesk.sol";
import {JointAct, Role, SubjectKind} from "./Codes.sol";
import {Numbered} from "./Numbered.sol";

/// @title Member
/// @notice A contract of the market: it knows its callers by the directory, also when they are relayed.
abstract contract Member is ERC2771Context, Numbered {
    IDirectory internal immutable DIRECTORY;

    constructor(address forwarder, IDirectory directory_) ERC2771Context(forwarder) {
        DIRECTORY = directory_;
    }

    /// @return The directory that this contract asks.
    function directory() external view returns (IDirectory) {
        return DIRECTORY;
    }

    /// @dev The caller's active organisation.
    function _actor() internal view returns (bytes16 organisationId) {
        return DIRECTORY.organisationOf(_msgSender());
    }

    /// @dev The caller's active organisation, for which the caller may use `role`.
    function _actorUsing(Role role) internal view returns (bytes16 organisationId) {
        return DIRECTORY.requireMayUse(_msgSender(), role);
    }

    /// @dev The caller's active organisation, for which the caller may use at least one role.
    function _actorUsingAny() internal view returns (bytes16 organisationId) {
        return DIRECTORY.requireAnyRole(_msgSender());
    }

    /// @dev The caller's organisation, and whether it acts for an operator or as a platform.
    function _operating(bytes16 operatorId) internal view returns (bytes16 organisationId, bool mayAct) {
        return DIRECTORY.requireOperating(_msgSender(), operatorId);
    }

    /// @dev Another account of the caller's organisation prepared this very call, where it takes two.
    function _requireSecond(JointAct act) internal view {
        DIRECTORY.requireSecond(_msgSender(), act, _msgData());
    }

    /// @dev Whether the objection desk is the caller. Anybody else is refused while the desk holds the subject.
    function _isByDesk(SubjectKind kind, bytes16 subjectId) internal view returns (bool) {
        address desk = DIRECTORY.objectionDesk();
        if (msg.sender == desk) return true;
        if (desk != address(0) && IObjectionDesk(desk).isHeld(kind, subjectId)) {
            revert IObjectionDesk.ObjectionDesk_SubjectHeld(kind, subjectId);
        }
        return false;
    }

    /// @dev The caller's organisation, which holds `role` in `cityCode`.
    function _actorWith(Role role, uint32 cityCode) internal view returns (bytes16 organisationId) {
        return DIRECTORY.requireRole(_msgSender(), role, cityCode);
    }
}
