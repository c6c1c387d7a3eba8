"""Measure SANet with and without agreement with its input and self-test, on heads and on what is no head.

python docs/measure_self_test.py HEADS.json: a datalist of heads with T2w and T1w of high resolution.

Printed is by how many dB results are above zero-filling, on some planes of the middle of each head; on these heads with
the guide of the next head, with a mirrored guide, and with noise; on ellipses, ellipses with texture, and texture alone
that target and guide share. T2w of low resolution are made by truncation. The last column is the squared error of the
trial by that with the guide moved away.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np
import torch
from measure_gates import BUNDLE, SHIPPED, load_heads, pair, write
from monai.inferers import SliceInferer
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor, nn

from mri_attention.networks.inferers import SelfTestedInferer, TruncatedPlanes
from mri_attention.networks.nets import SANet, TwoContrastNetwork
from mri_attention.operators import agree_with_low_resolution

SIZE, PLANES, BLOBS = 128, 4, 25


class Told(SelfTestedInferer):
    """Keeps the shares."""

    share = 1.0

    def _tell(self, share: float | None, place: str) -> None:
        self.share = 1.0 if share is None else share


def ellipses(texture: float) -> Tensor:
    """Draw planes of ellipses, whose intensities differ between target and guide: ``(n, 2, h, w)``."""
    generator = np.random.default_rng(0)
    y, x = np.mgrid[-1 : 1 : SIZE * 1j, -1 : 1 : SIZE * 1j]
    drawn = []
    for _ in range(PLANES):
        plane = np.zeros((2, SIZE, SIZE))
        for number in range(BLOBS):
            radii = generator.uniform(0.03, 0.5, 2) if number else np.array([0.85, 0.7])
            center = generator.uniform(-0.5, 0.5, 2) * (number > 0)
            turn = np.exp(1j * generator.uniform(0, np.pi))
            place = (x - center[0] + 1j * (y - center[1])) * turn
            distance = (place.real / radii[0]) ** 2 + (place.imag / radii[1]) ** 2 - 1
            inside = 1 / (1 + np.exp(np.clip(distance * SIZE / 6 * radii.min(), -50, 50)))
            plane += (generator.uniform(0.1, 1, (2, 1, 1)) - plane) * inside
        grain = [ndimage.gaussian_filter(generator.standard_normal((SIZE, SIZE)), 1.0) for _ in range(2)]
        noise = 0.005 * generator.standard_normal(plane.shape)
        drawn.append(np.maximum(plane * (1 + 3 * texture * np.stack(grain)) + noise, 0))
    return _tensor(drawn)


def textures() -> Tensor:
    """Draw planes of filtered noise, which target and guide share in other mixtures: ``(n, 2, h, w)``."""
    generator = np.random.default_rng(1)
    drawn = []
    for _ in range(PLANES):
        noise = [ndimage.gaussian_filter(generator.standard_normal((SIZE, SIZE)), width) for width in (0.7, 1.5, 4)]
        shares = generator.uniform(-1, 1, (2, 3))
        drawn.append(
            abs(0.6 + 0.15 * sum(s[:, None, None] * n / n.std() for s, n in zip(shares.T, noise, strict=True)))
        )
    return _tensor(drawn)


def cases(heads: dict[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """Yield names and planes ``(n, 2, h, w)``, target and guide."""
    yield from heads.items()
    (first, head), (other, guide) = list(heads.items())[1:3]
    yield f"{first}, guide of {other}", torch.stack([head[:, 0], guide[:, 1]], 1)
    yield f"{other}, guide mirrored", torch.stack([guide[:, 0], guide[:, 1].flip(-1)], 1)
    torch.manual_seed(0)
    yield f"{other}, guide of noise", torch.stack([guide[:, 0], torch.rand_like(guide[:, 1])], 1)
    noise = 0.05 * float(head[:, 0].max()) * torch.randn(2, *head[:, 0].shape)
    yield f"{first}, noise of 5 %", torch.stack([(head[:, 0] + noise[0]).hypot(noise[1]), head[:, 1]], 1)
    yield "ellipses", ellipses(0.0)
    yield "ellipses with texture", ellipses(0.1)
    yield "texture", textures()


def measure(network: nn.Module, truth: Tensor, scale: int) -> str:
    """Return the columns of a row."""
    inputs = pair(truth, scale).movedim(0, -1)[None]
    slices = SliceInferer(roi_size=[-1, -1], spatial_dim=2)
    inferer = Told(slices, TruncatedPlanes(scale))
    with torch.no_grad():
        alone, tested = slices(inputs, network)[:, :1], inferer(inputs, network)[:, :1]
    given = inputs[0, 0].movedim(-1, 0).double()
    planes = [image[0, 0].movedim(-1, 0).double() for image in (alone, tested)]
    agreed = [agree_with_low_resolution(image, given, scale) for image in planes]
    errors = [float((image - truth[:, 0]).square().mean()) for image in (given, planes[0], *agreed)]
    gains = [10 * np.log10(errors[0] / error) for error in errors[1:]]
    columns = [
        *(f"{gain:+.2f}" for gain in gains),
        f"{inferer.share:.2f}",
        f"{guide_ratio(network, inputs, scale):.2f}",
    ]
    return " | ".join(columns)


@torch.no_grad()
def guide_ratio(network: nn.Module, inputs: Tensor, scale: int) -> float:
    """Return the squared error of the trial by that of the trial with the guide moved away."""
    planes = TruncatedPlanes(scale)
    trial = planes.trial(inputs)
    slices = SliceInferer(roi_size=[-1, -1], spatial_dim=2)
    found = [planes.finish(slices(given, network)[:, :1], trial.inputs) for given in (trial.inputs, trial.misguided)]
    truth = planes.finish(trial.truth, trial.inputs)
    own, away = (float((image - truth).square().mean()) for image in found)
    return own / away


def main(heads_file: str) -> None:
    """Print the table of both scales."""
    heads = load_heads(heads_file, PLANES)
    for scale, file in ((2, "model.pt"), (4, "model_x4.pt")):
        network = TwoContrastNetwork(SANet(**SHIPPED), is_residual=True).eval()
        weights = torch.load(BUNDLE / "models" / file, weights_only=True)
        network.load_state_dict({name: values.float() for name, values in weights.items()})
        write(f"scale {scale} | network | agreeing with its input | and self-tested | share kept | guide")
        for name, truth in cases(heads):
            write(f"{name} | {measure(network, truth, scale)}")


def _tensor(planes: list[NDArray[np.float64]]) -> Tensor:
    return torch.from_numpy(np.stack(planes).astype(np.float32))


if __name__ == "__main__":
    main(*sys.argv[1:])
