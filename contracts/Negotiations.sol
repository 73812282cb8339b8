// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDirectory} from "./interfaces/IDirectory.sol";
import {ILicenceRegistry} from "./interfaces/ILicenceRegistry.sol";
import {INegotiations} from "./interfaces/INegotiations.sol";
import {Clock} from "./libraries/Clock.sol";
import {NegotiationState, ProductState, Role} from "./libraries/Codes.sol";
import {Member} from "./libraries/Member.sol";

/// @title Negotiations
contract Negotiations is INegotiations, Member {
    ILicenceRegistry private immutable LICENCES;

    mapping(bytes16 threadId => Thread) private _threads;

    constructor(address forwarder, IDirectory directory_, ILicenceRegistry licences)
        Member(forwarder, directory_)
    {
        LICENCES = licences;
    }

    /// @inheritdoc INegotiations
    function offer(
        bytes16 threadId,
        Parties calldata parties,
        bytes32 previousDigest,
        bytes32 offerDigest,
        uint64 deadline
    ) external {
        bytes16 actorId = _requireParty(threadId, parties);
        Thread storage subject = _threads[threadId];
        if (offerDigest == 0) revert Negotiations_DigestMissing(threadId);
        if (subject.state == NegotiationState.NONE) {
            _requireNew(threadId, parties, previousDigest);
        } else {
            _requireLast(threadId, subject, parties, previousDigest);
            bool isBuyersTurn = subject.state == NegotiationState.OFFERED;
            bool isOperatorsTurn = subject.state == NegotiationState.REQUESTED;
            if (!(actorId == parties.buyerId ? isBuyersTurn : isOperatorsTurn)) {
                revert Negotiations_OutOfTurn(threadId, subject.state, actorId);
            }
            _requireStanding(threadId, subject);
        }
        subject.state =
            actorId == parties.buyerId ? NegotiationState.REQUESTED : NegotiationState.OFFERED;
        _commit(threadId, subject, parties, offerDigest, deadline);
        uint16 offerNo = ++subject.offerCount;
        emit OfferMade(
            _nextEventNo(),
            threadId,
            parties.productId,
            parties.operatorId,
            parties.buyerId,
            offerNo,
            subject.state,
            previousDigest,
            offerDigest,
            deadline
        );
    }

    /// @inheritdoc INegotiations
    function accept(
        bytes16 threadId,
        Parties calldata parties,
        bytes32 offerDigest,
        bytes32 acceptanceDigest
    ) external {
        Thread storage subject = _known(threadId, parties, offerDigest);
        bytes16 actorId = _requireParty(threadId, parties);
        if (subject.state != NegotiationState.OFFERED || actorId != parties.buyerId) {
            revert Negotiations_OutOfTurn(threadId, subject.state, actorId);
        }
        _requireStanding(threadId, subject);
        subject.state = NegotiationState.ACCEPTED;
        emit OfferAccepted(_nextEventNo(), threadId, offerDigest, acceptanceDigest);
    }

    /// @inheritdoc INegotiations
    function agree(
        bytes16 threadId,
        Parties calldata parties,
        bytes32 offerDigest,
        bytes32 agreementDigest,
        uint64 deadline
    ) external {
        Thread storage subject = _known(threadId, parties, offerDigest);
        bytes16 actorId = _requireParty(threadId, parties);
        bool isDue = subject.state == NegotiationState.ACCEPTED || subject.state == NegotiationState.REQUESTED;
        if (!isDue || actorId != parties.operatorId) {
            revert Negotiations_OutOfTurn(threadId, subject.state, actorId);
        }
        if (agreementDigest == 0) revert Negotiations_DigestMissing(threadId);
        _requireStanding(threadId, subject);
        subject.state = NegotiationState.AGREED;
        _commit(threadId, subject, parties, agreementDigest, deadline);
        emit AgreementProposed(_nextEventNo(), threadId, offerDigest, agreementDigest, deadline);
    }

    /// @inheritdoc INegotiations
    function finalize(
        bytes16 threadId,
        Parties calldata parties,
        bytes32 agreementDigest,
        bytes16 agreementId
    ) external {
        Thread storage subject = _known(threadId, parties, agreementDigest);
        if (subject.state != NegotiationState.AGREED) {
            revert Negotiations_OutOfTurn(threadId, subject.state, _actor());
        }
        ILicenceRegistry.Grant memory grant = LICENCES.grantOf(agreementId);
        if (grant.licenceNo == 0 || grant.latestDigest != bytes24(agreementDigest)) {
            revert Negotiations_AgreementDiffers(threadId, grant.latestDigest, agreementDigest);
        }
        subject.state = NegotiationState.FINALIZED;
        emit NegotiationFinalized(_nextEventNo(), threadId, agreementDigest, grant.licenceNo);
    }

    /// @inheritdoc INegotiations
    function terminate(
        bytes16 threadId,
        Parties calldata parties,
        bytes32 lastDigest,
        bytes32 decisionDigest
    ) external {
        Thread storage subject = _known(threadId, parties, lastDigest);
        bytes16 actorId = _requireParty(threadId, parties);
        if (subject.state >= NegotiationState.FINALIZED) {
            revert Negotiations_OutOfTurn(threadId, subject.state, actorId);
        }
        subject.state = NegotiationState.TERMINATED;
        emit NegotiationTerminated(_nextEventNo(), threadId, actorId, decisionDigest);
    }

    /// @inheritdoc INegotiations
    function thread(bytes16 threadId) external view returns (Thread memory) {
        return _threads[threadId];
    }

    function _commit(
        bytes16 threadId,
        Thread storage subject,
        Parties calldata parties,
        bytes32 digest,
        uint64 deadline
    ) private {
        uint64 nowSeconds = Clock.nowSeconds();
        if (deadline < nowSeconds || deadline > type(uint40).max) {
            revert Negotiations_DeadlineMalformed(threadId, deadline, nowSeconds);
        }
        subject.commitment = _commitment(parties, digest);
        subject.deadline = uint40(deadline);
    }

    function _requireNew(bytes16 threadId, Parties calldata parties, bytes32 previousDigest) private view {
        if (previousDigest != 0) revert Negotiations_UnknownThread(threadId);
        if (parties.operatorId == parties.buyerId) revert Negotiations_SelfDealing(parties.buyerId);
        ILicenceRegistry.Product memory product = LICENCES.product(parties.productId);
        if (product.operatorId != parties.operatorId) {
            revert Negotiations_NotOperator(parties.productId, parties.operatorId, product.operatorId);
        }
        if (product.state != ProductState.LISTED) {
            revert ILicenceRegistry.LicenceRegistry_ProductNotListed(parties.productId, product.state);
        }
        DIRECTORY.organisation(parties.buyerId);
    }

    function _known(bytes16 threadId, Parties calldata parties, bytes32 lastDigest)
        private
        view
        returns (Thread storage subject)
    {
        subject = _threads[threadId];
        if (subject.state == NegotiationState.NONE) revert Negotiations_UnknownThread(threadId);
        _requireLast(threadId, subject, parties, lastDigest);
    }

    function _requireLast(bytes16 threadId, Thread storage subject, Parties calldata parties, bytes32 digest)
        private
        view
    {
        bytes20 got = _commitment(parties, digest);
        if (got != subject.commitment) revert Negotiations_OutOfOrder(threadId, got, subject.commitment);
    }

    function _requireStanding(bytes16 threadId, Thread storage subject) private view {
        uint64 nowSeconds = Clock.nowSeconds();
        if (subject.deadline < nowSeconds) {
            revert Negotiations_OfferExpired(threadId, subject.deadline, nowSeconds);
        }
    }

    function _requireParty(bytes16 threadId, Parties calldata parties) private view returns (bytes16 actorId) {
        actorId = _actor();
        if (actorId == parties.operatorId) _actorUsing(Role.OPERATOR);
        else if (actorId == parties.buyerId) _actorUsing(Role.BUYER);
        else revert Negotiations_NotParty(threadId, actorId);
    }

    /// @dev 160 bits: nobody finds other parties or another offer with the same beginning.
    function _commitment(Parties calldata parties, bytes32 digest) private pure returns (bytes20) {
        return bytes20(sha256(abi.encode(parties, digest)));
    }
}
