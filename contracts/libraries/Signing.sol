// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC2771Context} from "@openzeppelin/contracts/metatx/ERC2771Context.sol";
import {IDirectory} from "../interfaces/IDirectory.sol";
import {ADMINISTRATION, JointAct, Role} from "./Codes.sol";
import {Numbered} from "./Numbered.sol";

/// @title Signing
/// @notice The accounts that sign for organisations: what each may use, who changes them, and which acts
/// take two of them.
/// @dev No account changes or removes itself, so whoever changes another stays an administrator: the last
/// one cannot go.
abstract contract Signing is IDirectory, ERC2771Context, Numbered {
    uint32 internal constant ROLES_ALL = (uint32(2) << uint8(type(Role).max)) - 1 | ADMINISTRATION;
    uint32 private constant ACTS_ALL = (uint32(2) << uint8(type(JointAct).max)) - 1;

    struct Signer {
        bytes16 organisationId;
        uint32 roles;
    }

    struct Team {
        uint32 signerCount;
        uint32 jointActs;
    }

    mapping(address account => Signer) private _signers;
    mapping(bytes16 organisationId => Team) private _teams;
    mapping(bytes16 organisationId => mapping(bytes32 workDigest => address signer)) private _preparedBy;

    /// @inheritdoc IDirectory
    function addSigner(address signer, uint32 roles) external {
        bytes16 organisationId = _requireAdministrator();
        _requireRoles(signer, roles);
        _bindSigner(organisationId, signer, roles);
        emit SignerAdded(_nextEventNo(), organisationId, signer, roles);
    }

    /// @inheritdoc IDirectory
    function setSignerRoles(address signer, uint32 roles) external {
        bytes16 organisationId = _requireAdministrator();
        _requireColleague(signer, organisationId);
        _requireRoles(signer, roles);
        _signers[signer].roles = roles;
        emit SignerRolesSet(_nextEventNo(), organisationId, signer, roles);
    }

    /// @inheritdoc IDirectory
    function removeSigner(address signer) external {
        bytes16 organisationId = _requireAdministrator();
        _requireColleague(signer, organisationId);
        Team storage team = _teams[organisationId];
        if (team.jointActs != 0 && team.signerCount <= 2) {
            revert Directory_TooFewSigners(organisationId, team.signerCount - 1);
        }
        --team.signerCount;
        delete _signers[signer];
        emit SignerRemoved(_nextEventNo(), organisationId, signer);
    }

    /// @inheritdoc IDirectory
    function setJointActs(uint32 acts) external {
        bytes16 organisationId = _requireAdministrator();
        if (acts & ~ACTS_ALL != 0) revert Directory_JointActsUnknown(organisationId, acts, ACTS_ALL);
        Team storage team = _teams[organisationId];
        // Who may change the signers alone could be both of the two.
        if (acts != 0) acts |= uint32(1) << uint8(JointAct.ADMINISTRATION);
        if (acts != 0 && team.signerCount < 2) {
            revert Directory_TooFewSigners(organisationId, team.signerCount);
        }
        team.jointActs = acts;
        emit JointActsSet(_nextEventNo(), organisationId, acts);
    }

    /// @inheritdoc IDirectory
    function prepareWork(bytes32 workDigest) external {
        bytes16 organisationId = organisationOf(_msgSender());
        _preparedBy[organisationId][workDigest] = _msgSender();
        emit WorkPrepared(_nextEventNo(), organisationId, workDigest, _msgSender());
    }

    /// @inheritdoc IDirectory
    function requireSecond(address signer, JointAct act, bytes calldata data) external view {
        _requireSecond(signer, act, msg.sender, data);
    }

    /// @inheritdoc IDirectory
    function requireMayUse(address signer, Role role) external view returns (bytes16 organisationId) {
        organisationId = organisationOf(signer);
        _requireBit(signer, role);
    }

    /// @inheritdoc IDirectory
    function requireAnyRole(address signer) external view returns (bytes16 organisationId) {
        organisationId = organisationOf(signer);
        if (_signers[signer].roles & ~ADMINISTRATION == 0) revert Directory_SignerWithoutRole(signer);
    }

    /// @inheritdoc IDirectory
    function requireOperating(address signer, bytes16 operatorId)
        external
        view
        returns (bytes16 organisationId, bool mayAct)
    {
        organisationId = organisationOf(signer);
        bool mayOperate = _mayUse(signer, Role.OPERATOR);
        if (mayOperate && organisationId == operatorId) return (organisationId, true);
        mayAct = _mayUse(signer, Role.PLATFORM) && _isPlatform(organisationId);
        if (!mayAct) _requireBit(signer, Role.OPERATOR);
    }

    /// @inheritdoc IDirectory
    function signerRoles(address signer) external view returns (bytes16 organisationId, uint32 roles) {
        return (_signers[signer].organisationId, _signers[signer].roles);
    }

    /// @inheritdoc IDirectory
    function organisationOf(address signer) public view returns (bytes16 organisationId) {
        organisationId = _organisationOf(signer);
        if (organisationId == 0) revert Directory_UnknownSigner(signer);
        _requireActive(organisationId);
    }

    function _requireActive(bytes16 organisationId) internal view virtual;

    function _isPlatform(bytes16 organisationId) internal view virtual returns (bool);

    function _organisationOf(address signer) internal view returns (bytes16 organisationId) {
        return _signers[signer].organisationId;
    }

    function _bindSigner(bytes16 organisationId, address signer, uint32 roles) internal {
        if (signer == address(0)) revert Directory_UnknownSigner(signer);
        bytes16 holderId = _signers[signer].organisationId;
        if (holderId != 0) revert Directory_SignerTaken(signer, holderId);
        _signers[signer] = Signer({organisationId: organisationId, roles: roles});
        ++_teams[organisationId].signerCount;
    }

    function _mayUse(address signer, Role role) internal view returns (bool) {
        return _signers[signer].roles & (uint32(1) << uint8(role)) != 0;
    }

    function _mayAdminister(address signer) internal view returns (bool) {
        return _signers[signer].roles & ADMINISTRATION != 0;
    }

    function _requireBit(address signer, Role role) internal view {
        if (!_mayUse(signer, role)) revert Directory_SignerRoleMissing(signer, role);
    }

    /// @dev The caller's organisation, whose signers the caller may change, with another where it takes two.
    function _requireAdministrator() private view returns (bytes16 organisationId) {
        organisationId = organisationOf(_msgSender());
        if (!_mayAdminister(_msgSender())) {
            revert Directory_NotAdministrator(_msgSender(), organisationId);
        }
        _requireSecond(_msgSender(), JointAct.ADMINISTRATION, address(this), _msgData());
    }

    function _requireColleague(address signer, bytes16 organisationId) private view {
        if (signer == _msgSender()) revert Directory_OwnSigner(signer);
        if (_signers[signer].organisationId != organisationId) {
            revert Directory_SignerNotOfOrganisation(signer, organisationId);
        }
    }

    function _requireSecond(address signer, JointAct act, address target, bytes calldata data) private view {
        bytes16 organisationId = _signers[signer].organisationId;
        if (_teams[organisationId].jointActs & (uint32(1) << uint8(act)) == 0) return;
        bytes32 workDigest = sha256(bytes.concat(bytes20(target), data));
        address preparer = _preparedBy[organisationId][workDigest];
        if (preparer == signer || _signers[preparer].organisationId != organisationId) {
            revert Directory_SecondSignerMissing(organisationId, act, workDigest);
        }
    }

    function _requireRoles(address signer, uint32 roles) private pure {
        if (roles == 0 || roles & ~ROLES_ALL != 0) {
            revert Directory_SignerRolesInvalid(signer, roles, ROLES_ALL);
        }
    }
}
