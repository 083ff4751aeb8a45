"""An appliance of the test's own, for those that start the real process."""

import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
PROGRAM = str(CHECKOUT / "appliance.py")
SETTINGS = """
switch: {{kind: simulated}}
flows-dir: {checkout}/flows
prompts-dir: {checkout}/prompts
database: {{url: "sqlite:///{home}/hotline.db"}}
crm: {{url: "sqlite:///{home}/crm.db"}}
"""


def install(home):
    """Makes the databases and settings of one on the simulated switch, with the shipped flows; its appliance.yaml."""
    config = home / "appliance.yaml"
    config.write_text(SETTINGS.format(checkout=CHECKOUT, home=home))
    command = [sys.executable, PROGRAM, "--config", str(config), "db", "init"]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    return config
