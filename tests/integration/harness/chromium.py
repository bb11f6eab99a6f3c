"""Debian's chromium without a window, and a server of one page, which gives that page an origin of
its own. Missing programs are an error: deploy/install-packages --browser."""
import http.server
import shutil
import tempfile
import threading

from harness.stepmill import ROOT, wait_for

SCRIPT = (ROOT / "tests/integration/pages/client.js").read_text()
OPTIONS = ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu",
           "--no-first-run", "--no-proxy-server", "--disable-background-networking",
           "--disable-component-update"]


class Chromium:
    def __init__(self):
        # not at the top: tests that need no browser do without its package
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service

        self.profile = tempfile.mkdtemp(prefix="stepmill-chromium-")
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for option in [*OPTIONS, f"--user-data-dir={self.profile}"]:
            options.add_argument(option)
        self.driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
        self.driver.set_page_load_timeout(60)
        self.driver.set_script_timeout(60)

    def open(self, url):
        """A page of this origin, with what pages/client.js can do."""
        self.driver.get(url)
        self.driver.execute_script(SCRIPT)

    def do(self, script, *args):
        return self.driver.execute_script(script, *args)

    def wait(self, what, condition, seconds=60):
        """Until this expression of the page's is true; its value."""
        return wait_for(what, lambda: self.do(f"return {condition}"), seconds, every=0.05)

    def __enter__(self):
        return self

    def __exit__(self, *what):
        try:
            self.driver.quit()
        finally:
            shutil.rmtree(self.profile, ignore_errors=True)


class OnePage(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>a page</title>")

    def log_message(self, *what):
        pass


class Page:
    """A page from elsewhere; `origin` is what the browser says where it came from."""

    def __enter__(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), OnePage)
        self.origin = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *what):
        self.server.shutdown()
        self.server.server_close()
