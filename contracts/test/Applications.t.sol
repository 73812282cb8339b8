// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IApplications} from "../interfaces/IApplications.sol";
import {ILicenceRegistry} from "../interfaces/ILicenceRegistry.sol";
import {ApplicationState, OpenClass, Purpose, Role, Sensitivity} from "../libraries/Codes.sol";
import {Market} from "./helpers/Market.sol";

contract ApplicationsTest is Market {
    uint128 private constant FORM = 601;
    uint64 private constant UNTIL = NOON + 500 days;

    function setUp() public override {
        super.setUp();
        _openShop();
    }

    function test_requirement__by_the_provider_alone() public {
        vm.expectRevert(
            abi.encodeWithSelector(
                IApplications.Applications_NotProvider.selector, _id(DATASET_1), _id(COMPANY), _id(BUREAU)
            )
        );
        _as(COMPANY);
        applications.setRequired(_id(DATASET_1), true, DOCUMENT);
        vm.expectEmit();
        emit IApplications.ApplicationRequirementSet(1, _id(DATASET_1), _id(BUREAU), true, DOCUMENT);
        _require();
        _true(applications.isRequired(_id(DATASET_1)), "required");
        vm.expectRevert(abi.encodeWithSelector(IApplications.Applications_UnknownDataset.selector, _id(99)));
        _as(BUREAU);
        applications.setRequired(_id(99), true, DOCUMENT);
    }

    function test_requirement__of_an_unconditional_dataset__refused() public {
        _as(REGISTRAR);
        datasets.classify(_id(DATASET_1), OpenClass.UNCONDITIONAL, Sensitivity.GENERAL, DOCUMENT);
        vm.expectRevert(
            abi.encodeWithSelector(
                IApplications.Applications_NotConditional.selector, _id(DATASET_1), OpenClass.UNCONDITIONAL
            )
        );
        _require();
    }

    function test_grant__by_default__needs_no_application() public {
        _grant(_agreement(PRODUCT, 1, 404));
    }

    function test_grant__without_an_approved_application__refused() public {
        _require();
        _refuseGrant(_missing(Purpose.INDUSTRY, 2));
        _submit(Purpose.INDUSTRY, 2);
        _refuseGrant(_missing(Purpose.INDUSTRY, 2));
        _decide(false, 0);
        _refuseGrant(_missing(Purpose.INDUSTRY, 2));
    }

    function test_grant__on_another_purpose_or_mode__refused() public {
        _require();
        _submit(Purpose.SECTOR, 2);
        _decide(true, UNTIL);
        _refuseGrant(_missing(Purpose.INDUSTRY, 2));
        _submitAs(602, Purpose.INDUSTRY, 1);
        _as(BUREAU);
        applications.decide(_id(602), true, UNTIL, DOCUMENT);
        _refuseGrant(_missing(Purpose.INDUSTRY, 2));
    }

    function test_grant__approved__until_its_end() public {
        _require();
        _submit(Purpose.INDUSTRY, 3);
        _decide(true, NOON + 364 days);
        _refuseGrant(
            abi.encodeWithSelector(
                IApplications.Applications_Expired.selector,
                _id(DATASET_1),
                _id(FORM),
                NOON + 365 days,
                NOON + 364 days
            )
        );
        _submitAs(602, Purpose.INDUSTRY, 2);
        _as(BUREAU);
        applications.decide(_id(602), true, UNTIL, DOCUMENT);
        _grant(_agreement(PRODUCT, 1, 404));
    }

    function test_submit__announced_and_kept() public {
        vm.expectEmit();
        emit IApplications.ApplicationSubmitted(
            1, _id(FORM), _id(DATASET_1), _id(BUYER), Purpose.INDUSTRY, 2, DOCUMENT
        );
        _submit(Purpose.INDUSTRY, 2);
        IApplications.Application memory found = applications.application(_id(FORM));
        _true(found.state == ApplicationState.SUBMITTED && found.purpose == Purpose.INDUSTRY, "state");
        vm.expectRevert(
            abi.encodeWithSelector(IApplications.Applications_ApplicationExists.selector, _id(FORM))
        );
        _submit(Purpose.INDUSTRY, 2);
    }

    function test_submit__no_purpose_or_mode__refused() public {
        vm.expectRevert(
            abi.encodeWithSelector(IApplications.Applications_PurposeMissing.selector, _id(FORM))
        );
        _submit(Purpose.NONE, 2);
        vm.expectRevert(
            abi.encodeWithSelector(
                IApplications.Applications_ModeNotOffered.selector, _id(DATASET_1), 128, 127
            )
        );
        _submit(Purpose.INDUSTRY, 128);
    }

    function test_submit__for_ones_own_dataset__refused() public {
        directory.grantRole(_id(COMPANY), Role.BUYER, NANJING);
        vm.expectRevert(
            abi.encodeWithSelector(
                IApplications.Applications_OwnCase.selector, _id(DATASET_2), _id(COMPANY)
            )
        );
        _as(COMPANY);
        applications.submit(_id(FORM), _id(DATASET_2), Purpose.INDUSTRY, 2, DOCUMENT);
    }

    function test_decide__by_another_or_with_a_past_end__refused() public {
        _submit(Purpose.INDUSTRY, 2);
        vm.expectRevert(
            abi.encodeWithSelector(
                IApplications.Applications_NotProvider.selector, _id(DATASET_1), _id(COMPANY), _id(BUREAU)
            )
        );
        _as(COMPANY);
        applications.decide(_id(FORM), true, UNTIL, DOCUMENT);
        vm.expectRevert(
            abi.encodeWithSelector(IApplications.Applications_TermMalformed.selector, _id(FORM), NOON, NOON)
        );
        _decide(true, NOON);
        vm.expectRevert(
            abi.encodeWithSelector(IApplications.Applications_TermMalformed.selector, _id(FORM), UNTIL, NOON)
        );
        _decide(false, UNTIL);
        vm.expectRevert(
            abi.encodeWithSelector(IApplications.Applications_UnknownApplication.selector, _id(9))
        );
        _as(BUREAU);
        applications.decide(_id(9), true, UNTIL, DOCUMENT);
    }

    function test_withdraw__by_the_applicant_once() public {
        _submit(Purpose.INDUSTRY, 2);
        vm.expectRevert(
            abi.encodeWithSelector(
                IApplications.Applications_NotApplicant.selector, _id(FORM), _id(BUREAU), _id(BUYER)
            )
        );
        _as(BUREAU);
        applications.withdraw(_id(FORM));
        _as(BUYER);
        applications.withdraw(_id(FORM));
        vm.expectRevert(
            abi.encodeWithSelector(
                IApplications.Applications_IllegalStep.selector,
                _id(FORM),
                ApplicationState.WITHDRAWN,
                ApplicationState.APPROVED
            )
        );
        _decide(true, UNTIL);
    }

    function _require() private {
        _as(BUREAU);
        applications.setRequired(_id(DATASET_1), true, DOCUMENT);
    }

    function _submit(Purpose purpose, uint8 modes) private {
        _submitAs(FORM, purpose, modes);
    }

    function _submitAs(uint128 form, Purpose purpose, uint8 modes) private {
        _as(BUYER);
        applications.submit(_id(form), _id(DATASET_1), purpose, modes, DOCUMENT);
    }

    function _decide(bool isApproved, uint64 validUntil) private {
        _as(BUREAU);
        applications.decide(_id(FORM), isApproved, validUntil, DOCUMENT);
    }

    function _refuseGrant(bytes memory reason) private {
        ILicenceRegistry.Agreement memory agreement = _agreement(PRODUCT, 1, 404);
        bytes32 digest = licences.agreementDigest(agreement);
        vm.expectRevert(reason);
        licences.grantLicence(agreement, _sign(OPERATOR, digest), _sign(BUYER, digest));
    }

    function _missing(Purpose purpose, uint8 modes) private pure returns (bytes memory) {
        return abi.encodeWithSelector(
            IApplications.Applications_NotApproved.selector, _id(DATASET_1), _id(BUYER), purpose, modes
        );
    }
}
