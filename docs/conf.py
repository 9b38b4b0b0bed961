"""How Sphinx makes a site of these pages: nothing on it comes from another server."""

project = "Leitong 雷同"
project_copyright = "the authors of Leitong"
extensions = ["myst_parser"]
exclude_patterns = ["_site", "readings"]
nitpicky = True

# GitHub's names of headings, so that a link to one works on a code host and on the site.
myst_heading_anchors = 4
# Pages that are not written yet have their place in the navigation already.
suppress_warnings = ["toc.empty_glob"]

html_theme = "furo"
html_title = "Leitong 雷同"
html_copy_source = False
html_show_sphinx = False
# Splits Chinese into words, with jieba, and stems English ones.
html_search_language = "zh"
