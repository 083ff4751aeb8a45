"""The editions of the flows: list them, compare them, put one back.

Every change that the appliance takes becomes an edition with a number: all files of flows-dir and the texts of
the prompts, as they were taken.

  ./appliance.py flows list
  ./appliance.py flows diff 7
  ./appliance.py flows rollback 7
"""
