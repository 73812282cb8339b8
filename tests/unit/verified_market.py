"""A small market that keeps every rule: events by hand, and a real log on disk.

One product over two datasets, one charged and one free licence; the operator's cost is so small
that what it cannot take is shared among the datasets. All amounts are worked out by hand.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

from ledger.chain.events import Event
from ledger.codec.documents import Document
from ledger.verification.typed_data import agreement_digest, supplement_digest
from tests.unit.written_log import Signed, Use, WrittenLog

U64 = 2**64 - 1
CITY = 320100
START = 1_790_000_000
"""September 2026, Unix seconds."""
VALID_UNTIL = START + 2 * 365 * 86_400
EVERY_CELL = sum(3 << 3 * cell for cell in range(70))
"""Conditional, whatever the mode and the purpose."""
LOW_2026, HIGH_2026 = (2**256 - 1) & ~7, 2**109 - 1
"""Every day but the first three is worked."""
HELD_UNTIL = 1_790_438_399
"""The end of 26 September in China: five days after START's, each of them worked."""
ORIGIN = "example.org/log/1"
DOMAIN = {
    "name": "MetroDataLedger",
    "version": "1",
    "chainId": 31337,
    "verifyingContract": "0x" + "11" * 20,
}


def uid(number: int) -> UUID:
    return UUID(int=(0x0199C0DE << 96) | (0x7000 << 64) | (0x8 << 60) | number)


def digest(number: int) -> bytes:
    return number.to_bytes(32, "big")


PROVIDER, OPERATOR, BUYER, TREASURY = uid(1), uid(2), uid(3), uid(4)
REGISTRAR, PRICE, PLATFORM, UTILITY = uid(5), uid(6), uid(7), uid(8)
WEATHER, TRAFFIC, PRODUCT = uid(11), uid(12), uid(21)
SCHEME, INVOICE, LATER, FREE = uid(41), uid(51), uid(52), uid(53)
BATCHES = (uid(61), uid(62), uid(63), uid(65))
TREASURY_PPM = 300_000
"""Of what the utility, a public institution here, earns: 1,834 of 6,113 fen."""
LINEAGE = [
    {"claimant_id": OPERATOR, "kind": 2, "weight_ppm": 400_000},
    {"claimant_id": WEATHER, "kind": 1, "weight_ppm": 350_000},
    {"claimant_id": TRAFFIC, "kind": 1, "weight_ppm": 250_000},
]
BANDS = [
    {"up_to_units": 1_000, "price_micro_yuan": 30_000},
    {"up_to_units": U64, "price_micro_yuan": 20_000},
]
TARIFF = {"basis": 2, "free_quota_units": 10, "discount_ppm": 0, "bands": BANDS}
GROSS_FEN = 20_980
"""10,000 units: 10 free, 1,000 at 3 fen, 8,990 at 2 fen."""
NET_FEN = 19_792
TAX_MICRO_FEN = 118_752_000
LINES_MICRO_FEN = [5_000_000_000, 8_559_394_667, 6_113_853_333]
LATER_FEN = 5_000
ROLES = (
    (PROVIDER, 0),
    (UTILITY, 0),
    (OPERATOR, 1),
    (BUYER, 2),
    (PLATFORM, 3),
    (REGISTRAR, 4),
    (PRICE, 5),
    (TREASURY, 6),
)
KINDS = {1: 0b1, 2: 0b1, 5: 0b111, 6: 0b10110000, 7: 0b1000000, 8: 0b1000}
KIND_OF = {PROVIDER: 1, UTILITY: 2, TREASURY: 7, REGISTRAR: 6, PRICE: 6, PLATFORM: 8}


class VerifiedMarket:
    """The market below a folder: `events`, `logs`, `documents`; `log` wrote the one log."""

    def __init__(self, folder: Path) -> None:
        self.logs = folder / "logs"
        self.documents = folder / "documents"
        self.events: list[Event] = []
        self.counts: dict[str, int] = {}
        self.later_seconds = 0
        self._directory()
        self._datasets()
        self._sales()
        self._use()
        self._money()
        self._document()

    def copy(self) -> list[Event]:
        """Return the events, free to be changed."""
        return deepcopy(self.events)

    def say(self, contract: str, name: str, /, **args: Any) -> None:
        number = len(self.events) + 1
        self.counts[contract] = self.counts.get(contract, 0) + 1
        self.events.append(
            Event(
                contract=contract,
                name=name,
                event_no=self.counts[contract],
                args=deepcopy(args),
                block_number=number,
                block_hash=f"0x{number:064x}",
                block_time=START + number + self.later_seconds,
                tx_hash=f"0x{number + 10**6:064x}",
                log_index=0,
            )
        )

    def _directory(self) -> None:
        self.say("Directory", "CityOpened", city_code=CITY)
        self.say("Directory", "WorkingDaysSet", year=2026, low=LOW_2026, high=HIGH_2026)
        self.say("Directory", "NoticeDaysSet", working_days=0, is_trial=True)
        self.say("Directory", "NoticeDaysSet", working_days=0, is_trial=True)
        for kind, roles in KINDS.items():
            payee_rule = {1: 1, 2: 2}.get(kind, 0)
            rule = {"roles": roles, "is_institution": kind > 5, "payee_rule": payee_rule}
            self.say("Directory", "KindDefined", kind=kind, rule=rule)
        for who, role in ROLES:
            organisation = {
                "kind": KIND_OF.get(who, 5),
                "status": 1,
                "city_code": CITY,
                "joined_at": START,
                "profile_digest": digest(who.int & 0xFF),
            }
            key = {"organisation_id": who}
            signer = "0x" + f"{who.int & 0xFF:02x}" * 20
            self.say(
                "Directory", "OrganisationAdmitted", **key, organisation=organisation, signer=signer
            )
            self.say("Directory", "RoleGranted", **key, role=role, city_code=CITY)
        rule = {"city_code": CITY, "rule_no": 1, "treasury_ppm": TREASURY_PPM}
        self.say(
            "Directory", "TreasuryRuleSet", **rule, treasury_id=TREASURY, decision_digest=digest(4)
        )
        extra = {"organisation_id": BUYER, "signer": "0x" + "b2" * 20}
        self.say("Directory", "SignerAdded", **extra, roles=4)
        self.say("Directory", "SignerRolesSet", **extra, roles=4 | 1 << 31)
        self.say("Directory", "JointActsSet", organisation_id=BUYER, joint_acts=5)
        self.say("Directory", "WorkPrepared", **extra, work_digest=digest(4))
        self.say("Directory", "JointActsSet", organisation_id=BUYER, joint_acts=0)
        self.say("Directory", "SignerRemoved", **extra)
        key = {"organisation_id": BUYER, "role": 1, "city_code": CITY}
        self.say("Directory", "RoleGranted", **key)
        self.say("Directory", "RoleRevoked", **key)
        decided = {"organisation_id": BUYER, "decision_digest": digest(5)}
        self.say("Directory", "OrganisationStatusSet", **decided, status=1)

    def _object(self, dataset_id: UUID) -> None:
        about = {"dataset_id": dataset_id, "objection_id": uid(dataset_id.int & 0xFF | 0x700)}
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
            registrar_id=REGISTRAR,
            decision_digest=digest(33),
        )

    def _code(self, dataset_id: UUID, kind: int) -> None:
        self.say(
            "DatasetRegistry",
            "RegistrationCoded",
            dataset_id=dataset_id,
            kind=kind,
            registration_code=digest(dataset_id.int & 0xFF),
            valid_until=VALID_UNTIL,
            application_digest=digest(9 if kind == 3 else 1),
        )

    def _apply_for(self, kind: int) -> None:
        """A correction (3) of the first dataset, from application to code."""
        for old, new in ((6, 2), (2, 3), (3, 4), (4, 6)):
            self.say(
                "DatasetRegistry",
                "RegistrationAdvanced",
                dataset_id=WEATHER,
                kind=kind,
                **{"from": old, "to": new},
                actor_id=PROVIDER if new == 2 else REGISTRAR,
                decision_digest=digest(9),
            )
        self._code(WEATHER, kind)

    def _open(self) -> None:
        """Tables of graded opening, a masked version, a responsibility list."""
        say = self.say
        say(
            "DatasetRegistry",
            "OpeningPolicyPublished",
            policy_no=1,
            city_code=0,
            effective_at=START + len(self.events) + 1,
            unconditional=EVERY_CELL,
            conditional=EVERY_CELL,
            document_digest=digest(34),
        )
        say(
            "DatasetRegistry",
            "VersionMasked",
            dataset_id=WEATHER,
            version_no=2,
            source_digest=digest(101),
            report_digest=digest(35),
        )
        say(
            "DatasetRegistry",
            "DutiesAnchored",
            city_code=CITY,
            quarter_id=20263,
            duty_count=2,
            overdue_count=0,
            registrar_id=REGISTRAR,
            list_digest=digest(36),
        )

    def _datasets(self) -> None:
        for number, (dataset_id, owner) in enumerate(((WEATHER, PROVIDER), (TRAFFIC, UTILITY))):
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
            about = {"dataset_id": dataset_id}
            self.say(
                "DatasetRegistry",
                "DatasetEvidenced",
                **about,
                provider_id=owner,
                city_code=CITY,
                registration=registration,
            )
            self._version(dataset_id, 1, 101 + number, [digest(101)] if number else [])
            for step in range(1, 6):
                self.say(
                    "DatasetRegistry",
                    "RegistrationAdvanced",
                    **about,
                    kind=1,
                    **{"from": step, "to": step + 1},
                    actor_id=owner if step == 1 else REGISTRAR,
                    decision_digest=digest(step),
                )
                if step == 4:
                    self._object(dataset_id)
            self._code(dataset_id, 1)
        self._apply_for(3)
        self._version(WEATHER, 2, 103, [digest(101), digest(102)])
        decided = {"dataset_id": TRAFFIC, "decision_digest": digest(6)}
        self.say("DatasetRegistry", "DatasetClassified", **decided, open_class=1, sensitivity=1)
        self.say("DatasetRegistry", "DatasetSuspensionSet", **decided, is_suspended=False)
        self.say(
            "DatasetRegistry",
            "QualityInspected",
            dataset_id=TRAFFIC,
            grade=1,
            scores=bytes((90, 91, 92, 93, 94, 95)),
            inspector_id=REGISTRAR,
            report_digest=digest(7),
        )

    def _version(self, dataset_id: UUID, number: int, content: int, parents: list[bytes]) -> None:
        version = {
            "sha256_digest": digest(content),
            "sm3_digest": digest(content + 1_000),
            "schema_digest": digest(10),
            "row_count": 3_000,
            "byte_size": 9_000,
        }
        self.say(
            "DatasetRegistry",
            "VersionAdded",
            dataset_id=dataset_id,
            version_no=number,
            version=version,
            parents=parents,
        )

    def _sales(self) -> None:
        self._open()
        key = {"product_id": PRODUCT}
        self.say(
            "LicenceRegistry",
            "ProductListed",
            **key,
            operator_id=OPERATOR,
            city_code=CITY,
            modes=3,
            metadata_digest=digest(11),
            lineage=LINEAGE,
        )
        decided = {"decision_digest": digest(12)}
        self.say(
            "LicenceRegistry", "CapsApproved", **key, authority_id=PRICE, caps=BANDS, **decided
        )
        self.say("LicenceRegistry", "TariffPublished", **key, tariff_no=1, tariff=TARIFF)
        self._negotiate()
        self._apply_for_use()
        for number, (purpose, tariff_no) in enumerate(((3, 1), (2, 0)), start=1):
            agreement = agreement_of(number, purpose, tariff_no)
            self.say(
                "LicenceRegistry",
                "LicenceGranted",
                licence_no=number,
                agreement=agreement,
                agreement_digest=agreement_digest(DOMAIN, agreement),
            )
            self.say(
                "LicenceRegistry", "OpeningDecided", licence_no=number, tier=3, policy_nos=[1, 1]
            )
        agreed = {"agreement_digest": agreement_digest(DOMAIN, agreement_of(1, 3, 1))}
        final = {"thread_id": uid(75), "licence_no": 1}
        self.say("Negotiations", "NegotiationFinalized", **final, **agreed)
        change = {
            "licence_no": 1,
            "previous_digest": agreement_digest(DOMAIN, agreement_of(1, 3, 1)),
            "terms_digest": digest(21),
            "valid_until": START + 2 * 10**6,
            "quota_units": 20_000,
            "platform_liability_ppm": 600_000,
            "deadline": START + 10**6,
        }
        self.say(
            "LicenceRegistry",
            "LicenceSupplemented",
            licence_no=1,
            supplement=change,
            agreement_digest=supplement_digest(DOMAIN, change),
        )
        self.say("LicenceRegistry", "OpeningDecided", licence_no=1, tier=3, policy_nos=[1, 1])
        for state in (2, 1):
            decided = {"actor_id": REGISTRAR, "decision_digest": digest(16)}
            self.say("LicenceRegistry", "LicenceStateSet", licence_no=1, state=state, **decided)
            self.say("LicenceRegistry", "ProductStateSet", **key, state=state, **decided)

    def _apply_for_use(self) -> None:
        """Weather is used for industry on an application only; traffic needs none in the end."""
        decided = {"decision_digest": digest(61)}
        for dataset_id, owner, is_required in (
            (WEATHER, PROVIDER, False),
            (WEATHER, PROVIDER, True),
            (TRAFFIC, UTILITY, False),
        ):
            rule = {"dataset_id": dataset_id, "provider_id": owner, "is_required": is_required}
            self.say("Applications", "ApplicationRequirementSet", **rule, **decided)
        for number, purpose in ((71, 3), (72, 2), (73, 4)):
            form = {"purpose": purpose, "modes": 2, "form_digest": digest(62)}
            key = {"application_id": uid(number), "dataset_id": WEATHER, "applicant_id": BUYER}
            self.say("Applications", "ApplicationSubmitted", **key, **form)
        for number in (71, 72):
            key = {"application_id": uid(number), "provider_id": PROVIDER, "is_approved": True}
            until = {"valid_until": START + 2 * 10**6}
            self.say("Applications", "ApplicationDecided", **key, **until, **decided)
        self.say("Applications", "ApplicationWithdrawn", application_id=uid(73))

    def _negotiate(self) -> None:
        """Two threads: one waits for its licence, one is broken off."""
        for thread, offers in ((75, 2), (76, 1)):
            for number in range(1, offers + 1):
                self.say(
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
                    deadline=START + 10**6,
                )
        key, offer = {"thread_id": uid(75)}, {"offer_digest": digest(65)}
        self.say("Negotiations", "OfferAccepted", **key, **offer, acceptance_digest=digest(66))
        agreed = {"agreement_digest": agreement_digest(DOMAIN, agreement_of(1, 3, 1))}
        until = {"deadline": START + 10**6}
        self.say("Negotiations", "AgreementProposed", **key, **offer, **agreed, **until)
        broken = {"thread_id": uid(76), "actor_id": BUYER, "decision_digest": digest(67)}
        self.say("Negotiations", "NegotiationTerminated", **broken)

    def _use(self) -> None:
        """302 receipts: 200 of licence 1, one refusal, one of licence 2, then 100 of licence 1."""
        origin_digest = sha256(ORIGIN.encode()).digest()
        self.say("UsageLog", "LogOpened", log_no=1, keeper_id=PLATFORM, origin_digest=origin_digest)
        log = WrittenLog(self.logs / "1", ORIGIN, 1)
        log.append([use(1, 50) for _ in range(200)])
        self._anchor(log.checkpoint(START * 1000 + 200))
        self._scheme()
        self._invoice(INVOICE, 1, 199, 0, 10_000, GROSS_FEN)
        log.append([use(1, 0, status=1), use(2, 7)])
        log.snapshot()
        log.append([use(1, 25) for _ in range(100)])
        self._anchor(log.checkpoint(START * 1000 + 400))
        log.columns()
        self.log = log

    def _anchor(self, checkpoint: Signed) -> None:
        self.say(
            "UsageLog",
            "Anchored",
            log_no=1,
            size=checkpoint.size,
            root=checkpoint.root,
            time_ms=checkpoint.time_ms,
        )

    def _scheme(self) -> None:
        terms = {
            "scheme_id": SCHEME,
            "operator_id": OPERATOR,
            "platform_id": PLATFORM,
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
            "bond_ppm": 17_500,
            "spread_ppm": 60_000,
            "surcharge_ppm": 6_000,
            "vat_ppm": 60_000,
            "tax_fen": 1_000_000,
            "hold_days": 5,
            "decision_digest": digest(22),
        }
        costs = [
            {"claimant_id": OPERATOR, "cost_fen": 5_000},
            {"claimant_id": WEATHER, "cost_fen": 100_000},
            {"claimant_id": TRAFFIC, "cost_fen": 100_000},
        ]
        self.say("RevenueLedger", "SchemeApproved", scheme_id=SCHEME, terms=terms, costs=costs)

    def _invoice(
        self, invoice_id: UUID, licence_no: int, index: int, start: int, end: int, gross_fen: int
    ) -> None:
        self.say(
            "RevenueLedger",
            "InvoiceIssued",
            invoice_id=invoice_id,
            licence_no=licence_no,
            scheme_id=SCHEME,
            period_id=202609,
            log_no=1,
            receipt_index=index,
            from_units=start,
            to_units=end,
            gross_fen=gross_fen,
            document_digest=digest(23),
        )

    def _money(self) -> None:
        self._invoice(FREE, 2, 201, 0, 7, 0)
        self._invoice(LATER, 1, 301, 10_000, 12_500, LATER_FEN)
        self._pay(6_000, 6_000, 0)
        self._pay(GROSS_FEN - 6_000, GROSS_FEN, HELD_UNTIL)
        say = self.say
        say("RevenueLedger", "InvoiceReleased", invoice_id=INVOICE, release_no=1, is_accepted=True)
        split = {
            "tax_micro_fen": TAX_MICRO_FEN,
            "lineage_cost_micro_fen": list(LINES_MICRO_FEN),
            "common_cost": [],
            "benefit_micro_fen": [],
            "forgone_micro_fen": 0,
            "reserve_micro_fen": 0,
        }
        about = {"invoice_id": INVOICE, "scheme_id": SCHEME, "release_no": 1}
        vat_fen = GROSS_FEN - NET_FEN
        say(
            "RevenueLedger", "SplitRecorded", **about, net_fen=NET_FEN, vat_fen=vat_fen, split=split
        )
        payees = (OPERATOR, TREASURY, UTILITY, TREASURY)
        claimants = (OPERATOR, WEATHER, TRAFFIC, TRAFFIC)
        for number, amount_fen in enumerate((5_000, 8_559, 4_279, 1_834)):
            line = {
                "scheme_id": SCHEME,
                "claimant_id": claimants[number],
                "amount_fen": amount_fen,
            }
            self.say(
                "RevenueLedger",
                "RemittanceOpened",
                batch_id=BATCHES[number],
                payee_id=payees[number],
                lines=[line],
                set_off_fen=0,
                document_digest=digest(18),
            )
        say("RevenueLedger", "RemittanceClosed", batch_id=BATCHES[0], receipt_digest=digest(19))

    def _pay(self, amount_fen: int, paid_fen: int, held_until: int) -> None:
        self.say(
            "RevenueLedger",
            "PaymentRecorded",
            invoice_id=INVOICE,
            amount_fen=amount_fen,
            paid_fen=paid_fen,
            held_until=held_until,
            receipt_digest=digest(amount_fen),
        )

    def _document(self) -> None:
        document = Document({"name": "invented"}, bytes(32))
        name = document.digest.hex()
        path = self.documents / name[:2] / f"{name}.json"
        path.parent.mkdir(parents=True)
        path.write_text(document.to_json())


def agreement_of(number: int, purpose: int, tariff_no: int) -> dict[str, Any]:
    return {
        "agreement_id": uid(30 + number),
        "product_id": PRODUCT,
        "operator_id": OPERATOR,
        "buyer_id": BUYER,
        "tariff_no": tariff_no,
        "purpose": purpose,
        "modes": 2,
        "valid_from": START,
        "valid_until": START + 10**6,
        "quota_units": 15_000,
        "platform_liability_ppm": 500_000,
        "outcome_ppm": 0,
        "team_max": 0,
        "is_accepted_by_use": number == 1,
        "terms_digest": digest(20),
        "deadline": START + 10**6,
    }


def use(licence_no: int, units: int, *, status: int = 0) -> Use:
    return Use(
        licence_no=licence_no,
        units=units,
        purpose=3 if licence_no == 1 else 2,
        used_at_ms=(START + 100) * 1000,
        status=status,
        records=units,
    )


def altered(
    events: list[Event], name: str, number: int, change: Callable[[dict[str, Any]], Any]
) -> list[Event]:
    """Return the events with the arguments of the number-th event of a name changed."""
    copies = deepcopy(events)
    at = [index for index, event in enumerate(copies) if event.name == name][number]
    change(copies[at].args)
    return copies
