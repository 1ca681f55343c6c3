"""Interactive charts: results in, Altair out. They need the extra `report` (pip install 'prism-sim[report]').

results: what `run`, `compare` or `break_even` return, their JSON, a table as a sweep writes it, or several of these.
"""

from prism_sim.pages.charts.accuracy import accuracy_chart
from prism_sim.pages.charts.along import along_chart
from prism_sim.pages.charts.break_even import break_even_chart
from prism_sim.pages.charts.parts import parts_chart
from prism_sim.pages.charts.points import points_chart
from prism_sim.pages.charts.strategies import strategies_chart
from prism_sim.pages.charts.timeline import timeline_chart

__all__ = [
    "accuracy_chart",
    "along_chart",
    "break_even_chart",
    "parts_chart",
    "points_chart",
    "strategies_chart",
    "timeline_chart",
]
