"""
Make the token and the bank's keys, unless they are there: `python -m deploy.local.token_keys`.

It is `manage.py hsm init`, `create`, `export-host` and `import-host`, without the apps, which a
token has no need of.
"""

from deploy.local import console
from hsm import ceremony, host_keys
from hsm.configuration import configuration


def main() -> None:
    """Make what is missing and say what was made."""
    if ceremony.init_token():
        console.say(f"{configuration().token_label}: made")
    for label in configuration().key_labels:
        if ceremony.create_key(label):
            console.say(f"{label}: made")
    # Core banking's host may not have run yet; what it puts there later is taken by the command.
    if host_keys.exchange():
        console.say(f"{configuration().host_mac_key}: there")


if __name__ == "__main__":
    main()
