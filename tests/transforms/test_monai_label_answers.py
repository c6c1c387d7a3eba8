"""Tests of what a MONAI Label server's client is told."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from monai.transforms import Compose, Flip, Invert

from mri_attention.datasets import InputError
from mri_attention.transforms import AnsweringCompose


class ServerError(Exception):
    """As FastAPI has it."""

    def __init__(self, status_code: int, detail: str) -> None:
        super().__init__(detail)
        self.status_code, self.detail = status_code, detail


def refuse(data: Any) -> Any:
    raise InputError.at("a.nii.gz", "no T1w image beside it", "add it")


def fail(data: Any) -> Any:
    raise KeyError("image")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fastapi", SimpleNamespace(HTTPException=ServerError))


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("transform", [refuse, Compose([refuse])])
def test_client_gets_the_line_of_a_refusal(transform: Any) -> None:
    with pytest.raises(ServerError, match="no T1w image beside it; add it") as raised:
        AnsweringCompose([transform]).transforms[0]({})
    assert raised.value.status_code == 400


@pytest.mark.usefixtures("server")
def test_other_errors_stay_as_they_are() -> None:
    with pytest.raises(KeyError):
        AnsweringCompose([fail]).transforms[0]({})


def test_without_a_server_refusals_stay_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "fastapi", raising=False)
    with pytest.raises(InputError):
        AnsweringCompose([refuse]).transforms[0]({})


def test_what_it_did_is_inverted() -> None:
    image = torch.arange(8.0).reshape(1, 8)
    steps = AnsweringCompose([Flip(0)])
    flipped = steps(image)
    assert flipped[0, 0] == 7
    torch.testing.assert_close(Invert(steps)(flipped).as_tensor(), image)
