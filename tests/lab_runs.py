"""What tests of labs share: a run that is started by a button and has ended."""

import time

from streamlit.testing.v1 import AppTest

PATIENCE_SECONDS = 30.0


def ended(app: AppTest, lab: str, button: str = "main") -> AppTest:
    """Press a button of a lab that starts a run, wait for its end, and draw it."""
    app.button(key=f"{lab}-{button}").click().run()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while app.session_state[f"run-{lab}"].job.live:
        assert time.monotonic() < deadline, "the run does not end"
        time.sleep(0.02)
    app.run()
    assert [each.value for each in app.exception] == []
    return app


def alts(app: AppTest) -> list[str]:
    """Return what is said of each chart to who cannot see it."""
    return [chart.proto.alt for chart in app.get("vega_lite_chart")]
