import unittest

from greeter import greet


class Greet(unittest.TestCase):
    def test_greet(self):
        self.assertEqual(greet("Ada"), "Good day, Ada.")
