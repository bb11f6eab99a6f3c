"""Greetings."""


def greet(who):
    return f"Good day, {who}."
