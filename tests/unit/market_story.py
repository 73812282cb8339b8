"""A small market as events: every event of the contracts at least once."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from ledger.projection.stored import StoredEvent, plain

U64 = 2**64 - 1
CITY = 320100


def uid(number: int) -> UUID:
    return UUID(int=(0x0199C0DE << 96) | (0x7000 << 64) | (0x8 << 60) | number)


def digest(number: int) -> bytes:
    return number.to_bytes(32, "big")


PROVIDER, OPERATOR, BUYER, TREASURY = uid(1), uid(2), uid(3), uid(4)
DATASET, CHILD, PRODUCT, AGREEMENT = uid(11), uid(12), uid(21), uid(31)
SCHEME, INVOICE, FREE_INVOICE, BATCH = uid(41), uid(51), uid(52), uid(61)
LINEAGE = [
    {"claimant_id": OPERATOR, "kind": 2, "weight_ppm": 400_000},
    {"claimant_id": DATASET, "kind": 1, "weight_ppm": 600_000},
]
BANDS = [
    {"up_to_units": 1000, "price_micro_yuan": 30_000},
    {"up_to_units": U64, "price_micro_yuan": 20_000},
]
TARIFF = {"basis": 2, "free_quota_units": 10, "discount_ppm": 0, "bands": BANDS}
NET_FEN = 100_000
TAX, TO_OPERATOR, TO_DATASET = 600_000_000, 39_760_000_001, 59_639_999_999
RESERVE = 0


def story() -> list[StoredEvent]:
    """Return the market's events in order, one block each."""
    return Teller().tell()


class Teller:
    """Numbers the events per contract and puts each into a block of its own."""

    def __init__(self) -> None:
        self.events: list[StoredEvent] = []
        self.counts: dict[str, int] = {}

    def say(self, contract: str, name: str, **args: Any) -> None:
        number = len(self.events) + 1
        self.counts[contract] = self.counts.get(contract, 0) + 1
        self.events.append(
            StoredEvent(
                block_hash=f"0x{number:064x}",
                log_index=0,
                block_number=number,
                block_time=1_700_000_000 + number,
                tx_hash=f"0x{number + 10**6:064x}",
                contract=contract,
                event_no=self.counts[contract],
                name=name,
                args=plain(args),
            )
        )

    def tell(self) -> list[StoredEvent]:
        self.directory()
        self.datasets()
        self.licences()
        self.usage()
        self.money()
        return self.events

    def directory(self) -> None:
        self.say("Directory", "CityOpened", city_code=CITY)
        self.say("Directory", "WorkingDaysSet", year=2026, low=1, high=0)
        self.say("Directory", "WorkingDaysSet", year=2026, low=2**256 - 1, high=2**109 - 1)
        self.say("Directory", "NoticeDaysSet", working_days=0, is_trial=True)
        for kind, is_public in ((1, True), (5, False), (7, False)):
            rule = {"roles": 511, "is_institution": kind == 7, "payee_rule": int(is_public)}
            self.say("Directory", "KindDefined", kind=kind, rule=rule)
        self.say("Directory", "KindDefined", kind=5, rule=rule | {"is_institution": False})
        for who, kind in ((PROVIDER, 1), (OPERATOR, 5), (BUYER, 5), (TREASURY, 7)):
            self.admit(who, kind)
        for who, role in ((PROVIDER, 0), (OPERATOR, 1), (BUYER, 2), (TREASURY, 6), (BUYER, 1)):
            key = {"organisation_id": who, "role": role, "city_code": CITY}
            self.say("Directory", "RoleGranted", **key)
        self.say("Directory", "RoleRevoked", organisation_id=BUYER, role=1, city_code=CITY)
        rule = {"city_code": CITY, "rule_no": 1, "treasury_ppm": 300_000, "treasury_id": TREASURY}
        self.say("Directory", "TreasuryRuleSet", **rule, decision_digest=digest(4))
        clerk = {"organisation_id": BUYER, "signer": "0x" + "b2" * 20}
        self.say("Directory", "SignerAdded", **clerk, roles=4)
        self.say("Directory", "SignerRolesSet", **clerk, roles=4 | 1 << 31)
        self.say("Directory", "JointActsSet", organisation_id=BUYER, joint_acts=5)
        self.say("Directory", "WorkPrepared", **clerk, work_digest=digest(4))
        self.say("Directory", "WorkPrepared", **clerk, work_digest=digest(4))
        self.say("Directory", "JointActsSet", organisation_id=BUYER, joint_acts=0)
        self.say("Directory", "SignerRemoved", **clerk)
        self.say(
            "Directory",
            "OrganisationStatusSet",
            organisation_id=BUYER,
            status=1,
            decision_digest=digest(5),
        )

    def admit(self, who: UUID, kind: int) -> None:
        organisation = {
            "kind": kind,
            "status": 1,
            "city_code": CITY,
            "joined_at": 1_700_000_000,
            "profile_digest": digest(who.int & 0xFF),
        }
        signer = "0x" + f"{who.int & 0xFF:02x}" * 20
        self.say(
            "Directory",
            "OrganisationAdmitted",
            organisation_id=who,
            organisation=organisation,
            signer=signer,
        )

    def datasets(self) -> None:
        for number, dataset_id in ((1, DATASET), (2, CHILD)):
            self.evidence(dataset_id)
            parents = [digest(101)] if number == 2 else []
            self.version(dataset_id, 1, 100 + number, parents)
        self.version(DATASET, 2, 103, [digest(101), digest(102)])
        for step in range(1, 6):
            self.say(
                "DatasetRegistry",
                "RegistrationAdvanced",
                dataset_id=DATASET,
                kind=1,
                **{"from": step, "to": step + 1},
                actor_id=PROVIDER,
                decision_digest=digest(step),
            )
            if step == 4:
                self.objection()
        self.coded(1)
        self.again()
        subject = {"dataset_id": CHILD}
        self.say(
            "DatasetRegistry",
            "DatasetClassified",
            **subject,
            open_class=3,
            sensitivity=2,
            decision_digest=digest(6),
        )
        self.say(
            "DatasetRegistry",
            "QualityInspected",
            **subject,
            grade=2,
            scores=bytes([85] * 6),
            inspector_id=TREASURY,
            report_digest=digest(7),
        )
        self.rectified()
        self.say(
            "DatasetRegistry",
            "DatasetSuspensionSet",
            **subject,
            is_suspended=True,
            decision_digest=digest(8),
        )

    def objection(self) -> None:
        about = {"dataset_id": DATASET, "objection_id": UUID(int=DATASET.int + 1)}
        self.say(
            "DatasetRegistry",
            "NoticeObjected",
            **about,
            objector_id=BUYER,
            statement_digest=digest(31),
            evidence_digest=digest(32),
        )
        self.say(
            "DatasetRegistry",
            "NoticeObjectionDecided",
            **about,
            is_upheld=False,
            registrar_id=TREASURY,
            decision_digest=digest(33),
        )

    def coded(self, kind: int) -> None:
        self.say(
            "DatasetRegistry",
            "RegistrationCoded",
            dataset_id=DATASET,
            kind=kind,
            registration_code=digest(41),
            valid_until=2_000_000_000,
            application_digest=digest(9),
        )

    def again(self) -> None:
        """A correction of what is coded."""
        for old, new in ((6, 2), (2, 3), (3, 4), (4, 6)):
            self.say(
                "DatasetRegistry",
                "RegistrationAdvanced",
                dataset_id=DATASET,
                kind=3,
                **{"from": old, "to": new},
                actor_id=PROVIDER,
                decision_digest=digest(9),
            )
        self.coded(3)

    def rectified(self) -> None:
        """Grade E, then better; a masked version, a table of opening, a responsibility list."""
        for grade, score in ((5, 30), (5, 30), (2, 85)):
            self.say(
                "DatasetRegistry",
                "QualityInspected",
                dataset_id=CHILD,
                grade=grade,
                scores=bytes([score] * 6),
                inspector_id=TREASURY,
                report_digest=digest(7),
            )
        for risk in (35, 36):
            self.say(
                "DatasetRegistry",
                "VersionMasked",
                dataset_id=DATASET,
                version_no=2,
                source_digest=digest(101),
                report_digest=digest(risk),
            )
        self.say(
            "DatasetRegistry",
            "OpeningPolicyPublished",
            policy_no=1,
            city_code=0,
            effective_at=1_700_000_000,
            unconditional=2**210 - 1,
            conditional=2**209 + 7,
            document_digest=digest(34),
        )
        self.say(
            "DatasetRegistry",
            "DutiesAnchored",
            city_code=CITY,
            quarter_id=20263,
            duty_count=2,
            overdue_count=1,
            registrar_id=TREASURY,
            list_digest=digest(36),
        )

    def evidence(self, dataset_id: UUID) -> None:
        registration = {
            "dataset_id": dataset_id,
            "open_class": 2,
            "sensitivity": 1,
            "contains_personal_information": False,
            "is_shared_in": False,
            "delivery_modes": 3,
            "update_frequency": 4,
            "metadata_digest": digest(9),
            "masking_report_digest": digest(0),
            "source_consent_digest": digest(0),
        }
        self.say(
            "DatasetRegistry",
            "DatasetEvidenced",
            dataset_id=dataset_id,
            provider_id=PROVIDER,
            city_code=CITY,
            registration=registration,
        )

    def version(self, dataset_id: UUID, number: int, content: int, parents: list[bytes]) -> None:
        version = {
            "sha256_digest": digest(content),
            "sm3_digest": digest(content + 1000),
            "schema_digest": digest(10),
            "row_count": 3_000,
            "byte_size": U64,
        }
        self.say(
            "DatasetRegistry",
            "VersionAdded",
            dataset_id=dataset_id,
            version_no=number,
            version=version,
            parents=parents,
        )

    def licences(self) -> None:
        say = self.say
        key = {"product_id": PRODUCT}
        say(
            "LicenceRegistry",
            "ProductListed",
            **key,
            operator_id=OPERATOR,
            city_code=CITY,
            modes=3,
            metadata_digest=digest(11),
            lineage=LINEAGE,
        )
        for decision in (12, 13):
            say(
                "LicenceRegistry",
                "CapsApproved",
                **key,
                authority_id=TREASURY,
                caps=BANDS,
                decision_digest=digest(decision),
            )
        say("LicenceRegistry", "TariffPublished", **key, tariff_no=1, tariff=TARIFF)
        say("LicenceRegistry", "TariffPublished", **key, tariff_no=2, tariff=TARIFF)
        say(
            "LicenceRegistry",
            "LicenceGranted",
            licence_no=1,
            agreement=agreement(),
            agreement_digest=digest(14),
        )
        say("LicenceRegistry", "OpeningDecided", licence_no=1, tier=3, policy_nos=[1, 1])
        say(
            "LicenceRegistry",
            "LicenceSupplemented",
            licence_no=1,
            supplement=supplement(),
            agreement_digest=digest(15),
        )
        say("LicenceRegistry", "OpeningDecided", licence_no=1, tier=2, policy_nos=[2, 2])
        decided = {"actor_id": OPERATOR, "decision_digest": digest(16)}
        self.dealings()
        say("LicenceRegistry", "LicenceStateSet", licence_no=1, state=2, **decided)
        say("LicenceRegistry", "LicenceStateSet", licence_no=1, state=1, **decided)
        say("LicenceRegistry", "ProductStateSet", **key, state=1, **decided)

    def dealings(self) -> None:
        say = self.say
        for is_required in (True, False):
            say(
                "Applications",
                "ApplicationRequirementSet",
                dataset_id=DATASET,
                provider_id=PROVIDER,
                is_required=is_required,
                decision_digest=digest(61),
            )
        for number in (1, 2):
            say(
                "Applications",
                "ApplicationSubmitted",
                application_id=uid(70 + number),
                dataset_id=DATASET,
                applicant_id=BUYER,
                purpose=3,
                modes=2,
                form_digest=digest(62),
            )
        say(
            "Applications",
            "ApplicationDecided",
            application_id=uid(71),
            provider_id=PROVIDER,
            is_approved=True,
            valid_until=1_900_000_000,
            decision_digest=digest(63),
        )
        say("Applications", "ApplicationWithdrawn", application_id=uid(72))
        for thread in (75, 76):
            for number in (1, 2):
                say(
                    "Negotiations",
                    "OfferMade",
                    thread_id=uid(thread),
                    product_id=PRODUCT,
                    operator_id=OPERATOR,
                    buyer_id=BUYER,
                    offer_no=number,
                    state=number,
                    previous_digest=digest(64) if number == 2 else digest(0),
                    offer_digest=digest(63 + number),
                    deadline=1_700_001_000,
                )
        key = {"thread_id": uid(75)}
        offer = {"offer_digest": digest(65)}
        say("Negotiations", "OfferAccepted", **key, **offer, acceptance_digest=digest(66))
        agreed = {"agreement_digest": digest(15)}
        say("Negotiations", "AgreementProposed", **key, **offer, **agreed, deadline=1_700_002_000)
        say("Negotiations", "NegotiationFinalized", **key, **agreed, licence_no=1)
        key = {"thread_id": uid(76), "actor_id": BUYER}
        say("Negotiations", "NegotiationTerminated", **key, decision_digest=digest(67))

    def usage(self) -> None:
        self.say("UsageLog", "LogOpened", log_no=1, keeper_id=OPERATOR, origin_digest=digest(17))
        for size in (100, 250, U64):
            head = {
                "size": size,
                "root": digest(size % 251),
                "time_ms": 1_700_000_000_000 + size % 251,
            }
            self.say("UsageLog", "Anchored", log_no=1, **head)

    def money(self) -> None:
        say = self.say
        costs = [
            {"claimant_id": OPERATOR, "cost_fen": 10_000_000},
            {"claimant_id": DATASET, "cost_fen": 20_000_000},
        ]
        say("RevenueLedger", "SchemeApproved", scheme_id=SCHEME, terms=terms(), costs=costs)
        say("RevenueLedger", "InvoiceIssued", **bill(INVOICE, 0, 5_000, 106_000))
        say("RevenueLedger", "InvoiceIssued", **bill(FREE_INVOICE, 5_000, 5_001, 0))
        for amount, paid, held_until in ((6_000, 6_000, 0), (100_000, 106_000, 1_700_000_500)):
            say(
                "RevenueLedger",
                "PaymentRecorded",
                invoice_id=INVOICE,
                amount_fen=amount,
                paid_fen=paid,
                held_until=held_until,
                receipt_digest=digest(amount),
            )
        say("RevenueLedger", "InvoiceReleased", invoice_id=INVOICE, release_no=1, is_accepted=True)
        say("RevenueLedger", "SplitRecorded", **split_args())
        lines = [{"scheme_id": SCHEME, "claimant_id": DATASET, "amount_fen": 59_639}]
        say(
            "RevenueLedger",
            "RemittanceOpened",
            batch_id=BATCH,
            payee_id=TREASURY,
            lines=lines,
            set_off_fen=0,
            document_digest=digest(18),
        )
        say("RevenueLedger", "RemittanceClosed", batch_id=BATCH, receipt_digest=digest(19))


def agreement() -> dict[str, Any]:
    return {
        "agreement_id": AGREEMENT,
        "product_id": PRODUCT,
        "operator_id": OPERATOR,
        "buyer_id": BUYER,
        "tariff_no": 2,
        "purpose": 3,
        "modes": 2,
        "valid_from": 1_700_000_000,
        "valid_until": 1_800_000_000,
        "quota_units": U64,
        "platform_liability_ppm": 500_000,
        "outcome_ppm": 0,
        "team_max": 0,
        "is_accepted_by_use": False,
        "terms_digest": digest(20),
        "deadline": 1_700_001_000,
    }


def supplement() -> dict[str, Any]:
    return {
        "licence_no": 1,
        "previous_digest": digest(14),
        "terms_digest": digest(21),
        "valid_until": 1_900_000_000,
        "quota_units": 9_000,
        "platform_liability_ppm": 600_000,
        "deadline": 1_700_001_000,
    }


def terms() -> dict[str, Any]:
    return {
        "scheme_id": SCHEME,
        "operator_id": OPERATOR,
        "platform_id": OPERATOR,
        "governance_id": UUID(int=0),
        "cycle_id": SCHEME,
        "previous_cycle_id": UUID(int=0),
        "is_trial": True,
        "providers_ppm": 0,
        "operator_ppm": 0,
        "platform_ppm": 0,
        "governance_ppm": 0,
        "city_code": CITY,
        "year": 2026,
        "bond_ppm": 20_000,
        "spread_ppm": 60_000,
        "surcharge_ppm": 6_000,
        "vat_ppm": 60_000,
        "tax_fen": 1_000_000,
        "hold_days": 5,
        "decision_digest": digest(22),
    }


def bill(invoice_id: UUID, from_units: int, to_units: int, gross_fen: int) -> dict[str, Any]:
    return {
        "invoice_id": invoice_id,
        "licence_no": 1,
        "scheme_id": SCHEME,
        "period_id": 202611,
        "log_no": 1,
        "receipt_index": 7,
        "from_units": from_units,
        "to_units": to_units,
        "gross_fen": gross_fen,
        "document_digest": digest(23),
    }


def split_args(tax: int = TAX) -> dict[str, Any]:
    split = {
        "tax_micro_fen": tax,
        "lineage_cost_micro_fen": [TO_OPERATOR, TO_DATASET],
        "common_cost": [],
        "benefit_micro_fen": [],
        "forgone_micro_fen": 0,
        "reserve_micro_fen": NET_FEN * 10**6 - TAX - TO_OPERATOR - TO_DATASET,
    }
    return {
        "invoice_id": INVOICE,
        "scheme_id": SCHEME,
        "release_no": 1,
        "net_fen": NET_FEN,
        "vat_fen": 6_000,
        "split": split,
    }
