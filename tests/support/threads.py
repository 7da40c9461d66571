"""One thread for numpy's matrix products, set before a plugin of pytest imports numpy.

``-p tests.support.threads`` loads this first. The describer does so for itself. On a busy machine the
threads of a second product wait for each other in a loop. OpenBLAS reads the variable once, when numpy is
imported, and pytest-randomly imports it before any conftest.py is read.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
