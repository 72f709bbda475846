"""The demo: real flights, real models, watched through the same doors that everybody uses.

Reading order: ``data`` (the flights, and what was known when), ``clock`` (2013 moved to today),
``models`` (training and scoring), ``story`` (which models are deployed), ``replay`` (rows as the
service takes them), ``client`` and ``load`` (through HTTP), ``live`` (the hour that is passing).
"""
