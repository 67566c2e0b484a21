"""Measured motion: files of joint angles, ground forces and markers, their strides and outcomes.

Takes what motion analysis writes (OpenSim's `.mot` and `.sto`, `.trc`, CSV with a mapping); gives `Motion`,
`Forces` and `Markers`, and by `measure` the outcomes that a predicted stride has, by the same definitions.
What has to be assumed is said in `notes`; what cannot be used is an `InputError`.
"""

from bladerun.motion.measured import Measured, measure
from bladerun.motion.reading import read
from bladerun.motion.records import Forces, Markers, Motion, Plate

__all__ = ["Forces", "Markers", "Measured", "Motion", "Plate", "measure", "read"]
