# Everything of MCR Console in one image: a sidecar, a node agent and a supervisor differ by their command alone, so that
# none of them can be of another version than the others. Any Debian-like base with Python 3.11 or newer will do.
#
#   docker build -t mcr-console .
#   docker build -t mcr-console --build-arg BASE=registry.example/debian-python:12 .
#
# Wheels that lie in ./wheels are installed from there and nothing is fetched: for a build without a network
# (pip download --require-hashes --only-binary :all: -r requirements/run.txt -d wheels).
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS packages
COPY requirements/run.txt wheels* /build/wheels/
RUN python3 -m venv /opt/mcr \
 && if ls /build/wheels/*.whl >/dev/null 2>&1; then offline="--no-index --find-links /build/wheels"; fi \
 && /opt/mcr/bin/python -m pip install --disable-pip-version-check --no-cache-dir --require-hashes --only-binary :all: \
      ${offline:-} -r /build/wheels/run.txt
COPY pyproject.toml README.md LICENSE /build/source/
COPY db /build/source/db
COPY mcr_console /build/source/mcr_console
COPY sidecar /build/source/sidecar
COPY supervisor /build/source/supervisor
RUN /opt/mcr/bin/python -m pip install --disable-pip-version-check --no-cache-dir --no-deps --no-build-isolation \
      /build/source

FROM ${BASE}
COPY --from=packages /opt/mcr /opt/mcr
ENV PATH=/opt/mcr/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
CMD ["python", "-P", "-m", "sidecar"]
