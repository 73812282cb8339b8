"""Licences' terms as meters' uses are checked against, over a real market."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ledger.app.gateway import METER_NO
from ledger.app.importing import import_file
from ledger.app.licence_terms import TermsSource, licence_terms
from ledger.log.admission import LicenceTerms
from ledger.log.meter_files import NAMES
from ledger.log.values import Use
from ledger.projection import queries
from tests.integration.market_fixture import SmallMarket, grant, opened_market

pytestmark = pytest.mark.integration

LOG_NO = 2
QUOTA = 30_000


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallMarket]:
    with opened_market(tmp_path_factory.mktemp("terms")) as market:
        yield market


def terms_of(terms: LicenceTerms, licence_no: int) -> dict[str, int]:
    place = int(terms.places(np.array([licence_no], np.uint64))[0])
    assert place >= 0
    names = ("modes", "purpose", "valid_from_ms", "valid_until_ms", "quota_units")
    return {name: int(getattr(terms, name)[place]) for name in names}


def set_state(small: SmallMarket, licence_no: int, state: str) -> int:
    body: dict[str, Any] = {"licence_no": licence_no, "state": state, "reason": "核查"}
    done = small.run("operator", "set-licence-state", body)
    return small.market.chain.block(done.block_number).time  # type: ignore[union-attr]


def use(licence_no: int, units: int) -> Use:
    return Use(2, 3, 1, licence_no, 1_795_000_000_000, 1, 0, units, units, {}, bytes(32))


def test_terms__active_licence__are_the_agreements(small: SmallMarket) -> None:
    with small.market.read() as connection:
        row = queries.licence(connection, small.licence_no)
    assert terms_of(licence_terms(small.market, LOG_NO), small.licence_no) == {
        "modes": row.modes,
        "purpose": row.purpose,
        "valid_from_ms": 1_000 * row.valid_from,
        "valid_until_ms": 1_000 * row.valid_until,
        "quota_units": QUOTA,
    }


def test_terms__suspended_and_ended__hold_until_that_moment(small: SmallMarket) -> None:
    licence_no = grant(small)
    source = TermsSource(small.market, LOG_NO)
    until = terms_of(source.read(), licence_no)["valid_until_ms"]
    suspended_at = set_state(small, licence_no, "suspended")
    assert terms_of(source.read(), licence_no)["valid_until_ms"] == 1_000 * suspended_at
    small.market.node.increase_time(60)  # type: ignore[union-attr]
    restored_at = set_state(small, licence_no, "active")
    terms = source.read()
    assert terms_of(terms, licence_no)["valid_until_ms"] == until
    moments = [1_000 * suspended_at - 1, 1_000 * suspended_at, 1_000 * restored_at - 1]
    moments.append(1_000 * restored_at)
    places = terms.places(np.array([licence_no] * 4, np.uint64))
    paused = terms.paused(places, np.array(moments, np.uint64))
    assert paused.tolist() == [False, True, True, False]
    suspended_at = set_state(small, licence_no, "suspended")
    small.market.node.increase_time(5)  # type: ignore[union-attr]
    assert set_state(small, licence_no, "terminated") > suspended_at
    assert terms_of(source.read(), licence_no)["valid_until_ms"] == 1_000 * suspended_at


def test_terms__used_in_other_logs__is_gone_from_the_quota(small: SmallMarket) -> None:
    source = TermsSource(small.market, LOG_NO)
    before = source.read()
    assert source.read() is before
    small.market.meter(1).append([use(small.licence_no, 100)])
    small.market.meter(LOG_NO).append([use(small.licence_no, 7)])
    small.market.meter(3).append([use(small.licence_no, QUOTA - 200)])
    assert terms_of(source.read(), small.licence_no)["quota_units"] == 100
    small.market.meter(1).append([use(small.licence_no, 101)])
    assert terms_of(source.read(), small.licence_no)["quota_units"] == 0
    again = terms_of(licence_terms(small.market, LOG_NO), small.licence_no)
    assert again["quota_units"] == 0


def test_import__rows_under_the_gateways_own_number__refused(
    small: SmallMarket, tmp_path: Path
) -> None:
    small.market.meter(1).append([use(small.licence_no, 1)])
    size = small.market.meter(1).size
    row = dict.fromkeys(NAMES, 1) | {"meter_no": METER_NO, "mode": 2, "purpose": 3, "status": 0}
    row |= {"licence_no": small.licence_no, "used_at_ms": 1_795_000_000_000}
    path = tmp_path / "rows.ndjson"
    path.write_text(json.dumps(row | {"commitment": "0x" + "00" * 32}) + "\n")
    found = import_file(small.market, path, 1, tell=lambda *_: None)
    assert (found.taken, found.repeated, found.refused, found.size) == (0, 0, 1, size)
    told = json.loads(Path(str(found.rejects)).read_text())
    assert (told["field"], told["got"], told["code"]) == ("meter_no", METER_NO, "row.malformed")
