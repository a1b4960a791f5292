"""The systems: what a network is (variants), how it is trained (config, step) and the Ray Tune shells (trial).

Importing this package is cheap: torch comes in with the modules that need it.
"""
