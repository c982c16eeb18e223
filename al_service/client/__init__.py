"""The Python client: `ask()`, `tell()`, `curve()`, over HTTP and nothing else."""

from al_service.client.answers import (
    Batch,
    Curve,
    CurvePoint,
    Item,
    Label,
    LabelCheck,
    Run,
)
from al_service.client.client import Client
from al_service.client.refusals import RequestRefused, ServiceUnreachable

__all__ = [
    "Batch",
    "Client",
    "Curve",
    "CurvePoint",
    "Item",
    "Label",
    "LabelCheck",
    "RequestRefused",
    "Run",
    "ServiceUnreachable",
]
