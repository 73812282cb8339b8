// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IObjectionDesk} from "../../interfaces/IObjectionDesk.sol";
import {Ground, ObjectionState, Outcome, ReliefRoute, Role, SubjectKind} from "../../libraries/Codes.sol";
import {Fen, Ppm} from "../../libraries/Units.sol";
import {Market} from "./Market.sol";

/// @notice A shop with a handler, and what a case needs.
abstract contract DeskMarket is Market {
    uint128 internal constant HANDLER = 24;
    uint128 internal constant OTHER_HANDLER = 25;
    uint128 internal constant CASE = 701;
    uint128 internal constant OTHER_CASE = 702;
    uint128 internal constant BILL = 501;
    uint64 internal constant GROSS = 10_600_000;

    function setUp() public virtual override {
        super.setUp();
        _openShop();
        _approve();
        _join(HANDLER, INSTITUTION, NANJING, Role.HANDLER);
        _join(OTHER_HANDLER, INSTITUTION, NANJING, Role.HANDLER);
    }

    function _claim(uint128 objectionId, SubjectKind kind, uint128 subjectId, Ground ground, uint128 respondent)
        internal
        pure
        returns (IObjectionDesk.Claim memory)
    {
        return IObjectionDesk.Claim({
            objectionId: _id(objectionId),
            subjectId: _id(subjectId),
            respondentId: _id(respondent),
            subjectKind: kind,
            ground: ground,
            factDigest: bytes32(uint256(objectionId)),
            statementDigest: DOCUMENT
        });
    }

    /// @dev Masking of the first dataset, against its provider.
    function _masking(uint128 objectionId) internal pure returns (IObjectionDesk.Claim memory) {
        return _claim(objectionId, SubjectKind.DATASET, DATASET_1, Ground.MASKING, BUREAU);
    }

    function _evidence() internal pure returns (bytes32[] memory digests) {
        digests = new bytes32[](1);
        digests[0] = DOCUMENT;
    }

    function _open(uint128 objector, IObjectionDesk.Claim memory claim) internal {
        _as(objector);
        desk.open(claim, _evidence());
    }

    function _step(uint128 actor, uint128 objectionId, ObjectionState to) internal {
        _as(actor);
        desk.advance(_id(objectionId), to, DOCUMENT);
    }

    function _verify(uint128 handler, uint128 respondent, uint128 objectionId) internal {
        _step(handler, objectionId, ObjectionState.ACCEPTED);
        _step(respondent, objectionId, ObjectionState.RESPONDED);
        _step(handler, objectionId, ObjectionState.VERIFIED);
    }

    function _shares(uint128 organisation) internal pure returns (IObjectionDesk.Share[] memory shares) {
        shares = new IObjectionDesk.Share[](1);
        shares[0] = IObjectionDesk.Share(_id(organisation), Ppm.wrap(1_000_000));
    }

    function _noShares() internal pure returns (IObjectionDesk.Share[] memory) {
        return new IObjectionDesk.Share[](0);
    }

    function _decide(uint128 handler, uint128 objectionId, Outcome outcome, uint128 liable) internal {
        _decideRefund(handler, objectionId, outcome, liable, 0);
    }

    function _decideRefund(uint128 handler, uint128 objectionId, Outcome outcome, uint128 liable, uint64 refundFen)
        internal
    {
        IObjectionDesk.Share[] memory shares = liable == 0 ? _noShares() : _shares(liable);
        _as(handler);
        desk.decide(_id(objectionId), outcome, Fen.wrap(refundFen), shares, DOCUMENT);
    }

    function _notify(uint128 handler, uint128 objectionId) internal {
        _as(handler);
        desk.notify(_id(objectionId), ReliefRoute.REVIEW, uint64(block.timestamp) + 60 days, DOCUMENT);
    }

    function _case(uint128 objectionId) internal view returns (IObjectionDesk.Objection memory) {
        return desk.objection(_id(objectionId));
    }

    function _reduce(uint64 reductionFen, uint256 bankLine) internal {
        _as(OPERATOR);
        ledger.reduce(_id(BILL), Fen.wrap(reductionFen), bytes32(bankLine), DOCUMENT);
    }
}
