# The image of plaid-token-broker: the binary, the C library, the root certificates, and no shell.
#
#   docker build -t plaid-token-broker .
#
# The base images are arguments, pinned to a version by their tags. For builds that repeat to the byte, pin them by digest
# (`docker buildx imagetools inspect IMAGE` prints it), and for a mirror name it:
#   docker build --build-arg RUNTIME_IMAGE=gcr.io/distroless/cc-debian13:nonroot@sha256:… -t plaid-token-broker .
# Both are of the same Debian release, so that the C library built against is the one that is there at run time.
ARG RUST_IMAGE=docker.io/library/rust:1.95.0-slim-trixie
ARG RUNTIME_IMAGE=gcr.io/distroless/cc-debian13:nonroot

# The manifests of the workspace, with an empty file for each crate's root: what the dependencies are built from.
FROM ${RUST_IMAGE} AS manifests
WORKDIR /src
COPY . .
RUN for manifest in Cargo.toml crates/*/Cargo.toml; do \
        [ -f "$manifest" ] || continue; \
        package=$(dirname "$manifest"); \
        for root in "$package"/src/main.rs "$package"/src/lib.rs "$package"/benches/*.rs; do \
            [ -f "$root" ] || continue; \
            mkdir -p "/manifests/$(dirname "$root")" && echo 'fn main() {}' >"/manifests/$root" || exit 1; \
        done; \
        cp "$manifest" "/manifests/$package/" || exit 1; \
    done && cp Cargo.lock /manifests/

FROM ${RUST_IMAGE} AS build
WORKDIR /src
# The dependencies first, in layers of their own: they are reused until a manifest changes. Fetching them is the one step
# that needs the network; what follows is frozen, and builds without one.
COPY --from=manifests /manifests ./
RUN cargo fetch --locked --target "$(rustc --print host-tuple)"
RUN cargo build --frozen --profile dist --bins
COPY . .
# The sources are older than what was just built from the empty files; cargo compares the times.
RUN find . -path ./target -prune -o -name '*.rs' -exec touch {} + && cargo build --frozen --profile dist --bins \
    && mkdir -p /out/data && cp target/dist/plaid-token-broker /out/

FROM ${RUNTIME_IMAGE}
# Held against Cargo.toml by tests/ship. The commit is for whoever builds: --build-arg REVISION=$(git rev-parse HEAD)
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="plaid-token-broker" \
    org.opencontainers.image.description="Plaid Link as a standard OAuth 2.0 provider" \
    org.opencontainers.image.licenses="MIT OR Apache-2.0" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}"
WORKDIR /app
COPY --from=build /out/plaid-token-broker /usr/local/bin/
# The one place that is written to; everything else may be read-only. A new volume takes over its owner.
COPY --from=build --chown=65532:65532 /out/data /app/data
USER 65532:65532
# The operations address stays on the container's own loopback: only `healthcheck` asks there unless BROKER_OPS_BIND says else.
ENV BROKER_BIND=0.0.0.0
EXPOSE 8000
VOLUME /app/data
# What is in flight is finished first, for at most 65 s: give `docker stop` and the like 70.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=4s --start-period=15s --retries=3 \
    CMD ["/usr/local/bin/plaid-token-broker", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/plaid-token-broker"]
