// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDirectory} from "../interfaces/IDirectory.sol";
import {INegotiations} from "../interfaces/INegotiations.sol";
import {ADMINISTRATION, ObjectionState, Purpose, Role} from "../libraries/Codes.sol";
import {Ppm} from "../libraries/Units.sol";
import {DeskMarket} from "./helpers/DeskMarket.sol";

/// @notice What an account may not do without a role of its own, whatever its organisation holds:
/// dealings, the treasury's rule, and what asks for any role.
contract RolelessTest is DeskMarket {
    uint32 private constant ROLES_ALL = 0x800003ff;
    /// @dev An organisation's second account signs with its number and this.
    uint128 private constant SECOND = 1000;
    uint128 private constant FORM = 601;
    uint128 private constant WAITING_FORM = 602;
    uint128 private constant THREAD = 711;
    uint128 private constant OFFERED_THREAD = 712;
    uint64 private constant UNTIL = NOON + 1 days;
    bytes32 private constant FIRST = bytes32(uint256(1));
    bytes32 private constant SECOND_OFFER = bytes32(uint256(2));

    /// @dev An act that takes a role, as its organisation's second account would do it.
    struct Act {
        uint128 organisation;
        Role role;
        address target;
        bytes call;
    }

    function setUp() public override {
        super.setUp();
        for (uint128 thread = THREAD; thread <= OFFERED_THREAD; ++thread) {
            _as(BUYER);
            negotiations.offer(_id(thread), _parties(), 0, FIRST, UNTIL);
        }
        _as(OPERATOR);
        negotiations.offer(_id(OFFERED_THREAD), _parties(), FIRST, SECOND_OFFER, UNTIL);
        _as(BUYER);
        applications.submit(_id(WAITING_FORM), _id(DATASET_1), Purpose.INDUSTRY, 2, DOCUMENT);
        _open(BUYER, _masking(CASE));
        _step(HANDLER, CASE, ObjectionState.ACCEPTED);
    }

    /// @dev Each act once, by an account that may use any roles but the one that the act takes.
    function test_fuzz_act__by_an_account_without_the_role__refused(uint32 roles) public {
        Act[] memory acts = _acts();
        for (uint256 i = 0; i < acts.length; ++i) {
            uint32 others = roles & ROLES_ALL & ~_bit(acts[i].role);
            address account = _second(acts[i].organisation, others == 0 ? ADMINISTRATION : others);
            bytes memory reason = abi.encodeWithSelector(
                IDirectory.Directory_SignerRoleMissing.selector, account, acts[i].role
            );
            _refuse(acts[i], account, reason);
        }
    }

    /// @dev One act a run: some exclude each other.
    function test_fuzz_act__by_an_account_with_that_role_alone__done(uint256 number) public {
        Act[] memory acts = _acts();
        Act memory act = acts[number % acts.length];
        vm.prank(_second(act.organisation, _bit(act.role)));
        (bool isDone,) = act.target.call(act.call);
        _true(isDone, "done");
    }

    /// @dev Administration is no role: who only administers accounts takes part in no case.
    function test_act__open_to_any_role__refused_without_one() public {
        Act[5] memory acts = [
            _act(COMPANY, address(desk), abi.encodeCall(desk.open, (_masking(OTHER_CASE), _evidence()))),
            _act(BUREAU, address(desk), abi.encodeCall(desk.advance, (_id(CASE), ObjectionState.RESPONDED, DOCUMENT))),
            _act(BUYER, address(desk), abi.encodeCall(desk.advance, (_id(CASE), ObjectionState.WITHDRAWN, DOCUMENT))),
            _act(COMPANY, address(desk), abi.encodeCall(desk.escalate, (_id(CASE)))),
            _act(
                COMPANY,
                address(datasets),
                abi.encodeCall(datasets.objectToNotice, (_id(1), _id(DATASET_1), DOCUMENT, DOCUMENT))
            )
        ];
        for (uint256 i = 0; i < acts.length; ++i) {
            address account = _second(acts[i].organisation, ADMINISTRATION);
            _refuse(acts[i], account, abi.encodeWithSelector(IDirectory.Directory_SignerWithoutRole.selector, account));
        }
    }

    function _acts() private view returns (Act[] memory acts) {
        acts = new Act[](10);
        bytes16 thread = _id(THREAD);
        INegotiations.Parties memory parties = _parties();
        address market = address(negotiations);
        acts[0] = Act(
            BUYER, Role.BUYER, market, abi.encodeCall(negotiations.offer, (_id(713), parties, 0, FIRST, UNTIL))
        );
        acts[1] = Act(
            OPERATOR,
            Role.OPERATOR,
            market,
            abi.encodeCall(negotiations.offer, (thread, parties, FIRST, SECOND_OFFER, UNTIL))
        );
        acts[2] = Act(
            BUYER,
            Role.BUYER,
            market,
            abi.encodeCall(negotiations.accept, (_id(OFFERED_THREAD), parties, SECOND_OFFER, DOCUMENT))
        );
        acts[3] = Act(
            OPERATOR,
            Role.OPERATOR,
            market,
            abi.encodeCall(negotiations.agree, (thread, parties, FIRST, DOCUMENT, UNTIL))
        );
        acts[4] = Act(
            OPERATOR,
            Role.OPERATOR,
            market,
            abi.encodeCall(negotiations.terminate, (thread, parties, FIRST, DOCUMENT))
        );
        market = address(applications);
        acts[5] = Act(
            BUREAU, Role.PROVIDER, market, abi.encodeCall(applications.setRequired, (_id(DATASET_1), true, DOCUMENT))
        );
        acts[6] = Act(
            BUYER,
            Role.BUYER,
            market,
            abi.encodeCall(applications.submit, (_id(FORM), _id(DATASET_1), Purpose.INDUSTRY, 2, DOCUMENT))
        );
        acts[7] = Act(
            BUREAU,
            Role.PROVIDER,
            market,
            abi.encodeCall(applications.decide, (_id(WAITING_FORM), true, UNTIL, DOCUMENT))
        );
        acts[8] =
            Act(BUYER, Role.BUYER, market, abi.encodeCall(applications.withdraw, (_id(WAITING_FORM))));
        acts[9] = Act(
            TREASURY,
            Role.TREASURY,
            address(directory),
            abi.encodeCall(directory.setTreasuryRule, (NANJING, Ppm.wrap(300_000), DOCUMENT))
        );
    }

    function _act(uint128 organisation, address target, bytes memory call) private pure returns (Act memory) {
        return Act(organisation, Role.PROVIDER, target, call);
    }

    function _refuse(Act memory act, address account, bytes memory reason) private {
        vm.prank(account);
        (bool isDone, bytes memory got) = act.target.call(act.call);
        _true(!isDone, "refused");
        _equal(keccak256(got), keccak256(reason), "reason");
    }

    /// @dev The organisation's second account, which may use these roles from now on.
    function _second(uint128 organisation, uint32 roles) private returns (address account) {
        account = _signer(SECOND + organisation);
        (bytes16 organisationId,) = directory.signerRoles(account);
        _as(organisation);
        if (organisationId == 0) directory.addSigner(account, roles);
        else directory.setSignerRoles(account, roles);
    }

    function _bit(Role role) private pure returns (uint32) {
        return uint32(1) << uint8(role);
    }

    function _parties() private pure returns (INegotiations.Parties memory) {
        return INegotiations.Parties({
            productId: _id(PRODUCT),
            operatorId: _id(OPERATOR),
            buyerId: _id(BUYER)
        });
    }
}
