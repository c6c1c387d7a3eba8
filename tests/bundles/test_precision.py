"""The precision in which the bundles compute is found by timing their networks, and set by hand."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
import torch

from mri_attention.handlers.whole_files import load_whole
from mri_attention.networks.inferers import precision_choice
from tests.bundles.bundle_configs import ALL, BundleConfigs

FIELD_ALONE = "networks/qsmnet"

CASES = [(bundle, kind, ()) for bundle in ALL for kind in ("train", "inference")]
CASES += [(bundle, "train", (FIELD_ALONE,)) for bundle in ALL if FIELD_ALONE in bundle.overlays()]


@pytest.mark.parametrize(("bundle", "kind", "overlays"), CASES, ids=lambda value: getattr(value, "name", str(value)))
def test_a_pass_of_the_network_is_timed(
    bundle: BundleConfigs,
    kind: str,
    overlays: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(precision_choice, "has_fast_bfloat16", lambda device: True)
    monkeypatch.setattr(precision_choice, "_chosen", {})
    monkeypatch.setattr(precision_choice, "MAX_SECONDS", 0.0)
    small = bundle.short if kind == "train" else bundle.tiny
    small = {"patch": [16, 16, 16]} if overlays else small
    parser = bundle.parse(kind, *overlays, **{**small, "device": "cpu", "output_dir": str(tmp_path)})
    with caplog.at_level(logging.INFO):
        choice = parser.get_parsed_content("half_precision")
    assert f"computing in {'bfloat16' if choice else 'float32'}: " in caplog.text
    assert "against" in caplog.text


@pytest.mark.parametrize("choice", [False, True])
@pytest.mark.parametrize("bundle", ALL, ids=lambda bundle: bundle.name)
def test_it_is_set_by_hand(bundle: BundleConfigs, choice: bool, caplog: pytest.LogCaptureFixture) -> None:
    parser = bundle.parse("train", half_precision=choice)
    with caplog.at_level(logging.INFO):
        inferer = parser.get_parsed_content("train::inferer")
    assert (getattr(inferer, "enabled", None) is choice) or (getattr(inferer, "half_precision", None) is choice)
    assert not caplog.records


@pytest.mark.slow
@pytest.mark.parametrize("bundle", ALL, ids=lambda bundle: bundle.name)
def test_timing_changes_nothing_of_a_training(
    bundle: BundleConfigs, dataset: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(precision_choice, "has_fast_bfloat16", lambda device: True)
    monkeypatch.setattr(precision_choice, "_chosen", {})
    monkeypatch.setattr(precision_choice, "MARGIN", 1e9)  # float32, as by hand
    bundle.train(tmp_path / "timed", dataset, device="cpu")
    bundle.train(tmp_path / "by_hand", dataset, device="cpu", half_precision=False)
    timed, by_hand = (load_whole(tmp_path / name / "models" / "checkpoint_last.pt") for name in ("timed", "by_hand"))
    assert precision_choice._chosen
    assert all(torch.equal(by_hand["model"][name], value) for name, value in timed["model"].items())
