"""A hundred large cookies with every answer, for odd domains, paths and dates; expected verdict: cookies are bounded, and the honest rest is graded."""
from honest import check, create_app as _create, total

DATES = ["Wdy, 99-Xxx-9999 99:99:99 GMT", "Thu, 01 Jan 1970 00:00:00 GMT", "9" * 400, "", "Fri, 31 Dec 99999999 23:59:59 GMT"]
DOMAINS = ["127.0.0.1", ".com", "example.com", "", ".", "..local", "localhost", "x" * 300, "\xe9\xe9"]


def create_app():
    app = _create()
    count = 0

    @app.after_request
    def feed(reply):
        nonlocal count
        for number in range(85):
            count += 1
            kind = count % 6
            tail = ["", "; Domain=" + DOMAINS[count % 9], "; Path=/" + "p" * 900, "; Expires=" + DATES[count % 5], "; Max-Age=" + "9" * 4000, "; Port=x; Version=7"][kind]
            reply.headers.add("Set-Cookie", "c%d=%s%s" % (count, "v" * (60000 if number < 60 else 10), tail))
        return reply

    return app
