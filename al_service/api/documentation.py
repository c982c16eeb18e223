"""`/docs`: the description of the API for people, out of files of our own.

FastAPI's own page loads its script from a content-delivery network: on a machine
without the internet it stays white, and on one with it strangers learn who reads.
"""

from pathlib import Path
from typing import Final

import fastapi_offline
from fastapi import FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

ADDRESS: Final = "/docs"
ASSETS: Final = "/docs-assets"

FILES: Final = Path(fastapi_offline.__file__).parent / "static"
"""Swagger UI (Apache-2.0) as the package `fastapi-offline` (MIT) carries it."""


def install(app: FastAPI) -> None:
    """Serve the page and what it loads.

    Args:
        app: made with `docs_url=None, redoc_url=None`, or its own pages come first.
    """
    app.mount(ASSETS, StaticFiles(directory=FILES), name="docs-assets")
    app.add_api_route(ADDRESS, _page, include_in_schema=False)


def _page(request: Request) -> HTMLResponse:
    """Swagger UI over `/openapi.json`, below whatever path a proxy has put us."""
    root = str(request.scope.get("root_path", "")).rstrip("/")
    return get_swagger_ui_html(
        openapi_url=f"{root}/openapi.json",
        title="al-service",
        oauth2_redirect_url=None,
        swagger_js_url=f"{root}{ASSETS}/swagger-ui-bundle.js",
        swagger_css_url=f"{root}{ASSETS}/swagger-ui.css",
        swagger_favicon_url=f"{root}{ASSETS}/favicon.png",
    )
