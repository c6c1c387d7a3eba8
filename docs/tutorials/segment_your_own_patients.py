# %% [markdown]
# # Segment your own patients and read the report
#
# This tutorial marks the lesions of multiple sclerosis in two patients and explains every file that comes of it. It
# takes about two minutes on two processor cores and needs no network. Lines that begin with `!` are commands, which
# you can type into a terminal without the exclamation mark.
#
# The patients here are simulated, so that the tutorial runs anywhere and the true lesions are known. Their voxels
# measure 2 mm, which keeps the tutorial short; with your own images nothing has to be resampled. **These are research
# tools and not for diagnosis.**

# %%
import json
import shutil
from pathlib import Path

import matplotlib.pyplot as plt
import nibabel as nib
import numpy as np
import pandas as pd
from IPython.display import display
from PIL import Image

shutil.rmtree("segmenting", ignore_errors=True)  # all files of this tutorial lie in this folder


# %% [markdown]
# ## The images
#
# Images lie in a BIDS folder: one folder for each patient, and in its `anat` a T1w, a T2w and a FLAIR image. T1w and
# T2w may be missing.

# %%
# !mri-attention simulate --output segmenting/patients --subjects 2 --seed 5 --spacing 2

# %%
for file in sorted(Path("segmenting/patients/sub-001").rglob("*.nii.gz")):
    print(file.relative_to("segmenting/patients"))

# %% [markdown]
# With your own patients you name the folder that you have. Without a BIDS folder, name the files of one patient
# instead: `mri-attention predict ms_lesion_segmentation_fanet --output-dir results --image T1w=T1.nii.gz --image
# T2w=T2.nii.gz --image FLAIR=FLAIR.nii.gz`. A folder with a DICOM series may stand wherever a NIfTI file does. Heads
# that still have their skull need `--brain-extraction`.

# %% [markdown]
# ## The lesions
#
# One command segments all patients.

# %%
# !mri-attention predict ms_lesion_segmentation_fanet --dataset-dir segmenting/patients \
#   --output-dir segmenting/results

# %% [markdown]
# For each patient it prints the number of lesions and their volume, with the interval in which the true volume is
# likely to lie, and whether the images of the patient lay apart and had to be aligned. Then come the files:
#
# - `*_label-lesion_mask.nii.gz` is 1 in the lesions, on exactly the grid of the FLAIR image;
# - `*_label-lesion_probseg.nii.gz` is the probability of a lesion in each voxel;
# - `*_overview.png` is a picture to print or to glance at;
# - `*_viewer.html` opens in a browser, where you scroll through the images and step from lesion to lesion;
# - `ms_lesion_segmentation_fanet.tsv` is one table of all patients.
#
# Look at the overview of each patient first.

# %%
overview = Image.open("segmenting/results/sub-001/anat/sub-001_overview.png")
overview.resize((1000, 1000 * overview.height // overview.width)).quantize(64)

# %% [markdown]
# The upper row shows the FLAIR image in six slices, the lower row the same slices with what was marked, in blue. The
# small bright spots in the white matter are outlined: these are lesions. So are parts of the bright cortex at the
# sides and between the hemispheres, and these are none. That is the mistake to look for first; the other one is a
# bright spot without an outline, which was missed.

# %% [markdown]
# ## The table
#
# The table has one row for each patient: counts and volumes (ml), all together and by their place in the brain. What
# each column means stands in `ms_lesion_segmentation_fanet.json` beside it.

# %%
table = pd.read_csv("segmenting/results/ms_lesion_segmentation_fanet.tsv", sep="\t")
columns = ["participant_id", "lesion_count", "lesion_volume", "lesion_volume_low", "lesion_volume_high"]
display(table[[*columns, "periventricular_count", "juxtacortical_count", "infratentorial_count"]])
meaning = json.loads(Path("segmenting/results/ms_lesion_segmentation_fanet.json").read_text())
print(meaning["lesion_volume_low"]["Description"])

# %% [markdown]
# ## How good it is
#
# The true lesions are known here. With your own patients you have none at first, and that is why you should draw the
# lesions of a few patients by hand before you trust any number of this table. Put such masks into
# `derivatives/NAME/sub-*/anat/`, as they lie in this simulated folder, and `evaluate` compares.

# %%
# !mri-attention evaluate ms_lesion_segmentation_fanet --dataset-dir segmenting/patients \
#   --output-dir segmenting/evaluation

# %% [markdown]
# DSC is the overlap with the true mask, from 0 to 1. LTPR is the share of true lesions that were touched, LPPV the
# share of marked lesions that are true, and L-F1 their harmonic mean. Here nearly all lesions are found, and about
# two of five that are marked are none: they lie in bright cortex, and they make the volume several times too large.
# The interval of the volume in the table above was chosen on four real patients, and does not hold for images unlike
# theirs: for one of these two the true volume lies below it. `report.html` has these numbers for each patient and by
# the size of the lesions, with pictures. One of its facts is drawn here: which lesions were found, and which were
# not.

# %%
anat = "sub-001/anat/sub-001"
flair = np.asarray(nib.load(f"segmenting/patients/{anat}_FLAIR.nii.gz").dataobj)
true = np.asarray(nib.load(f"segmenting/patients/derivatives/simulator/{anat}_label-lesion_mask.nii.gz").dataobj) > 0
found = np.asarray(nib.load(f"segmenting/results/{anat}_label-lesion_mask.nii.gz").dataobj) > 0
slices = np.argsort(true.sum((0, 1)))[-3:]  # those with most of the lesions
figure, axes = plt.subplots(1, 3, figsize=(9, 3.8), dpi=70)
for axis, z in zip(axes, sorted(slices), strict=True):
    axis.imshow(flair[..., z].T, cmap="gray", origin="lower")
    axis.contour(true[..., z].T, [0.5], colors="orange", linewidths=1)
    axis.contour(found[..., z].T, [0.5], colors="deepskyblue", linewidths=1)
    axis.set_axis_off()
figure.suptitle("orange: true lesions, blue: what was marked")
plt.show()

# %% [markdown]
# Where both colors lie upon each other, a lesion was found as it is. Orange alone is a part that was missed, and blue
# alone was marked although nothing is there. (In this picture the patient's left is on the left; the overview above
# follows the radiological convention.)

# %% [markdown]
# ## In earnest
#
# - Give your own folder to `--dataset-dir`. A head of 1 mm takes about half a minute on two cores, and seconds on a
#   GPU.
# - Look at every overview. How well the weights do in real patients stands on the [page of the
#   bundle](../../bundles/ms_lesion_segmentation_fanet/docs/README.md).
# - If they do badly on your scanner, as with the cortex of this patient, [fine-tune
#   them](fine_tune_on_ten_patients.ipynb) on a few patients of your own.
# - Two visits of the same patient: [new and vanished lesions](../longitudinal.md).
# - The same in 3D Slicer: [MONAI Label](../monai_label.md).
