"""Organisations join: cities and kinds by governance, members by their city's registrar."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from ledger.app.calendars import published_words, published_years
from ledger.app.commands import Command, CommandRequest, Done, command
from ledger.app.fields import (
    AddressField,
    CityCode,
    Id,
    KindField,
    LevelField,
    RoleField,
    Text,
    fresh_id,
)
from ledger.app.market import Market
from ledger.app.opening import open_policy
from ledger.codec.documents import Document
from ledger.domain.cities import CITIES
from ledger.domain.codes import OrganisationKind, PayeeRule, Role
from ledger.domain.units import PPM_WHOLE
from ledger.domain.uscc import require_uscc
from ledger.domain.working_days import NOTICE_DAYS_LAW, day_of

_MEMBER = (Role.PROVIDER, Role.BUYER)
_OPERATING = (Role.PROVIDER, Role.OPERATOR, Role.BUYER)
_TRADING = (*_OPERATING, Role.DEVELOPER)
KIND_RULES: dict[OrganisationKind, tuple[tuple[Role, ...], bool, PayeeRule]] = {
    # kind: roles it may hold, is an institution, who is paid for it
    OrganisationKind.ADMINISTRATIVE: (_MEMBER, False, PayeeRule.TREASURY),
    OrganisationKind.PUBLIC_INSTITUTION: (_OPERATING, False, PayeeRule.CITY_RULE),
    OrganisationKind.PUBLIC_UTILITY: (_TRADING, False, PayeeRule.ITSELF),
    OrganisationKind.STATE_ENTERPRISE: (_TRADING, False, PayeeRule.ITSELF),
    OrganisationKind.ENTERPRISE: (_TRADING, False, PayeeRule.ITSELF),
    OrganisationKind.AUTHORITY: (
        (Role.REGISTRAR, Role.PRICE_AUTHORITY, Role.HANDLER, Role.PROVIDER),
        True,
        PayeeRule.TREASURY,
    ),
    OrganisationKind.TREASURY: ((Role.TREASURY,), True, PayeeRule.ITSELF),
    OrganisationKind.PLATFORM: ((Role.PLATFORM,), True, PayeeRule.ITSELF),
    OrganisationKind.REGULATOR: ((Role.REGULATOR,), True, PayeeRule.ITSELF),
}


class AdmitOrganisation(CommandRequest):
    """A new organisation and its first signing account; `level` is of a provider's government."""

    organisation_id: Id = Field(default_factory=fresh_id)
    kind: KindField
    level: LevelField | None = None
    city_code: CityCode
    name_zh: Text
    name_en: Text
    uscc: Text
    contact_role: Text = "数据管理岗"
    signer: AddressField
    is_invented: bool = False


class GrantRole(CommandRequest):
    """A role in a city."""

    organisation_id: Id
    role: RoleField
    city_code: CityCode


class SetTreasuryRule(CommandRequest):
    """Which part of its public institutions' income a city's treasury is paid."""

    city_code: CityCode
    treasury_ppm: Annotated[int, Field(ge=0, le=PPM_WHOLE)]
    reason: Text


@command("admit-organisation", AdmitOrganisation, "Admit an organisation", "机构入驻")
def admit_organisation(
    market: Market, actor_id: UUID | None, request: AdmitOrganisation
) -> Command:
    """Plan the admission; the profile stays off chain under a salted digest."""
    require_uscc(request.uscc, "uscc")
    profile = Document.new(
        {
            "type": "organisation",
            "organisation_id": str(request.organisation_id),
            "name_zh": request.name_zh,
            "name_en": request.name_en,
            "uscc": request.uscc,
            "contact_role": request.contact_role,
            "level": request.level,
            "is_invented": request.is_invented,
        }
    )
    return Command(
        "directory",
        "admit",
        (
            request.organisation_id,
            int(request.kind),
            request.city_code,
            profile.digest,
            request.signer,
        ),
        (profile,),
        {"organisation_id": str(request.organisation_id)},
    )


@command("grant-role", GrantRole, "Grant a role in a city", "授予角色")
def grant_role(market: Market, actor_id: UUID | None, request: GrantRole) -> Command:
    """Plan the grant of a role."""
    return Command(
        "directory",
        "grantRole",
        (request.organisation_id, int(request.role), request.city_code),
    )


@command("set-treasury-rule", SetTreasuryRule, "Part institutions' income", "核定事业单位上缴比例")
def set_treasury_rule(market: Market, actor_id: UUID | None, request: SetTreasuryRule) -> Command:
    """Plan a city's rule; it holds for what is not remitted yet."""
    decision = Document.new(
        {
            "type": "treasury_rule",
            "city_code": request.city_code,
            "treasury_ppm": request.treasury_ppm,
            "reason": request.reason,
        }
    )
    return Command(
        "directory",
        "setTreasuryRule",
        (request.city_code, request.treasury_ppm, decision.digest),
        (decision,),
        {"city_code": request.city_code, "treasury_ppm": request.treasury_ppm},
    )


def open_region(market: Market) -> list[Done]:
    """Open cities, define kinds, load working days and the first table; as governance."""
    steps: list[tuple[str, str, tuple[Any, ...]]] = [
        (f"city-{code}", "openCity", (code,)) for code in CITIES
    ]
    for kind, (roles, is_institution, payee_rule) in KIND_RULES.items():
        rule = {
            "roles": sum(1 << role for role in roles),
            "is_institution": is_institution,
            "payee_rule": int(payee_rule),
        }
        steps.append((f"kind-{int(kind)}", "defineKind", (int(kind), rule)))
    year = day_of(market.now_seconds()).year
    steps += [
        (f"working-days-{known}", "setWorkingDays", (known, *published_words(known)))
        for known in published_years()
        if known >= year - 1
        and not any(market.contracts.directory.working_days_of(known, block="latest"))
    ]
    steps.append(("notice-days", "setNoticeDays", (0 if market.is_trial() else NOTICE_DAYS_LAW,)))
    steps.append(("desk", "appointDesk", (market.contracts.objections.address,)))
    done = []
    for key, function, args in steps:
        outcome = market.relay.execute(
            market.governance, market.contracts.directory, function, args, idempotency_key=key
        )
        done.append(
            Done(
                function,
                outcome.intent_id,
                outcome.tx_hash,
                outcome.block_number,
                outcome.gas_used,
                {},
            )
        )
    market.indexer.wait_for(done[-1].block_number)
    table = open_policy(market)
    return done if table is None else [*done, table]
