// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {INegotiations} from "../interfaces/INegotiations.sol";
import {ILicenceRegistry} from "../interfaces/ILicenceRegistry.sol";
import {NegotiationState as State, ProductState} from "../libraries/Codes.sol";
import {Market} from "./helpers/Market.sol";

contract NegotiationsTest is Market {
    uint128 private constant THREAD = 701;
    uint64 private constant UNTIL = NOON + 1 days;
    bytes32 private constant FIRST = bytes32(uint256(1));
    bytes32 private constant SECOND = bytes32(uint256(2));

    function setUp() public override {
        super.setUp();
        _openShop();
    }

    function test_offer__new_thread__one_slot_and_an_event() public {
        vm.expectEmit();
        emit INegotiations.OfferMade(
            1,
            _id(THREAD),
            _id(PRODUCT),
            _id(OPERATOR),
            _id(BUYER),
            1,
            State.REQUESTED,
            0,
            FIRST,
            UNTIL
        );
        _offer(BUYER, 0, FIRST);
        INegotiations.Thread memory found = negotiations.thread(_id(THREAD));
        _true(found.state == State.REQUESTED && found.offerCount == 1, "state");
        _equal(found.deadline, UNTIL, "deadline");
    }

    function test_thread__to_the_licence__final() public {
        _offer(BUYER, 0, FIRST);
        _offer(OPERATOR, FIRST, SECOND);
        _as(BUYER);
        negotiations.accept(_id(THREAD), _parties(), SECOND, DOCUMENT);
        ILicenceRegistry.Agreement memory agreement = _agreement(PRODUCT, 1, 404);
        bytes32 digest = licences.agreementDigest(agreement);
        _as(OPERATOR);
        negotiations.agree(_id(THREAD), _parties(), SECOND, digest, UNTIL);
        vm.expectRevert(
            abi.encodeWithSelector(
                INegotiations.Negotiations_AgreementDiffers.selector,
                _id(THREAD),
                licences.grantOf(_id(401)).latestDigest,
                digest
            )
        );
        negotiations.finalize(_id(THREAD), _parties(), digest, _id(401));
        vm.expectRevert(
            abi.encodeWithSelector(INegotiations.Negotiations_AgreementDiffers.selector, _id(THREAD), 0, digest)
        );
        negotiations.finalize(_id(THREAD), _parties(), digest, _id(404));
        uint64 licenceNo = _grant(agreement);
        vm.expectEmit();
        emit INegotiations.NegotiationFinalized(
            negotiations.eventCount() + 1, _id(THREAD), digest, licenceNo
        );
        negotiations.finalize(_id(THREAD), _parties(), digest, _id(404));
        _true(negotiations.thread(_id(THREAD)).state == State.FINALIZED, "final");
        vm.expectRevert(_outOfTurn(State.FINALIZED, BUYER));
        _as(BUYER);
        negotiations.terminate(_id(THREAD), _parties(), digest, DOCUMENT);
    }

    /// @dev Where nothing was granted the digest is zero, and any digest may begin with zeros.
    function test_finalize__nothing_granted_under_a_digest_of_zeros__refused() public {
        _offer(BUYER, 0, FIRST);
        _as(OPERATOR);
        negotiations.agree(_id(THREAD), _parties(), FIRST, SECOND, UNTIL);
        vm.expectRevert(
            abi.encodeWithSelector(INegotiations.Negotiations_AgreementDiffers.selector, _id(THREAD), 0, SECOND)
        );
        negotiations.finalize(_id(THREAD), _parties(), SECOND, _id(404));
    }

    function test_offer__out_of_turn__refused() public {
        _offer(BUYER, 0, FIRST);
        vm.expectRevert(_outOfTurn(State.REQUESTED, BUYER));
        _offer(BUYER, FIRST, SECOND);
        vm.expectRevert(_outOfTurn(State.REQUESTED, BUYER));
        _as(BUYER);
        negotiations.accept(_id(THREAD), _parties(), FIRST, DOCUMENT);
        vm.expectRevert(_outOfTurn(State.REQUESTED, BUYER));
        _as(BUYER);
        negotiations.agree(_id(THREAD), _parties(), FIRST, SECOND, UNTIL);
    }

    function test_offer__expired__only_an_end_is_left() public {
        _offer(BUYER, 0, FIRST);
        vm.warp(UNTIL + 1);
        bytes memory late =
            abi.encodeWithSelector(INegotiations.Negotiations_OfferExpired.selector, _id(THREAD), UNTIL, UNTIL + 1);
        vm.expectRevert(late);
        _as(OPERATOR);
        negotiations.offer(_id(THREAD), _parties(), FIRST, SECOND, UNTIL + 9);
        vm.expectRevert(late);
        _as(OPERATOR);
        negotiations.agree(_id(THREAD), _parties(), FIRST, SECOND, UNTIL + 9);
        _as(OPERATOR);
        negotiations.terminate(_id(THREAD), _parties(), FIRST, DOCUMENT);
        _true(negotiations.thread(_id(THREAD)).state == State.TERMINATED, "ended");
    }

    function test_offer__other_parties_or_digest__refused() public {
        _offer(BUYER, 0, FIRST);
        bytes20 expected = negotiations.thread(_id(THREAD)).commitment;
        bytes20 got = bytes20(sha256(abi.encode(_parties(), SECOND)));
        vm.expectRevert(
            abi.encodeWithSelector(INegotiations.Negotiations_OutOfOrder.selector, _id(THREAD), got, expected)
        );
        _offer(OPERATOR, SECOND, SECOND);
        INegotiations.Parties memory others = _parties();
        others.buyerId = _id(COMPANY);
        got = bytes20(sha256(abi.encode(others, FIRST)));
        vm.expectRevert(
            abi.encodeWithSelector(INegotiations.Negotiations_OutOfOrder.selector, _id(THREAD), got, expected)
        );
        _as(COMPANY);
        negotiations.offer(_id(THREAD), others, FIRST, SECOND, UNTIL);
    }

    function test_offer__malformed__refused() public {
        vm.expectRevert(
            abi.encodeWithSelector(INegotiations.Negotiations_NotParty.selector, _id(THREAD), _id(COMPANY))
        );
        _offer(COMPANY, 0, FIRST);
        vm.expectRevert(abi.encodeWithSelector(INegotiations.Negotiations_DigestMissing.selector, _id(THREAD)));
        _offer(BUYER, 0, 0);
        vm.expectRevert(abi.encodeWithSelector(INegotiations.Negotiations_UnknownThread.selector, _id(THREAD)));
        _offer(BUYER, FIRST, SECOND);
        vm.expectRevert(
            abi.encodeWithSelector(
                INegotiations.Negotiations_DeadlineMalformed.selector, _id(THREAD), NOON - 1, NOON
            )
        );
        _as(BUYER);
        negotiations.offer(_id(THREAD), _parties(), 0, FIRST, NOON - 1);
        INegotiations.Parties memory parties = _parties();
        parties.operatorId = _id(OTHER_OPERATOR);
        vm.expectRevert(
            abi.encodeWithSelector(
                INegotiations.Negotiations_NotOperator.selector, _id(PRODUCT), _id(OTHER_OPERATOR), _id(OPERATOR)
            )
        );
        _as(BUYER);
        negotiations.offer(_id(THREAD), parties, 0, FIRST, UNTIL);
        parties.buyerId = _id(OTHER_OPERATOR);
        vm.expectRevert(
            abi.encodeWithSelector(INegotiations.Negotiations_SelfDealing.selector, _id(OTHER_OPERATOR))
        );
        _as(OTHER_OPERATOR);
        negotiations.offer(_id(THREAD), parties, 0, FIRST, UNTIL);
    }

    function test_offer__for_a_suspended_product__refused() public {
        _as(OPERATOR);
        licences.setProductState(_id(PRODUCT), ProductState.SUSPENDED, DOCUMENT);
        vm.expectRevert(
            abi.encodeWithSelector(
                ILicenceRegistry.LicenceRegistry_ProductNotListed.selector, _id(PRODUCT), ProductState.SUSPENDED
            )
        );
        _offer(BUYER, 0, FIRST);
    }

    /// @dev Any order of moves by either side ends where a table of its own says.
    function test_fuzz_moves__in_any_order__follow_the_table(uint256 seed) public {
        State state = State.NONE;
        bytes32 last = 0;
        for (uint256 i = 0; i < 12; ++i) {
            seed = _next(seed);
            bool isBuyer = seed % 2 == 0;
            uint256 move = (seed >> 8) % 4;
            State expected = _after(state, isBuyer, move);
            bytes32 next = bytes32(seed | 1);
            bool isDone = _try(isBuyer ? BUYER : OPERATOR, move, last, next);
            _true(isDone == (expected != State.NONE), "allowed");
            if (!isDone) continue;
            state = expected;
            if (move == 0 || move == 2) last = next;
            _true(negotiations.thread(_id(THREAD)).state == state, "state");
        }
    }

    /// @dev 0 offer, 1 accept, 2 agree, 3 terminate; NONE where it is refused.
    function _after(State state, bool isBuyer, uint256 move) private pure returns (State) {
        if (move == 3) return state == State.NONE || state == State.TERMINATED ? State.NONE : State.TERMINATED;
        if (isBuyer) {
            if (move == 0 && (state == State.NONE || state == State.OFFERED)) return State.REQUESTED;
            return move == 1 && state == State.OFFERED ? State.ACCEPTED : State.NONE;
        }
        if (move == 0) return state == State.NONE || state == State.REQUESTED ? State.OFFERED : State.NONE;
        bool isDue = state == State.ACCEPTED || state == State.REQUESTED;
        return move == 2 && isDue ? State.AGREED : State.NONE;
    }

    function _try(uint128 actor, uint256 move, bytes32 last, bytes32 next) private returns (bool) {
        bytes16 threadId = _id(THREAD);
        bytes memory call;
        if (move == 0) {
            call = abi.encodeCall(INegotiations.offer, (threadId, _parties(), last, next, UNTIL));
        } else if (move == 1) {
            call = abi.encodeCall(INegotiations.accept, (threadId, _parties(), last, DOCUMENT));
        } else if (move == 2) {
            call = abi.encodeCall(INegotiations.agree, (threadId, _parties(), last, next, UNTIL));
        } else {
            call = abi.encodeCall(INegotiations.terminate, (threadId, _parties(), last, DOCUMENT));
        }
        _as(actor);
        (bool isDone,) = address(negotiations).call(call);
        return isDone;
    }

    function _offer(uint128 actor, bytes32 previous, bytes32 digest) private {
        _as(actor);
        negotiations.offer(_id(THREAD), _parties(), previous, digest, UNTIL);
    }

    function _parties() private pure returns (INegotiations.Parties memory) {
        return INegotiations.Parties({
            productId: _id(PRODUCT),
            operatorId: _id(OPERATOR),
            buyerId: _id(BUYER)
        });
    }

    function _outOfTurn(State state, uint128 actor) private pure returns (bytes memory) {
        return abi.encodeWithSelector(
            INegotiations.Negotiations_OutOfTurn.selector, _id(THREAD), state, _id(actor)
        );
    }
}
