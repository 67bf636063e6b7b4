# SPDX-License-Identifier: Apache-2.0
"""The virtual Light Stage: renders synthetic people one light at a time.

>>> from data_synth import Field, save_picture
>>> field = Field.load("examples/light-stage/subject-00000/camera-55")
>>> save_picture(field.lit("studio.hdr"), "relit.exr")
"""

from data_synth.run.dataset import Dataset
from data_synth.run.field import Field
from data_synth.share.pair_set import PairSet
from data_synth.share.picture_file import save_picture

__all__ = ["Dataset", "Field", "PairSet", "save_picture"]
