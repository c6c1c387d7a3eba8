"""Tests of scripts.measurement: counts against numbers worked out by hand."""

import os

import pytest
import torch
from torch import Tensor, nn

from mri_attention.scripts.benchmarks import measurement
from mri_attention.scripts.benchmarks.measurement import (
    count_flops,
    count_flops_of_convolutions,
    describe_machine,
    interleaved_times,
    kept_for_backward,
    peak_apart,
    peak_memory,
)

CPU = torch.device("cpu")


class Attention(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.scaled_dot_product_attention(x, x, x)


def test_a_convolution_counts_two_operations_for_each_multiply_add() -> None:
    assert count_flops(nn.Conv3d(3, 5, 3, padding=1), torch.zeros(2, 3, 4, 5, 6)) == 2 * 2 * 5 * 120 * 3 * 27


def test_fused_attention_counts_its_two_products() -> None:
    x = torch.zeros(1, 2, 100, 8)
    assert count_flops(Attention(), x) == 2 * 2 * 2 * 100 * 100 * 8


def test_counting_layers_alone_leaves_products_out() -> None:
    x = torch.zeros(1, 4, 3, 3, 3)
    layers = nn.Sequential(nn.Conv3d(4, 6, 1), nn.BatchNorm3d(6), nn.Conv3d(6, 2, 1, bias=False))
    assert count_flops_of_convolutions(layers.eval(), x) == 27 * (6 * (4 + 1) + 6 * 2 + 2 * 6)
    assert count_flops_of_convolutions(Attention(), torch.zeros(1, 1, 5, 4)) == 0


def test_a_product_keeps_its_factors_for_the_way_back() -> None:
    class Product(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return (x + 1) * (x + 2)

    x = torch.zeros(10, requires_grad=True)
    assert kept_for_backward(Product(), x) == 3 * x.nbytes
    assert kept_for_backward(nn.Identity(), x) == x.nbytes


@pytest.mark.parametrize("has_mark", [True, False])
def test_peak_memory_sees_what_is_freed_again(has_mark: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not has_mark:
        monkeypatch.setattr(measurement, "HIGH_WATER_MARK", measurement.HIGH_WATER_MARK / "missing")
    n_bytes = 2**28
    peak = peak_memory(lambda: torch.ones(n_bytes // 4).sum().item(), CPU)
    assert 0.9 * n_bytes < peak < 1.3 * n_bytes


def process_of(n_threads: int, device: torch.device) -> int:
    assert torch.get_num_threads() == n_threads
    return os.getpid()


def test_peaks_on_a_cpu_come_from_a_fresh_process_with_as_many_threads() -> None:
    n_threads = torch.get_num_threads()
    assert peak_apart(process_of, n_threads, CPU) != os.getpid()
    assert peak_apart(process_of, n_threads, torch.device("cuda")) == os.getpid()


def test_rounds_run_every_function_in_turn() -> None:
    calls: list[str] = []
    times = interleaved_times([lambda: calls.append("a"), lambda: calls.append("b")], CPU, n_rounds=3)
    assert "".join(calls) == "ab" * 4
    assert [len(row) for row in times] == [3, 3]


def test_machine_is_described() -> None:
    assert describe_machine(CPU)["torch"] == torch.__version__
