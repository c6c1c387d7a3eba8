# %% [markdown]
# # Fine-tune on ten patients of your own
#
# The weights that ship were trained on simulated patients with voxels of 1 mm. Another scanner, another protocol or
# another habit of drawing lesions makes them worse. This tutorial continues their training on ten patients and
# measures on two others what that brings. It takes about three minutes on two processor cores and needs no network.
#
# The twelve patients stand for yours. They are simulated with voxels of 4 mm, so that the tutorial is short. That is
# also the reason why the weights that ship do badly on them: they have never seen such coarse images.

# %%
import shutil
from pathlib import Path

import matplotlib.pyplot as plt
import nibabel as nib
import numpy as np
import pandas as pd
from IPython.display import display

from mri_attention.scripts.running import Bundle, Contestant, evaluate, train
from mri_attention.simulation.cohort import simulate_dataset

shutil.rmtree("fine_tuning", ignore_errors=True)  # all files of this tutorial lie in this folder
work = Path("fine_tuning")
bundle = Bundle.find("ms_lesion_segmentation_fanet")

# %% [markdown]
# ## Ten patients to train on, two to test on
#
# Your folder looks the same: images in `sub-*/anat`, and the masks that you drew as
# `derivatives/NAME/sub-*/anat/sub-*_label-lesion_mask.nii.gz`. Set the patients to test on aside before you do
# anything else.

# %%
patients = simulate_dataset(work / "patients", n_subjects=10, seed=11, spacing=4.0)
others = simulate_dataset(work / "others", n_subjects=2, seed=11, spacing=4.0, first_subject=101)
print(len(patients), "patients to train on,", len(others), "to test on")

# %% [markdown]
# ## Before
#
# First the weights as they ship, with voxels of 4 mm and windows of 32 voxels, in which the training will see them
# too.

# %%
size = {"spacing": [4.0, 4.0, 4.0], "patch": [32, 32, 32], "half_precision": False}
(before,) = evaluate(bundle, work / "others", work / "before", settings=size)

# %% [markdown]
# ## Training goes on
#
# `start_from` names the weights to begin with. The learning rate is lower than that of a training from nothing, so
# that what the network knows is not lost. With so few steps the weights are averaged over the last ten steps
# (`averaging`) instead of the last hundred. One of the ten patients is used for validation.

# %%
settings = {
    **size,
    "start_from": str(bundle.folder / "models" / "model.pt"),
    "learning_rate": 0.001,
    "averaging": 0.9,
    "epochs": 3,
    "steps": 10,
    "subjects": 1,
    "val_interval": 3,
    "validation_share": 0.1,
    "progress": False,
}
result = train(bundle, work / "patients", work / "training", settings=settings)
print(f"{result.steps} steps, best Dice of the validation {result.best:.2f}")

# %% [markdown]
# ## After
#
# Threshold, temperature and growing of the bundle were chosen for the weights that ship, and would be used with the new
# ones, too. So a threshold of 0.5 is given, and growing is off, until [`calibrate`](../calibration.md) has chosen
# settings for the new weights. Both the weights and these settings differ from those before.

# %%
plain = {"threshold": 0.5, "temperature": 1.0, "volume_interval": None, "grow": False}
(after,) = evaluate(
    bundle,
    work / "others",
    work / "after",
    contestants=[Contestant(model=work / "training" / "models" / "model.pt")],
    settings=size | plain,
)
rows = {"before": before, "after": after}
display(
    pd.DataFrame(
        {(name, metric): each.column(metric) for metric in ("dice", "lesion_f1") for name, each in rows.items()},
        index=before.case_names,
    ).round(2)
)

# %% [markdown]
# `dice` is the overlap with the true mask (DSC), `lesion_f1` tells how many lesions were found without marking
# others. Both are from 0 to 1. New weights are worth using if both rise in patients that had no part in the training.
# Thirty steps and voxels of 4 mm cannot promise that, and two patients cannot prove it; the picture shows what
# changed.

# %%
anat = f"{others[0]}/anat/{others[0]}"
flair = np.asarray(nib.load(work / "others" / f"{anat}_FLAIR.nii.gz").dataobj)
truth = work / "others" / "derivatives" / "simulator" / f"{anat}_label-lesion_mask.nii.gz"
true = np.asarray(nib.load(truth).dataobj) > 0
z = int(np.argmax(true.sum((0, 1))))
figure, axes = plt.subplots(1, 2, figsize=(7, 4.2), dpi=70)
for axis, (name, each) in zip(axes, rows.items(), strict=True):
    found = np.asarray(nib.load(each.file(0, "label-lesion_mask")).dataobj) > 0
    axis.imshow(flair[..., z].T, cmap="gray", origin="lower")
    axis.contour(true[..., z].T, [0.5], colors="orange", linewidths=1)
    axis.contour(found[..., z].T, [0.5], colors="deepskyblue", linewidths=1)
    axis.set_title(name)
    axis.set_axis_off()
figure.suptitle("orange: true lesions, blue: what was marked")
plt.show()

# %% [markdown]
# ## In earnest
#
# - Keep the voxels of 1 mm and the patch of 64 that the bundle has by default, and train for an hour or more:
#   `mri-attention train ms_lesion_segmentation_fanet --dataset-dir patients --output-dir runs/mine -- --start_from
#   bundles/ms_lesion_segmentation_fanet/models/model.pt --learning_rate 0.0005 --minutes 60`.
# - Two patients are too few to be sure. `compare --leave-one-out` leaves [each patient out in
#   turn](../leaving_out.md), so that all ten serve for both.
# - Then choose the threshold and the smallest lesion with [`calibrate`](../calibration.md), and use the new weights
#   with `--model runs/mine/models/model.pt` and its `--overlay left_out/calibration/calibrated.yaml`.
# - Train on simulated patients beside your own (`--overlay mixed -- --simulated_dataset_dir cohort`): with three real
#   patients alone, [the network became much worse on the fourth](../experiments/ms_lesions_own_patients.md).
