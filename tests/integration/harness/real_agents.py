"""The real command-line agents, from npm in the versions of tests/conformance/agents, and a HOME in
which each of them finds a provider on this host. Nothing of stepmill's presets is changed."""
import fcntl
import json
import os
import pathlib
import platform
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[3]
HERE = ROOT / "tests/conformance/agents"
WORK = ROOT / "build/conformance/agents"
ARM = platform.machine() in ("aarch64", "arm64")
MACHINE, TRIPLE = ("arm64", "aarch64") if ARM else ("x64", "x86_64")
# Their own starters pick the program of this machine; with --ignore-scripts it lies where npm put it.
PROGRAMS = {
    "claude": f"node_modules/@anthropic-ai/claude-code-linux-{MACHINE}/claude",
    "codex": f"node_modules/@openai/codex-linux-{MACHINE}/vendor/{TRIPLE}-unknown-linux-musl/bin/codex",
    "gemini": "node_modules/@google/gemini-cli/bundle/gemini.js",
    "opencode": f"node_modules/opencode-linux-{MACHINE}/bin/opencode",
}
# What each calls its tool that runs a command, and the argument of it.
SHELLS = {"claude": ("Bash", "command"), "codex": ("exec_command", "cmd"),
          "gemini": ("run_shell_command", "command"), "opencode": ("bash", "command")}
MODELS = {"claude": "claude-sonnet-4-5", "codex": "gpt-5-codex", "gemini": "gemini-2.5-flash",
          "opencode": "mock/m"}
KEY = "sk-canary-0123456789abcdef"


def install(name):
    """Its folder below build/. One at a time."""
    folder = WORK / name
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = (HERE / name / "package-lock.json").read_text()
        stamp = folder / "installed"
        if not stamp.exists() or stamp.read_text() != wanted:
            for file in ("package.json", "package-lock.json"):
                (folder / file).write_text((HERE / name / file).read_text())
            subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"],
                           cwd=folder, check=True, timeout=600)
            stamp.write_text(wanted)
    return folder


def put_program(name, bin_folder):
    """As a program of that name."""
    path = install(name) / PROGRAMS[name]
    command = f'node "{path}"' if path.suffix == ".js" else f'"{path}"'
    program = bin_folder / name
    program.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    program.chmod(0o755)


def put_home(home, url):
    """What a person would have written into files of their HOME."""
    def put(path, text):
        (home / path).parent.mkdir(parents=True, exist_ok=True)
        (home / path).write_text(text)
    put(".codex/config.toml", f'''model_provider = "mock"
[model_providers.mock]
name = "mock"
base_url = "{url}/v1"
wire_api = "responses"
env_key = "OPENAI_API_KEY"
''')
    put(".gemini/settings.json", json.dumps({
        "security": {"auth": {"selectedType": "gemini-api-key"}},
        "privacy": {"usageStatisticsEnabled": False}, "general": {"enableAutoUpdate": False}}))
    put(".config/opencode/opencode.json", json.dumps({
        "model": "mock/m", "small_model": "mock/m", "autoupdate": False, "provider": {"mock": {
            "npm": "@ai-sdk/openai-compatible", "name": "mock", "models": {"m": {"name": "m"}},
            "options": {"baseURL": f"{url}/v1", "apiKey": KEY}}}}))


def environment(name, folder, url):
    """Of a stepmill whose steps can use it. What is not of the presets is let through by
    worker.environment: that nothing is asked of the net, and that root may."""
    bin_folder, home = folder / "bin", folder / "home"
    for path in (bin_folder, home):
        path.mkdir()
    put_program(name, bin_folder)
    put_home(home, url)
    more = {"IS_SANDBOX": "1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "OPENCODE_DISABLE_DEFAULT_PLUGINS": "true", "OPENCODE_DISABLE_MODELS_FETCH": "true",
            "OPENCODE_DISABLE_LSP_DOWNLOAD": "true"}
    return {"PATH": f"{bin_folder}:{os.environ['PATH']}", "HOME": str(home),
            "ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": url, "OPENAI_API_KEY": KEY,
            "GEMINI_API_KEY": KEY, "GOOGLE_GEMINI_BASE_URL": url,
            "STEPMILL_WORKER_ENVIRONMENT": ",".join(more), **more}


def fixtures(name):
    """For aimock: it makes a file by its tool and tells; or it never comes back from its tool."""
    tool, argument = SHELLS[name]
    told = {"prompt_tokens": 12, "completion_tokens": 7, "input_tokens": 12, "output_tokens": 7,
            "promptTokenCount": 12, "candidatesTokenCount": 7}

    def call(key, command):
        arguments = json.dumps({argument: command, "description": "as asked"})
        return {"toolCalls": [{"id": key, "name": tool, "arguments": arguments}], "usage": told}
    return [
        {"match": {"userMessage": "make the file", "hasToolResult": False},
         "response": call("call_make", "echo from-the-tool > made.txt; cat made.txt")},
        {"match": {"userMessage": "make the file", "hasToolResult": True},
         "response": {"content": "It is made.", "usage": told}},
        {"match": {"userMessage": "hang for ever"},
         "response": call("call_hang", "echo $$ > hanging; exec sleep 1000")},
        {"match": {"userMessage": "what was it", "history": "It is made."},
         "response": {"content": "It was a file.", "usage": told}},
        {"match": {}, "response": {"content": "Something else.", "usage": told}},
    ]
