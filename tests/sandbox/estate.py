"""Owns seeding: turns an estate, given as JSON, into resources with fixed ids."""


def seed(estate):
    pass
