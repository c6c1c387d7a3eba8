"""Tests of handlers.weights."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from ignite.engine import Engine
from safetensors.torch import save_file
from torch import nn

from mri_attention.datasets import InputError
from mri_attention.handlers import WeightsLoader
from mri_attention.handlers.weights import existing_file


class Fitted(nn.Module):
    """A network without parameters whose threshold was fitted."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("threshold", torch.zeros(1))


class Harm:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("harm",)


def load(file: Path | str, network: nn.Module) -> WeightsLoader:
    loader = WeightsLoader(file, network)
    loader.attach(Engine(lambda engine, batch: None))
    return loader


def conv() -> nn.Module:
    return nn.Conv1d(1, 2, 3)


def bundle(folder: Path, file_name: str, hashes: dict[str, str]) -> Path:
    """Make a bundle that tells ``hashes``; return a file in its ``models``."""
    (folder / "configs").mkdir(parents=True)
    (folder / "models").mkdir()
    (folder / "configs" / "metadata.json").write_text(json.dumps({"weights_sha256": hashes}))
    return folder / "models" / file_name


@pytest.mark.parametrize("key", [None, "model", "state_dict"])
def test_loads_each_tensor(key: str | None, tmp_path: Path) -> None:
    source, target = conv(), conv()
    torch.save(source.state_dict() if key is None else {key: source.state_dict(), "epoch": 3}, tmp_path / "a.pt")
    assert load(tmp_path / "a.pt", target).loaded == tmp_path / "a.pt"
    torch.testing.assert_close(target.state_dict(), source.state_dict(), rtol=0, atol=0)


def test_loads_safetensors(tmp_path: Path) -> None:
    source, target = conv(), conv()
    save_file(source.state_dict(), tmp_path / "a.safetensors")
    load(tmp_path / "a.safetensors", target)
    assert torch.equal(target.state_dict()["weight"], source.state_dict()["weight"])


def test_loads_into_what_is_wrapped(tmp_path: Path) -> None:
    source, target = conv(), conv()
    torch.save(source.state_dict(), tmp_path / "a.pt")
    load(tmp_path / "a.pt", nn.DataParallel(target))
    assert torch.equal(target.state_dict()["weight"], source.state_dict()["weight"])


@pytest.mark.parametrize("size", [0, 100, 600])
def test_truncated_files_are_refused(size: int, tmp_path: Path) -> None:
    torch.save(conv().state_dict(), tmp_path / "whole.pt")
    (tmp_path / "a.pt").write_bytes((tmp_path / "whole.pt").read_bytes()[:size])
    with pytest.raises(InputError, match=r"a\.pt: cannot be read as weights: it is damaged.*give a checkpoint"):
        load(tmp_path / "a.pt", conv())


def test_code_is_refused_and_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"model": Harm()}, "a.pt")
    with pytest.raises(InputError, match=r"a\.pt: cannot be read as weights: it holds code"):
        load(tmp_path / "a.pt", conv())
    Path("b.pt").write_bytes(pickle.dumps(Harm(), protocol=2))
    with pytest.raises(InputError, match=r"b\.pt: cannot be read as weights"):
        load(tmp_path / "b.pt", conv())
    assert not Path("harm").exists()


@pytest.mark.parametrize("content", [[1, 2], torch.zeros(3), {"model": 3}], ids=["list", "tensor", "number"])
def test_other_content_is_refused(content: Any, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "a.pt")
    with pytest.raises(InputError, match=r"a\.pt: (cannot be read as|not) weights"):
        load(tmp_path / "a.pt", conv())


@pytest.mark.parametrize("other", [nn.Conv1d(1, 2, 5), nn.Conv1d(1, 2, 3, bias=False), nn.PReLU()])
def test_weights_of_other_networks_are_refused(other: nn.Module, tmp_path: Path) -> None:
    torch.save(other.state_dict(), tmp_path / "a.pt")
    with pytest.raises(InputError, match=r"not weights of this Conv1d \(\d of \d tensors do not fit, such as \w+"):
        load(tmp_path / "a.pt", conv())


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused(value: float, tmp_path: Path) -> None:
    spoiled, network = conv().state_dict(), conv()
    spoiled["bias"][0] = value
    torch.save(spoiled, tmp_path / "a.pt")
    with pytest.raises(InputError, match=r"a\.pt: 1 of 2 tensors hold NaN or Inf, such as bias; give an earlier"):
        load(tmp_path / "a.pt", network)
    assert all(p.isfinite().all() for p in network.parameters())


def test_missing_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing\.pt: no weights of Conv1d; train it first"):
        load(tmp_path / "nothing.pt", conv())


def test_what_is_there_instead_is_told(tmp_path: Path) -> None:
    for name in ("model.pt", "model_x4.pt"):
        (tmp_path / name).touch()
    with pytest.raises(
        InputError, match=r"model_x3\.pt: no weights of Conv1d; in this folder are model.pt, model_x4.pt"
    ):
        load(tmp_path / "model_x3.pt", conv())


def test_a_relative_file_that_is_missing_asks_for_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"give the bundle's folder as --bundle_root"):
        load("./models/model.pt", conv())


def test_files_that_people_name_are_asked_for_without_options_of_monai(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"^nope\.pt: no such file of weights; train it first, or give a checkpoint"):
        existing_file(Path("nope.pt"))


def test_a_number_sign_that_was_replaced_is_told(tmp_path: Path) -> None:
    (tmp_path / "a#1.pt").touch()
    with pytest.raises(InputError, match=r"MONAI reads # in a path as ::"):
        load(tmp_path / "a::1.pt", conv())


def test_files_other_than_shipped_are_refused(tmp_path: Path) -> None:
    torch.save(conv().state_dict(), tmp_path / "a.pt")
    content = (tmp_path / "a.pt").read_bytes()
    file = bundle(tmp_path / "bundle", "model.pt", {"models/model.pt": hashlib.sha256(content).hexdigest()})
    file.write_bytes(content)
    assert load(file, conv()).loaded == file
    torch.save(conv().state_dict(), file)
    with pytest.raises(InputError, match=r"model\.pt: not the weights that were shipped \(SHA-256 .*another folder"):
        load(file, conv())


def test_metadata_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    file = bundle(tmp_path, "model.pt", {})
    (tmp_path / "configs" / "metadata.json").write_text("no JSON")
    torch.save(conv().state_dict(), file)
    with pytest.raises(InputError, match=r"metadata\.json: cannot be read"):
        load(file, conv())


def test_networks_without_parameters_need_no_file(tmp_path: Path) -> None:
    assert load(tmp_path / "nothing.pt", nn.Identity()).loaded is None


def test_what_a_bundle_ships_is_not_of_a_network_without_parameters(tmp_path: Path) -> None:
    file = bundle(tmp_path, "model.pt", {"models/model.pt": "0"})
    assert load(file, Fitted()).loaded is None
    torch.save(conv().state_dict(), file)
    assert load(file, Fitted()).loaded is None


def test_fitted_values_are_loaded_from_what_did_not_ship(tmp_path: Path) -> None:
    file, network = bundle(tmp_path, "fitted.pt", {"models/model.pt": "0"}), Fitted()
    for place in (file, tmp_path / "fitted.pt"):
        torch.save({"threshold": torch.ones(1)}, place)
        network.threshold.zero_()
        load(place, network)
        assert network.threshold == 1


def test_a_chosen_file_of_fitted_values_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no weights of Fitted"):
        load(tmp_path / "fitted.pt", Fitted())


def test_a_flipped_bit_is_found(tmp_path: Path) -> None:
    torch.save({"weight": torch.arange(1000.0)}, tmp_path / "model.pt")
    content = bytearray((tmp_path / "model.pt").read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "model.pt").write_bytes(content)
    with pytest.raises(InputError, match="cannot be read as weights: it is damaged"):
        WeightsLoader(tmp_path / "model.pt", nn.Linear(1, 1)).attach(Engine(lambda engine, batch: None))
