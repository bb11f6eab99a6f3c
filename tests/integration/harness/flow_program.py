"""Workflow programs for tests: they speak the protocol of docs/program-protocol.md themselves, so
what is tested is the engine and no SDK."""
import os
import pathlib
import textwrap

HEAD = '''\
#!/usr/bin/python3
import itertools, json, os, socket, sys, time

fd = int(os.environ["STEPMILL_FD"])
channel = socket.socket(fileno=os.dup(fd))
reader = channel.makefile("rb")
ids = itertools.count(1)
answers, notices = {}, []


class Failed(Exception):
    pass


def send(method, **params):
    number = next(ids)
    channel.sendall(json.dumps({"jsonrpc": "2.0", "id": number, "method": method,
                                "params": params}).encode() + b"\\n")
    return number


def one():
    """Reads one message."""
    line = reader.readline()
    if not line:
        os._exit(3)
    message = json.loads(line)
    if message.get("method") == "suspend":
        os._exit(0)
    if "method" in message:
        notices.append(message)
    else:
        answers[message["id"]] = message


def receive(number):
    while number not in answers:
        one()
    message = answers.pop(number)
    if "error" in message:
        raise Failed(message["error"])
    return message["result"]


def ask(method, **params):
    return receive(send(method, **params))


def run(name, function, **more):
    begun = ask("step.begin", name=name, **more)
    if begun["done"]:
        if "error" in begun:
            raise Failed(begun["error"])
        return begun.get("output")
    while True:
        try:
            answer = ask("step.end", step=begun["step"], output=function())
        except Failed:
            raise
        except Exception as error:
            answer = ask("step.end", step=begun["step"],
                         error={"code": "oops", "message": str(error)})
            if "again" in answer:
                time.sleep(answer["again"]["delay"] / 1000)
                continue
            raise Failed({"code": "oops", "message": str(error)})
        return None if not answer else answer


def tool(which, args, **more):
    return ask("call", action="tool", fields={"tool": which, "args": args}, **more)["output"]


def wait(action, fields, **more):
    return ask("wait", action=action, fields=fields, **more)["output"]


def effect(text):
    """Something that happens outside: a line in a file."""
    with open(os.path.join(hello["projectPath"], "effects-" + hello["executionId"]), "a") as file:
        file.write(text + "\\n")


hello = ask("hello", protocol=1, sdk="raw", workflow=WORKFLOW)
if hello["mode"] == "describe":
    sys.exit(0)


def done(output=None):
    ask("done", output=output)
    sys.exit(0)
'''


def text(name, body, **about):
    """The text of a program that says it is this workflow, and does that."""
    return HEAD.replace("WORKFLOW", repr({"name": name, **about})) + textwrap.dedent(body)


def put(stepmill, name, body, ending=".workflow", **about):
    """Writes it into the folder of workflows, and waits until it is found; its path."""
    path = pathlib.Path(stepmill.templates) / (name + ending)
    made = path.with_name("." + path.name)
    made.write_text(text(name, body, **about))
    made.chmod(0o755)
    os.rename(made, path)
    return path


def effects(stepmill, run):
    path = pathlib.Path(stepmill.folder) / f"effects-{run}"
    return path.read_text().split() if path.exists() else []
