"""The Python client against the real service, over connections that break."""

from collections import deque
from collections.abc import Iterator
from http import HTTPStatus

import pytest
from fastapi import FastAPI
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from al_service.client import Client, RequestRefused, Run, ServiceUnreachable
from al_service.client.refusals import RunUnfinished
from al_service.client.transport import ATTEMPTS, LONGEST_PAUSE_SECONDS
from db.vocabulary import Role
from tests.api.conftest import N_POOL, POOL, Door, object_id
from tests.api.conftest import door as door  # fixtures
from tests.api.conftest import sky as sky
from tests.api.serving import served

LOST = 0
"""The request is carried out; its answer is cut off."""


class AnswerLost(Exception):
    pass


class Unreliable:
    """A service behind a gateway that fails as often as it is told to."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.faults: deque[int] = deque()
        """What happens to the next requests: a status, or `LOST`."""
        self.seen: list[tuple[str, str | None]] = []
        """Path and key of every request."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        key = headers.get(b"idempotency-key")
        self.seen.append((scope["path"], key.decode() if key else None))
        if not self.faults:
            await self.app(scope, receive, send)
            return
        fault = self.faults.popleft()
        if fault != LOST:
            await PlainTextResponse("away", fault)(scope, receive, send)
            return
        await self.app(scope, receive, swallow)
        await send(
            {
                "type": "http.response.start",
                "status": HTTPStatus.CREATED,
                "headers": [(b"content-length", b"1000")],
            }
        )
        raise AnswerLost


async def swallow(_: Message) -> None:
    """An answer that nobody gets."""


@pytest.fixture(scope="module")
def gateway(door: Door) -> Iterator[tuple[Unreliable, str]]:
    unreliable = Unreliable(door.app)
    front = FastAPI()
    front.mount("/", unreliable)
    with served(front) as url:
        yield unreliable, url


@pytest.fixture
def faults(gateway: tuple[Unreliable, str]) -> Unreliable:
    gateway[0].faults.clear()
    gateway[0].seen.clear()
    return gateway[0]


@pytest.fixture
def client(door: Door, gateway: tuple[Unreliable, str]) -> Iterator[Client]:
    """An admin whose pauses take no time."""
    with Client(gateway[1], door.secrets[Role.ADMIN], pause=lambda _: None) as opened:
        yield opened


@pytest.fixture
def campaign(door: Door) -> str:
    return door.open_campaign()


def test_a_campaign_is_opened_asked_told_and_watched(
    client: Client, campaign: str
) -> None:
    created = client.create_campaign(
        f"{campaign}-mine", pool=POOL, strategy="random", seed=7
    )
    assert created["strategy"]["name"] == "random"
    assert created["name"] in [one["name"] for one in client.campaigns()]

    batch = client.ask(created["name"], 3, lease_seconds=600)
    assert [item.reason for item in batch.items] == ["random"] * 3
    assert (batch.expires_at - batch.opened_at).total_seconds() == pytest.approx(600)
    stored = client.tell(
        created["name"],
        [{"object_id": item.object_id, "values": {"z": 0.2}} for item in batch.items],
        batch_id=batch.id,
    )
    assert [label.object_id for label in stored] == [
        item.object_id for item in batch.items
    ]
    assert [label.id for label in client.labels(created["name"])] == [
        label.id for label in stored
    ]
    assert client.batch(batch.id).state == "labeled"
    assert client.curve(created["name"]).points == ()
    assert client.curve_picture(created["name"]).startswith(b"\x89PNG")
    assert client.campaign(created["name"])["counts"]["labels"] == 3


def test_a_batch_is_renewed_and_released(client: Client, campaign: str) -> None:
    batch = client.ask(campaign, 2)
    assert client.renew(batch.id, lease_seconds=7200).id == batch.id
    assert client.release(batch.id).state == "released"
    assert client.campaign(campaign)["counts"]["free"] == N_POOL


def test_a_release_whose_answer_was_lost_has_released(
    client: Client, campaign: str, faults: Unreliable
) -> None:
    """The second attempt heard 409, and a release that worked raised."""
    batch = client.ask(campaign, 2)
    faults.faults.append(LOST)
    assert client.release(batch.id).state == "released"
    assert client.release(batch.id).state == "released"
    labeled = client.ask(campaign, 1)
    (item,) = labeled.items
    client.tell(campaign, [{"object_id": item.object_id, "values": {"z": 0.2}}])
    with pytest.raises(RequestRefused) as refused:
        client.release(labeled.id)
    assert refused.value.status == HTTPStatus.CONFLICT


def test_a_cancellation_whose_answer_was_lost_has_canceled(
    client: Client, campaign: str, faults: Unreliable
) -> None:
    run = next(client.runs(campaign))
    faults.faults.append(LOST)
    assert client.cancel_run(run.id).state == "canceled"


@pytest.mark.parametrize(
    "trouble",
    [[LOST], [503, 503], [502, LOST, 504], [LOST, LOST, LOST]],
    ids=["lost answer", "restart", "gateway", "three lost answers"],
)
def test_an_ask_that_is_sent_again_hands_out_once(
    client: Client, campaign: str, faults: Unreliable, trouble: list[int]
) -> None:
    faults.faults.extend(trouble)
    batch = client.ask(campaign, 4)
    assert len(batch.items) == 4
    assert client.campaign(campaign)["counts"]["leased"] == 4
    asks = [key for path, key in faults.seen if path.endswith("/batches")]
    assert len(asks) == len(trouble) + 1
    assert len(set(asks)) == 1
    assert asks[0] is not None


def test_a_tell_whose_answer_was_lost_stores_once(
    client: Client, campaign: str, faults: Unreliable
) -> None:
    faults.faults.append(LOST)
    label = {"object_id": object_id(1), "values": {"z": 0.1}}
    assert len(client.tell(campaign, [label])) == 1
    assert len(list(client.labels(campaign))) == 1


def test_two_asks_are_two_batches(client: Client, campaign: str) -> None:
    assert client.ask(campaign).id != client.ask(campaign).id
    assert client.ask(campaign, key="same").id == client.ask(campaign, key="same").id


def test_what_must_not_happen_twice_is_not_sent_again_after_a_lost_answer(
    client: Client, campaign: str, faults: Unreliable
) -> None:
    faults.faults.append(LOST)
    with pytest.raises(ServiceUnreachable):
        client.create_campaign(f"{campaign}-once", pool=POOL)
    assert len(faults.seen) == 1
    assert client.campaign(f"{campaign}-once")["state"] == "active"


def test_what_must_not_happen_twice_is_not_sent_again_after_a_503(
    client: Client, campaign: str, faults: Unreliable
) -> None:
    """The service may have committed before its database went away."""
    faults.faults.append(503)
    with pytest.raises(RequestRefused) as refused:
        client.create_campaign(f"{campaign}-unsure", pool=POOL)
    assert refused.value.status == HTTPStatus.SERVICE_UNAVAILABLE
    assert len(faults.seen) == 1


def test_the_client_gives_up_and_says_how_often_it_tried(
    door: Door, campaign: str, faults: Unreliable, gateway: tuple[Unreliable, str]
) -> None:
    faults.faults.extend([503] * ATTEMPTS)
    pauses: list[float] = []
    with (
        Client(gateway[1], door.secrets[Role.VIEWER], pause=pauses.append) as client,
        pytest.raises(ServiceUnreachable, match=f"after {ATTEMPTS} attempt"),
    ):
        client.campaign(campaign)
    assert len(pauses) == ATTEMPTS - 1
    assert max(pauses) <= LONGEST_PAUSE_SECONDS
    assert pauses[-1] > pauses[0]


def test_nobody_at_home_is_said_so() -> None:
    with (
        Client("http://127.0.0.1:1", "al_x", pause=lambda _: None) as client,
        pytest.raises(ServiceUnreachable, match=r"http://127\.0\.0\.1:1"),
    ):
        client.campaign("any")


def test_a_refusal_carries_the_facts_of_the_problem(
    client: Client, campaign: str
) -> None:
    labels = [
        {"object_id": object_id(1), "values": {"z": 99.0}},
        {"object_id": "nothing", "values": {"z": 0.1}},
    ]
    with pytest.raises(RequestRefused, match=r"labels\[0\]\.values\.z") as refused:
        client.tell(campaign, labels)
    assert refused.value.status == 422
    assert refused.value.kind == "invalid-labels"
    assert [problem.where for problem in refused.value.problems] == [
        "labels[0].values.z",
        "labels[1].object_id",
    ]


def test_an_unknown_campaign_and_a_missing_token_are_refusals(
    client: Client, gateway: tuple[Unreliable, str]
) -> None:
    with pytest.raises(RequestRefused, match="no campaign named 'a b ü'") as refused:
        client.campaign("a b ü")
    assert refused.value.kind == "not-found"
    with Client(gateway[1]) as stranger, pytest.raises(RequestRefused) as refused:
        stranger.campaign("any")
    assert refused.value.status == 401


def test_the_printed_address_is_all_that_a_client_needs(
    door: Door, campaign: str
) -> None:
    with Client(f"{door.url}/?token={door.secrets[Role.VIEWER]}") as client:
        assert client.campaign(campaign)["name"] == campaign


def test_waiting_for_a_run_ends_when_it_ends_or_when_the_time_is_over(
    client: Client, campaign: str
) -> None:
    run = next(client.runs(campaign))
    looks: list[Run] = []
    with pytest.raises(RunUnfinished, match="still planned"):
        client.wait_for_run(run.id, timeout=0.0, watch=looks.append)
    assert [look.id for look in looks] == [run.id]
    client.cancel_run(run.id)
    assert client.wait_for_run(run.id, timeout=0.0).state == "canceled"
    again = client.start_run(campaign, "score")
    assert not again.finished
    with pytest.raises(RequestRefused) as refused:
        client.start_run(campaign, "score")
    assert refused.value.problem["run"]["id"] == again.id


def test_lists_are_walked_to_their_end(client: Client, campaign: str) -> None:
    numbers = [number for number in range(60) if number % 5][:30]
    client.tell(
        campaign,
        [{"object_id": object_id(n), "values": {"z": 0.1}} for n in numbers],
    )
    assert len(list(client.labels(campaign))) == 30
    listed = list(client.objects(campaign))
    assert len(listed) == 48, "the pool's, before any score"
    assert {one["score"] for one in listed} == {None}
