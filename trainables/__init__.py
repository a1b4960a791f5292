"""The systems: what a network is (variants), how it is trained (config, step) and the Ray Tune shells (trial).

`trainables.build.build` makes any of them by its name; `python -m trainables` trains one without a search. Importing
this package is cheap: torch comes in with the modules that need it.
"""
