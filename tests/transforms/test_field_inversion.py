"""Tests of transforms.field_inversion."""

from __future__ import annotations

import pytest
import torch

from mri_attention.datasets.input_error import InputError
from mri_attention.operators import estimate_field_noise
from mri_attention.operators.dipole_inversion import tikhonov, total_variation
from mri_attention.transforms import AppendInversiond, SubtractMaskedMeand
from mri_attention.transforms.field_inversion import subtract_masked_mean

SIZE, DIRECTION = torch.tensor([1.0, 1.0, 2.0]), torch.tensor([0.0, 0.6, 0.8])


def case() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    mask = torch.zeros(1, 9, 8, 7, dtype=torch.uint8)
    mask[:, 2:-2, 2:-2, 2:-2] = 1
    field = 0.02 * torch.randn(1, 9, 8, 7, generator=generator) * mask
    return {"image": field, "mask": mask, "voxel_size": SIZE, "b0_direction": DIRECTION}


def test_the_second_channel_is_the_solution_with_mean_zero_in_the_mask() -> None:
    data = case()
    image = AppendInversiond(solver={"method": "tikhonov", "weight": 0.1})(data)["image"]
    assert torch.equal(image[:1], data["image"])
    inside = data["mask"][0] > 0
    chi = tikhonov(data["image"][None], SIZE, DIRECTION, weight=0.1)[0, 0]
    torch.testing.assert_close(image[1][inside], chi[inside] - chi[inside].mean())
    assert not image[1][~inside].any()


def test_noise_is_estimated_or_taken_as_it_is_there() -> None:
    data, append = case(), AppendInversiond(solver={"method": "total_variation", "n_iterations": 5})
    out = append(data)
    field, mask = data["image"][None], data["mask"].float()[None]
    assert torch.equal(out["noise"], estimate_field_noise(field, mask, SIZE, DIRECTION)[0])
    noise = torch.full((1, 9, 8, 7), 0.01)
    noise[:, :5] = 0.02
    known = append(data | {"noise": noise})
    assert known["noise"] is noise
    weighted = total_variation(
        field, SIZE, DIRECTION, mask, noise=0.01, data_weight=mask * 0.01 / noise, n_iterations=5
    )
    assert torch.equal(known["image"][1], subtract_masked_mean(weighted, mask)[0, 0])


def test_a_structure_is_handed_on_and_must_be_there() -> None:
    append = AppendInversiond(solver={"method": "total_variation", "n_iterations": 5}, structure_key="magnitude")
    data = case()
    magnitude = data["image"].abs() + 1
    structured = append(data | {"magnitude": magnitude})["image"][1]
    field, mask = data["image"][None], data["mask"].float()[None]
    options = {"data_weight": mask, "structure": magnitude[None], "n_iterations": 5}
    expected = total_variation(field, SIZE, DIRECTION, mask, **options)
    assert torch.equal(structured, subtract_masked_mean(expected, mask)[0, 0])
    with pytest.raises(InputError, match="magnitude: there is no image 'magnitude' beside the field"):
        append(case())


def test_without_a_solver_the_field_stays_alone() -> None:
    assert torch.equal(AppendInversiond()(case())["image"], case()["image"])


def test_unknown_solvers_and_options_are_refused() -> None:
    with pytest.raises(ValueError, match="method must be"):
        AppendInversiond(solver={"method": "magic"})
    with pytest.raises(ValueError, match="takes"):
        AppendInversiond(solver={"method": "tkd", "weight": 1.0})


def test_mean_in_the_mask_becomes_zero_and_so_does_the_outside() -> None:
    data = case() | {"label": torch.full((1, 9, 8, 7), 3.0)}
    data["label"][:, 4] = 5.0
    out = SubtractMaskedMeand("label")(data)["label"]
    assert not out[data["mask"] == 0].any()
    torch.testing.assert_close(out[data["mask"] > 0].mean(), torch.tensor(0.0))
    torch.testing.assert_close(out[0, 4, 3, 3] - out[0, 3, 3, 3], torch.tensor(2.0))


@pytest.mark.parametrize("weight", [0, -1.0, "1e-4", float("nan"), True])
def test_weights_that_are_no_positive_numbers_are_refused(weight: object) -> None:
    with pytest.raises(InputError, match=r"`weight` .*: must be a positive number; give one as 0\.0001, or null"):
        AppendInversiond(solver={"method": "total_variation", "weight": weight})
