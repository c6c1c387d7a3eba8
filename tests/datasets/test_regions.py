"""Tests of datasets.regions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mri_attention.datasets import InputError
from mri_attention.datasets.regions import largest_share, read_region_names, regions_of_tissues, write_region_names
from mri_attention.simulation.qsm_subject import average_to


def test_the_label_with_the_largest_share_of_a_voxel_wins() -> None:
    fine = np.zeros((4, 2, 2), int)
    fine[:2] = [[[7, 7], [3, 0]], [[7, 3], [3, 3]]]  # 7: three of eight, 3: four
    fine[2:, 0] = 9  # half, and 0 the other half
    np.testing.assert_array_equal(largest_share(fine, (2, 1, 1))[:, 0, 0], [3, 0])
    np.testing.assert_array_equal(largest_share(fine, fine.shape), fine)


def test_shares_are_those_of_averaged_maps() -> None:
    fine = np.random.default_rng(0).integers(0, 2, (13, 11, 9))
    share, _ = average_to(fine[None].astype(np.float32), np.eye(4), (2.0, 3.0, 1.5))
    np.testing.assert_array_equal(largest_share(fine, share.shape[1:]), share[0] > 0.5)


def test_a_tissue_has_the_same_label_in_every_head() -> None:
    known = ["white_matter", "gray_matter", "csf"]
    fractions = {"csf": [[[0.6, 0.2, 0.1]]], "white_matter": [[[0.4, 0.7, 0.2]]]}
    labels, names = regions_of_tissues(fractions, known)
    np.testing.assert_array_equal(labels, [[[3, 1, 0]]])
    assert names == {1: "white_matter", 2: "gray_matter", 3: "csf"}
    with pytest.raises(ValueError, match="got gold"):
        regions_of_tissues({"gold": [[[1.0]]]}, known)


def test_names_come_back(tmp_path: Path) -> None:
    names = {12: "globus pallidus", 3: "CSF"}
    path = write_region_names(tmp_path / "new", names)
    assert path.read_text().splitlines() == ["index\tname", "3\tCSF", "12\tglobus pallidus"]
    assert read_region_names(path) == names
    assert [p.name for p in path.parent.iterdir()] == ["dseg.tsv"]


@pytest.mark.parametrize("content", [None, "index\tname\nthree\tCSF\n", "number\tname\n3\tCSF\n"])
def test_other_tables_are_refused(content: str | None, tmp_path: Path) -> None:
    table = tmp_path / "dseg.tsv"
    if content is not None:
        table.write_text(content)
    with pytest.raises(InputError, match=r"dseg\.tsv: cannot be read"):
        read_region_names(table)
