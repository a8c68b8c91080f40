"""The club's server: members log in, and show their token at the door. Nothing is left to do in this file."""

from door import issue_token, require_token
from errors import error
from flask import Flask, g, request
from werkzeug.security import check_password_hash

# Two members to try things out with; their passwords stand in the README.
MEMBERS = [
    {
        "id": 7,
        "name": "Wanjiru Kamau",
        "email": "wanjiru@club.example",
        "role": "member",
        "password_hash": "scrypt:32768:8:1$rbQo2zHkAuRbb3cY$"
        "b3a62f1b87c73e1362e6842acf8341e514f6ac08725b40ea99cde2fd59128045"
        "90687bfa87770b5bf2c2913b37f5cdfb84e3348239d744f6b471310ca6007c86",
    },
    {
        "id": 19,
        "name": "Tomáš Novák",
        "email": "tomas@club.example",
        "role": "treasurer",
        "password_hash": "scrypt:32768:8:1$w9LVhiav7U6dL2nG$"
        "a656012503ba53f62d0aafffa4cf5c1a3da6e2cf02ead6eda3f752723cf6f1b8"
        "af0e73de9c90e0ef0bd6b1021b0fb97f3302d6630027af1eab9bbe8eb054d7a2",
    },
]


def create_app(config=None):
    """Build the app; other members may come in as config["MEMBERS"]."""
    app = Flask(__name__)
    app.config["MEMBERS"] = MEMBERS
    app.config.update(config or {})

    @app.post("/login")
    def login():
        email, password = request.form["email"], request.form["password"]
        for member in app.config["MEMBERS"]:
            if member["email"] == email and check_password_hash(member["password_hash"], password):
                return {"token": issue_token(member)}
        return error(401, "wrong_login", "The e-mail address or the password is wrong.")

    @app.get("/me")
    @require_token
    def me():
        return {"id": g.member["id"], "name": g.member["name"], "role": g.member["role"]}

    @app.delete("/me")
    @require_token
    def leave():
        app.config["MEMBERS"].remove(g.member)
        return "", 204

    return app
