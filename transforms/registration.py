"""Rigid registration of contrasts by ITK, as packed in SimpleITK."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

import numpy as np
import SimpleITK as sitk  # noqa: N813 (its documented abbreviation)
from monai.data import MetaTensor

from ..datasets.input_error import InputError
from ..operators.itk_images import RAS_TO_LPS, matrix_of, shrink, to_sitk
from .rigid_motion import RigidMotion

N_BINS = 32
HEAD_RADIUS = 50.0  # mm, turns angles into shifts of the same weight
MIN_OVERLAP = 0.05  # of the fixed field of view; ITK raises where there is none
COMPARED_AT = 2.0  # mm, size of voxels at which the similarity of images is told


class Effort(NamedTuple):
    """How hard to search: at voxels of these sizes (mm), one after the other, with the metric at so many points."""

    voxel_sizes: tuple[float, ...]
    n_samples: int


THOROUGH = Effort((4.0, 2.0, 1.0), 50_000)
QUICK = Effort((4.0, 2.0), 20_000)


def register_rigid(moving: MetaTensor, fixed: MetaTensor, seed: int = 0, effort: Effort = THOROUGH) -> RigidMotion:
    """Find the rigid motion that aligns ``moving`` with ``fixed``, both ``(1, x, y, z)``.

    Maximizes Mattes' mutual information (Mattes et al. 2003, IEEE Trans Med Imaging 22:120) at successive
    resolutions by regular-step gradient descent. Starts from the given positions or from matching centers
    of the grids or of intensity, whichever has the largest mutual information. One thread and a fixed
    ``seed`` of the samples make it deterministic. ``QUICK`` takes a fifth of the time, for motions within half a
    millimeter.

    Raises:
        ValueError: if an image has another shape.
        InputError: if ITK fails, as it does for images that lose their overlap during the search.
    """
    fixed_image, moving_image = _to_sitk(fixed), _to_sitk(moving)
    try:
        with _single_thread():
            found = _best_start(fixed_image, moving_image, effort.voxel_sizes[0], seed)
            for size in effort.voxel_sizes:
                pair = shrink(fixed_image, size), shrink(moving_image, size)
                found = _refine(*pair, effort.n_samples, seed, found)
    except RuntimeError as error:
        place = str(moving.meta.get("filename_or_obj", "moving image"))
        problem = f"registration failed ({str(error).splitlines()[-1]})"
        raise InputError.at(place, problem, "check that both images show the same head") from error
    matrix = RAS_TO_LPS @ np.linalg.inv(matrix_of(found)) @ RAS_TO_LPS
    center = moving.affine.numpy() @ [*((np.array(moving.shape[1:]) - 1) / 2), 1]
    return RigidMotion.of(matrix, center[:3])


@contextmanager
def _single_thread() -> Iterator[None]:
    """Fix the order of ITK's sums, on which the last digits depend."""
    n_threads = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(n_threads)


def _to_sitk(image: MetaTensor) -> sitk.Image:
    if image.ndim != 4 or image.shape[0] != 1:
        raise ValueError(f"image must have shape (1, x, y, z), got {tuple(image.shape)}")
    values = image[0].cpu().numpy().astype(np.float32)
    return to_sitk(values - values.min(), image.affine.numpy())  # centers of mass want no negative mass


def similarity(moving: MetaTensor, fixed: MetaTensor, seed: int = 0) -> float:
    """Tell how much two images ``(1, x, y, z)`` say about each other as they lie: mutual information times overlap."""
    fixed_image, moving_image = (shrink(_to_sitk(image), COMPARED_AT) for image in (fixed, moving))
    with _single_thread():
        return _gain(fixed_image, moving_image, seed, sitk.Euler3DTransform())


def _best_start(fixed: sitk.Image, moving: sitk.Image, size: float, seed: int) -> sitk.Euler3DTransform:
    fixed, moving = shrink(fixed, size), shrink(moving, size)
    return max(_starts(fixed, moving), key=partial(_gain, fixed, moving, seed))


def _gain(fixed: sitk.Image, moving: sitk.Image, seed: int, transform: sitk.Euler3DTransform) -> float:
    """Multiply mutual information by overlap, since few points seem to tell much about each other."""
    overlap = sitk.GetArrayFromImage(sitk.Resample(moving * 0 + 1, fixed, transform)).mean()
    if overlap < MIN_OVERLAP:
        return 0.0
    return -float(overlap * _method(fixed, THOROUGH.n_samples, seed, transform).MetricEvaluate(fixed, moving))


def _starts(fixed: sitk.Image, moving: sitk.Image) -> list[sitk.Euler3DTransform]:
    """List a rotation about the fixed grid's center with no, the grids' and the intensities' shift."""
    initializer = sitk.CenteredTransformInitializerFilter
    stay = sitk.Euler3DTransform()
    stay.SetCenter(fixed.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2 for n in fixed.GetSize()]))
    starts = [stay]
    for by in (initializer.GEOMETRY, initializer.MOMENTS):
        start = sitk.CenteredTransformInitializer(fixed, moving, sitk.Euler3DTransform(), by)
        starts.append(sitk.Euler3DTransform(start))
    return starts


def _method(
    fixed: sitk.Image, n_samples: int, seed: int, transform: sitk.Euler3DTransform
) -> sitk.ImageRegistrationMethod:
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(numberOfHistogramBins=N_BINS)
    method.SetMetricSamplingStrategy(method.RANDOM)
    percentage = min(1.0, n_samples / fixed.GetNumberOfPixels())
    method.SetMetricSamplingPercentage(percentage, seed + 1)  # 0 would mean the clock
    method.SetInterpolator(sitk.sitkLinear)
    method.SetInitialTransform(transform, inPlace=True)
    return method


def _refine(
    fixed: sitk.Image, moving: sitk.Image, n_samples: int, seed: int, start: sitk.Euler3DTransform
) -> sitk.Euler3DTransform:
    transform = sitk.Euler3DTransform(start)
    method = _method(fixed, n_samples, seed, transform)
    method.SetOptimizerAsRegularStepGradientDescent(
        learningRate=2.0,
        minStep=0.01,
        numberOfIterations=200,
        relaxationFactor=0.8,  # slow, so that angles arrive before steps get small
        gradientMagnitudeTolerance=1e-8,
    )
    method.SetOptimizerScales([HEAD_RADIUS**2] * 3 + [1.0] * 3)  # angles, shifts
    method.Execute(fixed, moving)
    return transform
