"""The course as data: lessons, questions, cards, claims, sources. States, never computes."""
