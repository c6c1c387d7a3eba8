"""The paper's setting and any network or ablation combine: overlays set single fields of the network."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.bundles.bundle_configs import ALL, BundleConfigs

PAIRS = [(bundle, overlay) for bundle in ALL for overlay in bundle.overlays()]
ONE_SIZE = "one size, with `paper` too"
"""In the first line of an overlay that replaces the network whole: the pair has the paper's setting, not its size."""


def size(bundle: BundleConfigs, *overlays: str) -> int:
    parser = bundle.parse("train", *overlays)
    with torch.device("meta"):
        return sum(p.numel() for p in parser.get_parsed_content("network_def").parameters())


def is_of_one_size(bundle: BundleConfigs, overlay: str) -> bool:
    first, _ = Path(*bundle.files(overlay)).read_text().split("\n", 1)
    return ONE_SIZE in first.replace("of one size with `paper` too", ONE_SIZE)


@pytest.mark.parametrize(("bundle", "overlay"), PAIRS, ids=lambda x: x if isinstance(x, str) else x.name)
def test_a_network_in_the_papers_setting_has_the_papers_size(bundle: BundleConfigs, overlay: str) -> None:
    of_paper, of_default = size(bundle, "paper", overlay), size(bundle, overlay)
    if is_of_one_size(bundle, overlay):
        assert of_paper == of_default
    else:
        assert of_paper > 1.3 * of_default


@pytest.mark.parametrize("bundle", ALL, ids=lambda bundle: bundle.name)
def test_paper_alone_is_larger_than_the_default(bundle: BundleConfigs) -> None:
    assert size(bundle, "paper") > 1.3 * size(bundle)


@pytest.mark.parametrize(
    ("overlays", "options"),
    [
        ((), {"attention": "channel-spatial", "width": 32, "data_consistency": True}),
        (("networks/manet_spatial_first",), {"attention": "spatial-channel", "width": 32, "data_consistency": True}),
        (("paper", "networks/manet_mixed_order"), {"attention": "mixed", "width": 64, "data_consistency": False}),
        (("paper", "networks/manet_without_t1_ga"), {"attention": "concatenation", "width": 64}),
    ],
)
def test_orders_of_attention_of_table_iv(overlays: tuple[str, ...], options: dict[str, object]) -> None:
    found = BundleConfigs("guided_reconstruction_manet").parse("train", *overlays)["network_def"]
    default = {"attention": "channel-spatial"}
    assert {name: (default | found)[name] for name in options} == options


def test_weights_of_figure_9_are_one_word() -> None:
    parser = BundleConfigs("guided_reconstruction_manet").parse("train", **{"loss::loss::alpha": 0.2})
    assert parser.get_parsed_content("loss").loss.weights["kspace"] == pytest.approx(0.2 * 0.6)
