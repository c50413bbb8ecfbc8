# Serves the champion over HTTP; `make image` fetches it and builds this.
# docs/using-models.md: "In a container".
FROM python:3.11-slim AS environment
RUN pip install --no-cache-dir uv
WORKDIR /build
COPY pyproject.toml requirements.lock ./
# Versions and hashes of the lock, without what only development needs.
RUN python -m venv /opt/saltseg \
    && uv pip install --no-cache --compile-bytecode --python /opt/saltseg/bin/python \
        --require-hashes --constraints requirements.lock --requirements pyproject.toml

FROM python:3.11-slim
COPY --from=environment /opt/saltseg /opt/saltseg
# The model brings its own code: saltseg itself is not installed.
COPY tmp/champion /model
RUN useradd --system --create-home saltseg
USER saltseg
WORKDIR /home/saltseg
ENV PATH=/opt/saltseg/bin:$PATH PYTHONUNBUFFERED=1
EXPOSE 8080
HEALTHCHECK --start-period=60s --timeout=10s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/ping')"]
CMD ["mlflow", "models", "serve", "--model-uri", "/model", "--env-manager", "local", \
     "--host", "0.0.0.0", "--port", "8080"]
