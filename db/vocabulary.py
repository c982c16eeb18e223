"""The closed choices of the database: states, splits, reasons, roles."""

from enum import StrEnum


class PoolState(StrEnum):
    """Whether a pool may be seen."""

    IMPORTING = "importing"  # being filled, invisible
    READY = "ready"  # complete: campaigns may use it


class Split(StrEnum):
    """What an object may be used for; decided once, by its galaxy."""

    POOL = "pool"  # may be ranked, asked for and trained on
    EVALUATION = "evaluation"  # measures models; never ranked, never trained on
    EXCLUDED = "excluded"  # joins galaxies of different splits: used for nothing


class CampaignState(StrEnum):
    """Whether a campaign hands out batches."""

    ACTIVE = "active"  # asks are answered, runs are planned
    PAUSED = "paused"  # labels are still taken, nothing is handed out
    FINISHED = "finished"  # closed for good


class CandidateState(StrEnum):
    """Where an object stands in a campaign."""

    FREE = "free"  # may be handed out
    LEASED = "leased"  # reserved by an open lease
    LABELED = "labeled"  # has a label: out of the queue


class LeaseState(StrEnum):
    """Where a batch stands."""

    OPEN = "open"  # reserved for one labeler until `expires_at`
    LABELED = "labeled"  # every object has an answer
    RELEASED = "released"  # given back before its time
    EXPIRED = "expired"  # time ran out; its objects are free again


class Reason(StrEnum):
    """Why an object was handed out, where no strategy chose it.

    A ranked object's reason is the name of the strategy that ranked it, so this list
    is not closed in the database.
    """

    RANDOM = "random"  # the smallest free random key
    COLD_START = "cold_start"  # a typical object, before there were labels
    EVALUATION = "evaluation"  # measures the model, is never trained on
    OVERLAP = "overlap"  # a second opinion


class RunKind(StrEnum):
    """What a background run does."""

    FULL = "full"  # trains the network, caches features, refits the head, ranks
    HEAD = "head"  # refits the last layer on cached features, ranks
    SCORE = "score"  # ranks without labels: the cold start
    EMBED = "embed"  # lays the pool out in two dimensions


class RunState(StrEnum):
    """Where a run stands."""

    PLANNED = "planned"  # waits for a worker
    RUNNING = "running"  # claimed; its heartbeat says whether it lives
    PUBLISHED = "published"  # its ranking and predictions serve, or served
    REFUSED = "refused"  # the promotion gate found it worse
    FAILED = "failed"  # `message` says why
    CANCELED = "canceled"  # somebody stopped it


class ScanState(StrEnum):
    """Where the redshift scan of a pool's spectra stands."""

    PLANNED = "planned"  # waits for a worker
    RUNNING = "running"  # claimed; its heartbeat says whether it lives
    DONE = "done"  # what it found is in the database
    FAILED = "failed"  # `message` says why


class TrainingRole(StrEnum):
    """What a label was used for in a run."""

    NETWORK = "network"  # frozen when the run was planned; the network saw it
    HEAD = "head"  # known to the last layer when the run was published


class Arm(StrEnum):
    """Which model a point of the learning curve measures."""

    ACTIVE = "active"  # the served model, on all labels
    RANDOM = "random"  # control: initial set and n labels of the random sample
    ACTIVE_MATCHED = "active_matched"  # initial set and the strategy's first n labels


class Role(StrEnum):
    """What a token may do; each role includes the ones before it."""

    VIEWER = "viewer"  # reads
    LABELER = "labeler"  # asks and tells
    ADMIN = "admin"  # creates and changes campaigns, starts and cancels runs
