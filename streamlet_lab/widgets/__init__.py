"""Live views of experiments for notebooks, on the charts."""

from streamlet_lab.widgets.explorer import Explorer as Explorer
