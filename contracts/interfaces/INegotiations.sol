// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {NegotiationState} from "../libraries/Codes.sol";

/// @title INegotiations
/// @notice How operator and buyer come to an agreement (协商): offers in turn, each by its digest, each
/// following the last one. States as in the Dataspace Protocol's contract negotiation.
/// @dev A thread takes one slot. What was offered is in the events and in the documents.
interface INegotiations {
    /// @notice Who negotiates over what; the same in every step of a thread.
    struct Parties {
        bytes16 productId;
        bytes16 operatorId;
        bytes16 buyerId;
    }

    struct Thread {
        /// @dev Beginning of SHA-256 over the parties and the last digest.
        bytes20 commitment;
        /// @dev Unix seconds until which the last offer stands.
        uint40 deadline;
        /// @dev Offers made so far.
        uint16 offerCount;
        NegotiationState state;
    }

    event OfferMade(
        uint64 eventNo,
        bytes16 indexed threadId,
        bytes16 indexed productId,
        bytes16 operatorId,
        bytes16 buyerId,
        uint16 offerNo,
        NegotiationState state,
        bytes32 previousDigest,
        bytes32 offerDigest,
        uint64 deadline
    );
    event OfferAccepted(
        uint64 eventNo, bytes16 indexed threadId, bytes32 offerDigest, bytes32 acceptanceDigest
    );
    event AgreementProposed(
        uint64 eventNo,
        bytes16 indexed threadId,
        bytes32 offerDigest,
        bytes32 agreementDigest,
        uint64 deadline
    );
    event NegotiationFinalized(
        uint64 eventNo, bytes16 indexed threadId, bytes32 agreementDigest, uint64 licenceNo
    );
    event NegotiationTerminated(
        uint64 eventNo, bytes16 indexed threadId, bytes16 actorId, bytes32 decisionDigest
    );

    /// @notice Thrown when no thread has this id.
    error Negotiations_UnknownThread(bytes16 threadId);
    /// @notice Thrown when the caller is neither the operator nor the buyer.
    error Negotiations_NotParty(bytes16 threadId, bytes16 actorId);
    /// @notice Thrown when the organisation named does not operate the product.
    error Negotiations_NotOperator(bytes16 productId, bytes16 operatorId, bytes16 expectedId);
    /// @notice Thrown when both parties are the same organisation.
    error Negotiations_SelfDealing(bytes16 organisationId);
    /// @notice Thrown when it is the other side's turn, or the step does not follow the state.
    error Negotiations_OutOfTurn(bytes16 threadId, NegotiationState state, bytes16 actorId);
    /// @notice Thrown when the parties are not the thread's, or the digest is not the last one.
    error Negotiations_OutOfOrder(bytes16 threadId, bytes20 got, bytes20 expected);
    /// @notice Thrown when the last offer no longer stands.
    error Negotiations_OfferExpired(bytes16 threadId, uint64 deadline, uint64 nowSeconds);
    /// @notice Thrown when a deadline is past, or beyond what a thread can hold.
    error Negotiations_DeadlineMalformed(bytes16 threadId, uint64 deadline, uint64 nowSeconds);
    /// @notice Thrown when an offer has no digest.
    error Negotiations_DigestMissing(bytes16 threadId);
    /// @notice Thrown when a licence does not rest on the agreement of the thread.
    error Negotiations_AgreementDiffers(bytes16 threadId, bytes24 got, bytes32 expected);

    /// @notice Makes an offer, a counter-offer, or opens a thread with either; operator or buyer, in turn.
    /// Emits {OfferMade}.
    /// @param previousDigest Digest of the last offer; zero in a new thread.
    /// @param offerDigest Salted digest of this one.
    /// @param deadline Unix seconds until which it stands.
    function offer(
        bytes16 threadId,
        Parties calldata parties,
        bytes32 previousDigest,
        bytes32 offerDigest,
        uint64 deadline
    ) external;

    /// @notice Accepts the operator's last offer; the buyer. Emits {OfferAccepted}.
    /// @param acceptanceDigest Salted digest of the acceptance, with the disclaimers that were ticked.
    function accept(
        bytes16 threadId,
        Parties calldata parties,
        bytes32 offerDigest,
        bytes32 acceptanceDigest
    ) external;

    /// @notice Puts the agreement forward, after an acceptance or on the buyer's own offer; the operator.
    /// Emits {AgreementProposed}.
    /// @param agreementDigest EIP-712 digest of the agreement that both will sign.
    function agree(
        bytes16 threadId,
        Parties calldata parties,
        bytes32 offerDigest,
        bytes32 agreementDigest,
        uint64 deadline
    ) external;

    /// @notice Notes that the agreement granted its licence; anyone. Emits {NegotiationFinalized}.
    function finalize(bytes16 threadId, Parties calldata parties, bytes32 agreementDigest, bytes16 agreementId)
        external;

    /// @notice Breaks the negotiation off, at any time before it is final; operator or buyer.
    /// Emits {NegotiationTerminated}.
    /// @param lastDigest Digest of the last offer, or of the agreement.
    function terminate(
        bytes16 threadId,
        Parties calldata parties,
        bytes32 lastDigest,
        bytes32 decisionDigest
    ) external;

    /// @return One thread; all zero when there is none.
    function thread(bytes16 threadId) external view returns (Thread memory);
}
