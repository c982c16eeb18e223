"""What one system says of the objects that examine it, each question asked once."""

from dataclasses import dataclass, field
from itertools import combinations

from al_service.posterior.predictions import Predictions
from al_service.studies.experiment.system import Examples, Fitted

Hidden = tuple[str, ...]
"""Modalities that are hidden, in the order of the system's inputs."""


@dataclass(frozen=True)
class Answers:
    """Predictions for test and validation objects, with anything hidden."""

    fitted: Fitted
    inputs: tuple[str, ...]
    test: Examples
    validation: Examples
    _said: dict[tuple[str, Hidden], Predictions] = field(default_factory=dict)

    def of_test(self, *hidden: str) -> Predictions:
        """Of the test objects, without some of what was observed of them."""
        return self._ask("test", self.test, hidden)

    def of_validation(self, *hidden: str) -> Predictions:
        """Of the validation objects, likewise."""
        return self._ask("validation", self.validation, hidden)

    def everything_hidden(self) -> list[Hidden]:
        """What may be hidden: nothing, and all that leaves at least one modality."""
        most = max(len(self.inputs), 1)
        return [hidden for n in range(most) for hidden in combinations(self.inputs, n)]

    def _ask(self, side: str, examples: Examples, hidden: Hidden) -> Predictions:
        question = side, tuple(name for name in self.inputs if name in hidden)
        if question not in self._said:
            seen = examples.measurements.without(*hidden)
            self._said[question] = self.fitted.predict(seen)
        return self._said[question]
