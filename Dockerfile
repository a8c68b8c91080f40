# The image that both boxes of a grading run from: Python, the packages of requirements/box.txt, and grader/inside.
#
# `grade` builds it on first use. By hand: docker build -t kata-grader:mine .
# The first stage may see a company's certificates and the address of its registry; none of it reaches the second.
ARG BASE=python:3.13-slim

FROM ${BASE} AS build
LABEL kata-grader.stage=build
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ARG PIP_TRUSTED_HOST
# Beside box.txt there may be `ca-bundle.pem`, and a folder `wheels`, which is then taken instead of a registry.
COPY requirements /build
RUN set -e; \
    options="--no-deps --require-hashes --only-binary=:all: --no-compile --no-cache-dir --disable-pip-version-check"; \
    if [ -d /build/wheels ]; then options="$options --no-index --find-links=/build/wheels"; fi; \
    if [ -f /build/ca-bundle.pem ]; then export PIP_CERT=/build/ca-bundle.pem; fi; \
    python3 -m venv /opt/grade; \
    /opt/grade/bin/python -I -m pip install $options -r /build/box.txt; \
    /opt/grade/bin/python -I -m pip uninstall --quiet --yes setuptools pip; \
    /opt/grade/bin/python -I -m compileall -q --invalidation-mode unchecked-hash /opt/grade/lib
# Bytecode is never checked against its source, which nothing can change once the box is closed.
COPY grader/inside /opt/box/inside
RUN chmod -R u=rwX,go=rX /opt/box && \
    /opt/grade/bin/python -I -m compileall -q --invalidation-mode unchecked-hash /opt/box

FROM ${BASE}
# Official Python images come without the standard library's bytecode, and a box can't keep what it compiles: without
# this, every start would compile anew what it imports.
RUN echo "box:x:65532:" >> /etc/group && \
    echo "box:x:65532:65532:box:/tmp:/usr/sbin/nologin" >> /etc/passwd && \
    python3 -I -m compileall -q -x "/(test|tests|idlelib|lib2to3|ensurepip|site-packages|dist-packages)/" \
        "$(python3 -I -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')"
COPY --from=build /opt/grade /opt/grade
COPY --from=build /opt/box /opt/box
USER 65532:65532
