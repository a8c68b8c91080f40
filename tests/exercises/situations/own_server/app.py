import os
from http.server import BaseHTTPRequestHandler, HTTPServer


class Greeting(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"Welcome!")


HTTPServer((os.environ["ADDRESS"], int(os.environ["PORT"])), Greeting).serve_forever()
