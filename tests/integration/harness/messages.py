"""What servers say over WebSocket, checked against the AsyncAPI document as it is heard."""
import collections
import json
import os
import threading

import jsonschema
import yaml

from .stepmill import ROOT

BASE = "https://documents.test/api/"
# Of a type, in a run of the tests; tests/run contract checks all.
MOST = None if os.environ.get("STEPMILL_PRISM") else 500


def written(name):
    """A document as it is served."""
    document = yaml.safe_load((ROOT / f"docs/api/{name}.yaml").read_text())
    return json.loads(json.dumps(document).replace('"openapi.yaml#', '"openapi.json#'))


class Messages:
    def __init__(self):
        asyncapi = written("asyncapi")
        resolver = jsonschema.RefResolver(BASE + "asyncapi.json", asyncapi, {
            BASE + "openapi.json": written("openapi")})
        checker = jsonschema.FormatChecker(["uuid"])
        self.heard = collections.Counter()
        self.lock = threading.Lock()  # a resolver knows one place where it is
        self.messages = {message["name"]: message
                         for message in asyncapi["components"]["messages"].values()}
        self.validators = {
            name: jsonschema.Draft202012Validator(message["payload"], resolver=resolver,
                                                  format_checker=checker)
            for name, message in self.messages.items()}

    def problems(self, message):
        """What is wrong with a message of a known type."""
        return [f"{message['type']}: {'.'.join(map(str, error.absolute_path))}: {error.message}"[:500]
                for error in self.validators[message["type"]].iter_errors(message)]

    def hear(self, message):
        """Of the server; raises where it is not as the document says."""
        with self.lock:
            self.check(message)

    def check(self, message):
        name = message.get("type")
        assert name in self.validators and "x-stepmill-role" not in self.messages[name], message
        self.heard[name] += 1
        if MOST is None or self.heard[name] <= MOST:
            wrong = self.problems(message)
            assert not wrong, ("not as in docs/api/asyncapi.yaml", wrong, message)
