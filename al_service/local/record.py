"""What a running stack tells other commands of its home: `home/stack.json`."""

import json
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Self

from al_service.local.home import Home, write_private
from al_service.local.processes import ProcessRecord
from al_service.settings import Settings


class StackState(StrEnum):
    """How far a stack has come."""

    STARTING = "starting"  # its servers and processes are being started
    READY = "ready"  # everything answers
    STOPPING = "stopping"  # it was told to end


@dataclass(frozen=True)
class StackRecord:
    """One stack: its processes and its addresses. Holds secrets."""

    supervisor: ProcessRecord
    state: StackState
    url: str
    """What `al up` prints: the page's address with its token."""
    database_url: str
    broker_url: str
    artifacts: str
    children: tuple[ProcessRecord, ...] = field(default=())

    @classmethod
    def read(cls, home: Home) -> Self | None:
        """The record in this home, of a stack that runs or ran; None without one."""
        try:
            raw = json.loads(home.record.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except ValueError:  # a power cut has emptied it, and ended every process
            return None
        children = tuple(ProcessRecord(**child) for child in raw.pop("children"))
        supervisor = ProcessRecord(**raw.pop("supervisor"))
        state = StackState(raw.pop("state"))
        return cls(supervisor=supervisor, state=state, children=children, **raw)

    def write(self, home: Home) -> None:
        """Replace the record in this home."""
        write_private(home.record, json.dumps(asdict(self), indent=1), lasting=False)

    def alive(self) -> bool:
        """Whether its supervisor still runs."""
        return self.supervisor.find() is not None

    def with_child(self, child: ProcessRecord) -> Self:
        """The same stack after a process was started, or started again."""
        others = tuple(other for other in self.children if other.name != child.name)
        return replace(self, children=(*others, child))

    def settings(self, settings: Settings) -> Settings:
        """The settings of a command that uses this stack."""
        return settings.model_copy(
            update={
                "database_url": self.database_url,
                "broker_url": self.broker_url,
                "artifacts": Path(self.artifacts),
            }
        )


def running_stack(home: Home) -> StackRecord | None:
    """The stack that runs in this home, in whatever state."""
    record = StackRecord.read(home)
    return record if record is not None and record.alive() else None
