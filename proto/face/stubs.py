"""Service protocols to implement, typed clients and method descriptors."""


def generate(schema):
    return []
