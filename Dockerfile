# A BIDS App: docker run --rm --network none -v BIDS:/in:ro -v OUT:/out mri-attention /in /out participant --participant-label 01
# For NVIDIA GPUs: docker build --build-arg TORCH_INDEX_URL=https://download.pytorch.org/whl/cu126 -t mri-attention .
FROM python:3.11.14-slim-bookworm AS build
ARG TORCH_INDEX_URL=https://download.pytorch.org/whl/cpu
WORKDIR /src
RUN python -m venv /opt/mri-attention
ENV PATH=/opt/mri-attention/bin:$PATH
COPY constraints.txt ./
# torch first, so that its build can be chosen
RUN pip install --no-cache-dir --constraint constraints.txt --index-url "$TORCH_INDEX_URL" --extra-index-url https://pypi.org/simple torch
COPY pyproject.toml README.md LICENSE ./
COPY bundles ./bundles
COPY datasets ./datasets
COPY handlers ./handlers
COPY losses ./losses
COPY metrics ./metrics
COPY networks ./networks
COPY operators ./operators
COPY scripts ./scripts
COPY simulation ./simulation
COPY transforms ./transforms
RUN pip install --no-cache-dir --constraint constraints.txt .
RUN pip install --no-cache-dir --no-deps deepbet==1.0.2

FROM python:3.11.14-slim-bookworm
COPY --from=build /opt/mri-attention /opt/mri-attention
RUN useradd --create-home --uid 1000 app
# caches lie where every user can write, as with docker run --user
ENV PATH=/opt/mri-attention/bin:$PATH HOME=/tmp MPLCONFIGDIR=/tmp/matplotlib
USER 1000
WORKDIR /tmp
ENTRYPOINT ["mri-attention", "bids"]
