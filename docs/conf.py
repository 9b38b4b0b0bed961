"""How Sphinx makes a site of these pages: nothing on it comes from another server."""

import logging

import jieba

project = "Leitong 雷同"
project_copyright = "the authors of Leitong"
extensions = ["myst_parser"]
exclude_patterns = ["_site", "readings"]
nitpicky = True

# GitHub's names of headings, so that a link to one works on a code host and on the site.
myst_heading_anchors = 4
# The navigation has room for pages that not every clone has; the warning has no name to suppress.
logging.getLogger("sphinx.sphinx.directives.other").addFilter(
    lambda record: "toctree glob pattern" not in str(record.msg)
)
jieba.setLogLevel(logging.WARNING)

html_theme = "furo"
html_title = "Leitong 雷同"
html_copy_source = False
html_show_sphinx = False
# Splits Chinese into words, with jieba, and stems English ones.
html_search_language = "zh"
