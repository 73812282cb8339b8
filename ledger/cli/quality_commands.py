"""`mdl quality`: a file's measured quality, where it lies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from ledger.app.quality import Measured, measure_file
from ledger.cli.charts import Bar, stacked
from ledger.cli.shell import JsonOption, err, guarded, out, read_object, show, table
from ledger.domain.catalogue_lists import QUALITY_DIMENSIONS
from ledger.domain.errors import MalformedValueError
from ledger.domain.quality import SCORE_MAX

COLUMNS_SHOWN_MAX = 40


@guarded
def quality(
    file: Annotated[Path, typer.Argument(help="CSV or Parquet; read here, never uploaded.")],
    record: Annotated[
        Path | None, typer.Option(help="Catalogue record as JSON: field list and frequency.")
    ] = None,
    propose: Annotated[
        Path | None, typer.Option(help="Write the record with the proposed scores here.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure a file's quality and propose six scores and a grade (质量检测)."""
    if propose is not None and record is None:
        raise MalformedValueError("--propose needs --record", field="propose", got=str(propose))
    content = read_object(record) if record else None
    with err.status(f"reading {file.name}"):
        found = measure_file(file, content)
    if propose is not None:
        missing = [name for name in QUALITY_DIMENSIONS if name not in found.quality_scores]
        if missing:
            raise MalformedValueError(
                "the record states no update_frequency", field="update_frequency", got=missing
            )
        filled = (content or {}) | {"quality_scores": found.quality_scores}
        propose.write_text(json.dumps(filled, ensure_ascii=False, indent=1), "utf-8")
    show(found.as_dict(), as_json, lambda: _print(file, found))


def _print(file: Path, found: Measured) -> None:
    profile = found.profile
    refused = ", ".join(f"{count:,} {reason}" for reason, count in profile.refused.items())
    out.print(
        f"{file.name}: {profile.rows:,} rows, {len(profile.columns)} columns, "
        f"{profile.byte_size:,} bytes, {profile.encoding}"
        + (f"; refused lines: {refused}" if refused else ""),
        highlight=False,
        markup=False,
    )
    bars = [
        Bar(
            f"{score.value:3d}  {QUALITY_DIMENSIONS[score.dimension]} {score.dimension}",
            [score.value, SCORE_MAX - score.value],
        )
        for score in found.scores
    ]
    out.print(stacked(("reached", "not reached"), bars))
    rows = [
        (QUALITY_DIMENSIONS[score.dimension], score.value, score.arithmetic)
        for score in found.scores
    ]
    out.print(table("Scores 质量六性", ("dimension", "score %", "how it is counted"), rows))
    columns = ("column", "type", "filled %", "valid %", "suspect no", "different no")
    cells = [
        (
            column.name,
            column.kind.value,
            _percent(column.filled, profile.rows),
            _percent(column.valid, column.filled),
            f"{column.suspect:,}",
            f"{column.distinct_about:,}",
        )
        for column in profile.columns[:COLUMNS_SHOWN_MAX]
    ]
    out.print(table("Columns 信息项", columns, cells))
    if len(profile.columns) > COLUMNS_SHOWN_MAX:
        out.print(f"… {len(profile.columns) - COLUMNS_SHOWN_MAX} more columns are in --json")
    for names, what in ((found.missing, "missing fields"), (found.unlisted, "unlisted columns")):
        if names:
            out.print(f"{what}: {', '.join(names)}", highlight=False, markup=False)
    out.print(f"Proposed grade 建议等级 {found.grade.name}; an inspector decides", highlight=False)


def _percent(count: int, whole: int) -> str:
    """Return hundredths with one decimal, down; — of nothing."""
    return f"{count * 1000 // whole / 10:.1f}" if whole else "—"
