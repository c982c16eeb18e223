"""Files that the client saves are whole, or are not there."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.responses import StreamingResponse

from al_service.client import Client, RequestRefused, ServiceUnreachable
from al_service.client.saving import whole_file
from tests.api.serving import served

WHOLE = b"object_id,z\n" + b"x,1\n" * 1000


class Breaking:
    """A service whose first answers break off."""

    def __init__(self, breaks: int) -> None:
        self.left = breaks
        self.app = FastAPI()
        path = "/api/v1/campaigns/first/labels/export"
        self.app.add_api_route(path, self.answer)

    def answer(self) -> StreamingResponse:
        broken, self.left = self.left > 0, self.left - 1
        headers = {"Content-Length": str(len(WHOLE))}
        return StreamingResponse(self.parts(broken=broken), headers=headers)

    def parts(self, *, broken: bool) -> Iterator[bytes]:
        yield WHOLE[:1000]
        if broken:
            raise ConnectionError
        yield WHOLE[1000:]


def save(url: str, path: Path) -> int:
    with Client(url, pause=lambda _: None) as client:
        return client.export_labels("first", path)


def test_an_answer_that_broke_off_is_read_again_from_its_beginning(
    tmp_path: Path,
) -> None:
    with served(Breaking(2).app) as url:
        size = save(url, tmp_path / "new" / "labels.csv")

    assert size == len(WHOLE)
    assert (tmp_path / "new" / "labels.csv").read_bytes() == WHOLE
    assert len(list((tmp_path / "new").iterdir())) == 1


def test_a_file_that_never_comes_whole_leaves_the_older_one(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("older")

    with served(Breaking(1000).app) as url, pytest.raises(ServiceUnreachable):
        save(url, path)

    assert path.read_text() == "older"
    assert list(tmp_path.iterdir()) == [path]


def test_a_refusal_is_no_file(tmp_path: Path) -> None:
    with (
        served(FastAPI()) as url,
        pytest.raises(RequestRefused, match="404"),
    ):
        save(url, tmp_path / "labels.csv")
    assert list(tmp_path.iterdir()) == []


def test_a_file_has_its_name_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    with whole_file(path) as file:
        file.write(b"all")
        assert not path.exists()
    assert path.read_bytes() == b"all"
