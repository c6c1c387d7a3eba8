"""A bundle whose objects are built once, for checks, exports and benchmarks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .bundle import Bundle
from .given import as_object

if TYPE_CHECKING:
    from monai.bundle import ConfigParser
    from torch import Tensor, nn

MIN_SIZE = 32
"""Voxels along an axis of the example, unless told otherwise."""


@dataclass(frozen=True)
class BuiltBundle(Bundle):
    """A bundle with parsers, network and example input, each built when it is first asked for.

    Attributes:
        min_size: voxels along each axis of the example, at least, where the metadata leave a choice.
    """

    min_size: int = MIN_SIZE

    @property
    def inputs(self) -> list[str]:
        """Names of the network's inputs, as the metadata tell."""
        return list(self.metadata.get("network_data_format", {}).get("inputs", {}))

    def parser(self, *files: Path) -> ConfigParser:
        """Return the merged content of ``files``, macros replaced, nothing evaluated."""
        from monai.bundle import ConfigParser

        parser = ConfigParser()
        parser.read_config([str(file) for file in files])
        parser.read_meta(str(self.folder / "configs" / "metadata.json"))
        parser["bundle_root"] = as_object(self.folder)
        parser.parse(reset=True)
        return parser

    @cached_property
    def inference(self) -> ConfigParser | None:
        """The inference config."""
        return self.parser(file) if (file := self.config("inference")) else None

    @cached_property
    def train(self) -> ConfigParser | None:
        """The training config."""
        return self.parser(file) if (file := self.config("train")) else None

    @cached_property
    def network(self) -> nn.Module:
        """The network of the inference config, on the CPU, in eval mode, with the weights that ship.

        Raises:
            LookupError: if there is none.
        """
        if self.inference is None or "network_def" not in self.inference:
            raise LookupError("no network_def in an inference config")
        network: nn.Module = self.inference.get_parsed_content("network_def")
        if state := self.weights:
            network.load_state_dict(state)
        return network.cpu().float().eval()

    @cached_property
    def weights(self) -> dict[str, Tensor]:
        """The state dict in ``models/model.pt``, empty without that file."""
        from ...handlers.weights import read_weights

        file = self.folder / "models" / "model.pt"
        return read_weights(file) if file.is_file() else {}

    @cached_property
    def factors(self) -> dict[str, int]:
        """Factor ``n``, exponent ``p`` and free size ``any`` of the smallest example of at least the minimal size."""
        shape = self.metadata["network_data_format"]["inputs"]["image"]["spatial_shape"]
        choices = ({"p": p, "n": n, "any": self.min_size} for p in range(1, 9) for n in range(1, 1 + 2 * MIN_SIZE))
        for factors in choices:
            sizes = spatial_shape(shape, factors)
            if all(size >= self.min_size for size, given in zip(sizes, shape, strict=True) if isinstance(given, str)):
                return factors
        raise ValueError(f"spatial_shape {shape} gives no size of {self.min_size} or more")

    def examples(self, n_items: int = 1, growth: int = 0, seed: int = 0) -> tuple[Tensor, ...]:
        """Return seeded random input for each of :attr:`inputs`, as the metadata tell them, ``(n_items, c, *spatial)``.

        Args:
            n_items: of the batch.
            growth: steps by which the first free size grows; the next one grows by twice as many, and so on.
            seed: of the values.
        """
        import torch

        random = torch.Generator().manual_seed(seed)
        examples = []
        for name in self.inputs:
            given = self.metadata["network_data_format"]["inputs"][name]
            sizes = [
                spatial_shape([n], {key: value + growth * (axis + 1) for key, value in self.factors.items()})[0]
                for axis, n in enumerate(given["spatial_shape"])
            ]
            dtype = getattr(torch, given["dtype"])
            values = torch.rand((n_items, given["num_channels"], *sizes), generator=random)
            examples.append(values > 0.5 if dtype == torch.bool else values.to(dtype))
        return tuple(examples)

    def unseen(self, n_items: int = 1, growth: int = 0) -> tuple[Tensor, ...]:
        """Return input unlike :meth:`examples`: other values, half as large."""
        import torch

        inputs = self.examples(n_items, growth, seed=1)
        return tuple(x if x.dtype == torch.bool else x * 0.5 for x in inputs)

    @cached_property
    def example(self) -> Tensor:
        """The first of the :meth:`examples`."""
        return self.examples()[0]

    @cached_property
    def output(self) -> Any:
        """What the network makes of the :meth:`examples`: a tensor, or that of several which is the image."""
        import torch

        with torch.no_grad():
            return tensor_of(self.network(*self.examples()))


def spatial_shape(shape: list[int | str], factors: dict[str, int]) -> tuple[int, ...]:
    """Return the sizes behind entries such as ``"8*n"``."""
    from monai.bundle.scripts import _get_fake_spatial_shape

    sizes: tuple[int, ...] = _get_fake_spatial_shape(shape, **factors)
    return sizes


def tensor_of(output: Any) -> Any:
    """Return ``output`` itself, of a dictionary its ``image``, or the first of several."""
    if isinstance(output, Mapping):
        return output["image"] if "image" in output else next(iter(output.values()))
    return output[0] if isinstance(output, tuple | list) else output
