# Two images of one build, so that neither can be of another version than the other. Any Debian-like base with Python
# 3.11 or newer will do. Sidecars and agents, whose user their agent says and the engine's socket asks for:
#
#   docker build -t mcr-console .
#
# The supervisor, as a user of its own, with a health check. It writes below MCR_HOME and /tmp alone, so that its root can
# be read-only. It has the libraries of media too: it is the supervisor that looks into clips when a list comes in.
#
#   docker build --target supervisor -t mcr-supervisor .
#
# With another base:
#
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

FROM ${BASE} AS program
COPY --from=packages /opt/mcr /opt/mcr
ENV PATH=/opt/mcr/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1

FROM program AS supervisor
RUN install -d -o 10001 -g 10001 -m 700 /var/lib/mcr
ENV MCR_HOME=/var/lib/mcr HOME=/tmp
USER 10001:10001
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s CMD ["python", "-P", "-m", "supervisor.healthy"]
CMD ["python", "-P", "-m", "supervisor", "serve", "--no-node"]

# The last stage is what is built where no target is named.
FROM program AS sidecar
CMD ["python", "-P", "-m", "sidecar"]
