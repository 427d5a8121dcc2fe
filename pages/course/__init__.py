"""The course: home, lessons, glossary, errata."""
