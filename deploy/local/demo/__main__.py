"""`python -m deploy.local.demo`: start a fresh platform, play, stop."""

import sys

from deploy.local import command, demo, up

if __name__ == "__main__":
    sys.exit(command.run_to_end(lambda: up.on_fresh_platform(demo.play)))
