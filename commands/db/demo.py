"""Make the demo CRM anew, with as many customers and orders as wanted.

What an earlier demo held is dropped. A database with other tables is left alone.

  ./appliance.py db demo
  ./appliance.py db demo --customers 5000 --orders 20000
"""

from __future__ import annotations

import argparse

from commands.db import fill_crm
from config.appliance import Config

MOST = 500_000


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--customers", type=_number, default=200, metavar="N", help="customers (default 200)")
    parser.add_argument("--orders", type=_number, default=800, metavar="N", help="orders (default 800)")


def run(args: argparse.Namespace, config: Config) -> int:
    fill_crm(config, args.customers, args.orders)
    return 0


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 6 and 1 <= int(text) <= MOST):
        raise argparse.ArgumentTypeError(f"'{text}' is not possible here; write a number from 1 to {MOST}")
    return int(text)
