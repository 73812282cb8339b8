// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDirectory} from "../interfaces/IDirectory.sol";
import {ILicenceRegistry} from "../interfaces/ILicenceRegistry.sol";
import {IRevenueLedger} from "../interfaces/IRevenueLedger.sol";
import {ADMINISTRATION, JointAct, LicenceState, RegistrationState, Role} from "../libraries/Codes.sol";
import {Market} from "./helpers/Market.sol";

/// @notice Accounts of organisations: what each may use, who changes them, what takes two.
contract SigningTest is Market {
    uint128 private constant CLERK = 81;
    uint128 private constant CHIEF = 82;
    uint128 private constant BATCH = 601;
    uint32 private constant ROLES_ALL = 0x800003ff;

    function setUp() public override {
        super.setUp();
        _openShop();
        _approve();
    }

    // ---- what an account may use ----

    /// @dev One account of each organisation may use any role but the one that the act takes.
    function test_clerk__without_the_role__refused_everywhere() public {
        _clerkOf(BUREAU, Role.PROVIDER);
        datasets.register(_registration(999), _version(999), new bytes32[](0));
        _clerkOf(BUREAU, Role.PROVIDER);
        datasets.addVersion(_id(DATASET_1), _version(998), new bytes32[](0));
        _clerkOf(REGISTRAR, Role.REGISTRAR);
        datasets.advance(_id(DATASET_1), RegistrationState.REVOKED, DOCUMENT);
        _clerkOf(REGISTRAR, Role.REGISTRAR);
        directory.admit(_id(70), ENTERPRISE, NANJING, DOCUMENT, _signer(70));
        _clerkOf(PRICER, Role.PRICE_AUTHORITY);
        licences.approveCaps(_id(PRODUCT), _bands(7), DOCUMENT);
        _clerkOf(PRICER, Role.PRICE_AUTHORITY);
        ledger.answerDeviation(_id(SCHEME), DOCUMENT);
        _clerkOf(OPERATOR, Role.OPERATOR);
        licences.publishTariff(_id(PRODUCT), _tariff(), _bands(10_000));
        _clerkOf(OPERATOR, Role.OPERATOR);
        licences.setLicenceState(1, LicenceState.SUSPENDED, DOCUMENT);
        _clerkOf(OPERATOR, Role.OPERATOR);
        ledger.closeYear(_id(SCHEME), DOCUMENT);
        _clerkOf(OPERATOR, Role.OPERATOR);
        ledger.openRemittance(_id(BATCH), _id(COMPANY), new IRevenueLedger.RemittanceLine[](0), DOCUMENT);
        _clerkOf(BUYER, Role.BUYER);
        licences.setLicenceState(1, LicenceState.TERMINATED, DOCUMENT);
    }

    function test_clerk__of_the_platform_without_its_role__refused() public {
        _addClerk(PLATFORM, ROLES_ALL & ~_bit(Role.PLATFORM) & ~_bit(Role.OPERATOR));
        _refuseRole(Role.OPERATOR);
        vm.prank(_clerk());
        usageLog.openLog(DOCUMENT);
    }

    /// @dev Whoever may use everything else signs an agreement in vain.
    function test_clerk__signature_on_an_agreement__refused() public {
        ILicenceRegistry.Agreement memory agreement = _agreement(PRODUCT, 1, 77);
        bytes32 digest = licences.agreementDigest(agreement);
        _addClerk(OPERATOR, ROLES_ALL & ~_bit(Role.OPERATOR));
        _refuseRole(Role.OPERATOR);
        licences.grantLicence(agreement, _sign(CLERK, digest), _sign(BUYER, digest));
    }

    function test_clerk__with_the_role__acts() public {
        _addClerk(BUREAU, _bit(Role.PROVIDER));
        vm.prank(_clerk());
        datasets.register(_registration(999), _version(999), new bytes32[](0));
        _equal(bytes32(datasets.providerOf(_id(999))), bytes32(_id(BUREAU)), "provider");
    }

    function test_role__not_held_by_the_organisation__not_gained() public {
        _addClerk(BUYER, ROLES_ALL);
        _refuse(
            abi.encodeWithSelector(
                IDirectory.Directory_RoleMissing.selector, _id(BUYER), Role.PROVIDER, NANJING
            )
        );
        directory.requireRole(_clerk(), Role.PROVIDER, NANJING);
    }

    function test_may_use__any_bitmap_and_role__as_the_bit_says(uint32 roles, uint8 number) public {
        roles &= ROLES_ALL;
        vm.assume(roles != 0);
        Role role = Role(_bound(number, 0, uint8(type(Role).max)));
        _addClerk(BUYER, roles);
        if (roles & _bit(role) == 0) _refuseRole(role);
        bytes16 organisationId = directory.requireMayUse(_clerk(), role);
        if (roles & _bit(role) != 0) _equal(bytes32(organisationId), bytes32(_id(BUYER)), "organisation");
    }

    // ---- administration ----

    function test_roles__none_or_unknown__refused(uint32 roles) public {
        vm.assume(roles == 0 || roles & ~ROLES_ALL != 0);
        _refuse(
            abi.encodeWithSelector(
                IDirectory.Directory_SignerRolesInvalid.selector, _clerk(), roles, ROLES_ALL
            )
        );
        _as(BUYER);
        directory.addSigner(_clerk(), roles);
    }

    function test_administration__without_its_bit__refused() public {
        _addClerk(BUYER, ROLES_ALL & ~ADMINISTRATION);
        bytes memory reason = abi.encodeWithSelector(
            IDirectory.Directory_NotAdministrator.selector, _clerk(), _id(BUYER)
        );
        _refuse(reason);
        vm.prank(_clerk());
        directory.addSigner(_signer(CHIEF), 1);
        _refuse(reason);
        vm.prank(_clerk());
        directory.removeSigner(_signer(BUYER));
        _refuse(reason);
        vm.prank(_clerk());
        directory.setSignerRoles(_signer(BUYER), 1);
        _refuse(reason);
        vm.prank(_clerk());
        directory.setJointActs(1);
    }

    function test_roles__changed__announced_and_in_force() public {
        _addClerk(BUYER, _bit(Role.BUYER));
        vm.expectEmit();
        emit IDirectory.SignerRolesSet(directory.eventCount() + 1, _id(BUYER), _clerk(), ADMINISTRATION);
        _as(BUYER);
        directory.setSignerRoles(_clerk(), ADMINISTRATION);
        (bytes16 organisationId, uint32 roles) = directory.signerRoles(_clerk());
        _equal(bytes32(organisationId), bytes32(_id(BUYER)), "organisation");
        _equal(roles, ADMINISTRATION, "roles");
        _refuseRole(Role.BUYER);
        directory.requireRoleAtHome(_clerk(), Role.BUYER);
    }

    function test_administrator__itself__neither_changed_nor_removed() public {
        _addClerk(BUYER, ROLES_ALL);
        bytes memory reason = abi.encodeWithSelector(IDirectory.Directory_OwnSigner.selector, _signer(BUYER));
        _refuse(reason);
        _as(BUYER);
        directory.setSignerRoles(_signer(BUYER), 1);
        _refuse(reason);
        _as(BUYER);
        directory.removeSigner(_signer(BUYER));
    }

    /// @dev Whatever administrators do to each other, one is left.
    function test_administrators__any_order_of_changes__one_stays(uint256 seed) public {
        _addClerk(BUYER, ROLES_ALL);
        _as(BUYER);
        directory.addSigner(_signer(CHIEF), ROLES_ALL);
        uint128[3] memory all = [BUYER, CLERK, CHIEF];
        for (uint256 i = 0; i < 12; ++i) {
            seed = _next(seed);
            vm.prank(_signer(all[seed % 3]));
            address other = _signer(all[(seed >> 8) % 3]);
            bytes memory call = (seed >> 16) % 2 == 0
                ? abi.encodeCall(directory.removeSigner, (other))
                : abi.encodeCall(directory.setSignerRoles, (other, 1));
            (bool isDone,) = address(directory).call(call);
            isDone;
        }
        uint256 count = 0;
        for (uint256 i = 0; i < 3; ++i) {
            (, uint32 roles) = directory.signerRoles(_signer(all[i]));
            if (roles & ADMINISTRATION != 0) ++count;
        }
        _true(count >= 1, "an administrator");
    }

    // ---- acts that take two ----

    function test_price__prepared_by_another__approved() public {
        _two(PRICER, JointAct.PRICE_APPROVAL);
        bytes memory call = abi.encodeCall(licences.approveCaps, (_id(PRODUCT), _bands(7), DOCUMENT));
        _refuseAlone(PRICER, JointAct.PRICE_APPROVAL, address(licences), call);
        _as(PRICER);
        licences.approveCaps(_id(PRODUCT), _bands(7), DOCUMENT);
        bytes32 workDigest = _workDigest(address(licences), call);
        vm.expectEmit();
        emit IDirectory.WorkPrepared(directory.eventCount() + 1, _id(PRICER), workDigest, _clerk());
        vm.prank(_clerk());
        directory.prepareWork(workDigest);
        _as(PRICER);
        licences.approveCaps(_id(PRODUCT), _bands(7), DOCUMENT);
    }

    function test_price__other_figures_than_prepared__refused() public {
        _two(PRICER, JointAct.PRICE_APPROVAL);
        bytes memory call = abi.encodeCall(licences.approveCaps, (_id(PRODUCT), _bands(7), DOCUMENT));
        _prepare(address(licences), call);
        call = abi.encodeCall(licences.approveCaps, (_id(PRODUCT), _bands(8), DOCUMENT));
        _refuseAlone(PRICER, JointAct.PRICE_APPROVAL, address(licences), call);
        _as(PRICER);
        licences.approveCaps(_id(PRODUCT), _bands(8), DOCUMENT);
    }

    function test_price__prepared_by_oneself_or_a_stranger__refused() public {
        _two(PRICER, JointAct.PRICE_APPROVAL);
        bytes memory call = abi.encodeCall(licences.approveCaps, (_id(PRODUCT), _bands(7), DOCUMENT));
        bytes32 workDigest = _workDigest(address(licences), call);
        _as(BUYER);
        directory.prepareWork(workDigest);
        _as(PRICER);
        directory.prepareWork(workDigest);
        _refuseAlone(PRICER, JointAct.PRICE_APPROVAL, address(licences), call);
        _as(PRICER);
        licences.approveCaps(_id(PRODUCT), _bands(7), DOCUMENT);
    }

    function test_scheme__prepared_by_another__relayed_and_approved() public {
        _two(PRICER, JointAct.PRICE_APPROVAL);
        IRevenueLedger.SchemeTerms memory terms = _terms();
        terms.schemeId = _id(399);
        terms.cycleId = _id(398);
        bytes memory call = abi.encodeCall(ledger.approveScheme, (terms, _costs()));
        _prepare(address(ledger), call);
        vm.prank(address(forwarder));
        (bool isDone,) = address(ledger).call(abi.encodePacked(call, _signer(PRICER)));
        _true(isDone, "relayed");
    }

    function test_joint_acts__any__administration_takes_two_as_well() public {
        _two(PRICER, JointAct.PRICE_APPROVAL);
        bytes memory call = abi.encodeCall(directory.setJointActs, (0));
        _refuseAlone(PRICER, JointAct.ADMINISTRATION, address(directory), call);
        _as(PRICER);
        directory.setJointActs(0);
        _prepare(address(directory), call);
        vm.expectEmit();
        emit IDirectory.JointActsSet(directory.eventCount() + 1, _id(PRICER), 0);
        _as(PRICER);
        directory.setJointActs(0);
    }

    function test_joint_acts__fewer_than_two_accounts__refused() public {
        _refuse(abi.encodeWithSelector(IDirectory.Directory_TooFewSigners.selector, _id(PRICER), 1));
        _as(PRICER);
        directory.setJointActs(2);
        _two(PRICER, JointAct.PRICE_APPROVAL);
        bytes memory call = abi.encodeCall(directory.removeSigner, (_clerk()));
        _prepare(address(directory), call);
        _refuse(abi.encodeWithSelector(IDirectory.Directory_TooFewSigners.selector, _id(PRICER), 1));
        _as(PRICER);
        directory.removeSigner(_clerk());
    }

    function test_joint_acts__unknown__refused() public {
        _refuse(abi.encodeWithSelector(IDirectory.Directory_JointActsUnknown.selector, _id(PRICER), 8, 7));
        _as(PRICER);
        directory.setJointActs(8);
    }

    // ---- helpers ----

    function _clerk() private pure returns (address) {
        return _signer(CLERK);
    }

    function _bit(Role role) private pure returns (uint32) {
        return uint32(1) << uint8(role);
    }

    function _addClerk(uint128 organisation, uint32 roles) private {
        _as(organisation);
        directory.addSigner(_clerk(), roles);
    }

    /// @dev The next call is of a clerk of an organisation that may use all roles but one; it is refused.
    function _clerkOf(uint128 organisation, Role missing) private {
        (bytes16 organisationId,) = directory.signerRoles(_clerk());
        if (organisationId != 0) {
            vm.prank(_signer(uint128(organisationId)));
            directory.removeSigner(_clerk());
        }
        _addClerk(organisation, ROLES_ALL & ~_bit(missing));
        _refuseRole(missing);
        vm.prank(_clerk());
    }

    function _two(uint128 organisation, JointAct act) private {
        _addClerk(organisation, _bit(Role.BUYER));
        _as(organisation);
        directory.setJointActs(uint32(1) << uint8(act));
    }

    function _prepare(address target, bytes memory call) private {
        bytes32 workDigest = _workDigest(target, call);
        vm.prank(_clerk());
        directory.prepareWork(workDigest);
    }

    function _workDigest(address target, bytes memory call) private pure returns (bytes32) {
        return sha256(bytes.concat(bytes20(target), call));
    }

    function _refuse(bytes memory reason) private {
        vm.expectRevert(reason);
    }

    function _refuseRole(Role role) private {
        _refuse(abi.encodeWithSelector(IDirectory.Directory_SignerRoleMissing.selector, _clerk(), role));
    }

    function _refuseAlone(uint128 organisation, JointAct act, address target, bytes memory call) private {
        _refuse(
            abi.encodeWithSelector(
                IDirectory.Directory_SecondSignerMissing.selector,
                _id(organisation),
                act,
                _workDigest(target, call)
            )
        );
    }
}
