# The two commands of the README in an image: what `make run` installs, and `flowdesk run`.
#   docker build -t flowdesk . && docker run -p 127.0.0.1:8000:8000 -v flowdesk:/data flowdesk
FROM debian:13-slim

RUN apt-get update -q \
    && apt-get install -q -y --no-install-recommends ca-certificates python3 python3-venv \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --create-home --shell /usr/sbin/nologin flowdesk \
    && install -d -o flowdesk -g flowdesk -m 700 /data

WORKDIR /srv/flowdesk
COPY requirements.lock requirements-uv.lock ./
COPY scripts/setup.sh scripts/
RUN scripts/setup.sh run
COPY flowdesk flowdesk
RUN .venv/bin/python -m compileall -q flowdesk

# The embedded PostgreSQL runs as who starts it, and will not run as root.
USER flowdesk
ENV FLOWDESK_DATA=/data PYTHONUNBUFFERED=1
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --start-period=2m CMD [".venv/bin/python", "-c", \
    "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz', timeout=5)"]
ENTRYPOINT [".venv/bin/flowdesk"]
CMD ["run", "--host", "0.0.0.0"]
