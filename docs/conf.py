"""How Sphinx builds the site: `make docs`. Nothing is fetched from a network."""

import sys
import tomllib
from pathlib import Path

DOCS = Path(__file__).parent
sys.path[:0] = [str(DOCS.parent), str(DOCS / "extensions")]

project = "Ohmulator"
settings = tomllib.loads((DOCS.parent / "pyproject.toml").read_text(encoding="utf-8"))
release = version = settings["project"]["version"]

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "diagrams",
    "docstrings",
    "generated",
    "mathematics",
]
exclude_patterns = ["extensions"]
myst_enable_extensions = ["attrs_inline", "deflist", "dollarmath"]
myst_heading_anchors = 3

# A reference to nothing is an error.
nitpicky = True
default_role = "named"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
# Where types alone are imported, their names are text.
autodoc_type_aliases = {"ChipConfig": "ohmulator.ChipConfig"}
napoleon_google_docstring = False
napoleon_attr_annotations = False
napoleon_custom_sections = [("Members", "params_style")]
python_use_unqualified_type_names = True
toc_object_entries_show_parents = "hide"

html_theme = "furo"
html_title = f"Ohmulator {release}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_math_renderer = "svg"
html_copy_source = False
html_show_copyright = False
html_theme_options = {"navigation_with_keys": True}
pygments_style = "friendly"
pygments_dark_style = "monokai"
copybutton_exclude = ".linenos, .gp, .go"
