"""The documentation as a site, built by `make docs`: pages in MyST, whose reference parts are written from the code."""

import os
import sys
from importlib.metadata import version as version_of
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
for setting in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
    os.environ[setting] = "1"  # nothing is asked for outside

project = "prism_sim"
author = "the authors of prism_sim"
version = release = version_of("prism-sim")
html_title = f"prism_sim {version}"
language = "en"

extensions = ["myst_parser", "sphinx.ext.autodoc", "site_pages"]
exclude_patterns = ["_build", "site_pages"]
source_suffix = {".md": "markdown"}
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4  # so that links as #what-the-model-leaves-out are checked
smartquotes = False  # two dashes are an option, no en dash

autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
nitpick_ignore_regex = [("py:.*", ".*")]  # signatures name types that have no page

html_theme = "furo"
html_math_renderer = "svg"
html_copy_source = html_show_copyright = False
