"""The HTTP application: composition of routes, errors and background work."""

from __future__ import annotations

from fastapi import FastAPI, Header, Response
from uuid import UUID

from api import problems
from api.edge import Edge
from api.intake import Intake
from ledger.app import gateway
from ledger.app.market import Market


def create_app(market: Market) -> FastAPI:
    app = FastAPI(title="Metro Data Ledger")
    problems.install(app)
    app.add_middleware(Intake)
    app.add_middleware(Edge)

    @app.get("/v1/use/{product_id}/{dataset_id}")
    def use(product_id: UUID, dataset_id: UUID, x_api_key: str = Header(""), mode: str = "interface", purpose: str | None = None, cursor: int = 0, limit: int = 100) -> Response:
        try:
            page = gateway.use(market, api_key=x_api_key, product_id=product_id, dataset_id=dataset_id, mode=mode, purpose=purpose, cursor=cursor, limit=limit)
        except gateway.UseRefusedError as e:
            e.headers = {"Mdl-Receipt-Index": str(e.index)}
            raise
        return Response(page.body, media_type="application/json", headers={"Mdl-Receipt-Index": str(page.index)})
    return app
