"""Similar articles: how an article is described under a model, and how two are compared."""
