"""Print what a shell needs to complete commands and options with the Tab key.

./appliance.py completion bash > ~/.local/share/bash-completion/completions/appliance.py
./appliance.py completion zsh > ~/.zfunc/_appliance.py
source <(./appliance.py completion bash)
"""

from __future__ import annotations

import argparse

from config.appliance import Config


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=("bash", "zsh", "tcsh"))


def run(args: argparse.Namespace, config: Config) -> int:
    import shtab

    from commands import command_line

    whole = command_line()
    whole.prog = "appliance.py"  # shells look for it under this name, in whatever folder it is
    print(shtab.complete(whole, args.shell))
    return 0
