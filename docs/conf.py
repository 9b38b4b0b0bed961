"""How Sphinx makes a site of these pages: nothing on it comes from another server."""

import logging

import jieba
from sphinx.application import Sphinx
from sphinx.search.zh import SearchChinese

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
html_search_language = "zh"


class Search(SearchChinese):
    """Words of Chinese, as jieba cuts the pages and a browser the question; stems of English.

    Sphinx's own asks for a stemmer named after the language, which for Chinese there is not, and
    takes a question without blanks as one word.
    """

    language_name = "English"
    js_splitter_code = """
var splitQuery = (query) => {
  const words = new Intl.Segmenter("zh", { granularity: "word" });
  return query
    .split(/[^\\p{Letter}\\p{Number}_]+/gu)
    .flatMap((part) =>
      /^\\w*$/.test(part) ? [part] : Array.from(words.segment(part), (word) => word.segment),
    )
    .filter((word) => /^\\w+$/.test(word) || word.length > 1);
};
"""


def setup(app: Sphinx) -> None:
    """Let Sphinx search so."""
    app.add_search_language(Search)
