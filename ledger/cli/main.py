"""`mdl`: the market from a shell."""

from __future__ import annotations

from typing import Annotated

import typer

from ledger import __version__
from ledger.cli import (
    calendar_commands,
    catalogue_commands,
    deal_commands,
    derived_commands,
    explain_commands,
    invoice_commands,
    licence_papers,
    log_commands,
    market_commands,
    member_commands,
    meter_commands,
    money_commands,
    objection_commands,
    payment_commands,
    policy_commands,
    proof_commands,
    quality_commands,
    reconcile_commands,
    registration_commands,
    remit_commands,
    scheme_commands,
    system,
    trial_commands,
)
from ledger.cli.demo.command import demo
from ledger.cli.shell import out, quiet_logs

app = typer.Typer(
    name="mdl",
    help="Metro Data Ledger 都市圈数据账本: provenance, provable use, exact sharing of income.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for name, command in (
    ("init", system.init),
    ("demo", demo),
    ("serve", system.serve),
    ("statement", system.statement),
    ("account", explain_commands.account_command),
    ("explain", explain_commands.explain_command),
    ("actions", member_commands.actions),
    ("quality", quality_commands.quality),
    ("verify", system.verify),
    ("reconcile", reconcile_commands.reconcile_command),
    ("rebuild", system.rebuild),
    ("commands", system.commands),
    ("run", system.run_command),
    ("prepare", system.prepare_command),
    ("sign", system.sign),
    ("submit", system.submit_command),
):
    app.command(name)(command)
for name, group in (
    ("key", system.keys_app),
    ("apikey", system.apikey_app),
    ("org", derived_commands.org_app),
    ("calendar", calendar_commands.calendar_app),
    ("member", member_commands.member_app),
    ("work", member_commands.work_app),
    ("dataset", market_commands.dataset_app),
    ("registration", registration_commands.registration_app),
    ("policy", policy_commands.policy_app),
    ("duty", registration_commands.duty_app),
    ("catalogue", catalogue_commands.catalogue_app),
    ("product", derived_commands.product_app),
    ("licence", licence_papers.licence_app),
    ("negotiate", deal_commands.negotiate_app),
    ("application", deal_commands.application_app),
    ("scheme", scheme_commands.scheme_app),
    ("tariff", trial_commands.tariff_app),
    ("log", log_commands.log_app),
    ("proof", proof_commands.proof_app),
    ("meter", meter_commands.meter_app),
    ("invoice", invoice_commands.invoice_app),
    ("payment", payment_commands.payment_app),
    ("split", money_commands.split_app),
    ("remit", remit_commands.remit_app),
    ("objection", objection_commands.objection_app),
    ("payee", remit_commands.payee_app),
):
    app.add_typer(group, name=name, no_args_is_help=True)


def _print_version(wanted: bool) -> None:
    if wanted:
        out.print(__version__, highlight=False)
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_print_version,
            is_eager=True,
            help="Print the version and stop.",
        ),
    ] = False,
) -> None:
    """Metro Data Ledger 都市圈数据账本."""


def main() -> None:
    """Run the shell."""
    quiet_logs()
    app()


if __name__ == "__main__":
    main()
