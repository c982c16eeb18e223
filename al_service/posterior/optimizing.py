"""How weights are moved: one-cycle AdamW and a running mean of the weights."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from threadpoolctl import threadpool_limits
from torch import Tensor, nn

from al_service.models.config import ModelConfig, Schedule


class Optimizer:
    """AdamW (Loshchilov & Hutter 2019) on a one-cycle schedule (Smith & Topin 2017)."""

    def __init__(
        self,
        network: nn.Module,
        guide: nn.Module,
        config: ModelConfig,
        *,
        schedule: Schedule,
        steps: int,
    ) -> None:
        self._weights = list(network.parameters())
        self._clip = config.clip * config.members**0.5  # per member
        self._adamw = torch.optim.AdamW(
            [
                {"params": self._weights, "weight_decay": config.weight_decay},
                # The prior already pulls at the guide's weights.
                {"params": guide.parameters(), "weight_decay": 0.0},
            ],
            lr=schedule.learning_rate,
            fused=True,
        )
        self._schedule = torch.optim.lr_scheduler.OneCycleLR(
            self._adamw, max_lr=schedule.learning_rate, total_steps=steps
        )
        self._average = RunningAverage(self._weights, schedule.ema)

    def step(self, loss: Tensor) -> None:
        """Move all weights once, down the gradient of the loss."""
        self._adamw.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self._weights, self._clip)
        self._adamw.step()
        self._schedule.step()
        self._average.update()

    def finish(self) -> None:
        """Give the network its averaged weights."""
        self._average.store()


class RunningAverage:
    """An exponential running mean of weights."""

    def __init__(self, weights: Iterable[Tensor], decay: float) -> None:
        self._weights = list(weights)
        self._means = [weight.detach().clone() for weight in self._weights]
        self._decay = decay
        self._updates = 0

    @torch.no_grad()
    def update(self) -> None:
        """Take the weights of this moment in."""
        self._updates += 1
        # Young averages forget faster, or they would remember the random start.
        decay = min(self._decay, self._updates / (self._updates + 9.0))
        torch._foreach_lerp_(self._means, self._weights, 1.0 - decay)

    @torch.no_grad()
    def store(self) -> None:
        """Overwrite the weights by their means."""
        for weight, mean in zip(self._weights, self._means, strict=True):
            weight.copy_(mean)


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute on one core for a while.

    Layers 128 wide gain nothing from a second core and lose a lot where another
    process holds it: threads that waited for a busy core made 1.4 s out of the 20 ms
    of a head with 400 labels. And sums come out the same on every machine.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1, user_api="blas"):
            yield
    finally:
        torch.set_num_threads(threads)
