"""``python -m streamlet_lab`` is the same as ``streamlet-lab``."""

import sys

from streamlet_lab.cli import main

sys.exit(main())
