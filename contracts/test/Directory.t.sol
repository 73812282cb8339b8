// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IDirectory} from "../interfaces/IDirectory.sol";
import {OrganisationStatus, PayeeRule, Role} from "../libraries/Codes.sol";
import {PPM_WHOLE, Ppm} from "../libraries/Units.sol";
import {Market} from "./helpers/Market.sol";

contract DirectoryTest is Market {
    uint32 private constant NOWHERE = 110000;
    uint128 private constant NEW = 71;
    uint8 private constant NO_KIND = 99;
    /// @dev The nine roles and administration.
    uint32 private constant ROLES_ALL = 0x800001ff;

    // ---- openCity, defineKind ----

    function test_open_city__twice__one_event() public {
        uint64 count = directory.eventCount();
        vm.expectEmit();
        emit IDirectory.CityOpened(count + 1, NOWHERE);
        directory.openCity(NOWHERE);
        directory.openCity(NOWHERE);
        _equal(directory.eventCount(), count + 1, "events");
    }

    function test_governance__somebody_else__refused() public {
        _refuse(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, _signer(PLATFORM)));
        _as(PLATFORM);
        directory.openCity(NOWHERE);
        _refuse(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, _signer(PLATFORM)));
        _as(PLATFORM);
        directory.defineKind(9, IDirectory.KindRule(1, false, PayeeRule.ITSELF));
    }

    function test_define_kind__announced_and_kept() public {
        IDirectory.KindRule memory rule = IDirectory.KindRule(5, true, PayeeRule.TREASURY);
        vm.expectEmit();
        emit IDirectory.KindDefined(directory.eventCount() + 1, 9, rule);
        directory.defineKind(9, rule);
        _equal(directory.kindRule(9).roles, 5, "roles");
        _true(directory.kindRule(9).isInstitution, "institution");
        _true(directory.kindRule(9).payeeRule == PayeeRule.TREASURY, "payee rule");
    }

    // ---- admit ----

    function test_admit__by_the_registrar__active() public {
        IDirectory.Organisation memory expected =
            IDirectory.Organisation(ENTERPRISE, OrganisationStatus.ACTIVE, NANJING, NOON, DOCUMENT);
        vm.expectEmit();
        emit IDirectory.OrganisationAdmitted(
            directory.eventCount() + 1, _id(NEW), expected, _signer(NEW)
        );
        _admitAs(REGISTRAR, ENTERPRISE, NANJING);
        IDirectory.Organisation memory got = directory.organisation(_id(NEW));
        _equal(keccak256(abi.encode(got)), keccak256(abi.encode(expected)), "organisation");
        _equal(bytes32(directory.organisationOf(_signer(NEW))), bytes32(_id(NEW)), "signer");
    }

    function test_admit__unknown_city_or_kind__refused() public {
        _refuse(abi.encodeWithSelector(IDirectory.Directory_UnknownCity.selector, NOWHERE));
        _admitAs(REGISTRAR, ENTERPRISE, NOWHERE);
        _refuse(abi.encodeWithSelector(IDirectory.Directory_UnknownKind.selector, NO_KIND));
        _admitAs(REGISTRAR, NO_KIND, NANJING);
    }

    function test_admit__id_or_account_taken__refused() public {
        _refuse(abi.encodeWithSelector(IDirectory.Directory_OrganisationExists.selector, _id(BUYER)));
        directory.admit(_id(BUYER), ENTERPRISE, NANJING, DOCUMENT, _signer(NEW));
        _refuse(abi.encodeWithSelector(IDirectory.Directory_SignerTaken.selector, _signer(BUYER), _id(BUYER)));
        directory.admit(_id(NEW), ENTERPRISE, NANJING, DOCUMENT, _signer(BUYER));
    }

    /// @dev Zero means "none" wherever an organisation or an account is looked up.
    function test_admit__organisation_or_account_zero__refused() public {
        _refuse(abi.encodeWithSelector(IDirectory.Directory_UnknownOrganisation.selector, bytes16(0)));
        directory.admit(0, ENTERPRISE, NANJING, DOCUMENT, _signer(NEW));
        _refuse(abi.encodeWithSelector(IDirectory.Directory_UnknownSigner.selector, address(0)));
        directory.admit(_id(NEW), ENTERPRISE, NANJING, DOCUMENT, address(0));
    }

    function test_admit__registrar_of_another_city__refused() public {
        _refuseAdmission(FAR_REGISTRAR, ENTERPRISE);
    }

    function test_admit__institution_by_a_registrar__refused() public {
        _refuseAdmission(REGISTRAR, INSTITUTION);
    }

    function test_admit__by_a_suspended_registrar__refused() public {
        directory.setStatus(_id(REGISTRAR), OrganisationStatus.SUSPENDED, DOCUMENT);
        _refuseAdmission(REGISTRAR, ENTERPRISE);
    }

    function test_admit__by_a_stranger__refused() public {
        _refuse(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, _signer(NEW)));
        _admitAs(NEW, ENTERPRISE, NANJING);
    }

    // ---- roles ----

    function test_grant__then_revoke__as_said() public {
        vm.expectEmit();
        emit IDirectory.RoleGranted(directory.eventCount() + 1, _id(COMPANY), Role.BUYER, NANJING);
        _grantAs(REGISTRAR, COMPANY, Role.BUYER, NANJING);
        _true(directory.hasRole(_id(COMPANY), Role.BUYER, NANJING), "granted");
        vm.expectEmit();
        emit IDirectory.RoleRevoked(directory.eventCount() + 1, _id(COMPANY), Role.BUYER, NANJING);
        _as(REGISTRAR);
        directory.revokeRole(_id(COMPANY), Role.BUYER, NANJING);
        _true(!directory.hasRole(_id(COMPANY), Role.BUYER, NANJING), "revoked");
        _true(directory.hasRole(_id(COMPANY), Role.PROVIDER, NANJING), "the other role stays");
    }

    function test_grant__twice__one_event() public {
        uint64 count = directory.eventCount();
        _grantAs(REGISTRAR, BUYER, Role.BUYER, NANJING);
        _equal(directory.eventCount(), count, "events");
    }

    function test_grant__operator_in_another_city__possible() public {
        directory.grantRole(_id(OPERATOR), Role.OPERATOR, ZHENJIANG);
        _equal(
            bytes32(directory.requireRole(_signer(OPERATOR), Role.OPERATOR, ZHENJIANG)),
            bytes32(_id(OPERATOR)),
            "operator"
        );
    }

    function test_grant__local_role_in_another_city__refused() public {
        _refuse(
            abi.encodeWithSelector(
                IDirectory.Directory_RoleOutsideCity.selector, _id(COMPANY), Role.PROVIDER, ZHENJIANG, NANJING
            )
        );
        directory.grantRole(_id(COMPANY), Role.PROVIDER, ZHENJIANG);
    }

    function test_grant__not_for_the_kind__refused() public {
        _refuse(
            abi.encodeWithSelector(
                IDirectory.Directory_RoleNotForKind.selector, _id(COMPANY), Role.PRICE_AUTHORITY, ENTERPRISE
            )
        );
        directory.grantRole(_id(COMPANY), Role.PRICE_AUTHORITY, NANJING);
    }

    function test_grant__forbidden_pair__refused() public {
        _refusePair(PRICER, Role.PRICE_AUTHORITY, Role.OPERATOR);
        _refusePair(TREASURY, Role.TREASURY, Role.REGULATOR);
        _join(NEW, INSTITUTION, NANJING, Role.REGULATOR);
        _refusePair(NEW, Role.REGULATOR, Role.HANDLER);
        _join(72, INSTITUTION, NANJING, Role.OPERATOR);
        _refusePair(72, Role.OPERATOR, Role.PRICE_AUTHORITY);
    }

    function test_grant__pair_after_the_other_is_revoked__possible() public {
        directory.revokeRole(_id(PRICER), Role.PRICE_AUTHORITY, NANJING);
        directory.grantRole(_id(PRICER), Role.OPERATOR, NANJING);
        _true(directory.hasRole(_id(PRICER), Role.OPERATOR, NANJING), "granted");
    }

    function test_grant__unknown_city_or_organisation__refused() public {
        _refuse(abi.encodeWithSelector(IDirectory.Directory_UnknownCity.selector, NOWHERE));
        directory.grantRole(_id(OPERATOR), Role.OPERATOR, NOWHERE);
        _refuse(abi.encodeWithSelector(IDirectory.Directory_UnknownOrganisation.selector, _id(NEW)));
        directory.grantRole(_id(NEW), Role.OPERATOR, NANJING);
    }

    function test_grant__to_oneself__refused() public {
        _refuse(abi.encodeWithSelector(IDirectory.Directory_OwnCase.selector, _id(REGISTRAR)));
        _grantAs(REGISTRAR, REGISTRAR, Role.HANDLER, NANJING);
    }

    function test_revoke__not_held__refused() public {
        _refuse(
            abi.encodeWithSelector(IDirectory.Directory_RoleMissing.selector, _id(BUYER), Role.PROVIDER, NANJING)
        );
        directory.revokeRole(_id(BUYER), Role.PROVIDER, NANJING);
    }

    // ---- signers ----

    function test_signers__added_and_removed() public {
        vm.expectEmit();
        emit IDirectory.SignerAdded(directory.eventCount() + 1, _id(BUYER), _signer(NEW), ROLES_ALL);
        _as(BUYER);
        directory.addSigner(_signer(NEW), ROLES_ALL);
        _equal(bytes32(directory.organisationOf(_signer(NEW))), bytes32(_id(BUYER)), "added");
        vm.expectEmit();
        emit IDirectory.SignerRemoved(directory.eventCount() + 1, _id(BUYER), _signer(BUYER));
        _as(NEW);
        directory.removeSigner(_signer(BUYER));
        _refuse(abi.encodeWithSelector(IDirectory.Directory_UnknownSigner.selector, _signer(BUYER)));
        directory.organisationOf(_signer(BUYER));
    }

    function test_signers__of_others_or_oneself__not_removed() public {
        _refuse(
            abi.encodeWithSelector(
                IDirectory.Directory_SignerNotOfOrganisation.selector, _signer(COMPANY), _id(BUYER)
            )
        );
        _as(BUYER);
        directory.removeSigner(_signer(COMPANY));
        _refuse(abi.encodeWithSelector(IDirectory.Directory_OwnSigner.selector, _signer(BUYER)));
        _as(BUYER);
        directory.removeSigner(_signer(BUYER));
    }

    // ---- status ----

    function test_suspend__signs_for_nothing__until_restored() public {
        vm.expectEmit();
        emit IDirectory.OrganisationStatusSet(
            directory.eventCount() + 1, _id(BUYER), OrganisationStatus.SUSPENDED, DOCUMENT
        );
        _as(REGISTRAR);
        directory.setStatus(_id(BUYER), OrganisationStatus.SUSPENDED, DOCUMENT);
        _true(!directory.hasRole(_id(BUYER), Role.BUYER, NANJING), "no role");
        _true(!directory.hasRoleAtHome(_id(BUYER), Role.BUYER), "nor at home");
        _refuse(abi.encodeWithSelector(IDirectory.Directory_OrganisationSuspended.selector, _id(BUYER)));
        directory.requireRoleAtHome(_signer(BUYER), Role.BUYER);
        _as(REGISTRAR);
        directory.setStatus(_id(BUYER), OrganisationStatus.ACTIVE, DOCUMENT);
        (bytes16 organisationId, uint32 cityCode) = directory.requireRoleAtHome(_signer(BUYER), Role.BUYER);
        _equal(bytes32(organisationId), bytes32(_id(BUYER)), "restored");
        _equal(cityCode, NANJING, "city");
        _true(directory.hasRoleAtHome(_id(BUYER), Role.BUYER), "at home");
    }

    function test_role_at_home__held_elsewhere_only__not_held() public {
        directory.grantRole(_id(OPERATOR), Role.BUYER, ZHENJIANG);
        _true(directory.hasRole(_id(OPERATOR), Role.BUYER, ZHENJIANG), "elsewhere");
        _true(!directory.hasRoleAtHome(_id(OPERATOR), Role.BUYER), "at home");
        _refuse(abi.encodeWithSelector(IDirectory.Directory_UnknownOrganisation.selector, _id(NEW)));
        directory.hasRoleAtHome(_id(NEW), Role.PLATFORM);
    }

    function test_status__none__refused() public {
        _refuse(abi.encodeWithSelector(IDirectory.Directory_UnknownOrganisation.selector, _id(BUYER)));
        directory.setStatus(_id(BUYER), OrganisationStatus.NONE, DOCUMENT);
    }

    // ---- payees ----

    function test_payee__administration__the_treasury_of_its_city() public {
        _payees(BUREAU, TREASURY, PPM_WHOLE, 0);
        _payees(COMPANY, 0, 0, 0);
        directory.revokeRole(_id(TREASURY), Role.TREASURY, NANJING);
        _refuse(abi.encodeWithSelector(IDirectory.Directory_NoTreasury.selector, NANJING));
        directory.payeesOf(_id(BUREAU));
    }

    function test_treasury_rule__of_a_city__for_its_public_institutions_alone() public {
        directory.defineKind(ENTERPRISE, IDirectory.KindRule(1, false, PayeeRule.CITY_RULE));
        _payees(COMPANY, TREASURY, PPM_WHOLE, 0);
        vm.expectEmit();
        emit IDirectory.TreasuryRuleSet(
            directory.eventCount() + 1, NANJING, 1, Ppm.wrap(700_000), _id(TREASURY), DOCUMENT
        );
        _rule(TREASURY, NANJING, 700_000);
        _payees(COMPANY, TREASURY, 700_000, 1);
        _payees(BUREAU, TREASURY, PPM_WHOLE, 0);
        _rule(TREASURY, NANJING, 0);
        _payees(COMPANY, TREASURY, 0, 2);
    }

    function test_treasury_rule__of_another_city_or_above_the_whole__refused() public {
        _refuse(
            abi.encodeWithSelector(
                IDirectory.Directory_RoleMissing.selector, _id(TREASURY), Role.TREASURY, ZHENJIANG
            )
        );
        _rule(TREASURY, ZHENJIANG, 1);
        _refuse(
            abi.encodeWithSelector(
                IDirectory.Directory_RoleMissing.selector, _id(REGISTRAR), Role.TREASURY, NANJING
            )
        );
        _rule(REGISTRAR, NANJING, 1);
        _refuse(
            abi.encodeWithSelector(
                IDirectory.Directory_TreasuryPartTooLarge.selector, PPM_WHOLE + 1, PPM_WHOLE
            )
        );
        _rule(TREASURY, NANJING, PPM_WHOLE + 1);
        _refuse(abi.encodeWithSelector(IDirectory.Directory_UnknownSigner.selector, address(this)));
        directory.setTreasuryRule(NANJING, Ppm.wrap(1), DOCUMENT);
    }

    function _rule(uint128 actor, uint32 cityCode, uint32 treasuryPpm) private {
        _as(actor);
        directory.setTreasuryRule(cityCode, Ppm.wrap(treasuryPpm), DOCUMENT);
    }

    function _payees(uint128 organisation, uint128 treasury, uint32 treasuryPpm, uint32 ruleNo) private view {
        IDirectory.Payees memory payees = directory.payeesOf(_id(organisation));
        _equal(bytes32(payees.treasuryId), bytes32(_id(treasury)), "treasury");
        _equal(Ppm.unwrap(payees.treasuryPpm), treasuryPpm, "part");
        _equal(payees.ruleNo, ruleNo, "rule");
    }

    // ---- relayed calls ----

    /// @dev ERC-2771: the forwarder appends the signer, anybody else's suffix counts for nothing.
    function test_relayed__counts_as_the_signer__only_from_the_forwarder() public {
        bytes memory call = abi.encodeCall(directory.addSigner, (_signer(NEW), ROLES_ALL));
        vm.prank(address(forwarder));
        (bool isDone,) = address(directory).call(abi.encodePacked(call, _signer(BUYER)));
        _true(isDone, "relayed");
        _equal(bytes32(directory.organisationOf(_signer(NEW))), bytes32(_id(BUYER)), "as the buyer");
        (isDone,) = address(directory).call(abi.encodePacked(call, _signer(BUYER)));
        _true(!isDone, "forged");
    }

    // ---- helpers ----

    function _refuse(bytes memory reason) private {
        vm.expectRevert(reason);
    }

    function _admitAs(uint128 actor, uint8 kind, uint32 cityCode) private {
        _as(actor);
        directory.admit(_id(NEW), kind, cityCode, DOCUMENT, _signer(NEW));
    }

    function _refuseAdmission(uint128 actor, uint8 kind) private {
        _refuse(
            abi.encodeWithSelector(IDirectory.Directory_MayNotAdmit.selector, _signer(actor), kind, NANJING)
        );
        _admitAs(actor, kind, NANJING);
    }

    function _grantAs(uint128 actor, uint128 subject, Role role, uint32 cityCode) private {
        _as(actor);
        directory.grantRole(_id(subject), role, cityCode);
    }

    function _refusePair(uint128 subject, Role held, Role asked) private {
        _refuse(abi.encodeWithSelector(IDirectory.Directory_ForbiddenPair.selector, _id(subject), held, asked));
        directory.grantRole(_id(subject), asked, NANJING);
    }
}
