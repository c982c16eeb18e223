"""Every table, in the order in which the data moves."""

from db.tables.access import ApiToken, StoredAnswer, WorkerSeen
from db.tables.campaign import Campaign, Candidate
from db.tables.label import Label
from db.tables.lease import Lease, LeaseItem
from db.tables.pool import Pool, SkyObject
from db.tables.run import CurvePoint, Prediction, RankedObject, Run, TrainingLabel
from db.tables.scan import PoolScan, RedshiftScan

__all__ = [
    "ApiToken",
    "Campaign",
    "Candidate",
    "CurvePoint",
    "Label",
    "Lease",
    "LeaseItem",
    "Pool",
    "PoolScan",
    "Prediction",
    "RankedObject",
    "RedshiftScan",
    "Run",
    "SkyObject",
    "StoredAnswer",
    "TrainingLabel",
    "WorkerSeen",
]
