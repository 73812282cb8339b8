"""How a public institution's income is parted between its own account and its city's treasury.

Rules kept here (domain report 4.3 step 10):
1. A city's rule names the treasury's part in ppm; while it has none, the treasury is paid all.
2. A rule applies to what is not remitted yet. What was remitted before it, the base, stays as it
   was paid; below the base the parts are those in which the base was paid.
3. The own account's cap is floored to the fen, the treasury's is the rest: together what is due.
"""

from __future__ import annotations

from typing import NamedTuple

from ledger.domain.units import PPM_WHOLE


class Parting(NamedTuple):
    """How far one account is parted; whole fen. All zero: nothing was paid under a rule yet."""

    rule_no: int = 0
    treasury_ppm: int = PPM_WHOLE
    own_fen: int = 0
    """Remitted to the own account in all; the rest went to the treasury."""
    base_fen: int = 0
    """Remitted in all when the rule was first followed here."""
    base_own_fen: int = 0

    def following(self, rule_no: int, treasury_ppm: int, remitted_fen: int) -> Parting:
        """Return the parting under a city's rule; the same where it is followed already."""
        if rule_no == self.rule_no:
            return self
        return Parting(rule_no, treasury_ppm, self.own_fen, remitted_fen, self.own_fen)

    def own_cap_fen(self, due_fen: int) -> int:
        """Return what the own account may have had in all when so many whole fen are due."""
        if due_fen < self.base_fen:
            return self.base_own_fen * due_fen // self.base_fen
        beyond = (due_fen - self.base_fen) * (PPM_WHOLE - self.treasury_ppm)
        return self.base_own_fen + beyond // PPM_WHOLE

    def left_fen(self, due_fen: int, remitted_fen: int) -> tuple[int, int]:
        """Return what may still be remitted to the own account and to the treasury.

        Where one of them has more than its part, the other has to wait for what becomes due.
        """
        whole, cap = due_fen - remitted_fen, self.own_cap_fen(due_fen)
        own = min(whole, max(0, cap - self.own_fen))
        treasury = min(whole, max(0, due_fen - cap - (remitted_fen - self.own_fen)))
        return own, treasury

    def paid(self, own_fen: int) -> Parting:
        """Return the parting after so much more went to the own account, or less: owed back."""
        return self._replace(own_fen=self.own_fen + own_fen)
