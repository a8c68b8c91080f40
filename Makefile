# make test    from nothing: sets up `.venv`, then runs every test (ARGS="tests/sandbox -k image" for some)
# make lint    what the tests also demand: ruff and mypy
# make docs    renew what the documentation takes from the code
# make lock    pin the newest versions of everything in requirements/, with the hashes of all platforms' packages

.PHONY: test lint docs lock dev

test: dev
	.venv/bin/python -m pytest -n auto --dist worksteal $(ARGS)

lint: dev
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy

docs: dev
	.venv/bin/python docs/make_reference.py

# All three from one resolution, so that a version is the same wherever it stands.
lock: dev
	$(COMPILE) --upgrade pyproject.toml --group dev --group box -o requirements/dev.txt
	$(COMPILE) -c requirements/dev.txt --upgrade pyproject.toml -o requirements/grader.txt
	$(COMPILE) -c requirements/dev.txt --upgrade --group box -o requirements/box.txt

COMPILE = .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --no-build --generate-hashes \
	--custom-compile-command "make lock"

dev:
	@GRADE_SETUP=dev ./grade
