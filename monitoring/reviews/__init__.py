"""Team health reviews: when one is due, what belongs on its agenda, what was decided, and the record of it.

`schedule`, `agenda` and `compare` are pure; `gather` reads the rows for them, `meeting` holds the steps that people
take, `records` writes what is signed, `mails` tells the team.
"""
