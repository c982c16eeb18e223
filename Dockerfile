# The service without its laptop parts' data: one image, one command per container.
#
#   docker build -t al-service .
#   docker build -t al-service --build-arg TORCH_INDEX=https://download.pytorch.org/whl/cpu .

FROM python:3.11-slim AS install

# Where to get another build of torch from; empty: the default index.
ARG TORCH_INDEX=""

WORKDIR /source
RUN python -m venv /opt/al
COPY pyproject.toml constraints.txt ./
# Packages first: a change of our code does not download torch again.
RUN /opt/al/bin/python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" > requirements.txt \
    && /opt/al/bin/pip install --no-cache-dir ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} \
        -c constraints.txt -r requirements.txt setuptools
COPY README.md LICENSE ./
COPY al_service al_service
COPY db db
COPY workers workers
RUN /opt/al/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.11-slim

RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/al al \
    && install -d -o al -g al /artifacts
COPY --from=install /opt/al /opt/al

ENV PATH=/opt/al/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    AL_HOME=/var/lib/al \
    AL_ARTIFACTS=/artifacts \
    AL_HOST=0.0.0.0 \
    AL_PORT=8151

USER al
WORKDIR /var/lib/al
EXPOSE 8151
ENTRYPOINT ["al"]
CMD ["api"]
