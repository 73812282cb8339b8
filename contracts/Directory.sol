// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IAccessManager} from "@openzeppelin/contracts/access/manager/IAccessManager.sol";
import {ERC2771Context} from "@openzeppelin/contracts/metatx/ERC2771Context.sol";
import {Context} from "@openzeppelin/contracts/utils/Context.sol";
import {IDirectory} from "./interfaces/IDirectory.sol";
import {Clock} from "./libraries/Clock.sol";
import {OrganisationStatus, PayeeRule, Role} from "./libraries/Codes.sol";
import {Signing} from "./libraries/Signing.sol";
import {PPM_WHOLE, Ppm} from "./libraries/Units.sol";
import {WorkingDays} from "./libraries/WorkingDays.sol";

/// @title Directory
contract Directory is AccessManaged, Signing {
    /// @dev Number zero: no rule was made, the treasury is paid the whole.
    struct TreasuryRule {
        uint32 ruleNo;
        Ppm treasuryPpm;
    }

    uint32 private constant LOCAL_ROLES = uint32(
        (1 << uint8(Role.PROVIDER)) | (1 << uint8(Role.REGISTRAR)) | (1 << uint8(Role.PRICE_AUTHORITY))
            | (1 << uint8(Role.TREASURY)) | (1 << uint8(Role.HANDLER))
    );

    /// @dev The access manager's role that may do everything.
    uint64 private constant ADMIN_ROLE = 0;
    /// @dev Statutory length of public notice (发改数据规〔2025〕26号).
    uint16 private constant NOTICE_DAYS_MIN = 10;
    uint16 private constant COUNT_MAX = 366;

    bool private immutable IS_TRIAL;

    uint16 private _noticeDays;
    mapping(uint32 cityCode => bool) private _isCity;
    mapping(uint32 cityCode => bytes16 organisationId) private _treasury;
    mapping(uint32 cityCode => TreasuryRule) private _treasuryRules;
    mapping(uint8 kind => KindRule) private _kindRules;
    mapping(bytes16 organisationId => Organisation) private _organisations;
    mapping(bytes16 organisationId => mapping(uint32 cityCode => uint32 bitmap)) private _roles;
    /// @dev All roles that an organisation ever held in any city and still holds: for forbidden pairs.
    mapping(bytes16 organisationId => mapping(Role role => uint16 cities)) private _held;
    address private _objectionDesk;
    mapping(uint256 year => WorkingDays.Year) private _workingDays;
    mapping(bytes16 lowerId => mapping(bytes16 higherId => bool)) private _isAffiliate;

    constructor(address governance, address forwarder, bool isTrial_)
        AccessManaged(governance)
        ERC2771Context(forwarder)
    {
        IS_TRIAL = isTrial_;
        _noticeDays = NOTICE_DAYS_MIN;
    }

    /// @inheritdoc IDirectory
    function openCity(uint32 cityCode) external restricted {
        if (_isCity[cityCode]) return;
        _isCity[cityCode] = true;
        emit CityOpened(_nextEventNo(), cityCode);
    }

    /// @inheritdoc IDirectory
    function defineKind(uint8 kind, KindRule calldata rule) external restricted {
        _kindRules[kind] = rule;
        emit KindDefined(_nextEventNo(), kind, rule);
    }

    /// @inheritdoc IDirectory
    function setWorkingDays(uint16 year, uint256 low, uint256 high) external restricted {
        if (high >> (WorkingDays.lengthOf(year) - 256) != 0) revert Directory_CalendarMalformed(year, high);
        _workingDays[year] = WorkingDays.Year({low: low, high: high});
        emit WorkingDaysSet(_nextEventNo(), year, low, high);
    }

    /// @inheritdoc IDirectory
    function setNoticeDays(uint16 workingDays) external restricted {
        if (workingDays < NOTICE_DAYS_MIN && !IS_TRIAL) {
            revert Directory_NoticeTooShort(workingDays, NOTICE_DAYS_MIN);
        }
        if (workingDays > COUNT_MAX) revert Directory_TooManyDays(workingDays, COUNT_MAX);
        _noticeDays = workingDays;
        emit NoticeDaysSet(_nextEventNo(), workingDays, IS_TRIAL);
    }

    /// @inheritdoc IDirectory
    function appointDesk(address desk) external restricted {
        if (desk == address(0) || _objectionDesk != address(0)) revert Directory_DeskTaken(_objectionDesk);
        _objectionDesk = desk;
        emit DeskAppointed(_nextEventNo(), desk);
    }

    /// @inheritdoc IDirectory
    function admit(
        bytes16 organisationId,
        uint8 kind,
        uint32 cityCode,
        bytes32 profileDigest,
        address signer
    ) external {
        if (organisationId == 0) revert Directory_UnknownOrganisation(organisationId);
        if (!_isCity[cityCode]) revert Directory_UnknownCity(cityCode);
        if (_kindRules[kind].roles == 0) revert Directory_UnknownKind(kind);
        if (_organisations[organisationId].status != OrganisationStatus.NONE) {
            revert Directory_OrganisationExists(organisationId);
        }
        _requireMayAdmit(kind, cityCode);
        _organisations[organisationId] = Organisation({
            kind: kind,
            status: OrganisationStatus.ACTIVE,
            cityCode: cityCode,
            joinedAt: Clock.nowSeconds(),
            profileDigest: profileDigest
        });
        _bindSigner(organisationId, signer, ROLES_ALL);
        emit OrganisationAdmitted(_nextEventNo(), organisationId, _organisations[organisationId], signer);
    }

    /// @inheritdoc IDirectory
    function grantRole(bytes16 organisationId, Role role, uint32 cityCode) external {
        Organisation storage subject = _requireCompetent(organisationId);
        if (!_isCity[cityCode]) revert Directory_UnknownCity(cityCode);
        uint32 bit = uint32(1) << uint8(role);
        if (LOCAL_ROLES & bit != 0 && cityCode != subject.cityCode) {
            revert Directory_RoleOutsideCity(organisationId, role, cityCode, subject.cityCode);
        }
        if (_kindRules[subject.kind].roles & bit == 0) {
            revert Directory_RoleNotForKind(organisationId, role, subject.kind);
        }
        if (_roles[organisationId][cityCode] & bit != 0) return;
        _requireNoForbiddenPair(organisationId, role);
        _roles[organisationId][cityCode] |= bit;
        _held[organisationId][role] += 1;
        if (role == Role.TREASURY) _treasury[cityCode] = organisationId;
        emit RoleGranted(_nextEventNo(), organisationId, role, cityCode);
    }

    /// @inheritdoc IDirectory
    function revokeRole(bytes16 organisationId, Role role, uint32 cityCode) external {
        _requireCompetent(organisationId);
        uint32 bit = uint32(1) << uint8(role);
        if (_roles[organisationId][cityCode] & bit == 0) {
            revert Directory_RoleMissing(organisationId, role, cityCode);
        }
        _roles[organisationId][cityCode] &= ~bit;
        _held[organisationId][role] -= 1;
        if (role == Role.TREASURY && _treasury[cityCode] == organisationId) delete _treasury[cityCode];
        emit RoleRevoked(_nextEventNo(), organisationId, role, cityCode);
    }

    /// @inheritdoc IDirectory
    function setStatus(bytes16 organisationId, OrganisationStatus status, bytes32 decisionDigest) external {
        Organisation storage subject = _requireCompetent(organisationId);
        if (status == OrganisationStatus.NONE) revert Directory_UnknownOrganisation(organisationId);
        subject.status = status;
        emit OrganisationStatusSet(_nextEventNo(), organisationId, status, decisionDigest);
    }

    /// @inheritdoc IDirectory
    function declareAffiliates(bytes16 oneId, bytes16 otherId) external {
        bytes16 actorId = organisationOf(_msgSender());
        bool isOwn = actorId == oneId || actorId == otherId;
        if (!isOwn || !_mayAdminister(_msgSender())) _requireBit(_msgSender(), Role.REGISTRAR);
        _setAffiliate(oneId, otherId, actorId, isOwn, true);
        (bytes16 lowerId, bytes16 higherId) = _ordered(oneId, otherId);
        emit AffiliatesDeclared(_nextEventNo(), lowerId, higherId, actorId);
    }

    /// @inheritdoc IDirectory
    function endAffiliation(bytes16 oneId, bytes16 otherId, bytes32 decisionDigest) external {
        bytes16 actorId = organisationOf(_msgSender());
        if (actorId == oneId || actorId == otherId) revert Directory_OwnCase(actorId);
        _requireBit(_msgSender(), Role.REGISTRAR);
        _setAffiliate(oneId, otherId, actorId, false, false);
        (bytes16 lowerId, bytes16 higherId) = _ordered(oneId, otherId);
        emit AffiliationEnded(_nextEventNo(), lowerId, higherId, actorId, decisionDigest);
    }

    /// @inheritdoc IDirectory
    function isAffiliate(bytes16 oneId, bytes16 otherId) external view returns (bool) {
        (bytes16 lowerId, bytes16 higherId) = _ordered(oneId, otherId);
        return _isAffiliate[lowerId][higherId];
    }

    /// @inheritdoc IDirectory
    function setTreasuryRule(uint32 cityCode, Ppm treasuryPpm, bytes32 decisionDigest) external {
        bytes16 treasuryId = organisationOf(_msgSender());
        _requireBit(_msgSender(), Role.TREASURY);
        _requireHeld(treasuryId, Role.TREASURY, cityCode);
        if (Ppm.unwrap(treasuryPpm) > PPM_WHOLE) revert Directory_TreasuryPartTooLarge(treasuryPpm, PPM_WHOLE);
        TreasuryRule storage rule = _treasuryRules[cityCode];
        uint32 ruleNo = ++rule.ruleNo;
        rule.treasuryPpm = treasuryPpm;
        emit TreasuryRuleSet(_nextEventNo(), cityCode, ruleNo, treasuryPpm, treasuryId, decisionDigest);
    }

    /// @inheritdoc IDirectory
    function requireRole(address signer, Role role, uint32 cityCode)
        external
        view
        returns (bytes16 organisationId)
    {
        organisationId = organisationOf(signer);
        _requireBit(signer, role);
        _requireHeld(organisationId, role, cityCode);
    }

    /// @inheritdoc IDirectory
    function requireRoleAtHome(address signer, Role role)
        external
        view
        returns (bytes16 organisationId, uint32 cityCode)
    {
        organisationId = organisationOf(signer);
        cityCode = _organisations[organisationId].cityCode;
        _requireBit(signer, role);
        _requireHeld(organisationId, role, cityCode);
    }

    /// @inheritdoc IDirectory
    function hasRole(bytes16 organisationId, Role role, uint32 cityCode) external view returns (bool) {
        return _hasRole(organisationId, role, cityCode);
    }

    /// @inheritdoc IDirectory
    function hasRoleAtHome(bytes16 organisationId, Role role) external view returns (bool) {
        return _hasRole(organisationId, role, _known(organisationId).cityCode);
    }

    /// @inheritdoc IDirectory
    function organisation(bytes16 organisationId) external view returns (Organisation memory) {
        return _known(organisationId);
    }

    /// @inheritdoc IDirectory
    function payeesOf(bytes16 organisationId) external view returns (Payees memory payees) {
        Organisation storage subject = _known(organisationId);
        PayeeRule payeeRule = _kindRules[subject.kind].payeeRule;
        if (payeeRule == PayeeRule.ITSELF) return payees;
        uint32 cityCode = subject.cityCode;
        payees.treasuryId = _treasury[cityCode];
        if (payees.treasuryId == 0) revert Directory_NoTreasury(cityCode);
        payees.treasuryPpm = Ppm.wrap(PPM_WHOLE);
        if (payeeRule == PayeeRule.TREASURY) return payees;
        TreasuryRule storage rule = _treasuryRules[cityCode];
        if (rule.ruleNo != 0) (payees.treasuryPpm, payees.ruleNo) = (rule.treasuryPpm, rule.ruleNo);
    }

    /// @inheritdoc IDirectory
    function objectionDesk() external view returns (address) {
        return _objectionDesk;
    }

    /// @inheritdoc IDirectory
    function kindRule(uint8 kind) external view returns (KindRule memory) {
        return _kindRules[kind];
    }

    /// @inheritdoc IDirectory
    function workingDaysOf(uint16 year) external view returns (uint256 low, uint256 high) {
        WorkingDays.Year storage table = _workingDays[year];
        return (table.low, table.high);
    }

    /// @inheritdoc IDirectory
    function workingDaysAfter(uint64 fromSeconds, uint16 count) external view returns (uint64) {
        if (count > COUNT_MAX) revert Directory_TooManyDays(count, COUNT_MAX);
        return WorkingDays.endAfter(_workingDays, fromSeconds, count);
    }

    /// @inheritdoc IDirectory
    function noticeUntil(uint64 fromSeconds) external view returns (uint64) {
        return _noticeDays == 0 ? 0 : WorkingDays.endAfter(_workingDays, fromSeconds, _noticeDays);
    }

    /// @inheritdoc IDirectory
    function isGovernance(address account) external view returns (bool isMember) {
        (isMember,) = IAccessManager(authority()).hasRole(ADMIN_ROLE, account);
    }

    /// @inheritdoc IDirectory
    function noticeDays() external view returns (uint16) {
        return _noticeDays;
    }

    /// @inheritdoc IDirectory
    function isTrial() external view returns (bool) {
        return IS_TRIAL;
    }

    function _requireActive(bytes16 organisationId) internal view override {
        if (_organisations[organisationId].status != OrganisationStatus.ACTIVE) {
            revert Directory_OrganisationSuspended(organisationId);
        }
    }

    /// @param isAllowed Whether the actor needs no office for it.
    function _setAffiliate(bytes16 oneId, bytes16 otherId, bytes16 actorId, bool isAllowed, bool isSet) private {
        uint32 oneCity = _known(oneId).cityCode;
        uint32 otherCity = _known(otherId).cityCode;
        if (oneId == otherId) revert Directory_AffiliateOfItself(oneId);
        uint32 office = (_roles[actorId][oneCity] | _roles[actorId][otherCity]) & uint32(1) << uint8(Role.REGISTRAR);
        if (!isAllowed && office == 0) revert Directory_MayNotAffiliate(actorId, oneId, otherId);
        (bytes16 lowerId, bytes16 higherId) = _ordered(oneId, otherId);
        if (_isAffiliate[lowerId][higherId] == isSet) {
            revert Directory_AffiliationUnchanged(lowerId, higherId, isSet);
        }
        _isAffiliate[lowerId][higherId] = isSet;
    }

    function _isPlatform(bytes16 organisationId) internal view override returns (bool) {
        return _roles[organisationId][_organisations[organisationId].cityCode]
            & (uint32(1) << uint8(Role.PLATFORM)) != 0;
    }

    function _known(bytes16 organisationId) private view returns (Organisation storage subject) {
        subject = _organisations[organisationId];
        if (subject.status == OrganisationStatus.NONE) revert Directory_UnknownOrganisation(organisationId);
    }

    function _hasRole(bytes16 organisationId, Role role, uint32 cityCode) private view returns (bool) {
        return _organisations[organisationId].status == OrganisationStatus.ACTIVE
            && _roles[organisationId][cityCode] & (uint32(1) << uint8(role)) != 0;
    }

    function _requireHeld(bytes16 organisationId, Role role, uint32 cityCode) private view {
        if (_roles[organisationId][cityCode] & (uint32(1) << uint8(role)) == 0) {
            revert Directory_RoleMissing(organisationId, role, cityCode);
        }
    }

    /// @dev The subject of a decision that the caller may take, which is never its own.
    function _requireCompetent(bytes16 organisationId) private returns (Organisation storage subject) {
        subject = _known(organisationId);
        if (_organisationOf(_msgSender()) == organisationId) revert Directory_OwnCase(organisationId);
        _requireMayAdmit(subject.kind, subject.cityCode);
    }

    /// @dev Institutions are governance's business; all others may also be the city registrar's.
    function _requireMayAdmit(uint8 kind, uint32 cityCode) private {
        bytes16 actorId = _organisationOf(_msgSender());
        bool isRegistrar = actorId != 0
            && _organisations[actorId].status == OrganisationStatus.ACTIVE
            && _roles[actorId][cityCode] & (uint32(1) << uint8(Role.REGISTRAR)) != 0;
        if (isRegistrar && !_kindRules[kind].isInstitution) {
            _requireBit(_msgSender(), Role.REGISTRAR);
            return;
        }
        if (actorId != 0) revert Directory_MayNotAdmit(_msgSender(), kind, cityCode);
        _checkCanCall(_msgSender(), _msgData());
    }

    /// @dev 发改 price may not be operator; a regulator reads and does nothing else (domain.md section 5).
    function _requireNoForbiddenPair(bytes16 organisationId, Role asked) private view {
        mapping(Role => uint16) storage held = _held[organisationId];
        for (uint8 i = 0; i <= uint8(type(Role).max); ++i) {
            Role other = Role(i);
            if (held[other] == 0 || other == asked) continue;
            bool isPricePair = (asked == Role.PRICE_AUTHORITY && other == Role.OPERATOR)
                || (asked == Role.OPERATOR && other == Role.PRICE_AUTHORITY);
            if (isPricePair || asked == Role.REGULATOR || other == Role.REGULATOR) {
                revert Directory_ForbiddenPair(organisationId, other, asked);
            }
        }
    }

    function _ordered(bytes16 oneId, bytes16 otherId) private pure returns (bytes16, bytes16) {
        return oneId < otherId ? (oneId, otherId) : (otherId, oneId);
    }

    function _msgSender() internal view override(Context, ERC2771Context) returns (address) {
        return ERC2771Context._msgSender();
    }

    function _msgData() internal view override(Context, ERC2771Context) returns (bytes calldata) {
        return ERC2771Context._msgData();
    }

    function _contextSuffixLength() internal view override(Context, ERC2771Context) returns (uint256) {
        return ERC2771Context._contextSuffixLength();
    }
}
