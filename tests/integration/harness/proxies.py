"""HAProxy and nginx in front of something, with the configuration that is deployed.

Only addresses are put in: what is tested is what stands in deploy/. Each proxy has a folder
of its own and a free port of loopback.
"""
import pathlib
import shutil
import socket
import subprocess
import tempfile

from harness.stepmill import ROOT, wait_for

# Debian's nginx takes the deployed file into the http block of a file like this one.
NGINX_MAIN = """
daemon off;
worker_processes 1;
worker_rlimit_nofile 8192;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/stepmill.conf;
}}
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def replaced(text, old, new):
    """The text with this changed, which stands in it once."""
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the file"
    return text.replace(old, new)


class Proxy:
    """A proxy in front of some backends, each an address as (host, port). more: what stands at
    the end of each server's line."""

    family = socket.AF_INET

    def __init__(self, *backends, more=""):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"stepmill-{self.name}-"))
        self.folder.chmod(0o755)
        self.address = ("127.0.0.1", free_port())
        self.url = f"http://127.0.0.1:{self.address[1]}"
        self.backends = [f"{host}:{port}" for host, port in backends]
        self.more = more
        self.log_path = self.folder / "log"
        self.process = None

    def deployed(self, path, server, listen):
        """The deployed file with our addresses in it."""
        text = (ROOT / "deploy" / path).read_text()
        [line] = [line for line in text.split("\n") if server in line]
        text = replaced(text, line, "\n".join(
            line.replace("127.0.0.1:3456", backend).replace("stepmill1", f"stepmill{n}") + self.more
            for n, backend in enumerate(self.backends, 1)))
        return replaced(text, listen, f"{listen.split()[0]} 127.0.0.1:{self.address[1]}")

    def start(self):
        command = self.command()
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log)
        wait_for(f"{self.name} answers", self.alive, 20)
        return self

    def alive(self):
        """It listens, and has found what is behind it."""
        assert self.process.poll() is None, f"{self.name} ended"
        try:
            with socket.create_connection(self.address, 5) as client:
                client.sendall(b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n")
                return b" 200 " in client.recv(4096).split(b"\r\n")[0]
        except OSError:
            return False

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            print(self.log()[-10000:])
            self.stop()
            raise

    def __exit__(self, kind, value, trace):
        if kind is not None:
            print(self.log()[-10000:])
        self.stop()


class HAProxy(Proxy):
    name = "haproxy"

    def command(self):
        path = self.folder / "haproxy.cfg"
        text = self.deployed("haproxy/haproxy.cfg", "server stepmill1 127.0.0.1:3456", "bind :80")
        path.write_text(replaced(text, "daemon notice", "daemon info"))  # each request
        return [shutil.which("haproxy") or "/usr/sbin/haproxy", "-db", "-f", path]


class Nginx(Proxy):
    name = "nginx"

    def command(self):
        (self.folder / "stepmill.conf").write_text(replaced(
            self.deployed("nginx/stepmill.conf", "server 127.0.0.1:3456", "listen 80"),
            "/var/log/nginx/stepmill.log", "/dev/stdout"))
        path = self.folder / "nginx.conf"
        path.write_text(NGINX_MAIN.format(folder=self.folder))
        return [shutil.which("nginx") or "/usr/sbin/nginx", "-p", self.folder, "-c", path,
                "-e", "stderr"]


PROXIES = {"haproxy": HAProxy, "nginx": Nginx}


# ---- what stands behind them ----

def address_of(url):
    host, port = url.removeprefix("http://").split(":")
    return host, int(port)


def supervisor(stepmill, **settings):
    """One that asks for keys and has no workers, beside the dev that is shared."""
    return stepmill.supervisor(**{"pool_workers": 0, "auth_required": "true", **settings})


def is_ready(supervisor):
    try:
        return supervisor.ask("GET", "/readyz").status == 200
    except OSError:
        return False
