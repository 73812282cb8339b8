// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ChargeBasis, ClaimantKind, LicenceState, OpeningTier, ProductState, Purpose} from "../libraries/Codes.sol";
import {IBilled} from "./IBilled.sol";
import {MicroYuan, Ppm} from "../libraries/Units.sol";

/// @title ILicenceRegistry
/// @notice Products over datasets, what they may cost, and the licences to use them. A licence is a
/// record that both sides signed; nobody can transfer it.
interface ILicenceRegistry {
    /// @notice One claimant of a product's income: a dataset, or an organisation such as the operator.
    struct LineageEntry {
        bytes16 claimantId;
        ClaimantKind kind;
        /// @dev Share of each income while its cost is not yet recovered; all sum to 1,000,000.
        Ppm weightPpm;
    }

    /// @notice A price for the units up to a running total.
    struct Band {
        /// @dev Last unit of the band in the buyer's running total of the year; the last band has 2^64 - 1.
        uint64 upToUnits;
        MicroYuan priceMicroYuan;
    }

    struct Tariff {
        ChargeBasis basis;
        /// @dev Units a buyer may use free of charge per product and calendar year.
        uint64 freeQuotaUnits;
        Ppm discountPpm;
        Band[] bands;
    }

    struct Product {
        bytes16 operatorId;
        uint32 cityCode;
        ProductState state;
        /// @dev Whether a registrar suspended it, so that only a registrar restores it.
        bool isHeld;
        /// @dev Bitmap of delivery modes.
        uint8 modes;
        /// @dev Number of the tariff now in force; 0 when there is none.
        uint32 tariffNo;
        /// @dev Where the lineage is written; {lineageOf} reads it.
        address lineage;
        /// @dev Whether it is a derived product (二次开发), sold at a market price outside all caps.
        bool isDerived;
        /// @dev SHA-256 of the ABI encoding of the approved cap bands; zero before approval.
        bytes32 capsDigest;
    }

    /// @notice What operator and buyer sign (EIP-712).
    struct Agreement {
        bytes16 agreementId;
        bytes16 productId;
        bytes16 operatorId;
        bytes16 buyerId;
        /// @dev The tariff version that the quote fixed; 0 for free use. A quote is this agreement as the
        /// operator signed it, good until its deadline; a superseded tariff can be agreed on for 14 days.
        uint32 tariffNo;
        Purpose purpose;
        /// @dev Bitmap of delivery modes.
        uint8 modes;
        /// @dev Unix seconds, inclusive.
        uint64 validFrom;
        /// @dev Unix seconds, exclusive.
        uint64 validUntil;
        uint64 quotaUnits;
        /// @dev The platform's share of liability for its own faults; statutory floor 500,000.
        Ppm platformLiabilityPpm;
        /// @dev The part of what the buyer earns with derived products that goes up the lineage; 0 for none.
        Ppm outcomePpm;
        /// @dev Most members of a team, each with a key of its own; 0 where the licence sets no limit.
        uint8 teamMax;
        /// @dev Whether use counts as acceptance ("使用即视为验收"), so that what is paid needs no hold.
        bool isAcceptedByUse;
        /// @dev SHA-256 of the canonical form of the terms, an ODRL agreement.
        bytes32 termsDigest;
        /// @dev Unix seconds after which the signatures no longer grant a licence.
        uint64 deadline;
    }

    /// @notice What a developer lists: a product made from what its licences opened (二次开发).
    struct Derivation {
        bytes16 productId;
        /// @dev The city where the caller develops.
        uint32 cityCode;
        uint8 modes;
        /// @dev Salted digest of the product's description.
        bytes32 metadataDigest;
        /// @dev Who runs the market and takes the fee.
        bytes16 platformId;
        Ppm feePpm;
    }

    /// @notice One parent of a derived product.
    struct Source {
        /// @dev The developer's own licence.
        uint64 licenceNo;
        /// @dev A dataset of the licence's product, or that product itself when it is derived.
        bytes16 ancestorId;
        /// @dev What goes to the ancestor and through it; by licence all sum to its agreed outcome share.
        Ppm sharePpm;
    }

    /// @notice What both sides sign to change a licence (补充协议).
    struct Supplement {
        uint64 licenceNo;
        /// @dev Digest of the agreement or supplement that this one follows.
        bytes32 previousDigest;
        bytes32 termsDigest;
        uint64 validUntil;
        uint64 quotaUnits;
        Ppm platformLiabilityPpm;
        uint64 deadline;
    }

    /// @notice A signature of an agreement or supplement, by account or contract account (ERC-1271).
    struct Signed {
        address signer;
        bytes signature;
    }

    /// @dev Two storage slots.
    struct Licence {
        bytes16 productId;
        bytes16 buyerId;
        uint40 validFrom;
        uint40 validUntil;
        uint64 quotaUnits;
        uint32 tariffNo;
        Purpose purpose;
        uint8 modes;
        LicenceState state;
        /// @dev As for products.
        bool isHeld;
        uint8 teamMax;
        bool isAcceptedByUse;
    }

    /// @notice What an agreement granted.
    struct Grant {
        /// @dev 0 where it granted nothing.
        uint64 licenceNo;
        /// @dev Beginning of the EIP-712 digest of the agreement, or of its licence's latest supplement:
        /// 192 bits, so that a grant takes one slot.
        bytes24 latestDigest;
    }

    event ProductListed(
        uint64 eventNo,
        bytes16 indexed productId,
        bytes16 indexed operatorId,
        uint32 cityCode,
        uint8 modes,
        bytes32 metadataDigest,
        LineageEntry[] lineage
    );
    /// @param lineage Ancestors by ascending id with their flattened shares, at most 16; then the
    /// platform with its fee and the developer with the rest. All sum to 1,000,000.
    event ProductDerived(
        uint64 eventNo,
        bytes16 indexed productId,
        bytes16 indexed developerId,
        uint32 cityCode,
        uint8 modes,
        bytes32 metadataDigest,
        Source[] sources,
        LineageEntry[] lineage
    );
    event ProductStateSet(
        uint64 eventNo, bytes16 indexed productId, ProductState state, bytes16 actorId, bytes32 decisionDigest
    );
    event CapsApproved(
        uint64 eventNo, bytes16 indexed productId, bytes16 authorityId, Band[] caps, bytes32 decisionDigest
    );
    event TariffPublished(uint64 eventNo, bytes16 indexed productId, uint32 tariffNo, Tariff tariff);
    event LicenceGranted(
        uint64 eventNo, uint64 indexed licenceNo, Agreement agreement, bytes32 agreementDigest
    );
    /// @notice How far the data is opened to a licence, or to more of it: the strictest tier, and the table
    /// by dataset of the lineage.
    event OpeningDecided(uint64 eventNo, uint64 indexed licenceNo, OpeningTier tier, uint32[] policyNos);
    event LicenceSupplemented(
        uint64 eventNo, uint64 indexed licenceNo, Supplement supplement, bytes32 agreementDigest
    );
    event LicenceStateSet(
        uint64 eventNo, uint64 indexed licenceNo, LicenceState state, bytes16 actorId, bytes32 decisionDigest
    );

    /// @notice Thrown when no product has this id.
    error LicenceRegistry_UnknownProduct(bytes16 productId);
    /// @notice Thrown when the product id is already taken.
    error LicenceRegistry_ProductExists(bytes16 productId);
    /// @notice Thrown when no licence has this number.
    error LicenceRegistry_UnknownLicence(uint64 licenceNo);
    /// @notice Thrown when a lineage is empty or longer than the limit.
    error LicenceRegistry_LineageLength(uint256 count, uint256 limit);
    /// @notice Thrown when lineage ids are not strictly ascending.
    error LicenceRegistry_LineageOrder(bytes16 previousId, bytes16 claimantId);
    /// @notice Thrown when lineage weights do not sum to the whole.
    error LicenceRegistry_LineageSum(uint256 sumPpm, uint256 expectedPpm);
    /// @notice Thrown when a lineage entry has weight zero or no kind.
    error LicenceRegistry_LineageEntryEmpty(bytes16 claimantId);
    /// @notice Thrown when a lineage names no dataset.
    error LicenceRegistry_LineageWithoutDataset(bytes16 productId);
    /// @notice Thrown when a lineage cannot be written: the network refuses to create its contract.
    error LicenceRegistry_LineageNotWritten(uint256 count);
    /// @notice Thrown when bands are empty, too many, not ascending, or do not end open.
    error LicenceRegistry_BandsMalformed(uint256 index);
    /// @notice Thrown when the discount exceeds the whole.
    error LicenceRegistry_DiscountTooLarge(Ppm discountPpm, uint256 limitPpm);
    /// @notice Thrown when passed caps are not the approved ones.
    error LicenceRegistry_CapsDiffer(bytes16 productId, bytes32 got, bytes32 expected);
    /// @notice Thrown when a band's price exceeds the cap of a cap band that it overlaps.
    error LicenceRegistry_PriceAboveCap(uint256 band, MicroYuan price, MicroYuan cap);
    /// @notice Thrown when the tariff named is neither in force nor still quoted.
    error LicenceRegistry_TariffNotInForce(bytes16 productId, uint32 got, uint32 inForce);
    /// @notice Thrown when a passed tariff is not the one published under this number.
    error LicenceRegistry_TariffDiffers(bytes16 productId, uint32 tariffNo, bytes32 got, bytes32 expected);
    /// @notice Thrown when a price authority belongs to the operator that it would approve.
    error LicenceRegistry_ApproverIsOperator(bytes16 productId, bytes16 organisationId);
    /// @notice Thrown when the caller's organisation is not the product's operator.
    error LicenceRegistry_NotOperator(bytes16 productId, bytes16 actorId, bytes16 operatorId);
    /// @notice Thrown when the product is not for sale.
    error LicenceRegistry_ProductNotListed(bytes16 productId, ProductState state);
    /// @notice Thrown when a free purpose has a price, or a chargeable one has none.
    error LicenceRegistry_PurposeAndPrice(Purpose purpose, uint32 tariffNo);
    /// @notice Thrown when modes are empty or beyond what the product offers.
    error LicenceRegistry_ModeNotOffered(bytes16 productId, uint8 asked, uint8 offered);
    /// @notice Thrown when a validity is empty, already over, or ends beyond the year 36,811.
    error LicenceRegistry_ValidityEmpty(uint64 validFrom, uint64 validUntil);
    /// @notice Thrown when a quota of zero is agreed.
    error LicenceRegistry_QuotaEmpty(bytes16 agreementId);
    /// @notice Thrown when a supplement would leave a quota of zero.
    error LicenceRegistry_SupplementQuotaEmpty(uint64 licenceNo);
    /// @notice Thrown when the platform's liability lies below the statutory floor.
    error LicenceRegistry_LiabilityBelowFloor(Ppm gotPpm, uint256 floorPpm);
    /// @notice Thrown when a signature comes too late.
    error LicenceRegistry_DeadlinePassed(uint64 deadline, uint64 nowSeconds);
    /// @notice Thrown when a signature does not verify for the account.
    error LicenceRegistry_SignatureInvalid(address signer, bytes32 digest);
    /// @notice Thrown when the account signs for another organisation than the one named.
    error LicenceRegistry_SignerNotOfParty(address signer, bytes16 organisationId, bytes16 partyId);
    /// @notice Thrown when the agreement already granted a licence; names it.
    error LicenceRegistry_AgreementUsed(bytes16 agreementId, uint64 licenceNo);
    /// @notice Thrown when a supplement does not follow the licence's latest document; zero is expected
    /// where the agreement named did not grant the licence.
    error LicenceRegistry_SupplementOutOfOrder(uint64 licenceNo, bytes32 got, bytes24 expected);
    /// @notice Thrown when a state cannot follow the present one.
    error LicenceRegistry_IllegalStep(uint256 id, uint8 from, uint8 to);
    /// @notice Thrown when an operator would lift a suspension that a registrar imposed.
    /// @param id The licence's number, or the product's id as a number.
    error LicenceRegistry_SuspendedByAuthority(uint256 id);
    /// @notice Thrown when the operator and the buyer are the same organisation.
    error LicenceRegistry_SelfDealing(bytes16 organisationId);

    /// @notice Thrown when a competition licence is not for a sandbox alone, names no team limit or one
    /// beyond the most, or lasts too long; names what was asked.
    error LicenceRegistry_CompetitionTerms(bytes16 productId, uint8 modes, uint8 teamMax, uint64 validSeconds);

    /// @notice Thrown when a supplement would leave a quota below what is billed already.
    error LicenceRegistry_QuotaBelowBilled(uint64 licenceNo, uint64 quotaUnits, uint64 billedUnits);
    /// @notice Thrown when the ledger of bills was not named yet.
    error LicenceRegistry_LedgerMissing(uint64 licenceNo);
    /// @notice Thrown when the ledger of bills was named before, or by another than who deployed this.
    error LicenceRegistry_LedgerBound(address caller, IBilled ledger);

    /// @notice Thrown when a derived product is asked for what only a product with caps has, or the
    /// other way round.
    error LicenceRegistry_DerivedProduct(bytes16 productId, bool isDerived);
    /// @notice Thrown when sources are none, too many, or not ascending by licence, then by ancestor.
    error LicenceRegistry_SourceOrder(uint256 index, uint256 limit);
    /// @notice Thrown when a source's licence is another organisation's, or not in use now.
    error LicenceRegistry_SourceLicence(uint64 licenceNo, bytes16 buyerId, LicenceState state);
    /// @notice Thrown when what was licensed for free use would be sold on at a market price.
    error LicenceRegistry_SourcePurpose(uint64 licenceNo, Purpose purpose);
    /// @notice Thrown when a source is neither a dataset of its licence's product nor that product itself,
    /// being derived.
    error LicenceRegistry_SourceUnknown(uint64 licenceNo, bytes16 ancestorId);
    /// @notice Thrown when the shares under a licence do not sum to the outcome share it agreed.
    error LicenceRegistry_OutcomeDiffers(uint64 licenceNo, uint256 gotPpm, uint256 agreedPpm);
    /// @notice Thrown when an outcome share, or fee and shares together, exceed the whole.
    error LicenceRegistry_OutcomeTooLarge(uint256 gotPpm, uint256 limitPpm);
    /// @notice Thrown when a derived product has more ancestors, or more operators upstream, than the limit.
    error LicenceRegistry_AncestorCount(uint256 count, uint256 limit);
    /// @notice Thrown when a seller operates a product upstream, or is an affiliate of who does.
    error LicenceRegistry_OperatorResells(bytes16 developerId, bytes16 operatorId);
    /// @notice Thrown when the organisation that would take a fee is no platform.
    error LicenceRegistry_NotPlatform(bytes16 organisationId);

    /// @notice Names the ledger of bills, once; who deployed this contract. The ledger is made later, so
    /// no constructor can.
    function bindLedger(IBilled ledger) external;

    /// @notice Lists a product over datasets. Emits {ProductListed}.
    /// @dev The lineage is written once, as the code of a contract of its own that does nothing, and
    /// stays as it is. Whoever has the address of that contract reads the list there.
    /// @param productId UUIDv7 chosen by the operator.
    /// @param cityCode The city whose price authority is competent and where the caller operates.
    /// @param modes Bitmap of delivery modes, each offered by every dataset.
    /// @param metadataDigest Salted digest of the product's description.
    /// @param lineage Claimants by ascending id, at most 64, weights in ppm summing to 1,000,000.
    function listProduct(
        bytes16 productId,
        uint32 cityCode,
        uint8 modes,
        bytes32 metadataDigest,
        LineageEntry[] calldata lineage
    ) external;

    /// @notice Lists a derived product (二次开发); a developer of its city. Emits {ProductDerived}.
    /// @dev Who operates a product upstream, however far up, or is affiliated to such an operator, is
    /// refused. The outcome shares are flattened here, once: an ancestor that is derived itself passes
    /// on its own shares, floored to the ppm, and its developer keeps the rest.
    /// @param sources Parents, ascending by licence, then by ancestor; at most 64.
    function listDerived(Derivation calldata terms, Source[] calldata sources) external;

    /// @notice Suspends, restores or withdraws a product: its operator, a registrar of its city, or the
    /// objection desk. Emits {ProductStateSet}, with no actor where the desk acted.
    /// @dev What a registrar suspended, only a registrar restores; what the desk suspended, only the
    /// desk. A registrar may also take over a suspension by the operator.
    function setProductState(bytes16 productId, ProductState state, bytes32 decisionDigest) external;

    /// @notice Approves ceiling prices (上限收费标准); price authority of the product's city. Emits {CapsApproved}.
    /// @param caps Highest unit prices in micro-yuan, per band of the running total.
    function approveCaps(bytes16 productId, Band[] calldata caps, bytes32 decisionDigest) external;

    /// @notice Publishes the tariff now in force, within the approved caps. Emits {TariffPublished}.
    /// @dev Quotes freeze the version: the one before can be agreed on for 14 days more.
    /// @param caps The approved caps, whose digest the ledger holds; none for a derived product.
    function publishTariff(bytes16 productId, Tariff calldata tariff, Band[] calldata caps) external;

    /// @notice Grants a licence on an agreement that both sides signed. Anyone may submit it.
    /// Emits {LicenceGranted} and {OpeningDecided}.
    /// @dev The product must be for sale, and every dataset of its lineage sellable and open now; where
    /// one needs an application, one must be approved for the whole validity.
    /// @return licenceNo Number of the licence, from 1.
    function grantLicence(
        Agreement calldata agreement,
        Signed calldata operatorSigned,
        Signed calldata buyerSigned
    ) external returns (uint64 licenceNo);

    /// @notice Changes a licence by a supplement that both sides signed. Emits {LicenceSupplemented}.
    /// @dev A later end or a larger quota asks again for what a grant asks of product and data, and emits
    /// {OpeningDecided}.
    /// @param agreementId The agreement that granted the licence: what it granted is looked up there.
    function supplement(
        bytes16 agreementId,
        Supplement calldata change,
        Signed calldata operatorSigned,
        Signed calldata buyerSigned
    ) external;

    /// @notice Suspends or restores a licence (operator, registrar of the product's city, objection
    /// desk), or ends it (also the buyer). Emits {LicenceStateSet}, with no actor where the desk acted.
    /// @dev As for products. While the desk holds a licence, nobody else changes its state.
    function setLicenceState(uint64 licenceNo, LicenceState state, bytes32 decisionDigest) external;

    /// @notice The EIP-712 digest that both sides sign.
    function agreementDigest(Agreement calldata agreement) external view returns (bytes32);

    /// @notice The EIP-712 digest of a supplement that both sides sign.
    function supplementDigest(Supplement calldata change) external view returns (bytes32);

    /// @notice One product; reverts when unknown.
    function product(bytes16 productId) external view returns (Product memory);

    /// @notice One licence; reverts when unknown.
    function licence(uint64 licenceNo) external view returns (Licence memory);

    /// @return What an agreement granted; all zero where nothing.
    function grantOf(bytes16 agreementId) external view returns (Grant memory);

    /// @notice A product's lineage, in its order; empty when the product is unknown.
    function lineageOf(bytes16 productId) external view returns (LineageEntry[] memory);

    /// @return Operators of all products from which a derived product was made, however far up.
    function upstreamOf(bytes16 productId) external view returns (bytes16[] memory);

    /// @return Where the lineage of a derived product is written; reverts for any other product.
    function outcomesAt(bytes16 productId) external view returns (address);

    /// @notice Who sells a product, and its city; reverts when unknown.
    function sellerOf(bytes16 productId) external view returns (bytes16 operatorId, uint32 cityCode);

    /// @notice Who sold and who bought a licence, and the product's city; reverts when unknown.
    function partiesOf(uint64 licenceNo)
        external
        view
        returns (bytes16 operatorId, bytes16 buyerId, uint32 cityCode);

    /// @return Contract whose code is the lineage of a product with caps: a zero byte, then 20 bytes an entry, id
    /// (16), kind (1), weight in ppm (3, big-endian); zero when the product is unknown.
    /// Reverts for a derived product.
    function lineageAt(bytes16 productId) external view returns (address);

    /// @notice Reverts unless the tariff is the one published under this number.
    function requireTariff(bytes16 productId, uint32 tariffNo, Tariff calldata tariff) external view;
}
