"""Data for our components as bytes: Streamlit looks through every value of a dict on every run."""

import json
from typing import Any


def packed(data: dict[str, Any]) -> bytes:
    """Return the data as the components' scripts read it; cache what does not change."""
    return json.dumps(data, ensure_ascii=False).encode()
