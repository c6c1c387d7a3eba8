"""The MS bundle as MONAI Deploy runs it, without files: ``MonaiBundleInferenceOperator`` and a TorchScript archive."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser
from monai.data import MetaTensor, save_net_with_metadata
from monai.transforms import Compose
from torch import Tensor

from mri_attention.scripts.exports.exported_configs import json_configs
from mri_attention.scripts.running.bundle import BUNDLES
from mri_attention.transforms import LoadContrastsd
from tests.transforms.heads import CONTRASTS, GRID, patient

pytestmark = pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")

ROOT = BUNDLES / "ms_lesion_segmentation_fanet"
SMALL = {
    "network_def::network::channels": [8, 16, 24],
    "patch": [16, 16, 16],
    "spacing": [3.0, 3.0, 3.0],
    "half_precision": False,
    "threshold": 0.3,
}
NOT_RUN = ("LoadImage", "SaveImage")
"""In the names of transforms that the operator leaves out."""


class Operator:
    """What the operator of MONAI Deploy App SDK 3 does between its ports, in the order in which it does it.

    Args:
        archive: of TorchScript, with ``metadata.json`` and ``inference.json`` as ``python -m monai.bundle ckpt_export``
            puts them there.
    """

    def __init__(self, archive: Path) -> None:
        self.parser = ConfigParser()
        with zipfile.ZipFile(archive) as packed:
            self.parser.read_meta(json.loads(packed.read(f"{archive.stem}/extra/metadata.json")))
            self.parser.read_config(json.loads(packed.read(f"{archive.stem}/extra/inference.json")))
        self.parser.parse()
        self.inferer = self.parser.get_parsed_content("inferer")
        self.before, self.after = (self._transforms(name) for name in ("preprocessing", "postprocessing"))
        self.network = torch.jit.load(archive).eval()

    def _transforms(self, name: str) -> Compose:
        compose: Compose = self.parser.get_parsed_content(name)
        compose.transforms = tuple(t for t in compose.transforms if not any(n in type(t).__name__ for n in NOT_RUN))
        return compose

    def __call__(self, values: Tensor, meta: dict[str, Any]) -> Tensor:
        """Map an image to labels ``(1, x, y, z)``."""
        inputs = self.before({"image": MetaTensor.ensure_torch_and_prune_meta(values, meta)})
        image = inputs.pop("image")
        others = {name: value[None] for name, value in inputs.items() if isinstance(value, Tensor)}
        with torch.no_grad():
            outputs = self.inferer(inputs=image[None], network=self.network, **others)
        labels: Tensor = self.after({"pred": next(iter(outputs)), **inputs, "image": image})["pred"]
        return labels


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network with random weights, traced, and its bundle's configs."""
    parser = ConfigParser(json.loads(json_configs(ROOT)["configs/inference.json"]))
    parser.update({**SMALL, "bundle_root": str(tmp_path_factory.mktemp("no bundle"))})
    content = {name: value for name, value in parser.get().items() if name != "_meta_"}
    torch.manual_seed(0)
    network = parser.get_parsed_content("network_def").eval()
    with torch.no_grad():
        traced = torch.jit.trace(network, torch.rand(1, 3, *SMALL["patch"]), check_trace=False)  # type: ignore[misc]
    metadata = json.loads((ROOT / "configs" / "metadata.json").read_text())
    file = tmp_path_factory.mktemp("deploy") / "model.ts"
    extra = {"inference.json": json.dumps(content).encode()}
    save_net_with_metadata(traced, str(file), meta_values=metadata, more_extra_files=extra)
    return file


@pytest.fixture
def image(tmp_path: Path) -> MetaTensor:
    """Three contrasts, stacked."""
    loaded = LoadContrastsd("image", CONTRASTS)({"image": patient(tmp_path / "files")})["image"]
    assert isinstance(loaded, MetaTensor)
    return loaded


def test_stacked_contrasts_give_the_labels_that_their_files_give(
    archive: Path, image: MetaTensor, tmp_path: Path
) -> None:
    operator = Operator(archive)
    labels = operator(image.as_tensor(), {"affine": GRID.copy()})
    by_files = Operator(archive)
    by_files.after.transforms = [t for t in by_files.after.transforms if not type(t).__name__.startswith("Save")]
    given = by_files.before({"image": patient(tmp_path / "files")})
    with torch.no_grad():
        given["pred"] = by_files.inferer(inputs=given["image"][None], network=by_files.network)[0]
    wanted = by_files.after(given)["pred"]
    assert 0 < wanted.sum() < wanted.numel()
    assert labels.shape == (1, *image.shape[1:])
    np.testing.assert_array_equal(labels, wanted)
    assert not Path(operator.parser.get_parsed_content("output_dir")).exists()


def test_one_series_is_the_flair(archive: Path, image: MetaTensor) -> None:
    labels = Operator(archive)(image.as_tensor()[2], {"affine": GRID.copy()})
    alone = torch.cat([torch.zeros_like(image.as_tensor()[:2]), image.as_tensor()[2:]])
    np.testing.assert_array_equal(labels, Operator(archive)(alone, {"affine": GRID.copy()}))
