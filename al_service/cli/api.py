"""`al api`: the HTTP door."""

import os
import signal
import socket
import sys
from types import FrameType
from typing import Annotated, Any, NoReturn

import typer
import uvicorn

from al_service.cli.home import (
    DEFAULT_HOME,
    HomeOption,
    announce_new,
    read_settings,
    upgrade_tables,
)
from al_service.local.assembly import environment_of
from al_service.local.database import database_for
from al_service.settings import Settings

FACTORY = "al_service.api.app:create_app"

GOODBYE_SECONDS = 4
"""Open requests have this long to finish; event streams never would."""

app = typer.Typer(add_completion=False)


@app.command()
def api(
    home: HomeOption = DEFAULT_HOME,
    host: Annotated[
        str | None, typer.Option(help="Address to listen on. Default: AL_HOST.")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Port to listen on. Default: AL_PORT."),
    ] = None,
    processes: Annotated[
        int, typer.Option(min=1, help="Processes that share the port.")
    ] = 1,
    fd: Annotated[
        int | None,
        typer.Option(min=3, hidden=True, help="An open socket to listen on."),
    ] = None,
) -> None:
    """Serve HTTP until SIGTERM."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)  # uvicorn raises it again when it has finished
    settings = read_settings(home, host=host, port=port)
    announce_new(home)
    with database_for(home, settings, upgrade=upgrade_tables) as found:
        os.environ.update(environment_of(found))  # the application reads it there
        options = _options(found)
        if processes > 1:
            uvicorn.run(FACTORY, workers=processes, **options)
            return
        listeners = None if fd is None else [socket.socket(fileno=fd)]
        uvicorn.Server(uvicorn.Config(FACTORY, **options)).run(sockets=listeners)


def _leave(_number: int, _frame: FrameType | None) -> NoReturn:
    """End through every `finally`: a database started for us must not stay behind."""
    sys.exit(0)


def _options(settings: Settings) -> dict[str, Any]:  # Any: uvicorn's are of all types
    return {
        "factory": True,
        "host": settings.host,
        "port": settings.port,
        "log_level": settings.log_level.lower(),
        "access_log": False,  # /metrics counts requests
        "timeout_graceful_shutdown": GOODBYE_SECONDS,
    }
