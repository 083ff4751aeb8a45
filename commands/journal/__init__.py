"""The record of all that happened: check it.

./appliance.py journal verify
"""
