// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDatasetRegistry} from "../interfaces/IDatasetRegistry.sol";
import {IDirectory} from "../interfaces/IDirectory.sol";
import {
    OpenClass,
    QualityGrade,
    RegistrationState,
    RegistrationType,
    Role,
    Sensitivity,
    UpdateFrequency
} from "../libraries/Codes.sol";
import {Market} from "./helpers/Market.sol";

contract DatasetRegistryTest is Market {
    // ---- register ----

    function test_register__evidence_kept_and_announced() public {
        IDatasetRegistry.Registration memory registration = _registration(DATASET_1);
        IDatasetRegistry.Version memory version = _version(5);
        vm.expectEmit();
        emit IDatasetRegistry.DatasetEvidenced(1, _id(DATASET_1), _id(BUREAU), NANJING, registration);
        vm.expectEmit();
        emit IDatasetRegistry.VersionAdded(2, _id(DATASET_1), 1, version, new bytes32[](0));
        _registerAs(BUREAU, registration, version);
        IDatasetRegistry.Dataset memory got = datasets.dataset(_id(DATASET_1));
        _true(got.state == RegistrationState.EVIDENCED, "state");
        _true(got.grade == QualityGrade.NONE, "grade");
        _equal(bytes32(got.providerId), bytes32(_id(BUREAU)), "provider");
        _equal(got.cityCode, NANJING, "city");
        _equal(got.latestVersionNo, 1, "version");
        _equal(got.evidencedAt, NOON, "time");
        IDatasetRegistry.VersionRef memory found = datasets.versionOf(bytes32(uint256(5)));
        _equal(bytes32(found.datasetId), bytes32(_id(DATASET_1)), "found");
        _equal(found.versionNo, 1, "number");
        _equal(found.registeredAt, NOON, "since");
        _equal(bytes32(datasets.providerOf(_id(DATASET_1))), bytes32(_id(BUREAU)), "provider of");
        _equal(bytes32(datasets.providerOf(_id(DATASET_2))), 0, "provider of none");
    }

    function test_register__not_a_provider__refused() public {
        vm.expectRevert(
            abi.encodeWithSelector(IDirectory.Directory_RoleMissing.selector, _id(BUYER), Role.PROVIDER, NANJING)
        );
        _registerAs(BUYER, _registration(DATASET_1), _version(5));
    }

    function test_register__id_taken__refused() public {
        _deposit(DATASET_1, BUREAU);
        vm.expectRevert(
            abi.encodeWithSelector(IDatasetRegistry.DatasetRegistry_DatasetExists.selector, _id(DATASET_1))
        );
        _registerAs(COMPANY, _registration(DATASET_1), _version(5));
    }

    function test_register__content_known__names_where() public {
        _registerAs(BUREAU, _registration(DATASET_1), _version(5));
        vm.expectRevert(
            abi.encodeWithSelector(
                IDatasetRegistry.DatasetRegistry_ContentExists.selector, bytes32(uint256(5)), _id(DATASET_1), 1
            )
        );
        _registerAs(COMPANY, _registration(DATASET_2), _version(5));
    }

    function test_register__field_missing__named() public {
        IDatasetRegistry.Registration memory registration = _registration(0);
        _refuseField(registration, _version(5), 0, "dataset_id");
        registration = _registration(DATASET_1);
        registration.openClass = OpenClass.NONE;
        _refuseField(registration, _version(5), DATASET_1, "open_class");
        registration = _registration(DATASET_1);
        registration.sensitivity = Sensitivity.NONE;
        _refuseField(registration, _version(5), DATASET_1, "sensitivity");
        registration = _registration(DATASET_1);
        registration.updateFrequency = UpdateFrequency.NONE;
        _refuseField(registration, _version(5), DATASET_1, "update_frequency");
        registration = _registration(DATASET_1);
        registration.deliveryModes = 0;
        _refuseField(registration, _version(5), DATASET_1, "delivery_modes");
        registration = _registration(DATASET_1);
        registration.metadataDigest = 0;
        _refuseField(registration, _version(5), DATASET_1, "metadata_digest");
    }

    function test_register__digest_missing__named() public {
        IDatasetRegistry.Version memory version = _version(5);
        version.sha256Digest = 0;
        _refuseField(_registration(DATASET_1), version, DATASET_1, "digest_sha256");
        version = _version(5);
        version.sm3Digest = 0;
        _refuseField(_registration(DATASET_1), version, DATASET_1, "digest_sm3");
        version = _version(5);
        version.schemaDigest = 0;
        _refuseField(_registration(DATASET_1), version, DATASET_1, "schema_digest");
    }

    // ---- addVersion ----

    function test_add_version__with_a_parent__numbered() public {
        _registerAs(BUREAU, _registration(DATASET_1), _version(5));
        bytes32[] memory parents = new bytes32[](1);
        parents[0] = bytes32(uint256(5));
        vm.expectEmit();
        emit IDatasetRegistry.VersionAdded(3, _id(DATASET_1), 2, _version(9), parents);
        _as(BUREAU);
        datasets.addVersion(_id(DATASET_1), _version(9), parents);
        _equal(datasets.dataset(_id(DATASET_1)).latestVersionNo, 2, "latest");
    }

    function test_add_version__unknown_or_too_many_parents__refused() public {
        _registerAs(BUREAU, _registration(DATASET_1), _version(5));
        bytes32[] memory parents = new bytes32[](1);
        parents[0] = DOCUMENT;
        vm.expectRevert(
            abi.encodeWithSelector(IDatasetRegistry.DatasetRegistry_UnknownParent.selector, DOCUMENT)
        );
        _as(BUREAU);
        datasets.addVersion(_id(DATASET_1), _version(9), parents);
        vm.expectRevert(
            abi.encodeWithSelector(IDatasetRegistry.DatasetRegistry_TooManyParents.selector, 17, 16)
        );
        _as(BUREAU);
        datasets.addVersion(_id(DATASET_1), _version(9), new bytes32[](17));
    }

    function test_add_version__another_provider__refused() public {
        _deposit(DATASET_1, BUREAU);
        vm.expectRevert(
            abi.encodeWithSelector(
                IDatasetRegistry.DatasetRegistry_NotProvider.selector, _id(DATASET_1), _id(COMPANY), _id(BUREAU)
            )
        );
        _as(COMPANY);
        datasets.addVersion(_id(DATASET_1), _version(9), new bytes32[](0));
    }

    function test_add_version__unknown_or_cancelled_dataset__refused() public {
        vm.expectRevert(
            abi.encodeWithSelector(IDatasetRegistry.DatasetRegistry_UnknownDataset.selector, _id(DATASET_1))
        );
        _as(BUREAU);
        datasets.addVersion(_id(DATASET_1), _version(9), new bytes32[](0));
        _code(DATASET_1, BUREAU, REGISTRAR);
        _as(BUREAU);
        datasets.applyFor(_id(DATASET_1), RegistrationType.CANCELLATION, DOCUMENT);
        _advance(DATASET_1, REGISTRAR, RegistrationState.CANCELLED);
        vm.expectRevert(_illegal(RegistrationState.CANCELLED, RegistrationState.CANCELLED));
        _as(BUREAU);
        datasets.addVersion(_id(DATASET_1), _version(9), new bytes32[](0));
    }

    // ---- advance ----

    function test_advance__whole_way__coded() public {
        _code(DATASET_1, BUREAU, REGISTRAR);
        _true(datasets.dataset(_id(DATASET_1)).state == RegistrationState.CODED, "state");
    }

    function test_advance__announced() public {
        _deposit(DATASET_1, BUREAU);
        vm.expectEmit();
        emit IDatasetRegistry.RegistrationAdvanced(
            3,
            _id(DATASET_1),
            RegistrationType.FIRST,
            RegistrationState.EVIDENCED,
            RegistrationState.APPLIED,
            _id(BUREAU),
            DOCUMENT
        );
        _advance(DATASET_1, BUREAU, RegistrationState.APPLIED);
    }

    function test_advance__application_by_another__refused() public {
        _deposit(DATASET_1, BUREAU);
        vm.expectRevert(
            abi.encodeWithSelector(
                IDatasetRegistry.DatasetRegistry_NotProvider.selector, _id(DATASET_1), _id(REGISTRAR), _id(BUREAU)
            )
        );
        _advance(DATASET_1, REGISTRAR, RegistrationState.APPLIED);
    }

    function test_advance__registrar_of_another_city__refused() public {
        _deposit(DATASET_1, BUREAU);
        _advance(DATASET_1, BUREAU, RegistrationState.APPLIED);
        vm.expectRevert(
            abi.encodeWithSelector(
                IDatasetRegistry.DatasetRegistry_OtherCity.selector,
                _id(DATASET_1),
                _id(FAR_REGISTRAR),
                ZHENJIANG,
                NANJING
            )
        );
        _advance(DATASET_1, FAR_REGISTRAR, RegistrationState.ACCEPTED);
    }

    function test_advance__registrar_as_applicant__refused() public {
        directory.grantRole(_id(REGISTRAR), Role.PROVIDER, NANJING);
        _deposit(DATASET_1, REGISTRAR);
        _advance(DATASET_1, REGISTRAR, RegistrationState.APPLIED);
        vm.expectRevert(
            abi.encodeWithSelector(
                IDatasetRegistry.DatasetRegistry_RegistrarIsApplicant.selector, _id(DATASET_1), _id(REGISTRAR)
            )
        );
        _advance(DATASET_1, REGISTRAR, RegistrationState.ACCEPTED);
    }

    // ---- classify, inspect, setSuspended ----

    function test_registrar__classifies_inspects_suspends() public {
        _deposit(DATASET_1, BUREAU);
        vm.expectEmit();
        emit IDatasetRegistry.DatasetClassified(
            3, _id(DATASET_1), OpenClass.NOT_OPEN, Sensitivity.IMPORTANT, DOCUMENT
        );
        _classify(OpenClass.NOT_OPEN, Sensitivity.IMPORTANT);
        vm.expectEmit();
        emit IDatasetRegistry.QualityInspected(
            4, _id(DATASET_1), QualityGrade.B, _scores(QualityGrade.B), _id(REGISTRAR), DOCUMENT
        );
        _as(REGISTRAR);
        datasets.inspect(_id(DATASET_1), _scores(QualityGrade.B), DOCUMENT);
        vm.expectEmit();
        emit IDatasetRegistry.DatasetSuspensionSet(5, _id(DATASET_1), true, DOCUMENT);
        _as(REGISTRAR);
        datasets.setSuspended(_id(DATASET_1), true, DOCUMENT);
        IDatasetRegistry.Dataset memory got = datasets.dataset(_id(DATASET_1));
        _true(got.openClass == OpenClass.NOT_OPEN && got.sensitivity == Sensitivity.IMPORTANT, "classes");
        _true(got.grade == QualityGrade.B && got.isSuspended, "grade and suspension");
    }

    function test_registrar__nothing_said__refused() public {
        _deposit(DATASET_1, BUREAU);
        vm.expectRevert(_missing(DATASET_1, "open_class"));
        _classify(OpenClass.NONE, Sensitivity.GENERAL);
        vm.expectRevert(_missing(DATASET_1, "sensitivity"));
        _classify(OpenClass.CONDITIONAL, Sensitivity.NONE);
        vm.expectRevert(
            abi.encodeWithSelector(IDatasetRegistry.DatasetRegistry_ScoreTooLarge.selector, _id(DATASET_1), 101, 100)
        );
        _as(REGISTRAR);
        datasets.inspect(_id(DATASET_1), hex"646464646465", DOCUMENT);
    }

    function test_registrar__somebody_else__refused() public {
        _deposit(DATASET_1, BUREAU);
        bytes memory reason = abi.encodeWithSelector(
            IDirectory.Directory_RoleMissing.selector, _id(BUREAU), Role.REGISTRAR, NANJING
        );
        vm.expectRevert(reason);
        _as(BUREAU);
        datasets.classify(_id(DATASET_1), OpenClass.CONDITIONAL, Sensitivity.GENERAL, DOCUMENT);
        vm.expectRevert(reason);
        _as(BUREAU);
        datasets.inspect(_id(DATASET_1), _scores(QualityGrade.A), DOCUMENT);
        vm.expectRevert(reason);
        _as(BUREAU);
        datasets.setSuspended(_id(DATASET_1), false, DOCUMENT);
    }

    // ---- requireSellable ----

    function test_sellable__coded_and_open__passes() public {
        _code(DATASET_1, BUREAU, REGISTRAR);
        datasets.requireSellable(_one(), 127);
    }

    function test_sellable__unknown_or_not_coded__refused() public {
        _refuseSale(abi.encodeWithSelector(IDatasetRegistry.DatasetRegistry_UnknownDataset.selector, _id(DATASET_1)));
        _deposit(DATASET_1, BUREAU);
        _refuseSale(
            abi.encodeWithSelector(
                IDatasetRegistry.DatasetRegistry_NotCoded.selector, _id(DATASET_1), RegistrationState.EVIDENCED
            )
        );
    }

    function test_sellable__not_open_or_too_sensitive__refused() public {
        _code(DATASET_1, BUREAU, REGISTRAR);
        _classify(OpenClass.NOT_OPEN, Sensitivity.GENERAL);
        _refuseSale(abi.encodeWithSelector(IDatasetRegistry.DatasetRegistry_NotOpen.selector, _id(DATASET_1)));
        _classify(OpenClass.UNCONDITIONAL, Sensitivity.CORE);
        _refuseSale(
            abi.encodeWithSelector(
                IDatasetRegistry.DatasetRegistry_TooSensitive.selector, _id(DATASET_1), Sensitivity.CORE
            )
        );
    }

    function test_sellable__grade_e_or_suspended__refused() public {
        _code(DATASET_1, BUREAU, REGISTRAR);
        _as(REGISTRAR);
        datasets.inspect(_id(DATASET_1), _scores(QualityGrade.E), DOCUMENT);
        _refuseSale(abi.encodeWithSelector(IDatasetRegistry.DatasetRegistry_GradeTooLow.selector, _id(DATASET_1)));
        _as(REGISTRAR);
        datasets.inspect(_id(DATASET_1), _scores(QualityGrade.D), DOCUMENT);
        _as(REGISTRAR);
        datasets.setSuspended(_id(DATASET_1), true, DOCUMENT);
        _refuseSale(abi.encodeWithSelector(IDatasetRegistry.DatasetRegistry_Suspended.selector, _id(DATASET_1)));
    }

    function test_sellable__personal_information__only_masked() public {
        IDatasetRegistry.Registration memory registration = _registration(DATASET_1);
        registration.containsPersonalInformation = true;
        _registerAs(BUREAU, registration, _version(5));
        _finish();
        _refuseSale(abi.encodeWithSelector(IDatasetRegistry.DatasetRegistry_NotMasked.selector, _id(DATASET_1)));
    }

    function test_sellable__shared_in__only_with_consent() public {
        IDatasetRegistry.Registration memory registration = _registration(DATASET_1);
        registration.isSharedIn = true;
        _registerAs(BUREAU, registration, _version(5));
        _finish();
        _refuseSale(
            abi.encodeWithSelector(IDatasetRegistry.DatasetRegistry_NoSourceConsent.selector, _id(DATASET_1))
        );
    }

    function test_sellable__masked_and_consented__passes() public {
        IDatasetRegistry.Registration memory registration = _registration(DATASET_1);
        (registration.containsPersonalInformation, registration.maskingReportDigest) = (true, DOCUMENT);
        (registration.isSharedIn, registration.sourceConsentDigest) = (true, DOCUMENT);
        _deposit(DATASET_2, BUREAU);
        _registerAs(BUREAU, registration, _version(5));
        _finish();
        _refuseSale(abi.encodeWithSelector(IDatasetRegistry.DatasetRegistry_NotMasked.selector, _id(DATASET_1)));
        _as(BUREAU);
        datasets.recordMasking(_id(DATASET_1), 1, bytes32(uint256(DATASET_2) << 8), DOCUMENT);
        datasets.requireSellable(_one(), 127);
        _as(BUREAU);
        datasets.addVersion(_id(DATASET_1), _version(9), new bytes32[](0));
        _refuseSale(abi.encodeWithSelector(IDatasetRegistry.DatasetRegistry_NotMasked.selector, _id(DATASET_1)));
    }

    function test_sellable__mode_not_offered__refused() public {
        IDatasetRegistry.Registration memory registration = _registration(DATASET_1);
        registration.deliveryModes = 6;
        _registerAs(BUREAU, registration, _version(5));
        _finish();
        vm.expectRevert(
            abi.encodeWithSelector(IDatasetRegistry.DatasetRegistry_ModeNotOffered.selector, _id(DATASET_1), 3, 6)
        );
        datasets.requireSellable(_one(), 3);
    }

    function test_dataset__unknown__refused() public {
        vm.expectRevert(
            abi.encodeWithSelector(IDatasetRegistry.DatasetRegistry_UnknownDataset.selector, _id(DATASET_1))
        );
        datasets.dataset(_id(DATASET_1));
    }

    // ---- helpers ----

    function _registerAs(
        uint128 actor,
        IDatasetRegistry.Registration memory registration,
        IDatasetRegistry.Version memory version
    ) private {
        _as(actor);
        datasets.register(registration, version, new bytes32[](0));
    }

    function _refuseField(
        IDatasetRegistry.Registration memory registration,
        IDatasetRegistry.Version memory version,
        uint128 datasetId,
        string memory field
    ) private {
        vm.expectRevert(_missing(datasetId, field));
        _registerAs(BUREAU, registration, version);
    }

    function _missing(uint128 datasetId, string memory field) private pure returns (bytes memory) {
        return abi.encodeWithSelector(
            IDatasetRegistry.DatasetRegistry_FieldMissing.selector, _id(datasetId), field
        );
    }

    function _illegal(RegistrationState from, RegistrationState to) private pure returns (bytes memory) {
        return abi.encodeWithSelector(
            IDatasetRegistry.DatasetRegistry_IllegalStep.selector, _id(DATASET_1), from, to
        );
    }

    function _refuseSale(bytes memory reason) private {
        vm.expectRevert(reason);
        datasets.requireSellable(_one(), 1);
    }

    function _classify(OpenClass openClass, Sensitivity sensitivity) private {
        _as(REGISTRAR);
        datasets.classify(_id(DATASET_1), openClass, sensitivity, DOCUMENT);
    }

    /// @dev From evidence to a registration code.
    function _finish() private {
        _advance(DATASET_1, BUREAU, RegistrationState.APPLIED);
        _advance(DATASET_1, REGISTRAR, RegistrationState.ACCEPTED);
        _advance(DATASET_1, REGISTRAR, RegistrationState.REVIEWED);
        _advance(DATASET_1, REGISTRAR, RegistrationState.PUBLIC_NOTICE);
        _advance(DATASET_1, REGISTRAR, RegistrationState.CODED);
    }

    function _one() private pure returns (bytes16[] memory ids) {
        ids = new bytes16[](1);
        ids[0] = _id(DATASET_1);
    }
}
