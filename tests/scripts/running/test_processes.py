"""Tests of scripts.ranks, and of predict in several processes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mri_attention.datasets import InputError
from mri_attention.scripts.running.processes import share_of_rank
from tests.scripts.conftest import CONTRASTS

Run = Callable[..., int]


def be_process(monkeypatch: pytest.MonkeyPatch, rank: object, n_processes: object) -> None:
    monkeypatch.setenv("RANK", str(rank))
    monkeypatch.setenv("WORLD_SIZE", str(n_processes))


def test_processes_share_all_items(monkeypatch: pytest.MonkeyPatch) -> None:
    assert share_of_rank(range(7)) == list(range(7))
    shares = []
    for rank in range(3):
        be_process(monkeypatch, rank, 3)
        shares.append(share_of_rank(range(7)))
    assert sorted(item for share in shares for item in share) == list(range(7))
    assert sorted(map(len, shares)) == [2, 2, 3]


@pytest.mark.parametrize(("rank", "n_processes"), [(2, 2), (-1, 2), ("a", 2), (0, "many")])
def test_what_is_no_process_of_several_is_refused(
    rank: object, n_processes: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    be_process(monkeypatch, rank, n_processes)
    with pytest.raises(InputError, match="use torchrun"):
        share_of_rank([])


def test_each_process_predicts_cases_of_its_own(
    monkeypatch: pytest.MonkeyPatch, run_command: Run, tiny_bundle: Path, tiny_dataset: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    expected: list[str] = []
    for rank, subjects in enumerate([["sub-01"], ["sub-02"], []]):  # the third process has nothing to do
        be_process(monkeypatch, rank, 3)
        assert run_command("predict", tiny_bundle, "--output-dir", output, "--dataset-dir", tiny_dataset) == 0
        expected += subjects
        assert sorted(p.name for p in output.glob("sub-*")) == expected


def test_one_process_predicts_a_single_case(
    monkeypatch: pytest.MonkeyPatch, run_command: Run, tiny_bundle: Path, tiny_dataset: Path, tmp_path: Path
) -> None:
    anat = tiny_dataset / "sub-01" / "anat"
    images = [word for c in CONTRASTS for word in ("--image", f"{c}={anat / f'sub-01_{c}.nii.gz'}")]
    be_process(monkeypatch, 1, 2)
    assert run_command("predict", tiny_bundle, "--output-dir", tmp_path / "out", *images) == 0
    assert not (tmp_path / "out").exists()
