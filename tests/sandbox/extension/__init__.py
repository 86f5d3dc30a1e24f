"""Owns what the sandbox adds to moto: one module per subject, each with an
`install()` that sandbox.py calls at the start.
"""
