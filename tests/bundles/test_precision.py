"""The precision in which the bundles compute is found by timing their networks, and set by hand."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
import torch

from mri_attention.handlers.finite_gradients import SWITCHES
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
def test_gradient_that_is_none_in_bfloat16_is_told_and_the_training_goes_on(
    bundle: BundleConfigs, dataset: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The config that ships, in bfloat16 at small patches, where a weight's first gradient is NaN at a finite loss."""
    settings = {"output_dir": str(tmp_path / "out"), "dataset_dir": str(dataset), "device": "cpu"}
    small = bundle.short | ({"patch": [16, 16, 16]} if bundle.name.startswith("ms_lesion") else {})
    workflow = bundle.prepared("train", ("train",), **small, **settings, half_precision=True)
    parameter = next(workflow.parser.get_parsed_content("network").parameters())
    seen: list[torch.dtype] = []

    def spoiled(gradient: torch.Tensor) -> torch.Tensor:
        seen.append(gradient.dtype)
        return gradient * torch.nan if len(seen) == 1 else gradient

    parameter.register_hook(spoiled)
    with caplog.at_level(logging.WARNING):
        workflow.run()
    (told,) = [r.getMessage() for r in caplog.records if r.name.endswith("finite_gradients")]
    trainer = workflow.parser.get_parsed_content("train::trainer")
    assert "is not finite in step 1 in bfloat16: it is left out" in told
    assert trainer.state.iteration == len(seen) == 2
    assert not any(getattr(trainer.inferer, name, False) for name in SWITCHES)
    assert all(weight.isfinite().all() for weight in trainer.network.parameters())


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
