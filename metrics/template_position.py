"""Where the voxels of a brain lie in the space of the MNI152 template."""

from __future__ import annotations

import logging
from functools import lru_cache

import numpy as np
import SimpleITK as sitk  # noqa: N813 (its documented abbreviation)
from numpy.typing import NDArray

from ..operators.itk_images import RAS_TO_LPS, matrix_of, shrink, to_sitk

Affine = NDArray[np.float64]

RESOLUTIONS = (8.0, 4.0)  # mm
N_SAMPLES = 20_000  # points at which the metric is taken
PLAUSIBLE_SCALES = (0.7, 1.45)
"""Of a brain to the template's, along any axis."""

logger = logging.getLogger(__name__)


def register_to_template(image: NDArray[np.float32], affine: Affine) -> Affine | None:
    """Find the affine matrix that takes points of a brain (RAS, mm) to those of the MNI152 2009 template.

    Maximizes Mattes' mutual information (Mattes et al. 2003, IEEE Trans Med Imaging 22:120) with the T1w template that
    the nilearn package carries, at 8 and 4 mm, from matching centers of mass.

    Args:
        image: of an extracted brain, ``(x, y, z)``, zero outside; of any contrast.
        affine: its voxel-to-world matrix.

    Returns:
        The 4x4 matrix; None where ITK finds none, or one that stretches the brain beyond what brains differ by.
    """
    fixed, moving = to_sitk(image, affine), _template()
    try:
        found = sitk.AffineTransform(
            sitk.CenteredTransformInitializer(
                fixed, moving, sitk.AffineTransform(3), sitk.CenteredTransformInitializerFilter.MOMENTS
            )
        )
        for size in RESOLUTIONS:
            _refine(_coarse(fixed, size), _coarse(moving, size), found)
    except RuntimeError as error:
        logger.debug("no position in the template: %s", error)
        return None
    matrix = RAS_TO_LPS @ matrix_of(found) @ RAS_TO_LPS
    scales = 1 / np.linalg.svd(matrix[:3, :3], compute_uv=False)
    is_plausible = (
        np.linalg.det(matrix) > 0 and scales.min() > PLAUSIBLE_SCALES[0] and scales.max() < PLAUSIBLE_SCALES[1]
    )
    return matrix if is_plausible else None


@lru_cache(maxsize=1)
def _template() -> sitk.Image:
    from nilearn.datasets import load_mni152_brain_mask, load_mni152_template

    template, brain = load_mni152_template(resolution=1), load_mni152_brain_mask(resolution=1)
    values = np.asarray(template.dataobj, np.float32) * (np.asarray(brain.dataobj) > 0)
    return sitk.BinShrink(to_sitk(values, np.asarray(template.affine, float)), [2, 2, 2])


def _coarse(image: sitk.Image, size: float) -> sitk.Image:
    return sitk.SmoothingRecursiveGaussian(shrink(image, size), size / 2)


def _refine(fixed: sitk.Image, moving: sitk.Image, transform: sitk.AffineTransform) -> None:
    """Improve ``transform`` in place; of one thread, since the last digits depend on the order of sums."""
    method = sitk.ImageRegistrationMethod()
    method.SetNumberOfThreads(1)
    method.SetMetricAsMattesMutualInformation(numberOfHistogramBins=32)
    method.SetMetricSamplingStrategy(method.RANDOM)
    method.SetMetricSamplingPercentage(min(1.0, N_SAMPLES / fixed.GetNumberOfPixels()), 1)  # of a fixed seed
    method.SetInterpolator(sitk.sitkLinear)
    method.SetInitialTransform(transform, inPlace=True)
    method.SetOptimizerAsRegularStepGradientDescent(
        learningRate=2.0, minStep=0.01, numberOfIterations=100, relaxationFactor=0.7, gradientMagnitudeTolerance=1e-8
    )
    method.SetOptimizerScalesFromPhysicalShift()
    method.Execute(fixed, moving)
