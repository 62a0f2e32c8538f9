"""The demonstration: what `make demo` plays on a fresh platform, and what it then proves."""

from deploy.local.demo import acts, load, proof
from deploy.local.demo.page import Page
from deploy.local.demo.stage import Stage
from deploy.local.platform import Platform


def play(platform: Platform) -> int:
    """Play every act, prove the books, measure, and return 0 only if all of it held."""
    page = Page()
    page.title("A bank on UPI, from the app to the books")
    with Stage.open(platform) as stage:
        page.heading("The customers set their UPI PINs: OTP by SMS, PIN inside the token")
        stage.set_pins(page)
        for act in acts.ACTS:
            page.heading(act.title)
            act.play(stage, page)
        page.heading("The numbers")
        load.measure(stage, page)
        page.heading("The books")
        proof.prove(stage, page)
    page.close()
    return 0 if page.all_held else 1
