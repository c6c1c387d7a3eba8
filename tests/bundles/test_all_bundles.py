"""Tests of every bundle that is in the repository."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import torch
from monai.bundle import verify_net_in_out

from mri_attention.scripts.checks.all_checks import READING, check_bundle
from tests.bundles.bundle_configs import ALL, BundleConfigs
from tests.bundles.conftest import Evaluated


@dataclass(frozen=True)
class Facts:
    """What differs from bundle to bundle: results, and the documented numbers."""

    grid: str  # suffix of the image on whose grid results lie
    results: tuple[str, ...]
    metrics: str
    recomputed: str  # those of them that MEASURES finds in the files
    sizes: dict[str, int]  # of the default network and those of overlays
    agreeing: str = "contrasts"  # ids, besides the network, that are the same in training and inference
    variants: tuple[dict[str, Any], ...] = ({},)  # settings that have weights of their own


MEASURES: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "psnr": lambda x, t: 10 * np.log10(t.max() ** 2 / np.square(x - t).mean()),
    "nmse": lambda x, t: np.square(x - t).sum() / np.square(t).sum(),
    "rmse": lambda x, t: 100 * np.sqrt(np.square(x - t).sum() / np.square(t).sum()),
    "nrmse": lambda x, t: 100 * np.std((x - t)[t != 0]) / np.std(t[t != 0]),
    "dice": lambda x, t: 2 * (x * t).sum() / (x.sum() + t.sum()),
}
LESION_ERRORS = " ".join(
    f"{place}_{error}" for place in ("lesion", "ring") for error in ["error", "bias", "nmse", "psnr"]
)

FACTS = {
    "brain_super_resolution_cftn": Facts(
        grid="T1w",
        results=("rec-cftn_T1w", "desc-reference_T1w", "desc-input_T1w"),
        metrics="psnr ssim psnr_brain ssim_brain",
        recomputed="psnr",
        sizes={
            "": 1_222_180,
            "paper": 3_495_974,
            "networks/cftn_without_mfem": 722_253,
            "networks/cftn_without_safm": 1_222_125,
            "networks/srcnn3d": 52_801,
            "networks/recnn": 888_769,
            "networks/ddsr": 435_201,
            "networks/eddsr": 648_897,
            "networks/fasr": 563_487,
        },
        variants=({"scale": 2}, {"scale": 3}),
    ),
    "guided_reconstruction_manet": Facts(
        grid="T2w",
        results=("rec-manet_T2w", "desc-reference_T2w", "desc-input_T2w"),
        metrics="psnr ssim nmse",
        recomputed="psnr nmse",
        sizes={
            "": 1_829_820,
            "paper": 7_283_670,
            "networks/unet": 1_978_433,
            "networks/dense_unet": 1_892_353,
            "networks/varnet": 1_984_271,
        },
    ),
    "guided_super_resolution_sanet": Facts(
        grid="T2w",
        results=("rec-sanet_T2w", "desc-reference_T2w", "desc-input_T2w"),
        metrics=f"psnr ssim nmse data_consistency_error error_outside_lesions lesion_contrast {LESION_ERRORS}",
        recomputed="psnr nmse",
        sizes={"": 518_308, "paper": 6_806_627, "networks/edsr": 1_367_553, "networks/bicubic": 0},
        agreeing="contrasts joint slice_axis",
        variants=({"scale": 2}, {"scale": 4}),
    ),
    "ms_lesion_segmentation_fanet": Facts(
        grid="FLAIR",
        results=("label-lesion_mask", "label-lesion_probseg"),
        metrics="dice ltpr lppv lesion_f1 true_count predicted_count true_volume predicted_volume",
        recomputed="dice",
        sizes={
            "": 3_662_993,
            "paper": 24_556_929,
            "networks/unet": 3_823_689,
            "networks/non_local": 3_642_472,
            "networks/da_net": 3_957_518,
            "networks/rsa_net": 3_662_995,
            "networks/ag_net": 3_795_163,
        },
        agreeing="contrasts optional_contrasts spacing",
    ),
    "qsm_reconstruction_fanet": Facts(
        grid="localfield",
        results=("Chimap", "desc-reference_Chimap", "desc-input_localfield"),
        metrics="nrmse rmse hfen ssim psnr xsim",
        recomputed="nrmse rmse",
        sizes={},
        agreeing="contrasts classical patch",
    ),
}

each_bundle = pytest.mark.parametrize("bundle", ALL, ids=lambda bundle: bundle.name, scope="module")


def facts_of(bundle: BundleConfigs) -> Facts:
    assert bundle.name in FACTS, "a new bundle needs a row in FACTS, and in the tables of bundle_configs.py"
    return FACTS[bundle.name]


def n_inputs(bundle: BundleConfigs) -> int:
    metadata = json.loads((bundle.root / "configs" / "metadata.json").read_text())
    return len(metadata["network_data_format"]["inputs"])


@each_bundle
@pytest.mark.parametrize("name", READING)
def test_files_and_configs_are_sound(name: str, bundle: BundleConfigs) -> None:
    outcome = READING[name](bundle.root)
    assert outcome.status != "FAIL", outcome.reason


@pytest.mark.slow
@each_bundle
def test_passes_every_check(bundle: BundleConfigs) -> None:
    assert {name: o.reason for name, o in check_bundle(bundle.root, trust=False) if o.status == "FAIL"} == {}


@each_bundle
def test_training_writes_best_and_last_checkpoint(trained: Path, bundle: BundleConfigs) -> None:
    best, last = (
        torch.load(trained / "models" / name, weights_only=True) for name in ("model.pt", "checkpoint_last.pt")
    )
    configs = bundle.parse("train", **bundle.tiny)
    network = configs.get_parsed_content("network_def")
    for state in (best, last["model"]):
        network.load_state_dict(state)
    assert set(last) == {*configs["checkpoint"], "progress"} >= {"model", "optimizer", "lr_scheduler", "trainer"}


@each_bundle
def test_training_resumes_where_it_stopped(trained: Path, bundle: BundleConfigs, dataset: Path, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "checkpoint_last.pt").write_bytes((trained / "models" / "checkpoint_last.pt").read_bytes())
    state = bundle.train(tmp_path, dataset, epochs=2, resume=True).parser.get_parsed_content("train::trainer").state
    assert (state.epoch, state.iteration) == (2, 4)


@each_bundle
def test_training_starts_from_given_weights(
    trained: Path, bundle: BundleConfigs, dataset: Path, tmp_path: Path
) -> None:
    model = trained / "models" / "model.pt"
    bundle.train(tmp_path, dataset, steps=1, val_interval=2, learning_rate=0.0, start_from=str(model))
    given = torch.load(model, weights_only=True)
    state = torch.load(tmp_path / "models" / "checkpoint_last.pt", weights_only=True)["model"]
    for name, _ in bundle.parse("train", **bundle.tiny).get_parsed_content("network_def").named_parameters():
        torch.testing.assert_close(state[name], given[name], rtol=0, atol=0)


@each_bundle
def test_results_lie_on_the_grid_of_the_image(evaluated: Evaluated, bundle: BundleConfigs, dataset: Path) -> None:
    facts = facts_of(bundle)
    image = nib.load(dataset / "sub-001" / "anat" / f"sub-001_{facts.grid}.nii.gz")
    factor = 2 if bundle.name.startswith("brain") else 1  # whose low resolution has whole voxels in all directions
    for suffix in facts.results:
        result = nib.load(evaluated[0] / "sub-001" / "anat" / f"sub-001_{suffix}.nii.gz")
        assert result.shape == tuple(n - n % factor for n in image.shape)
        np.testing.assert_array_equal(result.affine, image.affine)
        for code in ("qform_code", "sform_code"):
            assert result.header[code] == image.header[code]


@each_bundle
def test_evaluation_reports_every_metric_for_every_case(evaluated: Evaluated, bundle: BundleConfigs) -> None:
    details = evaluated[1].parser.get_parsed_content("evaluator").state.metric_details
    assert set(details) == set(facts_of(bundle).metrics.split())
    assert {len(values) for values in details.values()} == {2}


@each_bundle
def test_metrics_are_those_of_the_files(evaluated: Evaluated, bundle: BundleConfigs, dataset: Path) -> None:
    facts = facts_of(bundle)
    (result,) = evaluated[0].rglob(f"sub-002_{facts.results[0]}.nii.gz")
    written = list(evaluated[0].rglob("sub-002_desc-reference_*.nii.gz"))
    (reference,) = written or dataset.rglob("sub-002_label-lesion_mask.nii.gz")
    details = evaluated[1].parser.get_parsed_content("evaluator").state.metric_details
    for name in facts.recomputed.split():
        expected = MEASURES[name](nib.load(result).get_fdata(), nib.load(reference).get_fdata())
        assert details[name][1].item() == pytest.approx(expected, rel=1e-4)


@each_bundle
@pytest.mark.parametrize("overlays", [(), ("quickstart",)], ids=str)
def test_train_and_inference_agree(overlays: tuple[str, ...], bundle: BundleConfigs) -> None:
    train, inference = (bundle.parse(name, *overlays) for name in ("train", "inference"))
    for name in ("network_def", *facts_of(bundle).agreeing.split()):
        assert train[name] == inference[name]


@pytest.mark.parametrize("config", ["inference", "train"])
@pytest.mark.parametrize("bundle", [bundle for bundle in ALL if n_inputs(bundle) == 1], ids=lambda bundle: bundle.name)
def test_network_fulfills_the_metadata(bundle: BundleConfigs, config: str) -> None:
    verify_net_in_out("network_def", str(bundle.root / "configs" / "metadata.json"), *bundle.files(config), n=4, p=4)


@pytest.mark.parametrize(
    ("bundle", "overlay"),
    [(bundle, overlay) for bundle in ALL if bundle.name in FACTS for overlay in FACTS[bundle.name].sizes],
    ids=lambda value: getattr(value, "name", value),
)
def test_networks_have_the_documented_sizes(bundle: BundleConfigs, overlay: str) -> None:
    network = bundle.parse("train", *filter(None, [overlay])).get_parsed_content("network_def")
    assert sum(p.numel() for p in network.parameters()) == FACTS[bundle.name].sizes[overlay]


@each_bundle
def test_shipped_weights_fit_the_network_and_the_limit(bundle: BundleConfigs) -> None:
    models = sorted((bundle.root / "models").glob("*.pt"))
    assert sum(model.stat().st_size for model in models) <= 8 * 2**20
    found = []
    for variant in facts_of(bundle).variants:
        parser = bundle.parse("inference", **variant)
        found.append(Path(parser.get_parsed_content("model_file")))
        state = torch.load(found[-1], weights_only=True)
        parser.get_parsed_content("network_def").load_state_dict(state)
        assert {value.dtype for value in state.values() if value.is_floating_point()} == {torch.float16}
    assert sorted(found) == models


@each_bundle
def test_multi_gpu_overlay_parses(bundle: BundleConfigs) -> None:
    network = bundle.parse("train", "multi_gpu_train")["network"]
    assert network["_target_"].endswith("DistributedDataParallel")
