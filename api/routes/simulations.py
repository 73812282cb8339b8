"""Trials of schemes and tariffs before they are approved; no key needed, nothing is stored."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel

from ledger.app.simulations import read_trial, try_anything
from ledger.app.trial_bodies import SchemeTrial, TariffTrial

router = APIRouter(prefix="/v1", tags=["trials 试算"])
PATH = "/v1/simulations"
"""Its bodies are read here and not by `Intake`, so that a float is refused by its field's name."""


def _inlined(schema: Any, parts: dict[str, Any]) -> Any:
    """Return a JSON schema with its references replaced by what they name."""
    if isinstance(schema, list):
        return [_inlined(item, parts) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(parts[schema["$ref"].rpartition("/")[2]], parts)
    return {key: _inlined(item, parts) for key, item in schema.items() if key != "$defs"}


def _schema(model: type[BaseModel]) -> Any:
    schema = model.model_json_schema()
    return _inlined(schema, schema.get("$defs", {}))


async def _body(request: Request) -> Any:
    return read_trial(await request.body())


@router.post(
    "/simulations",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"anyOf": [_schema(SchemeTrial), _schema(TariffTrial)]}
                }
            },
        }
    },
)
def simulations(body: Annotated[Any, Depends(_body)]) -> dict[str, Any]:
    """What a scheme (定价方案) or a tariff (收费标准) would do, on any figures (试算)."""
    return try_anything(body)
