"""Measure what the gated parts of SANet do: in weights at hand, and in short trainings of a small SANet.

python docs/measure_gates.py TRAINING.json TEST.json [STEPS]: datalists of heads with T2w and T1w of high resolution.

For the weights that ship, of each scale: the gammas, and the PSNR on the planes of the test where a part is off. Then a
SANet of width 16, of two stages of one block, is trained at scale 2, with gammas that start at 0 or 1, that learn
faster, that are not there (as printed), or with neither part.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mri_attention.losses import GuidedSuperResolutionLoss
from mri_attention.networks.nets import SANet, TwoContrastNetwork
from mri_attention.operators import lower_resolution
from mri_attention.transforms import CropKspaced, KspaceSupportd, LoadContrastsd, ScaleByQuantile, SlicesLastd

BUNDLE = Path(__file__).parents[1] / "bundles" / "guided_super_resolution_sanet"
CONTRASTS = ["T2w", "T1w"]
EDGE, PATCH, BATCH, PLANES = 128, 48, 4, 4
SHIPPED = {"scale": 1, "n_stages": 3, "n_blocks": 3, "width": 32, "fusion_options": {"norm": None}}
SMALL = {"scale": 1, "n_stages": 2, "n_blocks": 1, "width": 16, "fusion_options": {"norm": None}}
FAST = 30  # times the learning rate of the rest
TRAININGS: dict[str, tuple[dict[str, Any], float, float]] = {  # options, start of gammas, their learning rate's factor
    "gammas from 0 (default)": ({}, 0.0, 1.0),
    "gammas from 0, 30 times as fast": ({}, 0.0, FAST),
    "gammas from 1": ({"gamma": 1.0}, 1.0, 1.0),
    "as printed, no gammas": ({"gamma": None, "integration": "paper"}, 1.0, 1.0),
    "neither part": ({"enhancement": False, "integration": "none"}, 0.0, 1.0),
}


def write(line: str) -> None:
    """Write a line to standard output."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def planes(case: dict[str, Any], n: int) -> Tensor:
    """Load n planes of the middle of a head, T2w and T1w scaled as for the network: ``(n, 2, h, w)``."""
    images = [case["image"][name] for name in CONTRASTS]
    data = LoadContrastsd("image", CONTRASTS, "T2w")({"image": images})
    data = CropKspaced("image")(SlicesLastd("image")(KspaceSupportd("image", of_volumes=True)(data)))
    volume = data["image"].as_tensor().float().movedim(-1, 0)
    places = torch.linspace(0.3, 0.7, n).mul(len(volume)).long()
    corners = [max(0, (size - EDGE) // 2) for size in volume.shape[2:]]
    chosen = volume[places][:, :, corners[0] : corners[0] + EDGE, corners[1] : corners[1] + EDGE]
    return chosen / ScaleByQuantile(0.95, "foreground", axis=1).scale_of(volume).view(1, 2, 1, 1)


def load_heads(file: str, n: int) -> dict[str, Tensor]:
    """Load n planes of each head of a datalist."""
    return {case["subject"]: planes(case, n) for case in json.loads(Path(file).read_text())}


def pair(truth: Tensor, scale: int) -> Tensor:
    """Return the input of the network: the zero-filled T2w and the T1w."""
    return torch.cat([lower_resolution(truth[:, :1], scale), truth[:, 1:]], 1)


@torch.no_grad()
def gain(network: nn.Module, heads: list[Tensor], scale: int) -> float:
    """Return by how many dB the network is above zero-filling, the mean of heads."""
    gains = []
    for truth in heads:
        inputs = pair(truth, scale)
        found = torch.cat([network(plane[None])[:, 0] for plane in inputs])
        errors = [float((image - truth[:, 0]).square().mean()) for image in (inputs[:, 0], found)]
        gains.append(10 * torch.log10(torch.tensor(errors[0] / errors[1])))
    return float(torch.stack(gains).mean())


def gates(network: nn.Module) -> dict[str, nn.Parameter]:
    """Return the gammas of M_Att of both branches and of the integration."""
    return {name.split(".")[1]: p for name, p in network.named_parameters() if name.endswith("gamma")}


@contextmanager
def without(network: nn.Module, part: str) -> Iterator[None]:
    """Turn a part off: its gamma to zero, or for the fusions what they add."""
    if part != "fusions":
        module = network.get_submodule(f"network.{part}")
        kept, module.gamma = module.gamma, nn.Parameter(torch.zeros(()))
        yield
        module.gamma = kept
        return
    hooks = [block.register_forward_hook(lambda _, given, out: given[0]) for block in network.network.fusions]
    yield
    for hook in hooks:
        hook.remove()


def show_shipped(heads: list[Tensor]) -> None:
    """Print what the parts of the weights that ship do."""
    for scale, file in ((2, "model.pt"), (4, "model_x4.pt")):
        network = TwoContrastNetwork(SANet(**SHIPPED), is_residual=True).eval()
        weights = torch.load(BUNDLE / "models" / file, weights_only=True)
        network.load_state_dict({name: values.float() for name, values in weights.items()})
        write(f"{file}: " + ", ".join(f"gamma of {name} {float(p.detach()):.4f}" for name, p in gates(network).items()))
        whole = gain(network, heads, scale)
        write(f"  all parts: {whole:.4f} dB above zero-filling")
        for part in ("integration", "target.attention", "fusions"):
            with without(network, part):
                write(f"  without {part}: {gain(network, heads, scale) - whole:+.5f} dB")
        show_affinities(network, heads, scale)


@torch.no_grad()
def show_affinities(network: nn.Module, heads: list[Tensor], scale: int) -> None:
    """Print how near to one-hot the integration's affinities are, and which stages attend to which."""
    found: list[Tensor] = []
    hook = network.network.integration.register_forward_hook(
        lambda module, given, out: found.append(module.attention_weights(given[0]))
    )
    for truth in heads:
        for plane in pair(truth, scale):
            network(plane[None])
    hook.remove()
    weights = torch.cat(found)
    chosen = weights.argmax(-1)
    same = float((chosen == chosen[:1]).all(1).float().mean())
    write(f"  affinities: largest of a row {float(weights.amax(-1).mean()):.3f}; as on the first plane: {same:.0%}")


def train(options: dict[str, Any], start: float, factor: float, heads: list[Tensor], n_steps: int) -> nn.Module:
    """Train a small SANet at scale 2."""
    torch.manual_seed(0)
    network = TwoContrastNetwork(SANet(**SMALL, **options), is_residual=True, heads=["target.head"]).train()
    if "integration" in gates(network):
        gates(network)["integration"].data.fill_(start)
    gate = list(gates(network).values())
    rest = [p for p in network.parameters() if not any(p is other for other in gate)]
    groups = [{"params": rest}, {"params": gate, "lr": 0.001 * factor}]
    optimizer = torch.optim.Adam([group for group in groups if group["params"]], lr=0.001)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, n_steps)
    loss, draw = GuidedSuperResolutionLoss(), torch.Generator().manual_seed(0)
    both = torch.cat(heads)
    lowered = pair(both, 2)
    for _ in range(n_steps):
        indices = torch.randint(len(both), (BATCH,), generator=draw)
        y, x = torch.randint(EDGE - PATCH, (2,), generator=draw).tolist()
        place = (indices, slice(None), slice(y, y + PATCH), slice(x, x + PATCH))
        optimizer.zero_grad()
        loss(network(lowered[place]), both[place]).backward()
        optimizer.step()
        schedule.step()
    return network.eval()


def main(training: str, test: str, n_steps: str = "300") -> None:
    """Print what ships, then the trainings."""
    seen, unseen = (list(load_heads(file, n).values()) for file, n in ((training, 16), (test, PLANES)))
    show_shipped(unseen)
    for name, (options, start, factor) in TRAININGS.items():
        network = train(options, start, factor, seen, int(n_steps))
        whole, line = gain(network, unseen, 2), ""
        for part, gamma in gates(network).items():
            place = f"{part}.attention" if part in ("target", "auxiliary") else part
            with without(network, place):
                lost = gain(network, unseen, 2) - whole
            line += f"; {place}: gamma {float(gamma.detach()):.3f}, without it {lost:+.4f} dB"
        write(f"{name}: {whole:.3f} dB above zero-filling{line}")


if __name__ == "__main__":
    main(*sys.argv[1:])
